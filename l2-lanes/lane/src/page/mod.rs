//! Pages: what a batch's blob carries, one in each data cell. Each decodes alone, and one content has one encoding.
//!
//! - [`record`](mod@record): receipts, with dictionaries and differences.
//! - [`table`](mod@table): rows.
//! - [`node`](mod@node): hashes of both trees.

pub mod node;
pub mod record;
pub mod table;

/// Bytes of a page: the payload of one data cell.
pub use chlom_crypto::kzg::PAGE_BYTES;
pub use record::{RecordPage, RecordView};
pub use table::TablePage;

use alloy_primitives::{B256, keccak256};

use crate::{bytes::BytesError, merkle};

/// A page's bytes.
pub type Page = [u8; PAGE_BYTES];

/// Most records of one page: each takes at least four bytes.
pub const MOST_RECORDS: u32 = 496;
/// Most rows of one page: each takes at least 35 bytes.
pub const MOST_ROWS: u32 = 56;
/// Nodes of a page: hashes and nothing else.
pub const NODES: u32 = 62;
/// Pages of a blob of 32 rows.
pub const MOST_PAGES: u32 = 2_048;

/// Why bytes are no page of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A field is cut off, or no canonical number within its bound.
    #[error(transparent)]
    Bytes(#[from] BytesError),
    /// What stands behind the last entry is not zero.
    #[error("the page is not zero behind its last entry")]
    Rest,
    /// The index of the last entry exceeds 32 bits.
    #[error("the index of the page's last entry exceeds 32 bits")]
    Index,
    /// The running sum exceeds 128 bits.
    #[error("the running sum exceeds 128 bits within the page")]
    Sum,
    /// A dictionary is not sorted, or does not share all that it can.
    #[error("a dictionary is not strictly sorted or not written in the shortest way")]
    Dictionary,
    /// A dictionary's text is no name.
    #[error("a text of a dictionary is no name")]
    Name,
    /// A dictionary's entry that no record uses.
    #[error("an entry of a dictionary is not used")]
    Unused,
    /// A record names an entry that the dictionary lacks.
    #[error("a record names an entry that its dictionary lacks")]
    Entry,
    /// Not a shape of receipts.
    #[error("{0:#04x} is no shape of receipts")]
    Shape(u8),
    /// A group of records begins in another way than the shortest, or holds none or too many.
    #[error("a group of records is not written in the shortest way, or holds none or too many")]
    Group,
    /// An id that is none, or is written in another way than the shortest.
    #[error("an id is malformed or not written in the shortest way")]
    Id,
    /// A time below 1970 or past what 40 bits hold.
    #[error("a time is out of range")]
    Time,
    /// Amounts that a receipt of that shape cannot have.
    #[error("the amounts are none of a receipt of that shape")]
    Amounts,
    /// A row's payer is written in another way than the shortest.
    #[error("a row's payer is not written in the shortest way")]
    Payer,
    /// Records or rows are not strictly ascending.
    #[error("entries are not strictly ascending")]
    Order,
}

/// The leaf of a record page in the tree of `receipts_root`: keccak256(0x00 ‖ the page's 1,984 bytes). Upholds [LAN-23].
pub fn leaf(page: &Page) -> B256 {
    let mut bytes = [merkle::LEAF; PAGE_BYTES + 1];
    bytes[1..].copy_from_slice(page);
    keccak256(bytes)
}

/// What stands behind the last entry is zero.
fn ensure_zero(rest: &[u8]) -> Result<(), PageError> {
    if is_zero(rest) { Ok(()) } else { Err(PageError::Rest) }
}

/// Whether all bytes are zero.
pub fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Bytes that two texts share from the front.
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// A page of at most [`PAGE_BYTES`] bytes, zeros behind them.
fn padded(bytes: &[u8]) -> Page {
    let mut page = [0; PAGE_BYTES];
    page.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    page
}
