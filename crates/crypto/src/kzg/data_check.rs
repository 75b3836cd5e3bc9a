//! All data of a blob against its commitments, by one random linear combination.
//!
//! With a challenge ρ that hashes the commitments and every byte of the data, Σ ρⁱ · rowᵢ is committed to by Σ ρⁱ · Cᵢ,
//! and, but for a chance of 64 in 2²⁵⁵, only if each row is by its own. One commitment instead of one per row, and no
//! proof at all.

use alloy_primitives::B256;
use blstrs::{G1Projective, Scalar};
use c_kzg::Blob;
use ff::Field;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    BYTES_PER_CELL, COLUMNS, Cancel, CellId, DATA_COLUMNS, DataRows, ELEMENTS_PER_CELL, KzgError,
    ROW_DATA_BYTES, RowCommitments, Square, SquareCommitments, extend::library, field, setup, single::commit,
};

const DATA_TAG: &[u8] = b"CHLOM/da/data/v2";

/// Checks data rows against their commitments. Upholds [DA-15].
///
/// # Errors
/// [`KzgError::OtherRows`], [`KzgError::WrongData`], [`KzgError::Cancelled`].
pub fn check_data(commitments: &RowCommitments, data: &DataRows, cancel: &Cancel) -> Result<(), KzgError> {
    same_rows(commitments.rows().data(), data.rows().data())?;
    let rows: Vec<&[u8]> = data.blobs().iter().map(|blob| &blob[..]).collect();
    let challenge = challenge(commitments.as_slice(), &rows, cancel)?;
    let combined = combine(&rows, DATA_COLUMNS, &challenge, cancel)?;
    check_combined(commitments.points(), &challenge, &combined).map(|_| ())
}

/// Checks every cell of a square: the rows against the commitments, data and parity, and that each row's parity cells
/// continue its data. Upholds [DA-15].
///
/// # Errors
/// [`KzgError::OtherRows`], [`KzgError::NonCanonical`], [`KzgError::WrongData`],
/// [`KzgError::WrongExtension`], [`KzgError::Cancelled`].
pub fn check_square(
    commitments: &SquareCommitments,
    square: &Square,
    cancel: &Cancel,
) -> Result<(), KzgError> {
    same_rows(commitments.rows().data(), square.rows().data())?;
    let rows: Vec<&[u8]> = square.as_bytes().chunks_exact(COLUMNS * BYTES_PER_CELL).collect();
    let challenge = challenge(commitments.as_slice(), &rows, cancel)?;
    let combined = combine(&rows, COLUMNS, &challenge, cancel)?;
    let blob = check_combined(commitments.points(), &challenge, &combined)?;
    let cells = setup().compute_cells(&blob[0]).map_err(library)?;
    let found = combined.chunks_exact(BYTES_PER_CELL);
    match cells.iter().zip(found).position(|(cell, found)| cell.to_bytes() != *found) {
        Some(column) => Err(KzgError::WrongExtension { column }),
        None => Ok(()),
    }
}

fn same_rows(committed: usize, found: usize) -> Result<(), KzgError> {
    if committed == found { Ok(()) } else { Err(KzgError::OtherRows { committed, found }) }
}

/// Hashes each row, then the commitments and those hashes: with SHA-256, which processors do several times faster than keccak.
/// No contract ever asks for this challenge.
fn challenge(commitments: &[[u8; 48]], rows: &[&[u8]], cancel: &Cancel) -> Result<Scalar, KzgError> {
    let hash = |row: &&[u8]| cancel.check().map(|()| Sha256::digest(row));
    let hashes = rows.par_iter().map(hash).collect::<Result<Vec<_>, _>>()?;
    let mut hasher = Sha256::new();
    hasher.update(DATA_TAG);
    hasher.update((rows.len() as u64).to_be_bytes());
    commitments.iter().for_each(|commitment| hasher.update(commitment));
    hashes.iter().for_each(|hash| hasher.update(hash));
    Ok(field::from_hash(B256::new(hasher.finalize().into())))
}

/// Σ ρⁱ · rowᵢ, cell by cell in parallel.
fn combine(rows: &[&[u8]], columns: usize, challenge: &Scalar, cancel: &Cancel) -> Result<Vec<u8>, KzgError> {
    let mut combined = vec![0; columns * BYTES_PER_CELL];
    combined.par_chunks_exact_mut(BYTES_PER_CELL).enumerate().try_for_each(|(column, out)| {
        cancel.check()?;
        let mut sum = [<Scalar as Field>::ZERO; ELEMENTS_PER_CELL];
        let mut cell = sum;
        for (row, bytes) in rows.iter().enumerate().rev() {
            field::read_cell_plain(
                &bytes[column * BYTES_PER_CELL..][..BYTES_PER_CELL],
                CellId::at(row, column),
                &mut cell,
            )?;
            sum.iter_mut().zip(&cell).for_each(|(sum, element)| *sum = *sum * challenge + element);
        }
        field::write_cell_plain(&sum, out);
        Ok(())
    })?;
    Ok(combined)
}

/// Commits to the combined row and compares; gives the row's data half back.
fn check_combined(
    points: &[G1Projective],
    challenge: &Scalar,
    combined: &[u8],
) -> Result<Vec<Blob>, KzgError> {
    let mut blob = vec![Blob::default(); 1];
    blob[0].copy_from_slice(&combined[..ROW_DATA_BYTES]);
    let (found, expected) = rayon::join(|| commit(&blob[0]), || field::fold_points(challenge, points));
    if found? != expected {
        return Err(KzgError::WrongData { rows: points.len() });
    }
    Ok(blob)
}
