//! The archive: data of available blobs, for longer than the network keeps them. Upholds [DAM-14].
//!
//! An object store is another machine: it may be out for hours. Blobs that it did not take wait, and are tried again after
//! pauses that grow from ten seconds to ten minutes of the chain's time, for as long as they are kept here.

use std::{collections::BTreeSet, time::Duration};

use alloy_primitives::FixedBytes;
use chlom_chain::blobs::blob_id;
use chlom_crypto::kzg::{self, BlobHeader, DataRows, RowCommitments};

use super::{
    Inner, ServiceError,
    read::Payload,
    worker::{Job, State},
};
use crate::{
    archive::{Archive, ArchiveError, Restored},
    error::BlobError,
    meta::BlobId,
};

/// First and longest pause before another attempt, seconds of the chain's time.
const PAUSES: (u64, u64) = (10, 600);
/// How long the archive may take to answer at the start.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often work on the archive asks whether the node stops.
const LOOK: Duration = Duration::from_millis(100);

/// Blobs that the archive did not take.
#[derive(Default)]
pub(super) struct Unarchived {
    ids: BTreeSet<BlobId>,
    /// When the next attempt is due, and the pause before it, seconds.
    due: u64,
    pause: u64,
}

impl State {
    /// The archive did not take a blob.
    pub(super) fn not_archived(&mut self, id: BlobId, now: u64) {
        let waiting = &mut self.unarchived;
        waiting.ids.insert(id);
        // What failed beside it waits for the same attempt.
        if waiting.due <= now {
            waiting.pause = (2 * waiting.pause).clamp(PAUSES.0, PAUSES.1);
            waiting.due = now.saturating_add(waiting.pause);
        }
    }

    /// The archive took a blob: it is there again, so the others need not wait.
    pub(super) fn archived(&mut self, id: &BlobId) {
        self.unarchived.ids.remove(id);
        (self.unarchived.due, self.unarchived.pause) = (0, 0);
        if let Some(next) = self.unarchived.ids.first().copied() {
            self.push(Job::Archive(next));
        }
    }

    /// Tries one blob again when it is time: when it goes, the others follow.
    pub(super) fn retry_archive(&mut self, now: u64) {
        if let Some(next) = self.unarchived.ids.first().copied().filter(|_| self.unarchived.due <= now) {
            self.push(Job::Archive(next));
        }
    }

    /// Whether the blob goes before the archive had it.
    pub(super) fn forget_unarchived(&mut self, id: &BlobId) -> bool {
        self.unarchived.ids.remove(id)
    }
}

impl Inner {
    /// Archives a blob's data, unless all of its shards are there.
    pub(super) fn archive(&self, id: BlobId) -> Result<(), ServiceError> {
        let Some(archive) = &self.config.archive else { return Ok(()) };
        if self.wait(archive.has(&id))? {
            return Ok(());
        }
        let meta = self.store.meta(&id)?;
        let data = self.store.data_square(&id)?;
        let archived = self.wait(archive.put(&meta, data))?;
        tracing::info!(blob = %id, shards = archived.uploaded, "archived");
        Ok(())
    }

    /// One request, so that a wrong configuration is known at the start. The caller may be of an async runtime.
    pub(super) fn check_archive(&self) -> Result<(), ServiceError> {
        let Some(archive) = &self.config.archive else { return Ok(()) };
        let silent = || ArchiveError::Cancelled { cause: format!("no answer within {PATIENCE:?}") };
        let asked = async {
            let answer = tokio::time::timeout(PATIENCE, archive.check()).await;
            answer.unwrap_or_else(|_| Err(silent()))
        };
        let joined = std::thread::scope(|scope| scope.spawn(|| self.wait(asked)).join());
        joined.unwrap_or(Err(ServiceError::Stopped))
    }

    /// A payload from the archive. What comes back may be anybody's: it is checked like a stranger's.
    pub(super) fn restore(&self, archive: &Archive, id: &BlobId) -> Result<Payload, ServiceError> {
        let restored = match self.wait(archive.restore(id)) {
            Ok(restored) => restored,
            Err(ServiceError::Archive(ArchiveError::Unknown { .. })) => {
                return Err(BlobError::Unknown { id: *id }.into());
            }
            Err(error) => return Err(error),
        };
        if !restored.damaged.is_empty() {
            tracing::warn!(blob = %id, damaged = ?restored.damaged, "shards of the archive are damaged; repair it");
        }
        let data = self.checked(id, &restored)?;
        let bytes = data.payload().map_err(|cause| ServiceError::of_check(*id, cause))?;
        Ok(Payload { meta: restored.meta, bytes, rebuilt: 0 })
    }

    /// The data, when header, commitments and data are those of the id.
    fn checked(&self, id: &BlobId, restored: &Restored) -> Result<DataRows, ServiceError> {
        let forged = || ServiceError::Forged { id: *id };
        let header = BlobHeader::decode(&restored.meta.header).map_err(|_| forged())?;
        let commitments = RowCommitments::new(restored.meta.commitments.clone()).map_err(|_| forged())?;
        commitments.check_header(&header).map_err(|_| forged())?;
        if blob_id(&FixedBytes(header.lane_id.into_array()), header.period, &header.merkle_root) != *id {
            return Err(forged());
        }
        let data = DataRows::from_elements(&restored.data, header.rows).map_err(|_| forged())?;
        self.pool
            .install(|| kzg::check_data(&commitments, &data, &self.cancel))
            .map_err(|cause| ServiceError::of_check(*id, cause))?;
        Ok(data)
    }

    /// Runs the archive's work while this thread, which is none of an async runtime, waits for it or for the node's end.
    fn wait<T>(&self, work: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ServiceError> {
        let stopping = async {
            while !self.cancel.is_raised() {
                tokio::time::sleep(LOOK).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                done = work => Ok(done?),
                () = stopping => Err(ServiceError::Stopped),
            }
        })
    }
}

/// A runtime that may be dropped anywhere, also on a thread of another one; none where there is no archive.
pub(super) struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    /// One for all of an archive's work: connections outlive the request that opened them.
    pub(super) fn new(archive: Option<&Archive>) -> Result<Self, ServiceError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("archive").enable_all();
        let runtime = archive.map(|_| builder.build()).transpose();
        runtime.map(Self).map_err(|error| ServiceError::Threads { cause: error.to_string() })
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T, ServiceError>>) -> Result<T, ServiceError> {
        match &self.0 {
            Some(runtime) => runtime.block_on(work),
            None => Err(ServiceError::Stopped),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
