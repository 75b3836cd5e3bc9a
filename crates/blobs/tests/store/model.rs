//! Random calls, crashes and restarts against a map of cells.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering::SeqCst},
};

use chlom_blobs::{BlobError, BlobStore, CellRead, Position, VerifiedCells};
use proptest::prelude::*;

use crate::square::{Breaks, assert_honest, cell, id, meta};

#[derive(Clone, Debug)]
enum Op {
    Create {
        blob: u8,
    },
    Put {
        blob: u8,
        places: Vec<Position>,
    },
    Get {
        blob: u8,
        places: Vec<Position>,
    },
    Delete {
        blob: u8,
        places: Vec<Position>,
    },
    Extend {
        blob: u8,
        until: u64,
    },
    Remove {
        blob: u8,
    },
    Prune {
        now: u64,
        limit: usize,
    },
    Restart,
    /// The disk fails at a step of what comes next, with so much of the write done; then the process ends.
    Crash {
        step: usize,
        torn: usize,
    },
}

fn places() -> impl Strategy<Value = Vec<Position>> {
    let corner = (0u16..5, 0u16..6).prop_map(|(row, column)| Position { row, column });
    let anywhere = (0u16..5, 0u16..129).prop_map(|(row, column)| Position { row, column });
    prop::collection::vec(prop_oneof![4 => corner, 1 => anywhere], 0..12)
}

fn op() -> impl Strategy<Value = Op> {
    let blob = || 0u8..3;
    prop_oneof![
        3 => blob().prop_map(|blob| Op::Create { blob }),
        6 => (blob(), places()).prop_map(|(blob, places)| Op::Put { blob, places }),
        3 => (blob(), places()).prop_map(|(blob, places)| Op::Get { blob, places }),
        2 => (blob(), places()).prop_map(|(blob, places)| Op::Delete { blob, places }),
        1 => (blob(), 0u64..2000).prop_map(|(blob, until)| Op::Extend { blob, until }),
        1 => blob().prop_map(|blob| Op::Remove { blob }),
        1 => (900u64..2000, 0usize..3).prop_map(|(now, limit)| Op::Prune { now, limit }),
        1 => Just(Op::Restart),
        2 => (1usize..12, 0usize..6000).prop_map(|(step, torn)| Op::Crash { step, torn }),
    ]
}

#[derive(Clone, Default)]
struct Model {
    blobs: BTreeMap<u8, (u64, HashMap<Position, ()>)>,
}

const ROWS: [u16; 3] = [1, 2, 2];

fn inside(blob: u8, at: &Position) -> bool {
    at.row < 2 * ROWS[usize::from(blob)] && at.column < 128
}

impl Model {
    /// What the call does and answers, when the disk works.
    fn apply(&mut self, op: &Op) -> Result<usize, &'static str> {
        match op {
            Op::Create { blob } => {
                let expires_at = meta(*blob, ROWS[usize::from(*blob)]).expires_at;
                let known = self.blobs.contains_key(blob);
                let entry = self.blobs.entry(*blob).or_insert((expires_at, HashMap::new()));
                entry.0 = entry.0.max(expires_at);
                Ok(usize::from(!known))
            }
            Op::Put { blob, places } => {
                let (_, cells) = self.blobs.get_mut(blob).ok_or("unknown")?;
                let set: BTreeSet<_> = places.iter().collect();
                if !places.iter().all(|at| inside(*blob, at)) {
                    return Err("no such cell");
                }
                if set.len() < places.len() {
                    return Err("duplicate");
                }
                Ok(places.iter().filter(|at| cells.insert(**at, ()).is_none()).count())
            }
            Op::Get { blob, places } => {
                let (_, cells) = self.blobs.get(blob).ok_or("unknown")?;
                if !places.iter().all(|at| inside(*blob, at)) {
                    return Err("no such cell");
                }
                Ok(places.iter().filter(|at| cells.contains_key(at)).count())
            }
            Op::Delete { blob, places } => {
                let (_, cells) = self.blobs.get_mut(blob).ok_or("unknown")?;
                if !places.iter().all(|at| inside(*blob, at)) {
                    return Err("no such cell");
                }
                Ok(places.iter().filter(|at| cells.remove(at).is_some()).count())
            }
            Op::Extend { blob, until } => {
                let entry = self.blobs.get_mut(blob).ok_or("unknown")?;
                entry.0 = entry.0.max(*until);
                Ok(0)
            }
            Op::Remove { blob } => self.blobs.remove(blob).map(|_| 0).ok_or("unknown"),
            Op::Prune { now, limit } => {
                let mut expired: Vec<_> = self
                    .blobs
                    .iter()
                    .filter(|(_, (at, _))| at <= now)
                    .map(|(b, (at, _))| (*at, *b))
                    .collect();
                expired.sort_unstable();
                expired.truncate(*limit);
                expired.iter().for_each(|(_, blob)| drop(self.blobs.remove(blob)));
                Ok(expired.len())
            }
            Op::Restart | Op::Crash { .. } => Ok(0),
        }
    }
}

