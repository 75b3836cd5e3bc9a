//! A column from any R of its 2R cells: one code of length 2R and dimension R for each of its 64 elements.

use blstrs::Scalar;
use ff::Field;

use super::{Line, RecoverError, erasure::Erasure};
use crate::kzg::{BYTES_PER_CELL, CellId, ELEMENTS_PER_CELL, RowCount, field, ntt};

/// A rebuilt cell and its row.
pub(super) type Found = (usize, [u8; BYTES_PER_CELL]);

/// The cells of a column that `known` does not name. Upholds [DA-16].
pub(super) fn recover(
    column: usize,
    rows: RowCount,
    known: &[u128],
    cells: &[u8],
) -> Result<Vec<Found>, RecoverError> {
    let row_at = |place: usize| row_of(place, rows);
    let is_known = |place: usize| known[row_at(place)] & (1 << column) != 0;
    let mut words = vec![<Scalar as Field>::ZERO; rows.square() * ELEMENTS_PER_CELL];
    for (place, word) in words.chunks_exact_mut(ELEMENTS_PER_CELL).enumerate() {
        if is_known(place) {
            let id = CellId::at(row_at(place), column);
            field::read_cell(&cells[id.index() * BYTES_PER_CELL..][..BYTES_PER_CELL], id, word)?;
        }
    }
    let filled = Erasure::new(rows.square(), is_known, &Scalar::ONE).fill(&mut words, ELEMENTS_PER_CELL);
    filled.map_err(|_| RecoverError::Contradiction(Line::Column(column)))?;
    let mut found = Vec::new();
    for (place, word) in words.chunks_exact(ELEMENTS_PER_CELL).enumerate() {
        if !is_known(place) {
            let mut cell = [0; BYTES_PER_CELL];
            field::write_cell(word, &mut cell);
            found.push((row_at(place), cell));
        }
    }
    Ok(found)
}

/// Puts rebuilt cells where they belong.
pub(super) fn write(column: usize, found: &[Found], cells: &mut [u8]) {
    for (row, cell) in found {
        let start = CellId::at(*row, column).index() * BYTES_PER_CELL;
        cells[start..start + BYTES_PER_CELL].copy_from_slice(cell);
    }
}

/// The row whose value stands at a place of the bit-reversed order: even powers are data rows, odd ones parity rows.
fn row_of(place: usize, rows: RowCount) -> usize {
    let exponent = ntt::reverse_bits(place, rows.square());
    exponent / 2 + (exponent % 2) * rows.data()
}
