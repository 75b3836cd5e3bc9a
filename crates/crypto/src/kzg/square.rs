//! Rows, columns and cells.

use std::fmt;

use super::{BYTES_PER_CELL, COLUMNS, DATA_COLUMNS, KzgError, MAX_ROWS, PAGE_BYTES};

/// Data rows of a blob: a power of two between 1 and [`MAX_ROWS`]. Upholds [DA-2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowCount(u8);

impl RowCount {
    /// Checks a number of data rows.
    ///
    /// # Errors
    /// [`KzgError::RowCount`].
    pub fn new(rows: usize) -> Result<Self, KzgError> {
        match u8::try_from(rows) {
            Ok(small) if rows.is_power_of_two() && rows <= MAX_ROWS => Ok(Self(small)),
            _ => Err(KzgError::RowCount(rows)),
        }
    }

    /// The fewest rows that hold a payload of so many bytes.
    ///
    /// # Errors
    /// [`KzgError::PayloadTooLong`].
    pub fn for_payload(bytes: usize) -> Result<Self, KzgError> {
        let rows = bytes.div_ceil(DATA_COLUMNS * PAGE_BYTES).max(1);
        let capacity = MAX_ROWS * DATA_COLUMNS * PAGE_BYTES;
        let too_long = KzgError::PayloadTooLong { bytes, capacity };
        if rows > MAX_ROWS { Err(too_long) } else { Self::new(rows.next_power_of_two()) }
    }

    /// Data rows.
    pub const fn data(self) -> usize {
        self.0 as usize
    }

    /// Rows of the square: data and parity.
    pub const fn square(self) -> usize {
        2 * self.data()
    }

    /// Cells of the square.
    pub const fn cells(self) -> usize {
        self.square() * COLUMNS
    }

    /// Payload bytes that fit.
    pub const fn capacity(self) -> usize {
        self.data() * DATA_COLUMNS * PAGE_BYTES
    }
}

/// A cell's place in its square. Data rows come first, and in each row the data cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// The row.
    pub row: u16,
    /// The column.
    pub column: u16,
}

impl CellId {
    /// The cell at a row and column. Whether a square has it is asked where it is used.
    ///
    /// # Panics
    /// For numbers beyond 16 bits, which no square of this code has.
    pub(super) fn at(row: usize, column: usize) -> Self {
        let small = |n: usize| u16::try_from(n).expect("squares have fewer than 2^16 rows and columns");
        Self { row: small(row), column: small(column) }
    }

    /// Refuses a cell that a square of so many data rows does not have.
    ///
    /// # Errors
    /// [`KzgError::UnknownCell`].
    pub fn check(self, rows: RowCount) -> Result<Self, KzgError> {
        if usize::from(self.row) < rows.square() && usize::from(self.column) < COLUMNS {
            return Ok(self);
        }
        Err(KzgError::UnknownCell { cell: self, rows: rows.square(), columns: COLUMNS })
    }

    /// The cell at a place in row-major order.
    pub(crate) fn of_index(index: usize) -> Self {
        Self::at(index / COLUMNS, index % COLUMNS)
    }

    /// The cell's place in row-major order.
    pub(super) fn index(self) -> usize {
        usize::from(self.row) * COLUMNS + usize::from(self.column)
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cell {} of row {}", self.column, self.row)
    }
}

/// A complete square: 2R rows of 128 cells. Whoever makes one has extended or recovered it, so its parity continues its
/// data; whether it is what somebody committed to is [`super::check_square`]'s to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Square {
    rows: RowCount,
    cells: Vec<u8>,
}

impl Square {
    pub(super) fn new(rows: RowCount, cells: Vec<u8>) -> Self {
        debug_assert_eq!(cells.len(), rows.cells() * BYTES_PER_CELL);
        Self { rows, cells }
    }

    /// Data rows of the square.
    pub const fn rows(&self) -> RowCount {
        self.rows
    }

    /// A cell's 2,048 bytes.
    ///
    /// # Errors
    /// [`KzgError::UnknownCell`].
    pub fn cell(&self, id: CellId) -> Result<&[u8], KzgError> {
        let start = id.check(self.rows)?.index() * BYTES_PER_CELL;
        Ok(&self.cells[start..start + BYTES_PER_CELL])
    }

    /// All cells in row-major order.
    pub fn as_bytes(&self) -> &[u8] {
        &self.cells
    }
}

impl fmt::Debug for Square {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Square({} data rows)", self.rows.data())
    }
}

/// One proof for every cell of a square.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    rows: RowCount,
    proofs: Vec<[u8; 48]>,
}

impl Proofs {
    pub(super) fn new(rows: RowCount, proofs: Vec<[u8; 48]>) -> Self {
        debug_assert_eq!(proofs.len(), rows.cells());
        Self { rows, proofs }
    }

    /// The proof of a cell.
    ///
    /// # Errors
    /// [`KzgError::UnknownCell`].
    pub fn proof(&self, id: CellId) -> Result<&[u8; 48], KzgError> {
        Ok(&self.proofs[id.check(self.rows)?.index()])
    }

    /// All proofs in row-major order.
    pub fn as_slice(&self) -> &[[u8; 48]] {
        &self.proofs
    }
}
