//! Many readers and writers at once.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use chlom_blobs::{BlobError, CellRead};

use crate::square::{assert_honest, at, cell, cells, geometry, id, meta, open, put};

#[test]
fn writers_of_one_blob_lose_nothing_and_readers_see_whole_cells_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 4)).unwrap();
    let writers = AtomicUsize::new(4);
    thread::scope(|scope| {
        for writer in 0..4u16 {
            let (store, writers) = (&store, &writers);
            scope.spawn(move || {
                for column in (0..128).filter(|column| column % 4 == writer || column % 5 == 0) {
                    put(store, id(1), (0..8).map(|row| at(row, column)));
                }
                writers.fetch_sub(1, SeqCst);
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while writers.load(SeqCst) > 0 {
                    let places: Vec<_> = geometry(4).positions().collect();
                    for (place, read) in places.iter().zip(store.get(&id(1), &places).unwrap()) {
                        assert!(read == CellRead::Missing || read == CellRead::Found(cell(id(1), *place)));
                    }
                }
            });
        }
    });
    assert!(store.presence(&id(1)).unwrap().is_complete());
    assert_honest(&store, id(1));
    assert_eq!(store.stats().used_bytes, 12_288 + 1024 * 2104);
    assert_eq!(store.stats().cells_written, 1024, "each once");
}

#[test]
fn deleting_and_pruning_under_readers_never_looks_like_rot() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (done, start) = (AtomicBool::new(false), Barrier::new(3));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                let places: Vec<_> = geometry(1).positions().collect();
                while !done.load(SeqCst) {
                    match store.get(&id(1), &places) {
                        Ok(reads) => assert!(!reads.contains(&CellRead::Damaged)),
                        Err(error) => assert!(matches!(error, BlobError::Unknown { .. }), "{error}"),
                    }
                }
            });
        }
        start.wait();
        for round in 0..60 {
            store.create(&meta(1, 1)).unwrap();
            store.put(&cells(id(1), geometry(1).positions())).unwrap();
            store.delete(&id(1), &geometry(1).data_positions().collect::<Vec<_>>()).unwrap();
            if round % 2 == 0 {
                store.prune(u64::MAX, 1).unwrap();
            }
        }
        done.store(true, SeqCst);
    });
    assert_eq!(store.stats().cells_damaged, 0);
    assert_honest(&store, id(1));
}
