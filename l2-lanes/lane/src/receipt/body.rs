//! What a receipt is about: four kinds, and how each is laid out.

use super::Name;

/// Most of any amount, in minor units: 96 bits, so that no sum of a batch exceeds 128.
pub const MAX_AMOUNT: u128 = chlom_royalty::amount::MAX_U96;

/// A kind of receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `ad_conversion`.
    AdConversion,
    /// `order`.
    Order,
    /// `booking`.
    Booking,
    /// `view`.
    View,
}

/// How a booking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BookingStatus {
    /// The service was given: its whole price is revenue.
    Completed,
    /// Nobody came.
    NoShow,
    /// It was called off.
    Cancelled,
}

/// What happened, and for how much; all amounts at most [`MAX_AMOUNT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An advertisement led to a sale.
    AdConversion {
        /// Which campaign.
        campaign: Name,
        /// The sale's value: the revenue.
        value: u128,
    },
    /// Goods were sold.
    Order {
        /// Before the discount; gross less discount, the net, is the revenue.
        gross: u128,
        /// At most `gross`.
        discount: u128,
    },
    /// A service was booked.
    Booking {
        /// How it ended.
        status: BookingStatus,
        /// As agreed when it was booked, whatever the price is on another day.
        price: u128,
        /// Paid ahead, at most `price`.
        deposit: u128,
        /// What the provider keeps in the end: the revenue. `price` when completed, else at most `price`.
        kept: u128,
    },
    /// Something was watched, or a sponsor's integration was fulfilled.
    View {
        /// What.
        title: Name,
        /// How often, at least once.
        views: u64,
        /// What is paid for it: the revenue.
        value: u128,
    },
}

/// The kind of a body, how a booking ended, and whether the receipt is signed, in one byte. Upholds [LAN-6].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape(u8);

/// A body laid out: its shape, its label and its amounts, of which the first is the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Shape.
    pub shape: Shape,
    /// Campaign or title; empty where the kind has none.
    pub label: &'a str,
    /// As many as the shape says; zero beyond.
    pub amounts: [u128; 3],
}

const SIGNED: u8 = 0x10;

impl Shape {
    /// # Errors
    /// `None` for a byte that is no shape.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte & !SIGNED {
            0..=3 | 6 | 10 => Some(Self(byte)),
            _ => None,
        }
    }

    const fn new(kind: Kind, status: BookingStatus) -> Self {
        let status = match status {
            BookingStatus::Completed => 0,
            BookingStatus::NoShow => 4,
            BookingStatus::Cancelled => 8,
        };
        Self(kind as u8 | status)
    }

    /// The byte.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// The shape of the same receipt with or without a signature.
    pub const fn with_signature(self, signed: bool) -> Self {
        Self(if signed { self.0 | SIGNED } else { self.0 & !SIGNED })
    }

    /// Whether a signature follows.
    pub const fn is_signed(self) -> bool {
        self.0 & SIGNED != 0
    }

    /// The kind.
    pub const fn kind(self) -> Kind {
        match self.0 & 3 {
            0 => Kind::AdConversion,
            1 => Kind::Order,
            2 => Kind::Booking,
            _ => Kind::View,
        }
    }

    /// How a booking ended; `Completed` for other kinds.
    pub const fn status(self) -> BookingStatus {
        match self.0 & 12 {
            4 => BookingStatus::NoShow,
            8 => BookingStatus::Cancelled,
            _ => BookingStatus::Completed,
        }
    }

    /// Whether the kind has a label.
    pub const fn has_label(self) -> bool {
        matches!(self.kind(), Kind::AdConversion | Kind::View)
    }

    /// How many amounts there are.
    pub const fn amounts(self) -> usize {
        match (self.kind(), self.status()) {
            (Kind::AdConversion, _) => 1,
            (Kind::Booking, BookingStatus::NoShow | BookingStatus::Cancelled) => 3,
            _ => 2,
        }
    }

    /// Whether amounts can be of this shape. Upholds [LAN-7].
    pub fn admits(self, amounts: &[u128; 3]) -> bool {
        let [first, second, third] = *amounts;
        let small = first <= MAX_AMOUNT && second <= MAX_AMOUNT && third <= MAX_AMOUNT;
        small
            && match (self.kind(), self.amounts()) {
                (Kind::AdConversion, _) => second == 0 && third == 0,
                // Net and discount, which together are the gross.
                (Kind::Order, _) => third == 0 && first.saturating_add(second) <= MAX_AMOUNT,
                // The price and the deposit.
                (Kind::Booking, 2) => third == 0 && second <= first,
                // What is kept, the price, the deposit.
                (Kind::Booking, _) => first <= second && third <= second,
                // The value and the views.
                (Kind::View, _) => third == 0 && second >= 1 && second <= u64::MAX.into(),
            }
    }
}

impl Body {
    /// The kind.
    pub fn kind(&self) -> Kind {
        self.parts().shape.kind()
    }

    /// What it says, in minor units.
    pub fn revenue(&self) -> u128 {
        self.parts().amounts[0]
    }

    /// Whether its amounts can be.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Order { gross, discount } if discount > gross => false,
            Self::Booking { status: BookingStatus::Completed, price, kept, .. } if price != kept => false,
            _ => {
                let parts = self.parts();
                parts.shape.admits(&parts.amounts)
            }
        }
    }

    /// Laid out, unsigned.
    pub fn parts(&self) -> Parts<'_> {
        let of = |kind, label, amounts| Parts {
            shape: Shape::new(kind, BookingStatus::Completed),
            label,
            amounts,
        };
        match self {
            Self::AdConversion { campaign, value } => {
                of(Kind::AdConversion, campaign.as_str(), [*value, 0, 0])
            }
            Self::Order { gross, discount } => {
                of(Kind::Order, "", [gross.saturating_sub(*discount), *discount, 0])
            }
            Self::Booking { status: BookingStatus::Completed, price, deposit, .. } => {
                of(Kind::Booking, "", [*price, *deposit, 0])
            }
            Self::Booking { status, price, deposit, kept } => Parts {
                shape: Shape::new(Kind::Booking, *status),
                label: "",
                amounts: [*kept, *price, *deposit],
            },
            Self::View { title, views, value } => {
                of(Kind::View, title.as_str(), [*value, (*views).into(), 0])
            }
        }
    }
}

impl Parts<'_> {
    /// The body; `None` when the label is no name or the amounts cannot be.
    pub fn body(&self) -> Option<Body> {
        if !self.shape.admits(&self.amounts) {
            return None;
        }
        let [first, second, third] = self.amounts;
        let status = self.shape.status();
        Some(match self.shape.kind() {
            Kind::AdConversion => Body::AdConversion { campaign: Name::new(self.label).ok()?, value: first },
            Kind::Order => Body::Order { gross: first.checked_add(second)?, discount: second },
            Kind::Booking if status == BookingStatus::Completed => {
                Body::Booking { status, price: first, deposit: second, kept: first }
            }
            Kind::Booking => Body::Booking { status, price: second, deposit: third, kept: first },
            Kind::View => Body::View {
                title: Name::new(self.label).ok()?,
                views: second.try_into().ok()?,
                value: first,
            },
        })
    }
}
