//! Proofs for rows of a square that is at hand without them.

use c_kzg::Blob;
use rayon::prelude::*;

use super::{
    BYTES_PER_CELL, COLUMNS, Cancel, CellId, KzgError, ROW_DATA_BYTES, Square, extend::library, setup,
};

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
