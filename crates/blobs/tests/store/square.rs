//! Blobs and cells that every test makes the same way, and a disk that fails when told to.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use alloy_primitives::B256;
use chlom_blobs::{
    BlobConfig, BlobId, BlobMeta, BlobStore, Cell, CellRead, FailPoint, Fault, Geometry, Position, Put, Step,
    VerifiedCells,
};
use parking_lot::Mutex;

pub fn id(n: u8) -> BlobId {
    B256::repeat_byte(n)
}

pub fn geometry(rows: u16) -> Geometry {
    Geometry::new(rows).unwrap()
}

pub fn meta(n: u8, rows: u16) -> BlobMeta {
    let commitments = (0..rows).map(|row| [row as u8 ^ n; 48]).collect();
    BlobMeta {
        id: id(n),
        geometry: geometry(rows),
        header: [n; 109],
        commitments,
        expires_at: 1000 + u64::from(n),
    }
}

/// The cell that belongs there: every byte depends on blob and place.
pub fn cell(blob: BlobId, at: Position) -> Cell {
    let mut state = (u64::from(blob[0]) << 32) | (u64::from(at.row) << 16) | u64::from(at.column) | (1 << 63);
    let mut bytes = Box::new([0; 2048]);
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        chunk.copy_from_slice(&(state ^ (state >> 33)).to_be_bytes());
    }
    Cell { at, bytes, proof: [at.row as u8 ^ at.column as u8; 48] }
}

pub fn cells(blob: BlobId, places: impl IntoIterator<Item = Position>) -> VerifiedCells {
    VerifiedCells::computed_here(blob, places.into_iter().map(|at| cell(blob, at)).collect())
}

pub fn put(store: &BlobStore, blob: BlobId, places: impl IntoIterator<Item = Position>) -> Put {
    store.put(&cells(blob, places)).unwrap()
}

pub fn at(row: u16, column: u16) -> Position {
    Position::new(row, column)
}

/// Open files one after the other are few, so that the least recently used are closed in every test.
pub fn config(directory: &Path) -> BlobConfig {
    BlobConfig { max_open_files: 2, ..BlobConfig::new(directory) }
}

pub fn open(directory: &Path) -> BlobStore {
    BlobStore::open(config(directory)).unwrap()
}

/// Every cell of the blob is whole or absent, as the store says that it is.
pub fn assert_honest(store: &BlobStore, blob: BlobId) {
    let presence = store.presence(&blob).unwrap();
    let places: Vec<_> = presence.geometry().positions().collect();
    for (place, read) in places.iter().zip(store.get(&blob, &places).unwrap()) {
        let want = if presence.has(*place) { CellRead::Found(cell(blob, *place)) } else { CellRead::Missing };
        assert_eq!(read, want, "{place}");
    }
}

pub fn blob_file(directory: &Path, blob: BlobId) -> std::path::PathBuf {
    directory.join("blobs").join(blob.to_string().trim_start_matches("0x"))
}

/// Writes over bytes of a file, as a failing disk would.
pub fn spoil(path: &Path, offset: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    std::fs::File::options().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

/// Fails the `countdown`-th step from now on, or the next one of a kind, and notes all steps.
#[derive(Default)]
pub struct Breaks {
    pub countdown: AtomicUsize,
    pub next: Mutex<Option<(Step, Fault)>>,
    pub steps: Mutex<Vec<Step>>,
    /// Bytes that a failing write writes all the same.
    pub torn: AtomicUsize,
}

impl Breaks {
    pub fn fail_next(&self, step: Step, written: usize, kind: io::ErrorKind) {
        *self.next.lock() = Some((step, Fault { written, cause: kind.into() }));
    }

    pub fn open(self: &Arc<Self>, directory: &Path) -> BlobStore {
        BlobStore::open(BlobConfig { fail_point: Some(self.clone()), ..config(directory) }).unwrap()
    }
}

impl FailPoint for Breaks {
    fn before(&self, step: Step) -> Result<(), Fault> {
        self.steps.lock().push(step);
        if let Some((_, fault)) = self.next.lock().take_if(|(next, _)| *next == step) {
            return Err(fault);
        }
        match self.countdown.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(1) => Err(Fault { written: self.torn.load(SeqCst), cause: io::ErrorKind::StorageFull.into() }),
            _ => Ok(()),
        }
    }
}
