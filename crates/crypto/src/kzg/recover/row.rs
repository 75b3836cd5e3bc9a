//! A row from any 64 of its 128 cells.
//!
//! A cell holds f on a coset h · G of the 64th roots of unity. Written f(x) = Σ xˢ · fₛ(x⁶⁴) for s below 64, the inverse
//! transform of a cell over G gives hˢ · fₛ(h⁶⁴): 64 codes of length 128 and dimension 64, one for each s, which miss
//! their values at the same cells. So nothing larger than 128 is ever transformed.

use blstrs::Scalar;
use ff::Field;

use super::{Line, RecoverError, erasure::Erasure};
use crate::kzg::{
    BYTES_PER_CELL, COLUMNS, CellId, ELEMENTS_PER_CELL, field,
    ntt::{self, Direction},
};

/// Fills the cells of a row that `known` does not name. Upholds [DA-16].
pub(super) fn recover(row: usize, known: u128, cells: &mut [u8]) -> Result<(), RecoverError> {
    let is_known = |column: usize| known & (1 << column) != 0;
    let mut words = vec![<Scalar as Field>::ZERO; COLUMNS * ELEMENTS_PER_CELL];
    for (column, (cell, word)) in
        cells.chunks_exact(BYTES_PER_CELL).zip(words.chunks_exact_mut(ELEMENTS_PER_CELL)).enumerate()
    {
        if is_known(column) {
            field::read_cell(cell, CellId::at(row, column), word)?;
            ntt::from_reversed(word, 1, Direction::Inverse);
            shift(word, column, Direction::Inverse);
        }
    }
    let erasure = Erasure::new(COLUMNS, is_known, &ntt::inverse_of(ELEMENTS_PER_CELL));
    let filled = erasure.fill(&mut words, ELEMENTS_PER_CELL);
    filled.map_err(|_| RecoverError::Contradiction(Line::Row(row)))?;
    for (column, (cell, word)) in
        cells.chunks_exact_mut(BYTES_PER_CELL).zip(words.chunks_exact_mut(ELEMENTS_PER_CELL)).enumerate()
    {
        if !is_known(column) {
            shift(word, column, Direction::Forward);
            ntt::from_natural(word, 1, Direction::Forward);
            field::write_cell(word, cell);
        }
    }
    Ok(())
}

/// Multiplies coefficient s by the s-th power of the coset's factor, or divides.
fn shift(word: &mut [Scalar], column: usize, direction: Direction) {
    let exponent = ntt::reverse_bits(column, COLUMNS);
    for (s, coefficient) in word.iter_mut().enumerate().skip(1) {
        *coefficient *= ntt::root(COLUMNS * ELEMENTS_PER_CELL, exponent * s, direction);
    }
}
