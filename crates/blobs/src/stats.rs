//! What the store holds and has done.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the store holds now, and what it has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobStats {
    /// Blobs known.
    pub blobs: usize,
    /// Bytes in use, as [`crate::layout`] counts them.
    pub used_bytes: u64,
    /// Most bytes allowed.
    pub quota_bytes: u64,
    /// Files open now.
    pub open_files: usize,
    /// The next blob to expire does so at this second; `None` without blobs.
    pub next_expiry: Option<u64>,
    /// Cells written.
    pub cells_written: u64,
    /// Cells read and given out.
    pub cells_read: u64,
    /// Cells that the disk did not give back as they were written.
    pub cells_damaged: u64,
    /// Cells deleted, not counting removed blobs.
    pub cells_deleted: u64,
    /// Blobs removed, by pruning or otherwise.
    pub blobs_removed: u64,
}

/// Counters that many threads add to.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) written: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) deleted: AtomicU64,
    pub(crate) removed: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn fill(&self, stats: BlobStats) -> BlobStats {
        BlobStats {
            cells_written: self.written.load(Relaxed),
            cells_read: self.read.load(Relaxed),
            cells_damaged: self.damaged.load(Relaxed),
            cells_deleted: self.deleted.load(Relaxed),
            blobs_removed: self.removed.load(Relaxed),
            ..stats
        }
    }
}
