//! `chlom_getBlob`, `chlom_getCells`, and `chlom_dropCells` on `chlom dev`.

use std::sync::Arc;

use alloy_primitives::{B256, U64, hex};
use chlom_blobs::{
    Position,
    cell::Cell,
    geometry::{CELL_BYTES, MAX_CELLS},
};
use serde::Serialize;

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply, params::invalid},
    error::RpcError,
    methods::quantity::Quantity,
};

/// Data of the largest blob.
const MAX_ROWS_BYTES: usize = MAX_CELLS / 4 * CELL_BYTES;
/// Cells of one call, whose answer then has about 2 MiB.
const MOST_CELLS: usize = 512;
/// Cells of one call that loses some: a whole square.
const MOST_DROPPED: usize = MAX_CELLS;

#[derive(Serialize)]
struct Blob {
    id: B256,
    header: String,
    commitments: Vec<String>,
    payload: String,
    rebuilt: U64,
}

/// `chlom_getBlob(id)`: header, commitments, and the payload with the zeros behind it. Where data cells are missing here the
/// payload is rebuilt from the others, and `rebuilt` says how many cells were missing.
pub(super) fn blob(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let id: B256 = params.required(0)?;
    let service = super::service(context)?;
    let mut room = params.room();
    // The bytes and their digits; what is not here may be in the archive.
    let known = service.store().meta(&id).ok().map(|meta| meta.geometry.data_bytes());
    room.cover(3 * known.unwrap_or(MAX_ROWS_BYTES))?;
    let payload = service.payload(&id).map_err(super::refused)?;
    params.check_time()?;
    Answer::of(&Blob {
        id,
        header: hex::encode_prefixed(payload.meta.header),
        commitments: payload.meta.commitments.iter().map(hex::encode_prefixed).collect(),
        payload: hex::encode_prefixed(&payload.bytes),
        rebuilt: U64::from(payload.rebuilt),
    })
}

#[derive(Serialize)]
struct ShownCell {
    row: U64,
    column: U64,
    cell: String,
    proof: String,
}

impl From<Cell> for ShownCell {
    fn from(cell: Cell) -> Self {
        Self {
            row: U64::from(cell.at.row),
            column: U64::from(cell.at.column),
            cell: hex::encode_prefixed(&cell.bytes[..]),
            proof: hex::encode_prefixed(cell.proof),
        }
    }
}

/// `chlom_getCells(id, [[row, column], …])`: cells with their proofs, in the order asked for; null where one is missing.
pub(super) fn cells(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let id: B256 = params.required(0)?;
    let places = places(params, MOST_CELLS)?;
    let service = super::service(context)?;
    params.room().cover(3 * places.len() * CELL_BYTES)?;
    let cells = service.cells(&id, &places).map_err(super::refused)?;
    let shown: Vec<Option<ShownCell>> = cells.into_iter().map(|cell| cell.map(Into::into)).collect();
    Answer::of(&shown)
}

/// `chlom_dropCells(id, [[row, column], …])`: deletes cells of this node, to see a blob rebuilt; how many were there.
pub(super) fn drop_cells(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let id: B256 = params.required(0)?;
    let places = places(params, MOST_DROPPED)?;
    let dropped = super::service(context)?.drop_cells(&id, &places).map_err(super::refused)?;
    Ok(Answer::quantity(dropped))
}

fn places(params: &Params<'_>, most: usize) -> Result<Vec<Position>, RpcError> {
    let given: Vec<[Quantity; 2]> = params.required(1)?;
    if given.is_empty() || given.len() > most {
        return Err(invalid(1, format!("{} cells, 1 to {most} are allowed", given.len())));
    }
    let small = |Quantity(n): Quantity| {
        u16::try_from(n).map_err(|_| invalid(1, format!("{n} is no row or column: they are below 128")))
    };
    let place = |[row, column]: [Quantity; 2]| Ok(Position { row: small(row)?, column: small(column)? });
    given.into_iter().map(place).collect()
}
