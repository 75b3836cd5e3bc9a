//! Putting, reading, deleting.

use chlom_blobs::{BlobConfig, BlobError, BlobMeta, BlobStore, CellRead, Put, VerifiedCells};

use crate::square::{assert_honest, at, blob_file, cell, cells, config, geometry, id, meta, open, put};

#[test]
fn cells_come_back_as_they_were_put_in_the_order_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(store.create(&meta(1, 4)).unwrap());
    let places = [at(7, 127), at(0, 0), at(3, 64), at(0, 1), at(1, 0)];
    assert_eq!(put(&store, id(1), places), Put { stored: 5, ..Put::default() });
    let wanted = [at(1, 0), at(2, 2), at(7, 127), at(1, 0)];
    let found = |place| CellRead::Found(cell(id(1), place));
    let reads = store.get(&id(1), &wanted).unwrap();
    assert_eq!(reads, [found(at(1, 0)), CellRead::Missing, found(at(7, 127)), found(at(1, 0))]);
    assert_eq!(store.get_cell(&id(1), at(3, 64)).unwrap(), found(at(3, 64)));
    assert!(store.has(&id(1), at(3, 64)) && !store.has(&id(1), at(3, 65)) && !store.has(&id(2), at(3, 64)));
}

#[test]
fn the_largest_blob_fills_in_one_call_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 32)).unwrap();
    assert_eq!(put(&store, id(1), geometry(32).positions()).stored, 8192);
    assert!(store.presence(&id(1)).unwrap().is_complete());
    let before = store.stats();
    assert_eq!(before.used_bytes, 12_288 + 8192 * 2104);
    drop(store);
    let store = open(folder.path());
    assert_honest(&store, id(1));
    assert!(store.presence(&id(1)).unwrap().is_complete());
    assert_eq!(store.stats().used_bytes, before.used_bytes);
    assert_eq!(store.recovered(), &Default::default());
}

#[test]
fn every_geometry_keeps_its_first_and_its_last_cell() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (n, rows) in [1, 2, 4, 8, 16, 32].into_iter().enumerate() {
        let blob = meta(n as u8, rows);
        store.create(&blob).unwrap();
        put(&store, blob.id, [at(0, 0), at(2 * rows - 1, 127)]);
        assert_honest(&store, blob.id);
        assert_eq!(store.meta(&blob.id).unwrap(), blob);
    }
}

#[test]
fn putting_again_is_harmless_and_counts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0), at(0, 1)]);
    let used = store.stats().used_bytes;
    let again = put(&store, id(1), [at(0, 1), at(0, 2)]);
    assert_eq!(again, Put { stored: 1, already: 1, healed: 0 });
    assert_eq!(store.stats().used_bytes, used + 2104);
    assert!(!store.create(&meta(1, 1)).unwrap(), "known already");
    assert_eq!(store.presence(&id(1)).unwrap().count(), 3);
}

#[test]
fn another_cell_at_the_same_place_is_refused_and_nothing_of_the_batch_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(1, 5)]);
    let mut other = cell(id(1), at(1, 5));
    other.proof[47] ^= 1;
    let batch = VerifiedCells::computed_here(id(1), vec![cell(id(1), at(0, 0)), other]);
    let refused = store.put(&batch).unwrap_err();
    assert!(matches!(refused, BlobError::OtherCell { at: place, .. } if place == at(1, 5)), "{refused}");
    assert!(!store.has(&id(1), at(0, 0)));
    assert_honest(&store, id(1));
}

#[test]
fn cells_that_the_verifier_refuses_cannot_be_put() {
    let refused: Result<VerifiedCells, &str> =
        VerifiedCells::verify(id(1), vec![cell(id(1), at(0, 0))], |_, _| Err("the proof does not verify"));
    assert_eq!(refused.unwrap_err(), "the proof does not verify");
    let seen = VerifiedCells::verify(id(1), vec![cell(id(1), at(0, 0))], |blob, cells| {
        if *blob == id(1) && cells.len() == 1 { Ok(()) } else { Err(()) }
    });
    assert_eq!(seen.unwrap().blob(), id(1));
}

#[test]
fn unknown_blobs_duplicates_and_places_outside_of_the_square_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let unknown = store.put(&cells(id(9), [at(0, 0)])).unwrap_err();
    assert!(matches!(unknown, BlobError::Unknown { id: blob } if blob == id(9)));
    store.create(&meta(1, 2)).unwrap();
    let twice = store.put(&cells(id(1), [at(3, 3), at(0, 0), at(3, 3)])).unwrap_err();
    assert!(matches!(twice, BlobError::Duplicate { at: place, .. } if place == at(3, 3)));
    for outside in [at(4, 0), at(0, 128), at(u16::MAX, u16::MAX)] {
        let refused = store.put(&cells(id(1), [at(0, 0), outside])).unwrap_err();
        assert!(matches!(refused, BlobError::NoSuchCell { at: place, rows: 4, .. } if place == outside));
        assert!(matches!(store.get(&id(1), &[outside]), Err(BlobError::NoSuchCell { .. })));
        assert!(matches!(store.delete(&id(1), &[outside]), Err(BlobError::NoSuchCell { .. })));
        assert!(!store.has(&id(1), outside));
    }
    assert_eq!(store.presence(&id(1)).unwrap().count(), 0);
}

