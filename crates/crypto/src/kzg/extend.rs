//! From data rows to the square: rows by c-kzg, columns here.
//!
//! With w of order 2R, data row i stands at w^(2i) and parity row m at w^(2m + 1). R values fix a polynomial of degree
//! below R, whose values at the odd powers are the parity: an inverse transform of size R, coefficient k times wᵏ, a
//! transform of size R. Being linear, the same three steps on the rows' commitments and on the proofs of a column give
//! the commitments and proofs of the parity rows, byte for byte as committing to and proving those rows would.

use blstrs::{G1Projective, Scalar};
use ff::Field;
use rayon::prelude::*;

use super::{
    BYTES_PER_CELL, COLUMNS, Cancel, CellId, DataRows, ELEMENTS_PER_CELL, KzgError, PointKind, Proofs,
    RowCommitments, RowCount, Square, SquareCommitments,
    field::{self, Linear},
    ntt::{self, Direction},
    point, setup,
};

/// Replaces the values at data rows by those at parity rows. Upholds [DA-10].
pub(super) fn continue_downwards<T: Linear>(values: &mut [T], width: usize) {
    let rows = values.len() / width;
    ntt::from_natural(values, width, Direction::Inverse);
    let scale = ntt::inverse_of(rows);
    for (place, block) in values.chunks_exact_mut(width).enumerate() {
        let k = ntt::reverse_bits(place, rows);
        let factor = scale * ntt::root(2 * rows, k, Direction::Forward);
        if factor != <Scalar as Field>::ONE {
            block.iter_mut().for_each(|value| *value = value.times(&factor));
        }
    }
    ntt::from_reversed(values, width, Direction::Forward);
}

/// The commitments of the data rows, in parallel over rows.
///
/// # Errors
/// [`KzgError::Cancelled`] or [`KzgError::Library`].
pub fn commit(data: &DataRows, cancel: &Cancel) -> Result<RowCommitments, KzgError> {
    let commit = |blob| {
        cancel.check()?;
        setup().blob_to_kzg_commitment(blob).map(|c| c.to_bytes().into_inner()).map_err(library)
    };
    RowCommitments::new(data.blobs().par_iter().map(commit).collect::<Result<_, _>>()?)
}

/// The square without proofs. Upholds [DA-9] and [DA-10].
///
/// # Errors
/// [`KzgError::Cancelled`] or [`KzgError::Library`].
pub fn extend(data: &DataRows, cancel: &Cancel) -> Result<Square, KzgError> {
    let rows = data.rows();
    let mut cells = vec![0; rows.cells() * BYTES_PER_CELL];
    data.blobs().par_iter().zip(cells.par_chunks_exact_mut(COLUMNS * BYTES_PER_CELL)).try_for_each(
        |(blob, row)| {
            cancel.check()?;
            copy_cells(&setup().compute_cells(blob).map_err(library)?[..], row);
            Ok(())
        },
    )?;
    extend_columns(rows, &mut cells, cancel)?;
    Ok(Square::new(rows, cells))
}

/// The data rows of a square with their proofs: what c-kzg makes, before the other half is derived from it.
pub struct UpperHalf {
    rows: RowCount,
    /// Room for the whole square; the lower half is still zero.
    cells: Vec<u8>,
    proofs: Vec<[u8; 48]>,
}

impl UpperHalf {
    /// Makes the cells and proofs of the data rows, in parallel over rows. Upholds [DA-9].
    ///
    /// # Errors
    /// [`KzgError::Cancelled`] or [`KzgError::Library`].
    pub fn prove(data: &DataRows, cancel: &Cancel) -> Result<Self, KzgError> {
        let rows = data.rows();
        let mut cells = vec![0; rows.cells() * BYTES_PER_CELL];
        let mut proofs = vec![[0; 48]; rows.data() * COLUMNS];
        let outputs =
            cells.par_chunks_exact_mut(COLUMNS * BYTES_PER_CELL).zip(proofs.par_chunks_exact_mut(COLUMNS));
        data.blobs().par_iter().zip(outputs).try_for_each(|(blob, (row, row_proofs))| {
            cancel.check()?;
            let (cells, proofs) = setup().compute_cells_and_kzg_proofs(blob).map_err(library)?;
            copy_cells(&cells[..], row);
            row_proofs.iter_mut().zip(&proofs[..]).for_each(|(out, p)| *out = p.to_bytes().into_inner());
            Ok(())
        })?;
        Ok(Self { rows, cells, proofs })
    }

