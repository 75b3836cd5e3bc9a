//! What a node chooses about its blobs, and how tests break its disk.

use std::{io, path::PathBuf, sync::Arc};

/// What a node chooses about its blobs.
#[derive(Clone)]
pub struct BlobConfig {
    /// Where the files are; created when missing.
    pub directory: PathBuf,
    /// Most bytes of files, as [`crate::layout`] counts them: a blob without cells 12 KiB, a cell 2,104 bytes.
    pub quota_bytes: u64,
    /// Most blobs. Each costs about a kilobyte of memory.
    pub max_blobs: usize,
    /// Files kept open between calls. Calls under way may hold one more each.
    pub max_open_files: usize,
    /// Injected faults; `None` outside of tests.
    pub fail_point: Option<Arc<dyn FailPoint>>,
}

impl BlobConfig {
    /// 256 GiB: thirty days of a blob of 32 rows about every three minutes.
    pub const DEFAULT_QUOTA_BYTES: u64 = 256 << 30;

    /// The defaults in a directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            quota_bytes: Self::DEFAULT_QUOTA_BYTES,
            max_blobs: 1 << 20,
            max_open_files: 64,
            fail_point: None,
        }
    }
}

impl std::fmt::Debug for BlobConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobConfig")
            .field("directory", &self.directory)
            .field("quota_bytes", &self.quota_bytes)
            .field("max_blobs", &self.max_blobs)
            .field("max_open_files", &self.max_open_files)
            .field("fail_point", &self.fail_point.is_some())
            .finish()
    }
}

/// A call to the system, as [`FailPoint`] sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Creating a new blob's file under a passing name.
    Create,
    /// Writing what the file starts with.
    WriteMeta,
    /// Making that durable.
    SyncMeta,
    /// Giving the file its name.
    Rename,
    /// Making names durable.
    SyncDirectory,
    /// Writing cells.
    WriteCells,
    /// Making them durable.
    SyncCells,
    /// Writing which cells are present, and the expiry.
    WriteState,
    /// Making that durable.
    SyncState,
    /// Reading cells.
    Read,
    /// Removing a file.
    Unlink,
    /// Returning deleted cells' space.
    Punch,
    /// Writing a piece of a body that is being uploaded.
    WriteUpload,
    /// Making it durable.
    SyncUpload,
}

/// How an injected fault looks.
#[derive(Debug)]
pub struct Fault {
    /// Bytes of a write that reach the file all the same.
    pub written: usize,
    /// The system's answer.
    pub cause: io::Error,
}

impl Fault {
    /// Nothing is written.
    pub fn clean(kind: io::ErrorKind) -> Self {
        Self { written: 0, cause: kind.into() }
    }
}

/// Lets tests break the disk.
pub trait FailPoint: Send + Sync {
    /// Called before each step; a fault makes it fail.
    ///
    /// # Errors
    /// Whatever the test wants to see.
    fn before(&self, step: Step) -> Result<(), Fault>;
}
