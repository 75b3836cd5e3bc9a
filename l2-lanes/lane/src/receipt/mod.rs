//! Receipts: one sale or use, of one payer and one source, in integer minor units of the lane's currency.

mod body;
mod digest;
mod id;
mod json;
mod key;
mod name;
mod text;

use alloy_primitives::{Address, B256};

pub use body::{Body, BookingStatus, Kind, MAX_AMOUNT, Parts, Shape};
pub use digest::digest;
pub use id::{IdParts, MOST_DIGITS, MOST_ID_BYTES, ReceiptId};
pub use json::{Intake, MOST_JSON_BYTES, ReceiptError, parse_receipt};
pub use key::{ED25519, P256, SECP256K1, is_signed_by};
pub use name::{MOST_NAME_BYTES, Name};
pub use text::{minor_units, seconds};

/// The latest time that a record can have, in seconds: 40 bits.
pub const MAX_TIME: u64 = (1 << 40) - 1;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whoever owes the royalty.
    pub payer: Address,
    /// The licence: keccak256 of its name (C14).
    pub licence: B256,
    /// Name of the payer's source.
    pub source: Name,
    /// Unique for ever in its source.
    pub id: ReceiptId,
    /// Seconds since 1970, at most [`MAX_TIME`].
    pub time: u64,
    /// What happened, and for how much.
    pub body: Body,
    /// The source's signature over [`digest`], as 64 bytes of its key's scheme.
    pub signature: Option<[u8; 64]>,
}
