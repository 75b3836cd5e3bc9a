//! All blobs of a directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, RwLock};

use crate::{
    blob::{Blob, Shared},
    cell::{CellRead, VerifiedCells},
    config::{BlobConfig, Step},
    directory::{self, Directory},
    disk::Disk,
    error::BlobError,
    geometry::{CELL_BYTES, Position},
    handles::Handles,
    layout::{self, HEAD, Slot},
    meta::{BlobId, BlobMeta},
    presence::Presence,
    recover::Recovered,
    stats::{BlobStats, Counters},
};

/// What [`BlobStore::put`] did with its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// New cells.
    pub stored: usize,
    /// Cells that were there, byte for byte.
    pub already: usize,
    /// Cells that were there but damaged, and are whole again.
    pub healed: usize,
}

/// Bytes in use against bytes allowed.
pub(crate) struct Quota {
    used: AtomicU64,
    limit: u64,
}

/// Bytes set aside for a write; returned unless it is kept.
pub(crate) struct Reserved<'a>(&'a Quota, u64);

impl Quota {
    pub(crate) fn reserve(&self, needed: u64) -> Result<Reserved<'_>, BlobError> {
        let fits = |used: u64| used.checked_add(needed).filter(|sum| needed == 0 || *sum <= self.limit);
        match self.used.fetch_update(Relaxed, Relaxed, fits) {
            Ok(_) => Ok(Reserved(self, needed)),
            Err(used) => Err(BlobError::Quota { needed, used, quota: self.limit }),
        }
    }

    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    /// Counts what is on disk already, whatever the limit.
    pub(crate) fn count(&self, bytes: u64) {
        self.used.fetch_add(bytes, Relaxed);
    }
}

impl Reserved<'_> {
    pub(crate) fn keep(mut self) {
        self.1 = 0;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.release(self.1);
    }
}

#[derive(Default)]
pub(crate) struct Index {
    pub(crate) blobs: BTreeMap<BlobId, Arc<Blob>>,
    pub(crate) by_expiry: BTreeSet<(u64, BlobId)>,
}

/// The blobs of a directory, for any number of threads. Calls block on the disk: keep them off threads that must not wait.
pub struct BlobStore {
    pub(crate) directory: Directory,
    pub(crate) config: BlobConfig,
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: RwLock<Index>,
    /// Held while blobs come, go or change their expiry.
    pub(crate) structure: Mutex<()>,
    pub(crate) numbers: AtomicU64,
    pub(crate) recovered: Recovered,
}

impl BlobStore {
    /// Opens a directory, creating it when it is missing or empty, and mends what a crash or the disk left behind.
    ///
    /// # Errors
    /// [`BlobError::Locked`], [`BlobError::Foreign`], [`BlobError::Version`], or a fault of the disk.
    pub fn open(config: BlobConfig) -> Result<Self, BlobError> {
        let directory = directory::claim(&config.directory)?;
        let shared = Arc::new(Shared {
            disk: Disk::new(config.fail_point.clone()),
            handles: Handles::new(config.max_open_files),
            counters: Counters::default(),
            quota: Quota { used: AtomicU64::new(0), limit: config.quota_bytes },
        });
        let (index, structure, numbers) = (RwLock::default(), Mutex::default(), AtomicU64::new(0));
        let mut store =
            Self { directory, config, shared, index, structure, numbers, recovered: Recovered::default() };
        store.recovered = store.recover()?;
        Ok(store)
    }

    /// What opening had to mend.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    pub(crate) fn path(&self, id: &BlobId) -> PathBuf {
        self.directory.blobs.join(hex::encode(id))
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    pub(crate) fn blob(&self, id: &BlobId) -> Result<Arc<Blob>, BlobError> {
        self.index.read().blobs.get(id).cloned().ok_or(BlobError::Unknown { id: *id })
    }

    /// Makes a blob known; whether it was not before. For one that is known already, a later expiry is taken over.
    ///
    /// # Errors
    /// [`BlobError::OtherBlob`] when the name is taken by another blob; [`BlobError::Quota`], [`BlobError::TooManyBlobs`];
    /// a fault of the disk, after which the blob is not known.
    pub fn create(&self, meta: &BlobMeta) -> Result<bool, BlobError> {
        meta.check()?;
        let _structure = self.structure.lock();
        if let Ok(blob) = self.blob(&meta.id) {
            if !blob.meta()?.same_blob(meta) {
                return Err(BlobError::OtherBlob { id: meta.id });
            }
            self.extend_known(&blob, meta.expires_at)?;
            return Ok(false);
        }
        if self.index.read().blobs.len() >= self.config.max_blobs {
            return Err(BlobError::TooManyBlobs { limit: self.config.max_blobs });
        }
        let space = self.shared.quota.reserve(HEAD)?;
        let slot = self.write_new(meta)?;
        let (path, number) = (self.path(&meta.id), self.next_number());
        let blob = Blob::new((meta.id, meta.geometry), path, number, slot, self.shared.clone());
        let mut index = self.index.write();
        index.blobs.insert(meta.id, Arc::new(blob));
        index.by_expiry.insert((meta.expires_at, meta.id));
        space.keep();
        Ok(true)
    }

