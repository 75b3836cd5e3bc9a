//! One batch judged: right, and its receipts are known from now on; or wrong, with the proof.

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, keccak256};
use chlom_client::{Chain, lanes::challenges};
use chlom_crypto::kzg::{self, Cancel, CellId, DataRows};
use chlom_lane::{
    Blob, Header, LaneState,
    fraud::{self, Fraud, Proof},
    lane::source_id,
    page::RecordPage,
};

use crate::{
    WatchError,
    state::BatchState,
    store::{
        BatchRecord, Store,
        files::KeptBlob,
        ids::{IdKey, Location, key_of},
    },
};

/// What a batch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Right. Later batches that have one of its receipts, and were checked before it, are to be checked again.
    Right {
        /// Their orders.
        again: Vec<u64>,
    },
    /// Wrong.
    Wrong {
        /// The kind's number.
        kind: u8,
        /// What was found, for people.
        what: String,
        /// What `challenge` takes.
        proof: Bytes,
    },
}

/// Checks a batch whose blob is here; when it is right its receipts go into the index. Memory is that of one batch. Upholds
/// [WAT-1] and [WAT-4].
///
/// # Errors
/// A node that does not answer, faults of the disk: nothing is decided then.
pub fn check(
    chain: &Chain,
    store: &Store,
    record: &BatchRecord,
    kept: &KeptBlob,
) -> Result<Judgement, WatchError> {
    let header = decode(record)?;
    let blob = open(record, &header, kept)?;
    let state = BatchState::ask(chain, store, blob, record.order)?;
    match by_state(store, record.order, blob, &state)? {
        Some(found) => {
            let what = describe(&found);
            let proof = encode(record, &header, kept, &fraud::prove(blob, &found))?;
            Ok(Judgement::Wrong { kind: found.kind() as u8, what, proof })
        }
        None => Ok(Judgement::Right { again: state.later() }),
    }
}

/// The first fraud of a batch by what this state says; its receipts go into the index when there is none.
///
/// # Errors
/// When state cannot be read, or the disk fails.
pub fn by_state<S: LaneState<Error = WatchError>>(
    store: &Store,
    order: u64,
    blob: Blob<'_>,
    state: &S,
) -> Result<Option<Fraud>, WatchError> {
    let found = fraud::check(blob, state)?;
    if found.is_none() {
        store.index(entries(blob, order))?;
    }
    Ok(found)
}

/// Puts the receipts of a batch into the index that became final although it is wrong: it counts, and a later batch must not have
/// them again. Pages that do not decode are left out.
///
/// # Errors
/// Faults of the disk.
pub fn index_final(store: &Store, record: &BatchRecord, kept: &KeptBlob) -> Result<(), WatchError> {
    let header = decode(record)?;
    let new = entries(open(record, &header, kept)?, record.order).into_iter();
    let mut unknown = Vec::new();
    for (key, at) in new {
        if store.find_id(&key)?.is_none() {
            unknown.push((key, at));
        }
    }
    store.index(unknown)
}

fn wrong(record: &BatchRecord, why: impl ToString) -> WatchError {
    WatchError::Blob { root: record.root, why: why.to_string() }
}

/// The header of an accepted batch: the chain took it, so it decodes.
///
/// # Errors
/// [`WatchError::Blob`] otherwise.
pub fn decode(record: &BatchRecord) -> Result<Header, WatchError> {
    Header::decode(&record.header).map_err(|fault| wrong(record, format!("its header is none: {fault}")))
}

fn open<'a>(record: &BatchRecord, header: &'a Header, kept: &'a KeptBlob) -> Result<Blob<'a>, WatchError> {
    Blob::new(header, &kept.elements).map_err(|error| wrong(record, error))
}

/// Where each receipt of a batch is.
fn entries(blob: Blob<'_>, order: u64) -> Vec<(IdKey, Location)> {
    let header = blob.header();
    let mut out = Vec::with_capacity(header.records as usize);
    // Few names, many records.
    let mut sources = BTreeMap::new();
    for page in 0..header.record_pages {
        let Some(Ok(records)) = blob.page(page).map(|bytes| RecordPage::decode(&bytes)) else { continue };
        for (at, record) in (0u16..).zip(records.records()) {
            let named = (record.payer, record.source.clone());
            let source = sources
                .entry(named)
                .or_insert_with(|| source_id(&header.lane, &record.payer, record.source.as_str()));
            if let Some(id) = record.receipt_id() {
                out.push((key_of(source, id.as_str()), Location { order, page, at }));
            }
        }
    }
    out
}

/// The bytes that `challenge` takes: each cell with its KZG proof, made from the data alone (decision 0022).
fn encode(
    record: &BatchRecord,
    header: &Header,
    kept: &KeptBlob,
    proof: &Proof,
) -> Result<Bytes, WatchError> {
    let prove = || {
        let data = DataRows::from_elements(&kept.elements, header.blob.rows)?;
        let ids: Vec<_> =
            proof.cells.iter().map(|cell| CellId { row: cell.row, column: cell.column }).collect();
        kzg::prove_cells(&data, &ids, &Cancel::new())
    };
    let proven = prove().map_err(|error| wrong(record, error))?;
    let proofs: Vec<_> = proven.iter().map(|cell| cell.proof).collect();
    Ok(challenges::encode_proof(header, proof, &kept.commitments, &proofs))
}

/// A fraud in words, with its place.
fn describe(fraud: &Fraud) -> String {
    match fraud {
        Fraud::Earlier(place, earlier) => format!(
            "{:?}: the record at {} of page {} is in batch {} too",
            fraud.kind(),
            place.at,
            place.page,
            keccak256(&earlier.header)
        ),
        Fraud::Source(place, key) if key.is_empty() => format!(
            "{:?}: the payer does not admit the source of the record at {} of page {}",
            fraud.kind(),
            place.at,
            place.page
        ),
        Fraud::Source(place, _) => {
            format!("{:?}: the record at {} of page {} is not signed", fraud.kind(), place.at, place.page)
        }
        other => format!("{:?}: {other:?}", fraud.kind()),
    }
}