#[test]
fn a_call_takes_as_many_cells_as_the_largest_blob_has_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    let many = vec![at(0, 0); 8193];
    assert!(matches!(store.get(&id(1), &many), Err(BlobError::BatchTooLarge { got: 8193, limit: 8192 })));
    assert!(matches!(store.delete(&id(1), &many), Err(BlobError::BatchTooLarge { .. })));
    assert!(matches!(store.put(&cells(id(1), many.clone())), Err(BlobError::BatchTooLarge { .. })));
    assert_eq!(store.get(&id(1), &many[1..]).unwrap().len(), 8192);
}

#[test]
fn a_name_belongs_to_one_blob() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let blob = meta(1, 2);
    store.create(&blob).unwrap();
    let mut others = vec![BlobMeta { header: [0; 109], ..blob.clone() }, meta(1, 4)];
    others.push(BlobMeta { commitments: vec![[9; 48]; 2], ..blob.clone() });
    for other in others {
        assert!(matches!(store.create(&other), Err(BlobError::OtherBlob { .. })));
    }
    let short = BlobMeta { commitments: vec![[1; 48]; 1], ..meta(2, 2) };
    assert!(matches!(store.create(&short), Err(BlobError::BadCommitments { got: 1, want: 2, .. })));
    assert_eq!(store.list(None, 10), [blob.id]);
}

#[test]
fn deleted_cells_are_missing_return_their_space_and_can_be_put_again() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 8)).unwrap();
    put(&store, id(1), geometry(8).positions());
    let (used, blocks) =
        (store.stats().used_bytes, blob_file(folder.path(), id(1)).metadata().unwrap().blocks());
    let quarter: Vec<_> = geometry(8).positions().filter(|place| place.column < 32).collect();
    assert_eq!(store.delete(&id(1), &quarter).unwrap(), quarter.len());
    assert_eq!(store.delete(&id(1), &quarter).unwrap(), 0, "they are gone");
    assert_eq!(store.stats().used_bytes, used - 2104 * quarter.len() as u64);
    let missing: Vec<_> = store.presence(&id(1)).unwrap().missing().collect();
    assert_eq!(missing, quarter);
    assert!(
        blob_file(folder.path(), id(1)).metadata().unwrap().blocks() < blocks,
        "the disk has its space back"
    );
    drop(store);
    let store = open(folder.path());
    assert_honest(&store, id(1));
    assert_eq!(put(&store, id(1), quarter.iter().copied()).stored, quarter.len());
    assert!(store.presence(&id(1)).unwrap().is_complete());
    assert_honest(&store, id(1));
}

#[test]
fn the_data_square_is_given_out_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 2)).unwrap();
    put(&store, id(1), geometry(2).data_positions());
    let want: Vec<u8> = geometry(2).data_positions().flat_map(|place| *cell(id(1), place).bytes).collect();
    assert_eq!(store.data_square(&id(1)).unwrap(), want);
    store.delete(&id(1), &[at(1, 63), at(0, 7)]).unwrap();
    let refused = store.data_square(&id(1)).unwrap_err();
    assert!(
        matches!(refused, BlobError::Incomplete { missing: 2, first, .. } if first == at(0, 7)),
        "{refused}"
    );
}

#[test]
fn the_quota_is_never_exceeded_and_removal_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let quota_bytes = 2 * 12_288 + 10 * 2104;
    let store = BlobStore::open(BlobConfig { quota_bytes, ..config(folder.path()) }).unwrap();
    store.create(&meta(1, 1)).unwrap();
    store.create(&meta(2, 1)).unwrap();
    put(&store, id(1), (0..10).map(|column| at(0, column)));
    let refused = store.put(&cells(id(2), [at(0, 0)])).unwrap_err();
    assert!(matches!(refused, BlobError::Quota { needed: 2104, used, quota } if used == quota), "{refused}");
    assert!(matches!(store.create(&meta(3, 1)), Err(BlobError::Quota { needed: 12_288, .. })));
    assert_eq!(put(&store, id(1), [at(0, 3)]).already, 1, "what is there needs no room");
    store.delete(&id(1), &[at(0, 3)]).unwrap();
    put(&store, id(2), [at(0, 0)]);
    store.remove(&id(1)).unwrap();
    assert_eq!(store.stats().used_bytes, 12_288 + 2104);
    store.create(&meta(3, 1)).unwrap();
}

#[test]
fn a_smaller_quota_than_what_is_stored_refuses_new_cells_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0)]);
    drop(store);
    let store = BlobStore::open(BlobConfig { quota_bytes: 1, ..config(folder.path()) }).unwrap();
    assert_honest(&store, id(1));
    assert!(matches!(store.put(&cells(id(1), [at(0, 1)])), Err(BlobError::Quota { .. })));
    assert_eq!(put(&store, id(1), [at(0, 0)]).already, 1);
    store.remove(&id(1)).unwrap();
    assert_eq!(store.stats().used_bytes, 0);
}

#[test]
fn no_more_blobs_than_configured_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = BlobStore::open(BlobConfig { max_blobs: 2, ..config(folder.path()) }).unwrap();
    store.create(&meta(1, 1)).unwrap();
    store.create(&meta(2, 1)).unwrap();
    assert!(matches!(store.create(&meta(3, 1)), Err(BlobError::TooManyBlobs { limit: 2 })));
    assert!(!store.create(&meta(2, 1)).unwrap());
}

#[test]
fn few_files_stay_open_whatever_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 0..20 {
        store.create(&meta(n, 1)).unwrap();
        put(&store, id(n), [at(0, u16::from(n))]);
    }
    for n in 0..20 {
        assert_honest(&store, id(n));
        assert!(store.stats().open_files <= 2);
    }
}
