//! Why bytes are no header.

use super::{FIXED_BYTES, FORMAT, MOST_PAYERS, PAYER_BYTES};
use crate::page::{MOST_PAGES, MOST_RECORDS, MOST_ROWS};

/// Why bytes are no header of a batch. The number ([`HeaderFault::number`]) alone reaches the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Another number of bytes.
    #[error("a header has {FIXED_BYTES} bytes and {PAYER_BYTES} for each payer that it counts")]
    Length,
    /// Another format.
    #[error("headers have format {FORMAT}")]
    Format,
    /// The period is not yyyymm0w.
    #[error("the period is no week of a month")]
    Period,
    /// The blob's header is malformed.
    #[error("the blob's header is malformed")]
    Blob,
    /// The blob is another lane's.
    #[error("the blob is of another lane")]
    BlobLane,
    /// The blob is another period's.
    #[error("the blob is of another period")]
    BlobPeriod,
    /// The records do not fit the record pages.
    #[error("a batch has record pages of 1 to {MOST_RECORDS} records")]
    Records,
    /// The rows do not fit the table pages, or are more than the records.
    #[error("a batch has table pages of 1 to {MOST_ROWS} rows, and no more rows than records")]
    Rows,
    /// Not the node pages that both trees take.
    #[error("the node pages are not those of both trees")]
    NodePages,
    /// More pages than a blob has.
    #[error("a batch has at most {MOST_PAGES} pages")]
    Pages,
    /// The blob has not the least power of two of rows that holds the pages.
    #[error("the blob has more or fewer rows than the pages need")]
    BlobRows,
    /// No payers, too many, or more than rows.
    #[error("a batch has 1 to {MOST_PAYERS} payers, and no more than rows")]
    Payers,
    /// A payer is zero, or not after the one before.
    #[error("payers are not zero and stand in ascending order, each once")]
    PayerOrder,
    /// The payers' first rows do not divide the rows.
    #[error("the payers' first rows begin at 0 and ascend below the number of rows")]
    PayerRows,
    /// The payers' totals exceed 128 bits together.
    #[error("the payers' totals exceed 128 bits together")]
    PayerTotals,
}

impl HeaderFault {
    /// Its number in consensus. Upholds [LAN-12].
    pub const fn number(self) -> u8 {
        match self {
            Self::Length => 1,
            Self::Format => 2,
            Self::Period => 3,
            Self::Blob => 4,
            Self::BlobLane => 5,
            Self::BlobPeriod => 6,
            Self::Records => 7,
            Self::Rows => 8,
            Self::NodePages => 9,
            Self::Pages => 10,
            Self::BlobRows => 11,
            Self::Payers => 12,
            Self::PayerOrder => 13,
            Self::PayerRows => 14,
            Self::PayerTotals => 15,
        }
    }
}
