//! What the disk does to bytes at rest.

use std::{fs, sync::Arc};

use chlom_blobs::{BlobError, CellRead, Put, Step, layout::PAGE};

use crate::square::{Breaks, assert_honest, at, blob_file, cell, geometry, id, meta, open, put, spoil};

/// Where the record of a cell begins, by the layout's own words.
fn record(rows: u16, row: u16, column: u16) -> u64 {
    12_288 + 2104 * (u64::from(column) * 2 * u64::from(rows) + u64::from(row))
}

#[test]
fn a_rotten_cell_is_reported_once_is_missing_then_and_its_neighbours_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 2)).unwrap();
    put(&store, id(1), geometry(2).positions());
    spoil(&blob_file(folder.path(), id(1)), record(2, 1, 70) + 1000, b"rot");
    let wanted = [at(0, 70), at(1, 70), at(2, 70)];
    let reads = store.get(&id(1), &wanted).unwrap();
    let found = |place| CellRead::Found(cell(id(1), place));
    assert_eq!(reads, [found(wanted[0]), CellRead::Damaged, found(wanted[2])]);
    assert!(!store.has(&id(1), at(1, 70)));
    assert_eq!(store.get_cell(&id(1), at(1, 70)).unwrap(), CellRead::Missing);
    assert_eq!(store.stats().cells_damaged, 1);
    assert_eq!(store.stats().used_bytes, 12_288 + 511 * 2104);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.presence(&id(1)).unwrap().missing().collect::<Vec<_>>(), [at(1, 70)]);
    assert_eq!(put(&store, id(1), [at(1, 70)]).stored, 1);
    assert_honest(&store, id(1));
}

#[test]
fn every_byte_of_a_record_is_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    let file = blob_file(folder.path(), id(1));
    for byte in [0, 1, 2047, 2048, 2095, 2096, 2103] {
        put(&store, id(1), [at(0, 3)]);
        let whole = fs::read(&file).unwrap()[(record(1, 0, 3) + byte) as usize];
        spoil(&file, record(1, 0, 3) + byte, &[whole ^ 0x10]);
        assert_eq!(store.get_cell(&id(1), at(0, 3)).unwrap(), CellRead::Damaged, "byte {byte}");
    }
}

#[test]
fn putting_a_cell_that_rotted_unnoticed_heals_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0), at(0, 1)]);
    let used = store.stats().used_bytes;
    spoil(&blob_file(folder.path(), id(1)), record(1, 0, 1), &[0; 2104]);
    assert_eq!(put(&store, id(1), [at(0, 0), at(0, 1)]), Put { stored: 0, already: 1, healed: 1 });
    assert_eq!(store.stats().used_bytes, used);
    assert_honest(&store, id(1));
}

#[test]
fn scrubbing_finds_all_rot_and_a_file_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 4)).unwrap();
    put(&store, id(1), geometry(4).positions());
    let file = blob_file(folder.path(), id(1));
    spoil(&file, record(4, 2, 9), b"x");
    fs::File::options().write(true).open(&file).unwrap().set_len(record(4, 6, 127) + 5).unwrap();
    assert_eq!(store.scrub(&id(1)).unwrap(), [at(2, 9), at(6, 127), at(7, 127)]);
    assert!(store.scrub(&id(1)).unwrap().is_empty());
    assert_honest(&store, id(1));
}

#[test]
fn a_sector_that_cannot_be_read_loses_its_cells_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let breaks = Arc::new(Breaks::default());
    let store = breaks.open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0), at(1, 0)]);
    breaks.fail_next(Step::Read, 0, std::io::ErrorKind::Other);
    let places = [at(0, 0), at(1, 0)];
    let reads = store.get(&id(1), &places).unwrap();
    assert_eq!(reads, places.map(|place| CellRead::Found(cell(id(1), place))), "read one by one instead");
}

#[test]
fn a_torn_or_rotten_list_of_cells_is_made_anew_from_the_cells() {
    for spoiled in [vec![1], vec![2], vec![1, 2]] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.create(&meta(1, 2)).unwrap();
        put(&store, id(1), [at(0, 0), at(3, 127)]);
        store.extend_expiry(&id(1), 4000).unwrap();
        put(&store, id(1), [at(1, 5)]);
        store.delete(&id(1), &[at(0, 0)]).unwrap();
        drop(store);
        for slot in &spoiled {
            spoil(&blob_file(folder.path(), id(1)), (PAGE * slot + 30) as u64, &[0xff; 600]);
        }
        let store = open(folder.path());
        assert_eq!(store.recovered().rescanned, [id(1)]);
        assert_eq!(store.presence(&id(1)).unwrap().present().collect::<Vec<_>>(), [at(1, 5), at(3, 127)]);
        assert_honest(&store, id(1));
        let expiry = if spoiled.len() == 2 { 1001 } else { 4000 };
        assert_eq!(store.meta(&id(1)).unwrap().expires_at, expiry, "the slot left says, or the first expiry");
        drop(store);
        assert_eq!(open(folder.path()).recovered(), &Default::default(), "mended for good");
    }
}

#[test]
fn a_blob_whose_head_is_damaged_is_set_aside_with_the_reason_and_may_be_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 1..=4 {
        store.create(&meta(n, 1)).unwrap();
        put(&store, id(n), [at(0, 0)]);
    }
    drop(store);
    spoil(&blob_file(folder.path(), id(1)), 60, b"rot");
    fs::write(blob_file(folder.path(), id(2)), "short").unwrap();
    fs::copy(blob_file(folder.path(), id(4)), blob_file(folder.path(), id(3))).unwrap();
    let store = open(folder.path());
    let names: Vec<_> = store.recovered().set_aside.iter().map(|(name, _)| name[..2].to_string()).collect();
    assert_eq!(names, ["01", "02", "03"]);
    assert_eq!(store.list(None, 10), [id(4)]);
    assert_eq!(store.stats().used_bytes, 12_288 + 2104);
    assert_eq!(fs::read_dir(folder.path().join("damaged")).unwrap().count(), 3);
    assert!(store.create(&meta(1, 1)).unwrap());
    put(&store, id(1), [at(0, 0)]);
    assert_honest(&store, id(1));
}

#[test]
fn a_head_that_rots_while_the_store_is_open_is_an_error_and_not_another_blob() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    spoil(&blob_file(folder.path(), id(1)), 60, b"rot");
    assert!(matches!(store.meta(&id(1)), Err(BlobError::Damaged { .. })));
    assert!(matches!(store.create(&meta(1, 1)), Err(BlobError::Damaged { .. })));
}
