//! Stops and faults at every step.

use super::*;

#[test]
fn dam_9_an_acknowledged_body_is_built_after_a_stop_and_one_that_was_not_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(2 * ROW, 3);
    let first = open(folder.path());
    let accepted = first.put(&body).unwrap();
    // Stops while the cells are made, or before.
    first.stop();
    assert!(matches!(first.put(b"late"), Err(ServiceError::Stopped)));
    drop(first);
    std::fs::write(folder.path().join("work/upload-7"), b"cut off").unwrap();
    std::fs::write(folder.path().join("work").join(hex::encode([5; 32])), b"its blob is not known").unwrap();
    std::fs::write(folder.path().join("work/notes.txt"), b"somebody's").unwrap();
    let second = open(folder.path());
    second.rest();
    assert!(second.status(&accepted.id).unwrap().unwrap().is_held());
    assert_eq!(second.payload(&accepted.id).unwrap().bytes, body);
    assert_eq!(work(folder.path()).into_keys().collect::<Vec<_>>(), ["notes.txt"]);
}

#[test]
fn dam_9_a_stop_in_the_middle_of_storing_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(ROW, 4);
    let first = open(folder.path());
    let accepted = first.put_and_rest(&body);
    let cells = first.all_cells(&accepted.id);
    first.drop_cells(&accepted.id, &[at(0, 100), at(1, 100)]).unwrap();
    drop(first);
    std::fs::write(folder.path().join("work").join(hex::encode(accepted.id)), &body).unwrap();
    let second = open(folder.path());
    second.rest();
    assert!(second.all_cells(&accepted.id) == cells);
    assert!(work(folder.path()).is_empty());
}

/// Breaks the disk for good at every step in turn, then opens what is left with a whole one.
#[test]
fn dam_9_whatever_step_breaks_a_body_is_acknowledged_and_kept_or_refused_and_gone() {
    for step in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let breaks = Arc::new(Breaks::default());
        let fragile = ServiceConfig { fail_point: Some(breaks.clone()), ..config(folder.path()) };
        let service = BlobService::open(fragile).unwrap();
        breaks.countdown.store(step, SeqCst);
        let put = service.put(b"body");
        service.rest();
        let finished =
            put.as_ref().is_ok_and(|accepted| service.inner.state.lock().held.contains(&accepted.id));
        if !finished && let Ok(accepted) = &put {
            let why = service.failure(&accepted.id).unwrap_or_default();
            assert!(why.contains("cannot"), "step {step}: {why}");
        }
        drop(service);
        let service = open(folder.path());
        service.rest();
        match put {
            // A body whose cells a full disk refused was given up, and that was said; one with a broken disk may be there.
            Ok(accepted) => {
                let local = service.status(&accepted.id).unwrap();
                assert!(local.is_none_or(|local| local.is_held()), "step {step}: half-stored");
            }
            Err(error) => {
                assert!(
                    matches!(error, ServiceError::Store(BlobError::DiskFull { .. })),
                    "step {step}: {error}"
                );
                assert!(files(folder.path()).is_empty(), "step {step}: {:?}", files(folder.path()));
            }
        }
        if finished && breaks.broken.load(SeqCst) == 0 {
            return;
        }
        assert!(step < 60, "it never finishes");
    }
}

#[test]
fn dam_10_a_full_disk_gives_the_blob_up_says_so_and_leaves_nothing() {
    for step in [Step::WriteCells, Step::SyncCells, Step::WriteState] {
        let folder = tempfile::tempdir().unwrap();
        let breaks = Arc::new(Breaks::default());
        let fragile = ServiceConfig { fail_point: Some(breaks.clone()), ..config(folder.path()) };
        let service = BlobService::open(fragile).unwrap();
        *breaks.next.lock() = Some(step);
        let accepted = service.put(b"body").unwrap();
        service.rest();
        let why = service.failure(&accepted.id).unwrap();
        assert!(why.contains("free disk space"), "{why}");
        assert_eq!(service.status(&accepted.id).unwrap(), None);
        assert!(files(folder.path()).is_empty(), "{:?}", files(folder.path()));
        assert!(service.inner.state.lock().unpublished.is_empty());
        // With room again the same body is taken.
        service.put_and_rest(b"body");
        assert_eq!(service.failure(&accepted.id), None);
    }
}

#[test]
fn dam_10_a_full_disk_during_the_upload_is_said_at_once_and_leaves_nothing() {
    for step in [Step::Create, Step::WriteUpload, Step::SyncUpload] {
        let folder = tempfile::tempdir().unwrap();
        let breaks = Arc::new(Breaks::default());
        let fragile = ServiceConfig { fail_point: Some(breaks.clone()), ..config(folder.path()) };
        let service = BlobService::open(fragile).unwrap();
        *breaks.next.lock() = Some(step);
        let refused = service.put(b"body").unwrap_err();
        assert!(matches!(refused, ServiceError::Store(BlobError::DiskFull { .. })), "{step:?}: {refused}");
        assert!(files(folder.path()).is_empty(), "{step:?}");
        assert_eq!(service.inner.state.lock().uploads, 0, "and its place is free");
    }
}

#[test]
fn only_one_process_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let second = BlobService::open(config(folder.path())).err().unwrap();
    assert!(matches!(second, ServiceError::Store(BlobError::Locked { .. })), "{second}");
}
