//! Proofs for cells and rows that are at hand without them.
//!
//! The proof of a cell is the commitment of the quotient (f − I) / Z, where f is the row's polynomial, I what the cell says of
//! it and Z = X⁶⁴ − h⁶⁴ the polynomial that vanishes on the cell's coset h·⟨w⟩. Dividing by Z needs no I: it is what
//! remains. So a single proof costs one commitment, a few per cent of the 128 of a row.

use blstrs::Scalar;
use c_kzg::Blob;
use ff::Field;
use rayon::prelude::*;

use super::{
    BYTES_PER_CELL, COLUMNS, Cancel, CellId, DATA_COLUMNS, DataRows, ELEMENTS_PER_CELL, ELEMENTS_PER_ROW,
    KzgError, ProvenCell, ROW_DATA_BYTES, Square,
    extend::library,
    field,
    ntt::{self, Direction},
    setup,
    single::commit,
};

/// Proves some data cells of data that is at hand, each alone and in parallel: what whoever holds a blob opens to others. A cell
/// costs about as much as committing to a row; more than about a tenth of a row's cells are cheaper with [`prove_rows`].
/// Upholds [DA-22].
///
/// # Errors
/// [`KzgError::UnknownCell`] for what is no data cell, [`KzgError::Cancelled`], [`KzgError::Library`].
pub fn prove_cells(data: &DataRows, cells: &[CellId], cancel: &Cancel) -> Result<Vec<ProvenCell>, KzgError> {
    let rows = data.rows().data();
    let unknown = |id: &&CellId| usize::from(id.row) >= rows || usize::from(id.column) >= DATA_COLUMNS;
    if let Some(cell) = cells.iter().find(unknown) {
        return Err(KzgError::UnknownCell { cell: *cell, rows, columns: DATA_COLUMNS });
    }
    let prove = |id: &CellId| {
        cancel.check()?;
        let mut coefficients = coefficients(data, usize::from(id.row))?;
        divide(&mut coefficients, usize::from(id.column));
        let proof = commit_to(coefficients)?;
        let mut cell = Box::new([0; BYTES_PER_CELL]);
        cell.copy_from_slice(data.cell_bytes(*id));
        Ok(ProvenCell { id: *id, cell, proof })
    };
    cells.par_iter().map(prove).collect()
}

/// The polynomial of a row, lowest coefficient first.
fn coefficients(data: &DataRows, row: usize) -> Result<Vec<Scalar>, KzgError> {
    let mut values = vec![<Scalar as Field>::ZERO; ELEMENTS_PER_ROW];
    for (column, out) in values.chunks_exact_mut(ELEMENTS_PER_CELL).enumerate() {
        let id = CellId::at(row, column);
        field::read_cell(data.cell_bytes(id), id, out)?;
    }
    ntt::from_reversed(&mut values, 1, Direction::Inverse);
    let scale = ntt::inverse_of(ELEMENTS_PER_ROW);
    values.iter_mut().for_each(|value| *value *= scale);
    Ok(values)
}

/// The quotient by X⁶⁴ − h⁶⁴ in place of the polynomial, for the coset h·⟨w⟩ of a column.
fn divide(coefficients: &mut Vec<Scalar>, column: usize) {
    let shift = *ntt::root(COLUMNS, ntt::reverse_bits(column, COLUMNS), Direction::Forward);
    // From above: coefficient i of the quotient is that of i + 64, and h⁶⁴ times the quotient's own there.
    for i in (ELEMENTS_PER_CELL..ELEMENTS_PER_ROW - ELEMENTS_PER_CELL).rev() {
        let carried = shift * coefficients[i + ELEMENTS_PER_CELL];
        coefficients[i] += carried;
    }
    coefficients.drain(..ELEMENTS_PER_CELL);
    coefficients.resize(ELEMENTS_PER_ROW, <Scalar as Field>::ZERO);
}

fn commit_to(mut coefficients: Vec<Scalar>) -> Result<[u8; 48], KzgError> {
    ntt::from_natural(&mut coefficients, 1, Direction::Forward);
    let mut blob = vec![Blob::default(); 1];
    field::write_cell(&coefficients, &mut blob[0][..]);
    Ok(commit(&blob[0])?.to_compressed())
}

/// The 128 proofs of each of some rows, data or parity, in parallel over rows. A row costs as much as it did to encode,
/// so after a recovery this is asked for what somebody wants and nothing else.
///
/// # Errors
/// [`KzgError::UnknownCell`] for a row that the square does not have, [`KzgError::Cancelled`], [`KzgError::Library`].
pub fn prove_rows(square: &Square, rows: &[u16], cancel: &Cancel) -> Result<Vec<Vec<[u8; 48]>>, KzgError> {
    let prove = |row: &u16| {
        cancel.check()?;
        let start = CellId { row: *row, column: 0 }.check(square.rows())?.index() * BYTES_PER_CELL;
        let mut blob = vec![Blob::default(); 1];
        blob[0].copy_from_slice(&square.as_bytes()[start..start + ROW_DATA_BYTES]);
        let (_, proofs) = setup().compute_cells_and_kzg_proofs(&blob[0]).map_err(library)?;
        debug_assert_eq!(proofs.len(), COLUMNS);
        Ok(proofs.iter().map(|proof| proof.to_bytes().into_inner()).collect())
    };
    rows.par_iter().map(prove).collect()
}
