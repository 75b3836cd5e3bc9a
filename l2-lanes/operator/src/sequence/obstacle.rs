//! What keeps a receipt from being in a batch now.

use alloy_primitives::{Address, B256, U256};

/// Why a receipt is in no batch now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Its licence was not in force at its time, or is not known.
    Licence(B256),
    /// Its source has a key, and it has no signature of that.
    Unsigned(String),
    /// A batch that was made elsewhere has it.
    Accepted(B256),
    /// Its payer has not consented: no key here, and no allowance.
    NoConsent(Address),
    /// Its payer's allowance does not admit its source.
    Source {
        /// Who owes.
        payer: Address,
        /// The source, by name.
        source: String,
        /// The allowance names it, but it has no key, and the allowance admits none such.
        named: bool,
    },
    /// Its payer's allowance has too little left.
    Allowance(Address),
    /// Its payer has too little in the pot.
    Unfunded {
        /// Who owes.
        payer: Address,
        /// What is free, in the token's minor unit.
        free: U256,
    },
    /// Its period takes no batches any more.
    Late,
    /// The check of a batch found it wrong: no fault of the receipt's, but of this program or the node.
    Convicted(String),
}

impl Obstacle {
    /// In a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Licence(_) => "licence",
            Self::Unsigned(_) => "unsigned",
            Self::Accepted(_) => "accepted",
            Self::NoConsent(_) => "consent",
            Self::Source { .. } => "source",
            Self::Allowance(_) => "allowance",
            Self::Unfunded { .. } => "unfunded",
            Self::Late => LATE,
            Self::Convicted(_) => CONVICTED,
        }
    }
}

/// [`Obstacle::word`] of what never goes away.
pub const LATE: &str = "late";
/// [`Obstacle::word`] of what somebody must look at.
pub const CONVICTED: &str = "convicted";

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Licence(id) => write!(f, "licence {id} is not known, or was not in force then"),
            Self::Unsigned(source) => {
                write!(f, "source {source} has a key, and its signature is missing or wrong")
            }
            Self::Accepted(root) => write!(f, "batch {root}, which was made elsewhere, has it"),
            Self::NoConsent(payer) => write!(
                f,
                "payer {payer} has not consented: it needs an allowance (chlom lane allowance set), or --payer-key-file"
            ),
            Self::Source { payer, source, named: false } => {
                write!(f, "the allowance of payer {payer} does not name source {source}")
            }
            Self::Source { payer, source, named: true } => write!(
                f,
                "source {source} has no key, and the allowance of payer {payer} admits no source without one"
            ),
            Self::Allowance(payer) => write!(f, "the allowance of payer {payer} has too little left"),
            Self::Unfunded { payer, free } => write!(
                f,
                "payer {payer} has too little in its pot: {free} of the token's smallest unit is free (chlom lane pot deposit)"
            ),
            Self::Late => write!(f, "their period takes no batches any more: it ended 60 days ago"),
            Self::Convicted(what) => write!(
                f,
                "the check of a batch with it finds it wrong ({what}): report this; it is tried again when the process starts anew"
            ),
        }
    }
}
