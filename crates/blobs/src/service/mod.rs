//! What a node does with blobs beside the chain: takes bodies, makes their cells, keeps them until they expire, says which
//! it holds, and gives them back.
//!
//! # A body's way
//!
//! 1. [`BlobService::begin_upload`]: its bytes go to a file in `work` as they arrive, at most as many as a blob has.
//! 2. [`Upload::finish`] makes the file durable, commits to the rows, names the blob and makes it known to the store. Now the
//!    upload is acknowledged: whatever happens, the next start goes on with it.
//! 3. One thread takes one blob after the other and makes all cells with their proofs, on a few threads of low priority.
//!    They are durable in the store before the body's file goes.
//! 4. Then whoever wants to publish the blob does. [`BlobService::attestable`] names it to the validator until the state
//!    shows that it is available.
//! 5. [`BlobService::on_block`] follows the chain: published blobs are kept until the expiry that was paid for, the others
//!    for an hour; [`BlobStore::prune`] removes what is past it.
//!
//! [`BlobService::payload`] gives a body back, rebuilt where cells are missing; what was rebuilt is checked against the
//! commitments, and the missing cells are then made again.
//!
//! # What a crash leaves
//!
//! An upload that was not acknowledged leaves a file that the next start removes; one that was is in `work` with its blob
//! known to the store, and is built then. The publishing transaction is sent after the cells are durable, by whoever
//! watches [`BlobService::status`].
//!
//! # Parts
//!
//! `upload`: steps 1 and 2; `worker`: the thread and what it has to do; `build`: cells; `read`: bodies and cells;
//! `follow`: the chain; `keep`: the archive; `error`, `config`: why it refuses, what a node chooses.

mod build;
mod config;
mod error;
mod follow;
mod keep;
mod read;
#[cfg(test)]
mod tests;
mod upload;
mod worker;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use chlom_crypto::kzg::Cancel;
use parking_lot::{Condvar, Mutex};

pub use config::ServiceConfig;
pub use error::ServiceError;
pub use read::Payload;
pub use upload::{Accepted, Upload};
pub use worker::Activity;

use crate::{
    config::BlobConfig,
    error::BlobError,
    meta::{BlobId, BlobMeta},
    store::BlobStore,
};
use worker::State;

/// A node's blobs. One thread works for it until [`BlobService::stop`].
pub struct BlobService {
    inner: Arc<Inner>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

struct Inner {
    store: BlobStore,
    config: ServiceConfig,
    /// Bodies: those that arrive, and those whose cells are not made yet.
    work: PathBuf,
    /// Carries the archive's requests.
    runtime: keep::Runtime,
    /// Low-priority threads for arithmetic.
    pool: rayon::ThreadPool,
    /// Held for moments only, never during a call to the disk: the block path takes it.
    state: Mutex<State>,
    wake: Condvar,
    /// Told whenever the thread has done something.
    #[cfg(test)]
    rested: Condvar,
    /// Held while an upload is acknowledged.
    acknowledging: Mutex<()>,
    /// The chain's time at its head, seconds.
    now: AtomicU64,
    /// Numbers uploads' files.
    uploads: AtomicU64,
    /// Held while a square is rebuilt for a reader: one takes some 50 MB.
    rebuilding: Mutex<()>,
    /// Ends readers' work when the service stops.
    cancel: Cancel,
}

/// What this node has of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Header, commitments, and until when it is kept.
    pub meta: BlobMeta,
    /// Cells that are stored.
    pub cells: usize,
    /// What is being done with it.
    pub activity: Activity,
}

impl Local {
    /// Whether every cell is stored.
    pub fn is_held(&self) -> bool {
        self.cells == self.meta.geometry.cells()
    }
}

impl BlobService {
    /// Opens a directory, creating it when it is missing, and goes on with whatever a crash interrupted. Nothing is pruned
    /// or attested before [`BlobService::follow`] has seen the state.
    ///
    /// # Errors
    /// As [`BlobStore::open`]; a thread that cannot be started.
    pub fn open(config: ServiceConfig) -> Result<Self, ServiceError> {
        let store = BlobStore::open(BlobConfig {
            quota_bytes: config.quota_bytes,
            fail_point: config.fail_point.clone(),
            ..BlobConfig::new(config.directory.join("cells"))
        })?;
        let work = config.directory.join("work");
        std::fs::create_dir_all(&work).map_err(BlobError::io("create", &work))?;
        let threads = |cause: String| ServiceError::Threads { cause };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(config.threads.max(1))
            .thread_name(|index| format!("blobs-{index}"))
            .start_handler(|_| worker::lower_priority())
            .build()
            .map_err(|error| threads(error.to_string()))?;
        let inner = Arc::new(Inner {
            store,
            work,
            runtime: keep::Runtime::new(config.archive.as_ref())?,
            pool,
            config,
            state: Mutex::default(),
            wake: Condvar::new(),
            #[cfg(test)]
            rested: Condvar::new(),
            acknowledging: Mutex::new(()),
            now: AtomicU64::new(0),
            uploads: AtomicU64::new(0),
            rebuilding: Mutex::new(()),
            cancel: Cancel::new(),
        });
        inner.resume()?;
        let working = inner.clone();
        let worker = std::thread::Builder::new().name("blobs".into()).spawn(move || working.run());
        let worker = worker.map_err(|error| threads(error.to_string()))?;
        Ok(Self { inner, worker: Mutex::new(Some(worker)) })
    }

    /// The cells on disk.
    pub fn store(&self) -> &BlobStore {
        &self.inner.store
    }

    /// What this node has of a blob; `None` when it has nothing and is not about to.
    ///
    /// # Errors
    /// A fault of the disk.
    pub fn status(&self, id: &BlobId) -> Result<Option<Local>, ServiceError> {
        let inner = &self.inner;
        // In this order: what was made meanwhile must not look as if nobody were at it.
        let found = inner.store.meta(id).and_then(|meta| {
            let activity = inner.activity(id, meta.geometry.rows().into());
            Ok(Local { cells: inner.store.presence(id)?.count(), meta, activity })
        });
        match found {
            Ok(local) => Ok(Some(local)),
            Err(BlobError::Unknown { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Why the last attempt to make a blob's cells failed, while it is remembered.
    pub fn failure(&self, id: &BlobId) -> Option<String> {
        self.inner.state.lock().failed.get(id).cloned()
    }

    /// Asks the archive, where there is one, whether it can be used: one request.
    ///
    /// # Errors
    /// [`ServiceError::Archive`] with its answer.
    pub fn check_archive(&self) -> Result<(), ServiceError> {
        self.inner.check_archive()
    }

    /// Ends the thread; what it was at is interrupted, and gone on with after the next start.
    pub fn stop(&self) {
        self.inner.stop();
        if let Some(worker) = self.worker.lock().take()
            && worker.join().is_err()
        {
            tracing::error!("the blob service's thread panicked");
        }
    }
}

impl Drop for BlobService {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn now(&self) -> u64 {
        self.now.load(Relaxed)
    }
}
