//! Pages: what a batch's blob carries, one in each data cell.

/// Bytes of a page: the payload of one data cell.
pub use chlom_crypto::kzg::PAGE_BYTES;

/// Most records of one page: each takes at least four bytes.
pub const MOST_RECORDS: u32 = 496;
/// Most rows of one page: each takes at least 35 bytes.
pub const MOST_ROWS: u32 = 56;
/// Nodes of a page: hashes and nothing else.
pub const NODES: u32 = 62;
/// Pages of a blob of 32 rows.
pub const MOST_PAGES: u32 = 2_048;