    /// Derives the parity rows and their proofs, in parallel over columns. Upholds [DA-10] and [DA-11].
    ///
    /// # Errors
    /// [`KzgError::Cancelled`].
    pub fn complete(mut self, cancel: &Cancel) -> Result<(Square, Proofs), KzgError> {
        extend_columns(self.rows, &mut self.cells, cancel)?;
        let parity = derive_proofs(self.rows, &self.proofs, cancel)?;
        self.proofs.extend(parity);
        Ok((Square::new(self.rows, self.cells), Proofs::new(self.rows, self.proofs)))
    }
}

/// The square with all proofs, and all commitments. Proofs of data rows are c-kzg's, those of parity rows are derived.
/// Upholds [DA-9], [DA-10] and [DA-11].
///
/// # Errors
/// [`KzgError::Cancelled`] or [`KzgError::Library`].
pub fn extend_with_proofs(
    data: &DataRows,
    cancel: &Cancel,
) -> Result<(Square, Proofs, SquareCommitments), KzgError> {
    let (square, proofs) = UpperHalf::prove(data, cancel)?.complete(cancel)?;
    Ok((square, proofs, SquareCommitments::derive(&commit(data, cancel)?)))
}

/// What c-kzg cannot do with input that was checked.
pub(super) fn library(error: c_kzg::Error) -> KzgError {
    KzgError::Library(error.to_string())
}

/// Copies c-kzg's cells of one row.
fn copy_cells(cells: &[c_kzg::Cell], row: &mut [u8]) {
    for (cell, out) in cells.iter().zip(row.chunks_exact_mut(BYTES_PER_CELL)) {
        out.copy_from_slice(&cell.to_bytes());
    }
}

/// Fills the parity rows of a square whose data rows are complete, in parallel over columns. Upholds [DA-10].
fn extend_columns(rows: RowCount, cells: &mut [u8], cancel: &Cancel) -> Result<(), KzgError> {
    let (upper, lower) = cells.split_at_mut(rows.data() * COLUMNS * BYTES_PER_CELL);
    let parity = |column| {
        cancel.check()?;
        let mut values = vec![<Scalar as Field>::ZERO; rows.data() * ELEMENTS_PER_CELL];
        for (row, out) in values.chunks_exact_mut(ELEMENTS_PER_CELL).enumerate() {
            let id = CellId::at(row, column);
            field::read_cell(&upper[id.index() * BYTES_PER_CELL..][..BYTES_PER_CELL], id, out)?;
        }
        continue_downwards(&mut values, ELEMENTS_PER_CELL);
        let mut bytes = vec![0; rows.data() * BYTES_PER_CELL];
        field::write_cell(&values, &mut bytes);
        Ok(bytes)
    };
    let columns = (0..COLUMNS).into_par_iter().map(parity).collect::<Result<Vec<_>, KzgError>>()?;
    for (row, out) in lower.chunks_exact_mut(COLUMNS * BYTES_PER_CELL).enumerate() {
        for (column, cell) in columns.iter().zip(out.chunks_exact_mut(BYTES_PER_CELL)) {
            cell.copy_from_slice(&column[row * BYTES_PER_CELL..][..BYTES_PER_CELL]);
        }
    }
    Ok(())
}

/// The proofs of the parity rows from those of the data rows, in parallel over columns. Upholds [DA-11].
fn derive_proofs(rows: RowCount, data: &[[u8; 48]], cancel: &Cancel) -> Result<Vec<[u8; 48]>, KzgError> {
    let column = |column| {
        cancel.check()?;
        let read = |row| {
            let id = CellId::at(row, column);
            point::read_own(&data[id.index()], PointKind::Proof(id))
        };
        let mut points = (0..rows.data()).map(read).collect::<Result<Vec<_>, _>>()?;
        continue_downwards(&mut points, 1);
        Ok(points.iter().map(G1Projective::to_compressed).collect())
    };
    let columns = (0..COLUMNS).into_par_iter().map(column).collect::<Result<Vec<Vec<_>>, KzgError>>()?;
    Ok((0..rows.data()).flat_map(|row| columns.iter().map(move |column| column[row])).collect())
}
