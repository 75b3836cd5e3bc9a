//! The square of a blob: how many rows, where a cell is.

use std::fmt;

use crate::error::BlobError;

/// Most data rows of a blob.
pub const MAX_ROWS: u16 = 32;
/// Cells of an extended row.
pub const COLUMNS: u16 = 128;
/// Cells of a row that hold data; the rest of the row extends them.
pub const DATA_COLUMNS: u16 = 64;
/// Cells of the largest blob, which is the most that one call puts, reads or deletes.
pub const MAX_CELLS: usize = 2 * MAX_ROWS as usize * COLUMNS as usize;
/// Bytes of a cell: 64 field elements of 32 bytes.
pub const CELL_BYTES: usize = 2048;
/// Bytes of a cell's KZG proof, and of a commitment.
pub const PROOF_BYTES: usize = 48;

/// A blob's size: data rows, a power of two from 1 to 32, and what follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Geometry {
    rows: u16,
}

impl Geometry {
    /// A blob of this many data rows.
    ///
    /// # Errors
    /// [`BlobError::BadRows`] unless `rows` is 1, 2, 4, 8, 16 or 32.
    pub fn new(rows: u16) -> Result<Self, BlobError> {
        if rows.is_power_of_two() && rows <= MAX_ROWS {
            Ok(Self { rows })
        } else {
            Err(BlobError::BadRows { rows })
        }
    }

    /// Data rows, R.
    pub fn rows(self) -> u16 {
        self.rows
    }

    /// Rows with their extension, 2R: the data rows are the first R.
    pub fn extended_rows(self) -> u16 {
        2 * self.rows
    }

    /// All cells, 2R × 128.
    pub fn cells(self) -> usize {
        usize::from(self.extended_rows()) * usize::from(COLUMNS)
    }

    /// Bytes of the data square, R × 64 cells.
    pub fn data_bytes(self) -> usize {
        usize::from(self.rows) * usize::from(DATA_COLUMNS) * CELL_BYTES
    }

    /// Where a cell stands in the blob's file and bitmap: column by column, because custody is of columns.
    /// `None` outside of the square.
    pub fn index(self, at: Position) -> Option<usize> {
        let inside = at.row < self.extended_rows() && at.column < COLUMNS;
        inside.then(|| usize::from(at.column) * usize::from(self.extended_rows()) + usize::from(at.row))
    }

    /// The reverse of [`Geometry::index`], for an index below [`Geometry::cells`].
    pub fn position(self, index: usize) -> Position {
        let rows = usize::from(self.extended_rows());
        Position { row: (index % rows) as u16, column: (index / rows) as u16 }
    }

    /// Every position, in the order of the file.
    pub fn positions(self) -> impl Iterator<Item = Position> {
        (0..self.cells()).map(move |index| self.position(index))
    }

    /// The positions of the data square in the order of the payload: row by row.
    pub fn data_positions(self) -> impl Iterator<Item = Position> {
        (0..self.rows).flat_map(|row| (0..DATA_COLUMNS).map(move |column| Position { row, column }))
    }
}

/// A cell's place: a row below 2R, data rows first, and a column below 128, data columns first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Extended row.
    pub row: u16,
    /// Column.
    pub column: u16,
}

impl Position {
    /// The cell of a row and a column.
    pub fn new(row: u16, column: u16) -> Self {
        Self { row, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, column {}", self.row, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_a_power_of_two_from_1_to_32() {
        let good: Vec<u16> = (0..=u16::MAX).filter(|&rows| Geometry::new(rows).is_ok()).collect();
        assert_eq!(good, [1, 2, 4, 8, 16, 32]);
    }

    #[test]
    fn index_and_position_are_each_others_reverse() {
        for rows in [1, 2, 4, 8, 16, 32] {
            let geometry = Geometry::new(rows).unwrap();
            for (index, at) in geometry.positions().enumerate() {
                assert_eq!(geometry.index(at), Some(index));
            }
            assert_eq!(geometry.index(Position::new(2 * rows, 0)), None);
            assert_eq!(geometry.index(Position::new(0, COLUMNS)), None);
        }
    }

    #[test]
    fn the_data_square_is_the_first_rows_and_the_first_64_columns_row_by_row() {
        let geometry = Geometry::new(2).unwrap();
        let positions: Vec<_> = geometry.data_positions().collect();
        assert_eq!(positions.len() * CELL_BYTES, geometry.data_bytes());
        assert_eq!((positions[63], positions[64]), (Position::new(0, 63), Position::new(1, 0)));
    }
}
