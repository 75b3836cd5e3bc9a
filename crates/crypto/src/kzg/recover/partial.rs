//! What is left of a square.

use std::fmt;

use crate::kzg::{BYTES_PER_CELL, CellId, KzgError, RowCount, Square, field};

/// Some cells of a square. Their bytes are canonical elements; whether they belong there, their proofs say.
#[derive(Clone)]
pub struct PartialSquare {
    rows: RowCount,
    /// A bit per column, for each row.
    known: Vec<u128>,
    /// All cells in row-major order, those that are missing zero.
    cells: Vec<u8>,
}

impl PartialSquare {
    /// A square of which nothing is there. It takes the memory of a whole one.
    pub fn new(rows: RowCount) -> Self {
        Self { rows, known: vec![0; rows.square()], cells: vec![0; rows.cells() * BYTES_PER_CELL] }
    }

    /// A square without the cells that `is_missing` names.
    pub fn without(square: &Square, is_missing: impl Fn(CellId) -> bool) -> Self {
        let mut left = Self::new(square.rows());
        for (index, cell) in square.as_bytes().chunks_exact(BYTES_PER_CELL).enumerate() {
            let id = CellId::of_index(index);
            if !is_missing(id) {
                left.put(id, cell);
            }
        }
        left
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// [`KzgError::UnknownCell`], [`KzgError::DuplicateCell`], [`KzgError::Length`] or [`KzgError::NonCanonical`]; the
    /// square is then as it was.
    pub fn insert(&mut self, id: CellId, cell: &[u8]) -> Result<(), KzgError> {
        if self.has(id.check(self.rows)?) {
            return Err(KzgError::DuplicateCell(id));
        }
        if cell.len() != BYTES_PER_CELL {
            return Err(KzgError::Length { what: "a cell", expected: BYTES_PER_CELL, found: cell.len() });
        }
        field::check_cell(cell, id)?;
        self.put(id, cell);
        Ok(())
    }

    /// True when the cell is there.
    pub fn has(&self, id: CellId) -> bool {
        self.known
            .get(usize::from(id.row))
            .is_some_and(|row| row.checked_shr(id.column.into()).unwrap_or(0) & 1 == 1)
    }

    /// Data rows of the square.
    pub const fn rows(&self) -> RowCount {
        self.rows
    }

    /// Cells that are there.
    pub fn len(&self) -> usize {
        self.known.iter().map(|row| row.count_ones() as usize).sum()
    }

    /// True when nothing is there.
    pub fn is_empty(&self) -> bool {
        self.known.iter().all(|row| *row == 0)
    }

    pub(super) fn known(&self) -> &[u128] {
        &self.known
    }

    pub(super) fn into_parts(self) -> (RowCount, Vec<u128>, Vec<u8>) {
        (self.rows, self.known, self.cells)
    }

    fn put(&mut self, id: CellId, cell: &[u8]) {
        self.known[usize::from(id.row)] |= 1 << id.column;
        self.cells[id.index() * BYTES_PER_CELL..][..BYTES_PER_CELL].copy_from_slice(cell);
    }
}

impl fmt::Debug for PartialSquare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialSquare({} of {} cells)", self.len(), self.rows.cells())
    }
}
