//! What a node chooses about taking and keeping blobs.

use std::{path::PathBuf, sync::Arc};

use crate::{
    archive::Archive,
    config::{BlobConfig, FailPoint},
};

/// What a node chooses.
#[derive(Clone)]
pub struct ServiceConfig {
    /// Where everything is; created when missing.
    pub directory: PathBuf,
    /// Most bytes of cells on disk.
    pub quota_bytes: u64,
    /// Threads that make cells at the same time.
    pub threads: usize,
    /// Most rows of data of a blob, as the chain's parameter has it.
    pub max_rows: usize,
    /// Bodies that may arrive at the same time.
    pub uploads: usize,
    /// Uploaded blobs that may wait for their publication. Uploads cost nothing, so this bounds what strangers' take.
    pub unpublished: usize,
    /// Seconds of the chain's time after which a blob that nobody published goes.
    pub unpublished_seconds: u64,
    /// Where available blobs' data is kept beyond their expiry too.
    pub archive: Option<Archive>,
    /// Injected faults; `None` outside of tests.
    pub fail_point: Option<Arc<dyn FailPoint>>,
}

impl ServiceConfig {
    /// The defaults in a directory: half of the cores, 4 uploads at a time, 64 blobs and an hour for those not published.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            directory: directory.into(),
            quota_bytes: BlobConfig::DEFAULT_QUOTA_BYTES,
            threads: (cores / 2).max(1),
            max_rows: chlom_crypto::kzg::MAX_ROWS,
            uploads: 4,
            unpublished: 64,
            unpublished_seconds: 3_600,
            archive: None,
            fail_point: None,
        }
    }
}
