//! Cells and points opened by callers, and what that costs.
//!
//! Gas follows measured time at 100 gas a microsecond of one core of the reference machine, rounded up (`cargo bench -p chlom-chain
//! --bench gas` puts both into one table). Ethereum asks a third of that for the same pairings in its point evaluation.

use std::collections::BTreeSet;

use alloy_primitives::{B256, Bytes, U256};
use chlom_crypto::kzg::{self, Cancel, CellId, ProvenCell, RowCommitments, SquareCommitments};
use chlom_module::{ModuleContext, ModuleError};

use super::{
    fault,
    interface::IDataAvailability::{self, Cell, CellFault, PointFault},
    publish::split_commitments,
    view::{BlobRecord, BlobsRead},
};

/// Most cells of one call: a whole row.
pub const MOST_CELLS: usize = 128;

/// Gas of checking a header: hashing and the fold's fixed part.
pub const PUBLISH_BASE_GAS: u64 = 20_000;
/// Gas of each row's commitment there: decompression, subgroup, its share of the fold.
pub const PUBLISH_ROW_GAS: u64 = 25_000;
/// Gas of any batch of cells: two pairings and the set-up's part.
pub const CELLS_BASE_GAS: u64 = 300_000;
/// Gas of each cell: interpolation, decompression of its proof, its share of the sums.
pub const CELL_GAS: u64 = 20_000;
/// Gas of each row's commitment when a cell of a parity row is opened: hashing, decompression, subgroup, and its part in
/// deriving the parity rows'.
pub const CALL_ROW_GAS: u64 = 60_000;
/// Gas of each row with opened cells when all of them are of data rows: nothing is derived, so it is what [`PUBLISH_ROW_GAS`] pays
/// for, a commitment's decompression and subgroup, and its hash.
pub const OPENED_ROW_GAS: u64 = 30_000;
/// Gas of hashing one row's commitment where nothing more is done with it.
pub const HASH_ROW_GAS: u64 = 200;
/// Gas of a point evaluation.
pub const POINT_GAS: u64 = 150_000;

/// Gas of checking a header with so many rows.
pub fn publish_gas(rows: usize) -> u64 {
    linear(PUBLISH_BASE_GAS, PUBLISH_ROW_GAS, rows)
}

fn linear(base: u64, each: u64, count: usize) -> u64 {
    each.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX)).saturating_add(base)
}

/// Whether all cells open the blob. Upholds [DAM-8].
///
/// # Errors
/// Reverts with `BlobUnknown`, `CommitmentsMismatch`, `CellCount` or `CellMalformed`; those of the context.
pub fn cells(
    ctx: &mut dyn ModuleContext,
    id: &B256,
    commitments: &Bytes,
    cells: Vec<Cell>,
) -> Result<bool, ModuleError> {
    if cells.is_empty() || cells.len() > MOST_CELLS {
        let (given, most) = (U256::from(cells.len()), U256::from(MOST_CELLS));
        return Err(ModuleError::revert(&IDataAvailability::CellCount { given, most }));
    }
    let blob = known(ctx, id)?;
    let rows = usize::from(blob.facts.rows);
    let opened: BTreeSet<usize> = cells.iter().map(|cell| usize::from(cell.row)).collect();
    let of_parity = opened.last().is_some_and(|last| *last >= rows);
    ctx.charge(linear(CELLS_BASE_GAS, CELL_GAS, cells.len()))?;
    ctx.charge(linear(0, HASH_ROW_GAS, rows))?;
    let (each, many) = if of_parity { (CALL_ROW_GAS, rows) } else { (OPENED_ROW_GAS, opened.len()) };
    ctx.charge(linear(0, each, many))?;
    let commitments = commitments_of(id, &blob, commitments)?;
    let proven = cells.into_iter().map(|cell| proven(&blob, cell)).collect::<Result<Vec<_>, _>>()?;
    let cancel = Cancel::new();
    fault::of_cells(if of_parity {
        let rows = RowCommitments::new(commitments).map_err(fault::of_commitments)?;
        kzg::verify_cells(&SquareCommitments::derive(&rows), &proven, &cancel)
    } else {
        // Their root was published, so they were checked then.
        kzg::verify_data_cells(&commitments, &proven, &cancel)
    })
}

/// Whether a data row's polynomial has value `y` at `z`. Upholds [DAM-8].
///
/// # Errors
/// Reverts with `BlobUnknown`, `CommitmentsMismatch` or `PointMalformed`; those of the context.
pub fn point(
    ctx: &mut dyn ModuleContext,
    call: &IDataAvailability::verifyPointCall,
) -> Result<bool, ModuleError> {
    let blob = known(ctx, &call.id)?;
    ctx.charge(linear(POINT_GAS, HASH_ROW_GAS, blob.facts.rows.into()))?;
    let rows = commitments_of(&call.id, &blob, &call.commitments)?;
    let commitment = rows.get(usize::from(call.row)).ok_or_else(|| fault::point(PointFault::Row))?;
    let proof =
        <&[u8; 48]>::try_from(call.proof.as_ref()).map_err(|_| fault::point(PointFault::ProofLength))?;
    fault::of_point(kzg::verify_point(commitment, &call.z.0, &call.y.0, proof))
}

fn known(ctx: &mut dyn ModuleContext, id: &B256) -> Result<BlobRecord, ModuleError> {
    ctx.blob(id)?.ok_or_else(|| ModuleError::revert(&IDataAvailability::BlobUnknown { id: *id }))
}

/// The rows' commitments, which must hash to the blob's root.
fn commitments_of(id: &B256, blob: &BlobRecord, bytes: &Bytes) -> Result<Vec<[u8; 48]>, ModuleError> {
    split_commitments(bytes, blob.facts.rows.into())
        .filter(|rows| kzg::merkle_root(rows).is_ok_and(|root| root == blob.merkle_root))
        .ok_or_else(|| ModuleError::revert(&IDataAvailability::CommitmentsMismatch { id: *id }))
}

/// A cell with its sizes and its place checked.
fn proven(blob: &BlobRecord, cell: Cell) -> Result<ProvenCell, ModuleError> {
    let Cell { row, column, data, proof } = cell;
    let refuse = |reason| fault::cell(row, column, reason);
    if row >= blob.facts.rows.saturating_mul(2) {
        return Err(refuse(CellFault::Row));
    }
    if usize::from(column) >= kzg::COLUMNS {
        return Err(refuse(CellFault::Column));
    }
    let boxed = data.to_vec().into_boxed_slice().try_into().map_err(|_| refuse(CellFault::DataLength))?;
    let proof = proof.as_ref().try_into().map_err(|_| refuse(CellFault::ProofLength))?;
    Ok(ProvenCell { id: CellId { row, column }, cell: boxed, proof })
}
