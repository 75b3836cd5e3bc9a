//! A blob's data as a square of cells that anyone can check piece by piece and rebuild from what is left of it.
//!
//! A payload fills the data cells of R rows ([`payload`]). Each row is a polynomial of degree below 4,096, committed to
//! and extended to 128 cells by c-kzg's EIP-7594 functions; the rows are then extended downwards to 2R ([`extend`]).
//! Both extensions are linear, so the commitments and proofs of parity rows follow from those of the data rows and
//! nobody can commit to a wrong extension. What is published is a [`BlobHeader`] and R [`RowCommitments`].
//!
//! Holders check cells in batches ([`verify_cells`]) or all data at once ([`check_data`], [`check_square`]). What is
//! lost is rebuilt from any half of a row or of a column ([`recover`](fn@recover)); proofs are made again only where
//! somebody asks ([`prove_cells`], [`prove_rows`]).
//!
//! Nothing here has a socket, clock or entropy. Long work runs on the rayon pool that calls it and looks at a
//! [`Cancel`] between rows or columns.

mod cancel;
mod commitments;
mod data_check;
mod error;
mod extend;
mod field;
mod header;
mod ntt;
pub mod payload;
mod point;
mod prove;
mod recover;
mod setup;
mod single;
mod square;
mod verify;

#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use commitments::{HeaderMismatch, RowCommitments, SquareCommitments, merkle_root};
pub use data_check::{check_data, check_square};
pub use error::{KzgError, PointFault, PointKind};
pub use extend::{UpperHalf, commit, extend, extend_with_proofs};
pub use header::{BlobHeader, HEADER_BYTES, HEADER_VERSION, HeaderError};
pub use payload::DataRows;
pub use prove::{prove_cells, prove_rows};
pub use recover::{Line, PartialSquare, RecoverError, Unrecoverable, check_recoverable, recover};
pub use setup::{KzgSettings, expect_no_proofs, setup};
pub use square::{CellId, Proofs, RowCount, Square};
pub use verify::{ProvenCell, find_wrong_cells, verify_cells, verify_data_cells, verify_point};

/// Field elements of a data row: a blob of EIP-4844.
pub const ELEMENTS_PER_ROW: usize = 4096;
/// Bytes of a field element, big-endian.
pub const BYTES_PER_ELEMENT: usize = 32;
/// Bytes of a row's data half.
pub const ROW_DATA_BYTES: usize = ELEMENTS_PER_ROW * BYTES_PER_ELEMENT;
/// Cells of an extended row, of which the first half holds data.
pub const COLUMNS: usize = 128;
/// Data cells of a row.
pub const DATA_COLUMNS: usize = COLUMNS / 2;
/// Field elements of a cell.
pub const ELEMENTS_PER_CELL: usize = 64;
/// Bytes of a cell.
pub const BYTES_PER_CELL: usize = ELEMENTS_PER_CELL * BYTES_PER_ELEMENT;
/// Payload bytes of a field element: one less than it has, so that every value is canonical.
pub const PAYLOAD_PER_ELEMENT: usize = BYTES_PER_ELEMENT - 1;
/// Payload bytes of a data cell.
pub const PAGE_BYTES: usize = ELEMENTS_PER_CELL * PAYLOAD_PER_ELEMENT;
/// Data rows that a blob may have at most.
pub const MAX_ROWS: usize = 32;