fn call(store: &BlobStore, op: &Op) -> Result<usize, BlobError> {
    let made = |blob: &u8, places: &[Position]| {
        let cells = places.iter().map(|at| cell(id(*blob), *at)).collect();
        VerifiedCells::computed_here(id(*blob), cells)
    };
    match op {
        Op::Create { blob } => store.create(&meta(*blob, ROWS[usize::from(*blob)])).map(usize::from),
        Op::Put { blob, places } => store.put(&made(blob, places)).map(|put| put.stored),
        Op::Get { blob, places } => {
            let reads = store.get(&id(*blob), places)?;
            for (at, read) in places.iter().zip(&reads) {
                assert!(*read == CellRead::Missing || *read == CellRead::Found(cell(id(*blob), *at)));
            }
            Ok(reads.into_iter().filter_map(CellRead::found).count())
        }
        Op::Delete { blob, places } => store.delete(&id(*blob), places),
        Op::Extend { blob, until } => store.extend_expiry(&id(*blob), *until).map(|()| 0),
        Op::Remove { blob } => store.remove(&id(*blob)).map(|()| 0),
        Op::Prune { now, limit } => store.prune(*now, *limit).map(|pruned| pruned.removed.len()),
        Op::Restart | Op::Crash { .. } => Ok(0),
    }
}

fn word(error: &BlobError) -> &'static str {
    match error {
        BlobError::Unknown { .. } => "unknown",
        BlobError::NoSuchCell { .. } => "no such cell",
        BlobError::Duplicate { .. } => "duplicate",
        BlobError::DiskFull { .. } => "disk",
        _ => "something else",
    }
}

/// What the store holds, as a model.
fn seen(store: &BlobStore) -> Model {
    let mut model = Model::default();
    for blob in store.list(None, 100) {
        assert_honest(store, blob);
        let cells = store.presence(&blob).unwrap().present().map(|at| (at, ())).collect();
        model.blobs.insert(blob[0], (store.meta(&blob).unwrap().expires_at, cells));
    }
    let used: u64 = model.blobs.values().map(|(_, cells)| 12_288 + 2104 * cells.len() as u64).sum();
    assert_eq!(store.stats().used_bytes, used);
    assert_eq!(store.expiring(u64::MAX, 100).len(), model.blobs.len());
    model
}

/// After a fault during a call, each blob is as before the call, or as after it.
fn assert_between(before: &Model, after: &Model, found: &Model) {
    for blob in 0..3 {
        let found = found.blobs.get(&blob);
        assert!(found == before.blobs.get(&blob) || found == after.blobs.get(&blob), "blob {blob}");
    }
}

/// What calls that a fault struck may have left on disk. A store that goes on shows the state before such a call; one that is
/// opened anew may show the state after it, and a list of cells made anew finds whole cells that were never acknowledged.
#[derive(Default)]
struct Doubts {
    /// Cells that may be found although they are not acknowledged, until the blob goes.
    found: BTreeMap<u8, BTreeSet<Position>>,
    /// Cells that may be gone after a restart, and blobs whose expiry may be later.
    gone: BTreeMap<u8, BTreeSet<Position>>,
}

