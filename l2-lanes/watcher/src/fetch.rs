//! A batch's blob: asked for whole, or put together from cells, and believed only when it is the one that was committed to.

use alloy_primitives::{B256, FixedBytes};
use chlom_chain::blobs::blob_id;
use chlom_client::{
    Chain,
    blobs::{CELLS_AT_ONCE, publish::Known, read},
};
use chlom_crypto::kzg::{
    self, BYTES_PER_CELL, COLUMNS, Cancel, CellId, DATA_COLUMNS, DataRows, PAGE_BYTES, PartialSquare,
    ProvenCell, RowCommitments, SquareCommitments,
};
use chlom_lane::{Header, blob, page::Page};

use crate::{WatchError, store::files::KeptBlob};

/// The blob of a batch. Upholds [WAT-7].
///
/// # Errors
/// [`WatchError::Blob`] when the node has too little of it, or something else.
pub fn fetch(chain: &Chain, root: &B256, header: &Header) -> Result<KeptBlob, WatchError> {
    let id = blob_id(&FixedBytes(header.lane.into_array()), header.period.code(), &header.blob.merkle_root);
    match read::data(chain, id) {
        Ok(found) => {
            let (pages, _): (&[Page], _) = found.body.payload.as_chunks::<PAGE_BYTES>();
            let elements = blob::elements(pages, found.known.header.rows);
            same(root, header, &found.known)?;
            Ok(KeptBlob { commitments: found.known.commitments.as_slice().to_vec(), elements })
        }
        // What is no payload at all, or is not there whole, may still be had as cells.
        Err(whole) => from_cells(chain, root, header, id).map_err(|cells| {
            tracing::debug!(batch = %root, %whole, %cells, "neither whole nor from cells");
            wrong(root, format!("{whole}; from cells: {cells}"))
        }),
    }
}

fn wrong(root: &B256, why: impl ToString) -> WatchError {
    WatchError::Blob { root: *root, why: why.to_string() }
}

/// The commitments hash to the id, whose root the batch's header has; so does the fold.
fn same(root: &B256, header: &Header, known: &Known) -> Result<(), WatchError> {
    let rows = known.header.rows;
    if known.header == header.blob {
        return Ok(());
    }
    Err(wrong(root, format!("the chain's blob is another than the header's (it has {} rows)", rows.data())))
}

/// From the data cells where all are there, else from any that are enough.
fn from_cells(chain: &Chain, root: &B256, header: &Header, id: B256) -> Result<KeptBlob, WatchError> {
    let (known, _) = Known::ask(chain, id).map_err(|error| wrong(root, error))?;
    same(root, header, &known)?;
    let rows = known.header.rows;
    let data = (0..rows.data()).flat_map(|row| (0..DATA_COLUMNS).map(move |column| (row, column)));
    let found = cells(chain, root, id, data)?;
    if found.len() == rows.data() * DATA_COLUMNS {
        let elements: Vec<u8> = found.iter().flat_map(|cell| cell.cell.iter().copied()).collect();
        if let Ok(checked) = checked(root, &known.commitments, elements) {
            return Ok(checked);
        }
    }
    let all = (0..rows.square()).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
    rebuilt(root, &known, cells(chain, root, id, all)?)
}

/// The cells that the node has of these places.
fn cells(
    chain: &Chain,
    root: &B256,
    id: B256,
    places: impl Iterator<Item = (usize, usize)>,
) -> Result<Vec<ProvenCell>, WatchError> {
    let places: Vec<(u16, u16)> = places.map(|(row, column)| (row as u16, column as u16)).collect();
    let mut found = Vec::with_capacity(places.len());
    for some in places.chunks(CELLS_AT_ONCE) {
        for ((row, column), answer) in some.iter().zip(chain.rpc().get_cells(id, some)?) {
            let at = CellId { row: *row, column: *column };
            let Some(answer) = answer else { continue };
            found.push(read::proven(at, &answer).map_err(|error| wrong(root, error))?);
        }
    }
    Ok(found)
}

/// Right cells only, and the rest from them.
fn rebuilt(root: &B256, known: &Known, found: Vec<ProvenCell>) -> Result<KeptBlob, WatchError> {
    let square = SquareCommitments::derive(&known.commitments);
    let bad = kzg::find_wrong_cells(&square, &found, &Cancel::new()).map_err(|error| wrong(root, error))?;
    let mut partial = PartialSquare::new(known.header.rows);
    for cell in found.iter().filter(|cell| !bad.contains(&cell.id)) {
        partial.insert(cell.id, &cell.cell[..]).map_err(|error| wrong(root, error))?;
    }
    let whole = kzg::recover(partial, &Cancel::new()).map_err(|error| wrong(root, error))?;
    let data = DATA_COLUMNS * BYTES_PER_CELL;
    let rows = whole.as_bytes().chunks_exact(COLUMNS * BYTES_PER_CELL).take(known.header.rows.data());
    let elements = rows.flat_map(|row| row.iter().take(data).copied()).collect();
    checked(root, &known.commitments, elements)
}

fn checked(root: &B256, commitments: &RowCommitments, elements: Vec<u8>) -> Result<KeptBlob, WatchError> {
    let data = DataRows::from_elements(&elements, commitments.rows()).map_err(|error| wrong(root, error))?;
    kzg::check_data(commitments, &data, &Cancel::new()).map_err(|error| wrong(root, error))?;
    Ok(KeptBlob { commitments: commitments.as_slice().to_vec(), elements })
}
