//! How fast the largest blob is written, read and archived: `cargo run --release -p chlom-blobs --example throughput -- DIR`.
#![allow(
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement"
)]

use std::time::Instant;

use alloy_primitives::B256;
use chlom_blobs::{
    Archive, BlobConfig, BlobMeta, BlobStore, Cell, Geometry, Position, VerifiedCells, archive::Sharding,
};

const ROUNDS: u8 = 8;

/// Seconds that all threads of this process have spent on a processor: what a busy machine does not distort.
fn processor() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanos = |text: String| text.split(' ').next().and_then(|first| first.parse::<u64>().ok());
    let spent: u64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok().and_then(nanos))
        .sum();
    spent as f64 / 1e9
}

struct From(Instant, f64);

fn begin() -> From {
    From(Instant::now(), processor())
}

fn report(what: &str, bytes: usize, calls: usize, from: From) {
    let (seconds, busy) = (from.0.elapsed().as_secs_f64(), processor() - from.1);
    let (rate, busy_rate) = (bytes as f64 / seconds / 1e6, bytes as f64 / busy / 1e6);
    println!("{what:<50} {rate:>8.1} {busy_rate:>8.1} {:>10.3}", seconds * 1e3 / calls as f64);
}

fn main() {
    let folder = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = BlobStore::open(BlobConfig::new(folder.path().join("blobs"))).unwrap();
    let geometry = Geometry::new(32).unwrap();
    let positions: Vec<_> = geometry.positions().collect();
    let meta = |n: u8| BlobMeta {
        id: B256::repeat_byte(n),
        geometry,
        header: [n; 109],
        commitments: vec![[n; 48]; 32],
        expires_at: 1,
    };
    let cell = |at: Position, n: u8| Cell {
        at,
        bytes: Box::new([n ^ at.row as u8 ^ at.column as u8; 2048]),
        proof: [n; 48],
    };
    let whole =
        |n| VerifiedCells::computed_here(meta(n).id, positions.iter().map(|at| cell(*at, n)).collect());
    let (blobs, bytes) = (usize::from(ROUNDS), geometry.cells() * 2096);

    println!("{:<50} {:>8} {:>8} {:>10}", "", "MB/s", "MB/s CPU", "ms a call");
    let plain = std::fs::File::create(folder.path().join("plain")).unwrap();
    let piece = vec![7; 128 * 2104];
    let from = begin();
    for at in 0..64 {
        std::os::unix::fs::FileExt::write_all_at(&plain, &piece, at * piece.len() as u64).unwrap();
    }
    plain.sync_data().unwrap();
    report("a plain file of that size, written and synced", bytes, 1, from);

    let batches: Vec<_> = (0..ROUNDS).map(whole).collect();
    let from = begin();
    for (n, batch) in (0..).zip(&batches) {
        store.create(&meta(n)).unwrap();
        store.put(batch).unwrap();
    }
    report("write 32 rows, 8,192 cells in a call, durable", bytes * blobs, blobs, from);

    let from = begin();
    for batch in &batches {
        store.put(batch).unwrap();
    }
    report("put the same again (read and compare)", bytes * blobs, blobs, from);

    let from = begin();
    for n in 0..ROUNDS {
        assert!(store.get(&meta(n).id, &positions).unwrap().into_iter().all(|read| read.found().is_some()));
    }
    report("read 32 rows, 8,192 cells in a call (page cache)", bytes * blobs, blobs, from);

    let from = begin();
    for at in positions.iter().step_by(3) {
        assert!(store.get_cell(&meta(1).id, *at).unwrap().found().is_some());
    }
    report("read cells one by one (page cache)", positions.len() / 3 * 2096, positions.len() / 3, from);

    let by_column = meta(100);
    store.create(&by_column).unwrap();
    let columns: Vec<_> = (0..128)
        .map(|column| {
            let cells = (0..64).map(|row| cell(Position { row, column }, 1)).collect();
            VerifiedCells::computed_here(by_column.id, cells)
        })
        .collect();
    let from = begin();
    for column in &columns {
        store.put(column).unwrap();
    }
    report("write by columns, 64 cells in a call, durable", bytes, 128, from);

    let by_row = meta(101);
    store.create(&by_row).unwrap();
    let rows: Vec<_> = (0..64)
        .map(|row| {
            let cells = (0..128).map(|column| cell(Position { row, column }, 1)).collect();
            VerifiedCells::computed_here(by_row.id, cells)
        })
        .collect();
    let from = begin();
    for row in &rows {
        store.put(row).unwrap();
    }
    report("write by rows, 128 cells in a call, durable", bytes, 64, from);

    let from = begin();
    store.remove(&by_row.id).unwrap();
    report("remove a blob", bytes, 1, from);

    drop(store);
    let from = begin();
    let store = BlobStore::open(BlobConfig::new(folder.path().join("blobs"))).unwrap();
    report(&format!("open {} blobs", store.stats().blobs), bytes * store.stats().blobs, 1, from);

    let archive = Archive::folder(&folder.path().join("archive"), Sharding::default()).unwrap();
    let square = geometry.data_bytes();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let from = begin();
        for n in 0..ROUNDS {
            let data = store.data_square(&meta(n).id).unwrap();
            archive.put(&meta(n), data).await.unwrap();
        }
        report("archive a data square, 4 + 2 shards, durable", square * blobs, blobs, from);
        for lost in ["0", "2"] {
            std::fs::remove_file(
                folder.path().join(format!("archive/blobs/{}/4-of-6/{lost}", hex::encode(meta(0).id))),
            )
            .unwrap();
        }
        let from = begin();
        assert_eq!(archive.restore(&meta(1).id).await.unwrap().data.len(), square);
        report("restore from the data shards", square, 1, from);
        let from = begin();
        assert_eq!(archive.restore(&meta(0).id).await.unwrap().data.len(), square);
        report("restore with two data shards lost", square, 1, from);
    });
}
