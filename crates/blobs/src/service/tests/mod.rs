//! The service against a chain's storage and a disk, both of which a test moves.

mod archive;
mod bodies;
mod chain;
mod crashes;
mod losses;

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use chlom_chain::blobs::{
    attest::{Statement, attest},
    state_key::{BLOBS, Facts, Times},
};
use chlom_crypto::kzg::{Cancel, CellId, ProvenCell, RowCommitments, SquareCommitments, verify_cells};
use chlom_module::MapStorage;
use chlom_primitives::address::DATA_AVAILABILITY;
use chlom_state::{Account, StateError, StateReader};
use parking_lot::Mutex;

use super::*;
use crate::{
    config::{FailPoint, Fault, Step},
    geometry::Position,
};

const LANE: Address = Address::repeat_byte(0xab);
const PERIOD: u32 = 20_250_901;
const ROW: usize = 126_976;

/// Bytes that no two seeds share and no page repeats.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 56) as u8
    };
    (0..length).map(next).collect()
}

fn config(directory: &Path) -> ServiceConfig {
    ServiceConfig { threads: 2, ..ServiceConfig::new(directory) }
}

fn open(directory: &Path) -> BlobService {
    BlobService::open(config(directory)).unwrap()
}

impl BlobService {
    fn put(&self, body: &[u8]) -> Result<Accepted, ServiceError> {
        let mut upload = self.begin_upload(Some(body.len() as u64))?;
        body.chunks(50_000).try_for_each(|piece| upload.write(piece))?;
        upload.finish(LANE, PERIOD)
    }

    /// Waits until the thread has nothing to do.
    fn rest(&self) {
        let mut state = self.inner.state.lock();
        let at_work = |state: &State| {
            let told = !state.published.is_empty() || state.synced && state.ticked;
            told || !state.jobs.is_empty() || state.at_work
        };
        self.inner.rested.wait_while(&mut state, |state| at_work(state));
    }

    fn put_and_rest(&self, body: &[u8]) -> Accepted {
        let accepted = self.put(body).unwrap();
        self.rest();
        assert!(self.status(&accepted.id).unwrap().unwrap().is_held(), "{:?}", self.failure(&accepted.id));
        accepted
    }

    fn presence(&self, id: &B256) -> crate::Presence {
        self.store().presence(id).unwrap()
    }

    fn all_cells(&self, id: &B256) -> Vec<crate::Cell> {
        let places: Vec<_> = self.presence(id).geometry().positions().collect();
        self.cells(id, &places).unwrap().into_iter().map(Option::unwrap).collect()
    }
}

/// Files below a folder, apart from the lock and the marker.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.retain(|name| name != "lock" && name != "CHLOM-BLOBS");
    found
}

/// Storage of `0x…1003` with blobs that the test publishes.
#[derive(Default)]
struct Chain {
    storage: MapStorage,
    height: u64,
    time: u64,
}

impl Chain {
    fn at(time: u64) -> Self {
        Self { time, height: 1, ..Self::default() }
    }

    /// What `publish` of the module writes.
    fn publish(&mut self, id: B256, rows: u16, until: u64) -> (B256, u64) {
        let slots = BLOBS.entry(&id);
        let facts = Facts { lane_id: FixedBytes(LANE.into_array()), period: PERIOD, rows };
        slots.facts.set(&mut self.storage, &facts).unwrap();
        let times = slots.times.get(&mut self.storage).unwrap();
        let times = Times { announced_at: self.height, pending_expiry: until, ..times };
        slots.times.set(&mut self.storage, &times).unwrap();
        let tally = slots.tally.get(&mut self.storage).unwrap();
        let tally = chlom_chain::blobs::state_key::Tally { round: tally.round + 1, power: 0 };
        slots.tally.set(&mut self.storage, &tally).unwrap();
        (id, until)
    }

    /// A block that brings the only validator's statement.
    fn attest(&mut self, blobs: Vec<B256>) {
        self.height += 1;
        let said = [Statement { consensus_key: B256::repeat_byte(1), power: 1, blobs }];
        attest(&mut self.storage, self.height, self.time, 1, &said).unwrap();
    }
}

impl StateReader for Chain {
    fn account(&self, _: &Address) -> Result<Option<Account>, StateError> {
        Ok(None)
    }
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        assert_eq!(*address, DATA_AVAILABILITY);
        Ok(self.storage.0.get(slot).copied().unwrap_or_default())
    }
    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Ok(Bytes::new())
    }
    fn storage_entries(&self, _: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        Ok(Vec::new())
    }
}

/// A disk that fails when it is told to: the countdown-th step from now on, and from then on every one; or one of a kind.
#[derive(Default)]
struct Breaks {
    countdown: AtomicUsize,
    broken: AtomicUsize,
    next: Mutex<Option<Step>>,
}

impl FailPoint for Breaks {
    fn before(&self, step: Step) -> Result<(), Fault> {
        let fault = || Err(Fault { written: 100, cause: io::ErrorKind::StorageFull.into() });
        if self.next.lock().take_if(|next| *next == step).is_some() || self.broken.load(SeqCst) > 0 {
            return fault();
        }
        match self.countdown.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(1) => {
                self.broken.store(1, SeqCst);
                fault()
            }
            _ => Ok(()),
        }
    }
}

/// Every cell is right under the commitments that were accepted.
fn assert_proven(accepted: &Accepted, cells: &[crate::Cell]) {
    let commitments = RowCommitments::new(accepted.commitments.clone()).unwrap();
    let proven: Vec<_> = cells
        .iter()
        .map(|cell| ProvenCell {
            id: CellId { row: cell.at.row, column: cell.at.column },
            cell: cell.bytes.clone(),
            proof: cell.proof,
        })
        .collect();
    verify_cells(&SquareCommitments::derive(&commitments), &proven, &Cancel::new()).unwrap();
}

fn at(row: u16, column: u16) -> Position {
    Position::new(row, column)
}

/// What `work` holds.
fn work(directory: &Path) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(directory.join("work")).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.metadata().unwrap().len())).collect()
}
