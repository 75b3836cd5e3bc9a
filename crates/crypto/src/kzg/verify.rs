//! Cells against the commitments of their rows.

use c_kzg::{Bytes32, Bytes48, Cell};
use rayon::prelude::*;

use super::{
    BYTES_PER_CELL, COLUMNS, Cancel, CellId, KzgError, PointKind, RowCount, SquareCommitments,
    extend::library, field, point, setup,
};

/// Cells that are worth a batch of their own, and batches that are made at most. Batches are how cores share the work,
/// but a larger one costs less per cell: its sums of points are cheaper, and a few milliseconds are paid once. How cells
/// are cut depends on their number alone.
const CELLS_WORTH_A_BATCH: usize = 512;
const MAX_BATCHES: usize = 4;

/// A cell as it travels: its place, its bytes and its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenCell {
    /// Its place.
    pub id: CellId,
    /// Its elements.
    pub cell: Box<[u8; BYTES_PER_CELL]>,
    /// The KZG proof that its row's polynomial has these values there.
    pub proof: [u8; 48],
}

/// Verifies cells together against their rows' commitments, in any order. No cells at all are right.
/// Upholds [DA-12] and [DA-13].
///
/// # Errors
/// [`KzgError::UnknownCell`], [`KzgError::DuplicateCell`], [`KzgError::NonCanonical`], [`KzgError::Point`] for a proof,
/// [`KzgError::WrongCells`] when what is well-formed does not match, [`KzgError::Cancelled`].
pub fn verify_cells(
    commitments: &SquareCommitments,
    cells: &[ProvenCell],
    cancel: &Cancel,
) -> Result<(), KzgError> {
    verify_sorted(commitments.as_slice(), &in_order(commitments.rows(), cells)?, cancel)
}

/// As [`verify_cells`] for cells of data rows, from the data rows' commitments alone, which the caller knows to be sound
/// (a header of theirs was published): without the milliseconds that deriving the parity rows' takes.
///
/// # Errors
/// As [`verify_cells`]; [`KzgError::RowCount`]; [`KzgError::UnknownCell`] for a cell of a parity row too.
pub fn verify_data_cells(
    commitments: &[[u8; 48]],
    cells: &[ProvenCell],
    cancel: &Cancel,
) -> Result<(), KzgError> {
    let rows = RowCount::new(commitments.len())?;
    let sorted = in_order(rows, cells)?;
    match sorted.iter().find(|cell| usize::from(cell.id.row) >= commitments.len()) {
        Some(parity) => {
            Err(KzgError::UnknownCell { cell: parity.id, rows: commitments.len(), columns: COLUMNS })
        }
        None => verify_sorted(commitments, &sorted, cancel),
    }
}

fn verify_sorted(rows: &[[u8; 48]], sorted: &[&ProvenCell], cancel: &Cancel) -> Result<(), KzgError> {
    let batches = (sorted.len() / CELLS_WORTH_A_BATCH).clamp(1, MAX_BATCHES);
    sorted.par_chunks(sorted.len().div_ceil(batches).max(1)).try_for_each(|batch| {
        cancel.check()?;
        if verify_batch(rows, batch)? { Ok(()) } else { Err(KzgError::WrongCells { cells: sorted.len() }) }
    })
}

/// Which cells do not match, in order of place: by halving, so a few wrong cells among n cost a few · log n batches, and
/// n wrong cells about twice n verifications. For whoever wants to know which peer sent them.
///
/// # Errors
/// As [`verify_cells`], without [`KzgError::WrongCells`].
pub fn find_wrong_cells(
    commitments: &SquareCommitments,
    cells: &[ProvenCell],
    cancel: &Cancel,
) -> Result<Vec<CellId>, KzgError> {
    let sorted = in_order(commitments.rows(), cells)?;
    let mut wrong = Vec::new();
    let mut open = vec![&sorted[..]];
    while let Some(batch) = open.pop() {
        cancel.check()?;
        if verify_batch(commitments.as_slice(), batch)? {
            continue;
        }
        if let [one] = batch {
            wrong.push(one.id);
        } else {
            let (first, second) = batch.split_at(batch.len() / 2);
            open.extend([second, first]);
        }
    }
    Ok(wrong)
}

/// The value of a polynomial at a point: EIP-4844's point evaluation. Upholds [DA-14].
///
/// # Errors
/// [`KzgError::Point`], [`KzgError::NonCanonicalScalar`] or [`KzgError::WrongOpening`].
pub fn verify_point(
    commitment: &[u8; 48],
    z: &[u8; 32],
    y: &[u8; 32],
    proof: &[u8; 48],
) -> Result<(), KzgError> {
    for (name, scalar) in [("z", z), ("y", y)] {
        if !field::is_canonical(scalar) {
            return Err(KzgError::NonCanonicalScalar(name));
        }
    }
    point::read(commitment, PointKind::OpenedCommitment)?;
    point::read(proof, PointKind::PointProof)?;
    let [commitment, proof] = [commitment, proof].map(|bytes| Bytes48::new(*bytes));
    let [z, y] = [z, y].map(|bytes| Bytes32::new(*bytes));
    let holds = setup().verify_kzg_proof(&commitment, &z, &y, &proof).map_err(library)?;
    if holds { Ok(()) } else { Err(KzgError::WrongOpening) }
}

/// Sorted by place, so that a batch meets few rows. Refuses unknown places and any place twice.
fn in_order(rows: RowCount, cells: &[ProvenCell]) -> Result<Vec<&ProvenCell>, KzgError> {
    let known = cells.iter().map(|cell| cell.id.check(rows).map(|_| cell));
    let mut sorted = known.collect::<Result<Vec<_>, _>>()?;
    sorted.sort_unstable_by_key(|cell| cell.id);
    match sorted.windows(2).find(|pair| pair[0].id == pair[1].id) {
        Some(twice) => Err(KzgError::DuplicateCell(twice[0].id)),
        None => Ok(sorted),
    }
}

fn verify_batch(rows: &[[u8; 48]], batch: &[&ProvenCell]) -> Result<bool, KzgError> {
    let of_row: Vec<_> = batch.iter().map(|cell| Bytes48::new(rows[usize::from(cell.id.row)])).collect();
    let columns: Vec<_> = batch.iter().map(|cell| u64::from(cell.id.column)).collect();
    let cells: Vec<_> = batch.iter().map(|cell| Cell::new(*cell.cell)).collect();
    let proofs: Vec<_> = batch.iter().map(|cell| Bytes48::new(cell.proof)).collect();
    match setup().verify_cell_kzg_proof_batch(&of_row, &columns, &cells, &proofs) {
        Ok(verdict) => Ok(verdict),
        Err(error) => Err(malformed(batch).unwrap_or_else(|| library(error))),
    }
}

/// What c-kzg refused to look at: it does not say. Asked only when it refused, so that good cells are read once.
fn malformed(batch: &[&ProvenCell]) -> Option<KzgError> {
    batch.iter().find_map(|cell| {
        field::check_cell(&cell.cell[..], cell.id)
            .err()
            .or_else(|| point::read(&cell.proof, PointKind::Proof(cell.id)).err())
    })
}
