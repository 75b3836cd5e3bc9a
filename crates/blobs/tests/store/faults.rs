//! Writes that fail, at every step.

use std::{
    io::ErrorKind,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use chlom_blobs::{BlobError, Step};

use crate::square::{Breaks, assert_honest, at, cells, geometry, id, meta, open, put};

#[test]
fn cells_are_durable_before_the_list_that_names_them_and_the_list_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    breaks.steps.lock().clear();
    store.create(&meta(1, 1)).unwrap();
    let created = std::mem::take(&mut *breaks.steps.lock());
    assert_eq!(created, [Step::Create, Step::WriteMeta, Step::SyncMeta, Step::Rename, Step::SyncDirectory]);
    put(&store, id(1), [at(0, 0)]);
    let stored = std::mem::take(&mut *breaks.steps.lock());
    assert_eq!(stored, [Step::WriteCells, Step::SyncCells, Step::WriteState, Step::SyncState]);
    store.delete(&id(1), &[at(0, 0)]).unwrap();
    assert_eq!(*breaks.steps.lock(), [Step::WriteState, Step::SyncState, Step::Punch]);
}

#[test]
fn a_full_disk_has_its_own_error_and_leaves_the_blob_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0)]);
    let before = store.stats().used_bytes;
    for (step, kind) in [
        (Step::WriteCells, ErrorKind::StorageFull),
        (Step::SyncCells, ErrorKind::QuotaExceeded),
        (Step::WriteState, ErrorKind::FileTooLarge),
    ] {
        breaks.fail_next(step, 100, kind);
        let refused = store.put(&cells(id(1), geometry(1).positions())).unwrap_err();
        assert!(matches!(refused, BlobError::DiskFull { .. }), "{refused}");
        assert!(refused.to_string().contains("free disk space"));
        assert_eq!(store.presence(&id(1)).unwrap().count(), 1);
        assert_eq!(store.stats().used_bytes, before, "what failed counts nothing");
        assert_honest(&store, id(1));
    }
    breaks.fail_next(Step::SyncState, 0, ErrorKind::Other);
    assert!(matches!(store.put(&cells(id(1), [at(0, 1)])), Err(BlobError::Io { .. })));
    put(&store, id(1), geometry(1).positions());
    drop(store);
    assert!(open(folder.path()).presence(&id(1)).unwrap().is_complete(), "with room again all is well");
}

#[test]
fn a_blob_that_could_not_be_created_is_unknown_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    for step in [Step::Create, Step::WriteMeta, Step::SyncMeta, Step::Rename, Step::SyncDirectory] {
        breaks.fail_next(step, 2000, ErrorKind::StorageFull);
        assert!(matches!(store.create(&meta(1, 1)), Err(BlobError::DiskFull { .. })), "{step:?}");
        assert!(!store.contains(&id(1)));
        assert_eq!(store.stats().used_bytes, 0);
        for name in ["blobs", "unfinished"] {
            assert_eq!(std::fs::read_dir(folder.path().join(name)).unwrap().count(), 0, "{step:?}");
        }
    }
    assert!(store.create(&meta(1, 1)).unwrap());
}

#[test]
fn a_removal_that_fails_leaves_the_blob_readable() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0)]);
    breaks.fail_next(Step::Unlink, 0, ErrorKind::PermissionDenied);
    assert!(store.prune(u64::MAX, 1).is_err());
    assert_honest(&store, id(1));
    assert_eq!(store.prune(u64::MAX, 1).unwrap().removed, [id(1)]);
}

#[test]
fn deleted_space_that_cannot_be_returned_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0), at(0, 1)]);
    breaks.fail_next(Step::Punch, 0, ErrorKind::Unsupported);
    assert_eq!(store.delete(&id(1), &[at(0, 0)]).unwrap(), 1);
    put(&store, id(1), [at(0, 0)]);
    assert_honest(&store, id(1));
}

/// Stops the store at every step of a sequence of calls in turn, with nothing, a part or all of a failing write on disk,
/// and opens what it leaves.
#[test]
fn a_crash_at_any_step_leaves_whole_cells_or_none_and_every_acknowledged_one() {
    for torn in [0, 1000, 4095, usize::MAX] {
        for stop_at in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let breaks = Arc::new(Breaks::default());
            breaks.torn.store(torn, SeqCst);
            let store = breaks.open(folder.path());
            breaks.countdown.store(stop_at, SeqCst);
            let mut acknowledged = 0;
            let finished = (|| -> Result<(), BlobError> {
                store.create(&meta(1, 2))?;
                for column in [0, 5, 6, 7] {
                    let places = (0..4).map(|row| at(row, column));
                    store.put(&cells(id(1), places))?;
                    acknowledged += 4;
                }
                store.extend_expiry(&id(1), 9000)
            })()
            .is_ok();
            drop(store);
            let store = open(folder.path());
            match store.presence(&id(1)) {
                Ok(presence) => {
                    assert!(presence.count() >= acknowledged, "torn {torn}, stopped at {stop_at}");
                    assert_honest(&store, id(1));
                }
                Err(_) => assert_eq!(acknowledged, 0),
            }
            store.create(&meta(1, 2)).unwrap();
            put(&store, id(1), geometry(2).positions());
            assert_honest(&store, id(1));
            if finished {
                break;
            }
        }
    }
}
