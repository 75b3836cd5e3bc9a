//! What can be wrong with a blob, and where.

use super::{CellId, MAX_ROWS};

/// What a point of G1 stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// The commitment of a row.
    Commitment {
        /// The row.
        row: usize,
    },
    /// The proof of a cell.
    Proof(CellId),
    /// The commitment of an opened polynomial.
    OpenedCommitment,
    /// The proof of a polynomial's value at a point.
    PointProof,
}

impl std::fmt::Display for PointKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commitment { row } => write!(f, "commitment of row {row}"),
            Self::Proof(id) => write!(f, "proof of {id}"),
            Self::OpenedCommitment => f.write_str("commitment"),
            Self::PointProof => f.write_str("proof"),
        }
    }
}

/// Why 48 bytes are no point of G1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointFault {
    /// The compression flag is missing, infinity carries other bits, or x is not below the field's modulus.
    #[error("not a canonical compressed encoding")]
    Encoding,
    /// No point of the curve has this x.
    #[error("not on the curve")]
    OffCurve,
    /// On the curve, outside of the subgroup of prime order.
    #[error("not in the subgroup of prime order")]
    WrongSubgroup,
}

/// Why blob data, commitments or proofs were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KzgError {
    /// Rows are a power of two between 1 and [`MAX_ROWS`].
    #[error("a blob has a power of two of data rows between 1 and {MAX_ROWS}, not {0}")]
    RowCount(usize),
    /// The payload does not fit the rows.
    #[error("{bytes} payload bytes do not fit into {capacity}; take more rows or split the payload")]
    PayloadTooLong {
        /// The payload's bytes.
        bytes: usize,
        /// Bytes that fit.
        capacity: usize,
    },
    /// Bytes of a fixed size have another size.
    #[error("{what} has {expected} bytes, not {found}")]
    Length {
        /// What was read.
        what: &'static str,
        /// Its size.
        expected: usize,
        /// The size that came.
        found: usize,
    },
    /// The data has another number of rows than the commitments.
    #[error("the data has {found} rows, the commitments are of {committed}")]
    OtherRows {
        /// Data rows that are committed to.
        committed: usize,
        /// Data rows that came.
        found: usize,
    },
    /// A field element is not below the group order.
    #[error("element {element} of {cell} is not below the order of the scalar field")]
    NonCanonical {
        /// The cell.
        cell: CellId,
        /// The element of the cell.
        element: usize,
    },
    /// A scalar outside of a cell is not below the group order.
    #[error("{0} is not below the order of the scalar field")]
    NonCanonicalScalar(&'static str),
    /// A data element's first byte is not zero, so it is no 31 payload bytes.
    #[error("element {element} of {cell} begins with {byte:#04x}: payload elements begin with a zero byte")]
    TopByte {
        /// The cell.
        cell: CellId,
        /// The element of the cell.
        element: usize,
        /// The byte.
        byte: u8,
    },
    /// 48 bytes are no point of G1.
    #[error("the {kind} is {fault}")]
    Point {
        /// What they stand for.
        kind: PointKind,
        /// What is wrong with them.
        fault: PointFault,
    },
    /// The square has no such cell.
    #[error("{cell} is not in a square of {rows} rows and {columns} columns")]
    UnknownCell {
        /// The cell.
        cell: CellId,
        /// Rows of the square.
        rows: usize,
        /// Columns of the square.
        columns: usize,
    },
    /// A cell stands twice.
    #[error("{0} is given twice")]
    DuplicateCell(CellId),
    /// At least one of the cells is not what its row's commitment says, or its proof is another cell's.
    #[error("of {cells} cells at least one does not match its row's commitment and its proof")]
    WrongCells {
        /// Cells of the batch.
        cells: usize,
    },
    /// The data is not what the commitments commit to.
    #[error("the data of {rows} rows is not what their commitments commit to")]
    WrongData {
        /// Rows that were checked together.
        rows: usize,
    },
    /// The parity cells of the rows do not continue their data cells.
    #[error("the parity cells of column {column} do not continue the rows' data")]
    WrongExtension {
        /// The first wrong column.
        column: usize,
    },
    /// A polynomial does not have the claimed value.
    #[error("the polynomial does not have that value at that point")]
    WrongOpening,
    /// The caller cancelled the work.
    #[error("cancelled")]
    Cancelled,
    /// c-kzg could not do its work although its input was checked: it ran out of memory.
    #[error("c-kzg failed: {0}")]
    Library(String),
}