impl Doubts {
    fn struck(&mut self, op: &Op, failed: bool) {
        match op {
            Op::Put { blob, places } => self.found.entry(*blob).or_default().extend(places),
            Op::Delete { blob, places } => {
                self.found.entry(*blob).or_default().extend(places);
                if failed {
                    self.gone.entry(*blob).or_default().extend(places);
                }
            }
            Op::Extend { blob, .. } | Op::Create { blob } => drop(self.gone.entry(*blob).or_default()),
            _ => {}
        }
    }

    fn allows(
        &self,
        blob: u8,
        want: Option<&(u64, HashMap<Position, ()>)>,
        found: Option<&(u64, HashMap<Position, ()>)>,
    ) -> bool {
        let (Some(want), Some(found)) = (want, found) else { return want.is_none() && found.is_none() };
        let (extra, gone) = (self.found.get(&blob), self.gone.get(&blob));
        let in_set =
            |set: Option<&BTreeSet<Position>>, at: &Position| set.is_some_and(|set| set.contains(at));
        let expiry = if gone.is_some() { found.0 >= want.0 } else { found.0 == want.0 };
        expiry
            && want.1.keys().all(|at| found.1.contains_key(at) || in_set(gone, at))
            && found.1.keys().all(|at| want.1.contains_key(at) || in_set(extra, at))
    }

    /// After a restart, each blob is as in one of these models.
    fn assert_one_of(&mut self, models: &[&Model], found: &Model) {
        for blob in 0..3 {
            let found = found.blobs.get(&blob);
            let fits = models.iter().any(|model| self.allows(blob, model.blobs.get(&blob), found));
            assert!(fits, "blob {blob}: {found:?}");
            if found.is_none() {
                self.found.remove(&blob);
            }
        }
        self.gone.clear();
    }
}

fn check(ops: &[Op]) {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let (mut store, mut model) = (breaks.open(folder.path()), Model::default());
    let (mut crashing, mut doubts) = (false, Doubts::default());
    for op in ops {
        match op {
            Op::Restart => {
                breaks.countdown.store(0, SeqCst);
                drop(store);
                store = breaks.open(folder.path());
                let found = seen(&store);
                doubts.assert_one_of(&[&model], &found);
                model = found;
                crashing = false;
            }
            Op::Crash { step, torn } => {
                breaks.torn.store(*torn, SeqCst);
                breaks.countdown.store(*step, SeqCst);
                crashing = true;
            }
            op => {
                let before = model.clone();
                let want = model.apply(op);
                let got = call(&store, op);
                if crashing && breaks.countdown.load(SeqCst) == 0 {
                    // The fault struck, whether the call noticed or could do without that step. Life goes on in the same
                    // process, or in the next one.
                    doubts.struck(op, got.is_err());
                    let found = if breaks.torn.load(SeqCst) % 3 > 0 {
                        drop(store);
                        store = breaks.open(folder.path());
                        let found = seen(&store);
                        let acknowledged: &[&Model] = &[&model, &before][..1 + usize::from(got.is_err())];
                        doubts.assert_one_of(acknowledged, &found);
                        found
                    } else {
                        let found = seen(&store);
                        assert_between(&before, &model, &found);
                        assert!(got.is_err() || found.blobs == model.blobs, "what is acknowledged is there");
                        found
                    };
                    model = found;
                    crashing = false;
                } else {
                    assert_eq!(got.as_ref().map_err(word).copied(), want, "{op:?}");
                }
            }
        }
    }
    breaks.countdown.store(0, SeqCst);
    assert!(seen(&store).blobs == model.blobs);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_behaves_as_a_map_of_cells_does(ops in prop::collection::vec(op(), 1..40)) {
        check(&ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_store_behaves_as_a_map_of_cells_does_slow(ops in prop::collection::vec(op(), 1..120)) {
        check(&ops);
    }
}
