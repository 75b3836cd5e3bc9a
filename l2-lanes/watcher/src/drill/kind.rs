//! Frauds that a drill can plant.

use std::{fmt, str::FromStr};

use chlom_lane::fraud::FraudKind;

/// A fraud to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plant {
    /// None: a right batch, which nobody may challenge.
    Right,
    /// Something behind the last page.
    Malformed,
    /// Two rows the wrong way round.
    BadOrder,
    /// One receipt twice in a batch, under two licences.
    DoubleCount,
    /// A receipt of an earlier batch.
    DoubleCountEarlier,
    /// A row with more revenue than its receipts.
    WrongSum,
    /// A row at another rate than its licence's.
    WrongTerms,
    /// Another root over the rows.
    BadRoot,
    /// Receipts of a licence that nobody has.
    InvalidLicense,
    /// A receipt from before the period.
    OutOfPeriod,
    /// A receipt without a signature, of a source with a key.
    ForgedSource,
    /// A receipt of a source that the payer's allowance does not name.
    UnconsentedSource,
}

impl Plant {
    /// Every fraud, a right batch apart.
    pub const FRAUDS: [Self; 11] = [
        Self::Malformed,
        Self::BadOrder,
        Self::DoubleCount,
        Self::DoubleCountEarlier,
        Self::WrongSum,
        Self::WrongTerms,
        Self::BadRoot,
        Self::InvalidLicense,
        Self::OutOfPeriod,
        Self::ForgedSource,
        Self::UnconsentedSource,
    ];

    /// What a watcher must find; `None` for a right batch.
    pub const fn expected(self) -> Option<FraudKind> {
        Some(match self {
            Self::Right => return None,
            Self::Malformed => FraudKind::Malformed,
            Self::BadOrder => FraudKind::BadOrder,
            Self::DoubleCount | Self::DoubleCountEarlier => FraudKind::DoubleCount,
            Self::WrongSum => FraudKind::WrongSum,
            Self::WrongTerms => FraudKind::WrongTerms,
            Self::BadRoot => FraudKind::BadRoot,
            Self::InvalidLicense => FraudKind::InvalidLicense,
            Self::OutOfPeriod => FraudKind::OutOfPeriod,
            Self::ForgedSource | Self::UnconsentedSource => FraudKind::ForgedSource,
        })
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Malformed => "malformed",
            Self::BadOrder => "bad-order",
            Self::DoubleCount => "double-count",
            Self::DoubleCountEarlier => "double-count-earlier",
            Self::WrongSum => "wrong-sum",
            Self::WrongTerms => "wrong-terms",
            Self::BadRoot => "bad-root",
            Self::InvalidLicense => "invalid-license",
            Self::OutOfPeriod => "out-of-period",
            Self::ForgedSource => "forged-source",
            Self::UnconsentedSource => "unconsented-source",
        }
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Right].into_iter().chain(Self::FRAUDS);
        let names = || {
            let names: Vec<_> = [Self::Right].into_iter().chain(Self::FRAUDS).map(Self::name).collect();
            format!("{text:?} is none of {}", names.join(", "))
        };
        all.into_iter().find(|plant| plant.name() == text).ok_or_else(names)
    }
}