    /// Writes a blob's file under a passing name and names it once it is durable.
    fn write_new(&self, meta: &BlobMeta) -> Result<Slot, BlobError> {
        let unfinished = self.directory.unfinished.join(hex::encode(meta.id));
        let slot = |sequence| Slot {
            sequence,
            expires_at: meta.expires_at,
            presence: Presence::empty(meta.geometry),
        };
        let seed = layout::seed(&meta.id);
        // The sequences' places: 2 is the first slot, 1 the second.
        let (even, odd) = (layout::encode_slot(&slot(2), seed), layout::encode_slot(&slot(1), seed));
        let head = [layout::encode_meta(meta), even, odd].concat();
        let disk = &self.shared.disk;
        let write = || {
            let file = disk.create(&unfinished)?;
            disk.write(Step::WriteMeta, &unfinished, &file, &head, 0)?;
            disk.sync(Step::SyncMeta, &unfinished, &file)?;
            disk.rename(&unfinished, &self.path(&meta.id))?;
            disk.sync_directory(&self.directory.blobs)
        };
        write().inspect_err(|_| {
            for leftover in [&unfinished, &self.path(&meta.id)] {
                // What cannot be removed now is removed, or known and empty, after a restart.
                let _ = std::fs::remove_file(leftover);
            }
        })?;
        Ok(slot(2))
    }

    /// Whether the blob is known.
    pub fn contains(&self, id: &BlobId) -> bool {
        self.index.read().blobs.contains_key(id)
    }

    /// Header, commitments and expiry.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], or a fault of the disk.
    pub fn meta(&self, id: &BlobId) -> Result<BlobMeta, BlobError> {
        self.blob(id)?.meta()
    }

    /// Which cells are there.
    ///
    /// # Errors
    /// [`BlobError::Unknown`].
    pub fn presence(&self, id: &BlobId) -> Result<Presence, BlobError> {
        Ok(self.blob(id)?.current()?.0)
    }

    /// Whether the cell is there; false for an unknown blob and outside of the square.
    pub fn has(&self, id: &BlobId, at: Position) -> bool {
        self.blob(id).is_ok_and(|blob| blob.has(at))
    }

    /// Stores cells of a known blob, all or none; they are durable when it returns.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], [`BlobError::NoSuchCell`], [`BlobError::Duplicate`], [`BlobError::OtherCell`],
    /// [`BlobError::BatchTooLarge`], [`BlobError::Quota`], or a fault of the disk. None of the cells is stored then.
    pub fn put(&self, cells: &VerifiedCells) -> Result<Put, BlobError> {
        self.blob(&cells.blob())?.put(cells.cells())
    }

    /// Reads cells, in the order asked for.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], [`BlobError::NoSuchCell`], [`BlobError::BatchTooLarge`], or a fault of the disk other than
    /// damaged cells, which are reported one by one.
    pub fn get(&self, id: &BlobId, positions: &[Position]) -> Result<Vec<CellRead>, BlobError> {
        self.blob(id)?.get(positions)
    }

    /// Reads one cell.
    ///
    /// # Errors
    /// As [`BlobStore::get`].
    pub fn get_cell(&self, id: &BlobId, at: Position) -> Result<CellRead, BlobError> {
        Ok(self.get(id, &[at])?.pop().unwrap_or(CellRead::Missing))
    }

    /// The bytes of the data square, row by row, as an archive takes them.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`] unless every data cell is there and whole, and as [`BlobStore::get`].
    pub fn data_square(&self, id: &BlobId) -> Result<Vec<u8>, BlobError> {
        let blob = self.blob(id)?;
        let positions: Vec<_> = blob.geometry.data_positions().collect();
        let (mut square, mut missing) = (Vec::with_capacity(positions.len() * CELL_BYTES), Vec::new());
        for (at, read) in positions.iter().zip(blob.get(&positions)?) {
            match read {
                CellRead::Found(cell) => square.extend_from_slice(&cell.bytes[..]),
                CellRead::Missing | CellRead::Damaged => missing.push(*at),
            }
        }
        match missing.first() {
            None => Ok(square),
            Some(first) => Err(BlobError::Incomplete { id: *id, missing: missing.len(), first: *first }),
        }
    }

    /// Deletes cells; how many of them were there.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], [`BlobError::NoSuchCell`], [`BlobError::BatchTooLarge`], or a fault of the disk, after which
    /// none is deleted.
    pub fn delete(&self, id: &BlobId, positions: &[Position]) -> Result<usize, BlobError> {
        self.blob(id)?.delete(positions)
    }

    /// Reads all cells of a blob and compares checksums. Those that are damaged are missing from then on; it returns them.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], or a fault of the disk other than damaged cells.
    pub fn scrub(&self, id: &BlobId) -> Result<Vec<Position>, BlobError> {
        self.blob(id)?.scrub()
    }

    /// Sets a later expiry; an earlier one changes nothing.
    ///
    /// # Errors
    /// [`BlobError::Unknown`], or a fault of the disk, after which the expiry is as before.
    pub fn extend_expiry(&self, id: &BlobId, until: u64) -> Result<(), BlobError> {
        let _structure = self.structure.lock();
        self.extend_known(&*self.blob(id)?, until)
    }

    fn extend_known(&self, blob: &Blob, until: u64) -> Result<(), BlobError> {
        let before = blob.expires_at();
        blob.extend(until)?;
        let mut index = self.index.write();
        index.by_expiry.remove(&(before, blob.id));
        index.by_expiry.insert((blob.expires_at(), blob.id));
        Ok(())
    }

    /// Names after a given one, in order, at most `limit`.
    pub fn list(&self, after: Option<BlobId>, limit: usize) -> Vec<BlobId> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.index.read().blobs.range((start, Bound::Unbounded)).map(|(id, _)| *id).take(limit).collect()
    }

    /// What the store holds and has done.
    pub fn stats(&self) -> BlobStats {
        let index = self.index.read();
        self.shared.counters.fill(BlobStats {
            blobs: index.blobs.len(),
            used_bytes: self.shared.quota.used.load(Relaxed),
            quota_bytes: self.shared.quota.limit,
            open_files: self.shared.handles.len(),
            next_expiry: index.by_expiry.first().map(|(expiry, _)| *expiry),
            ..BlobStats::default()
        })
    }
}
