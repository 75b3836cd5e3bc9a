//! The one thread, and what it has to do.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use chlom_crypto::kzg::Cancel;

use super::{Inner, ServiceError, build, keep::Unarchived, upload::ARRIVING};
use crate::{disk::Disk, error::BlobError, meta::BlobId};

/// Failures that are remembered, for [`super::BlobService::status`].
const FAILURES: usize = 256;
/// Blobs that one round of pruning removes: others' turn comes in between.
const PRUNED_AT_ONCE: usize = 64;
/// The lowest priority: blocks come first.
const NICE: i32 = 19;

/// Something that takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Makes the cells of a body in `work`.
    Build(BlobId),
    /// Makes missing cells from the others.
    Repair(BlobId),
    /// Takes the data to the archive.
    Archive(BlobId),
}

impl Job {
    pub(super) fn id(&self) -> BlobId {
        match self {
            Self::Build(id) | Self::Repair(id) | Self::Archive(id) => *id,
        }
    }
}

/// What is being done with a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// Its turn comes.
    Queued,
    /// Its cells are made, so many percent.
    Building(u8),
    /// Missing cells are made from the others.
    Repairing,
    /// Its data is taken to the archive.
    Archiving,
    /// The last attempt to make its cells failed, for this reason.
    Failed(String),
}

/// The job in hand.
pub(super) struct Current {
    job: Job,
    /// Interrupts it, and counts how far it is.
    pub(super) cancel: Arc<Cancel>,
}

/// What the thread has to do, and what others must know at once.
#[derive(Default)]
pub(super) struct State {
    pub(super) jobs: VecDeque<Job>,
    pub(super) current: Option<Current>,
    pub(super) failed: BTreeMap<BlobId, String>,
    /// Blobs of which every cell is stored.
    pub(super) held: BTreeSet<BlobId>,
    /// Those of them that the state may want to hear of.
    pub(super) awaiting: BTreeSet<BlobId>,
    /// Blobs here that the chain does not know.
    pub(super) unpublished: BTreeSet<BlobId>,
    /// Publications that the expiry has not followed yet.
    pub(super) published: Vec<(BlobId, u64)>,
    /// Those that the archive has to be asked again to take.
    pub(super) unarchived: Unarchived,
    /// Uploads under way.
    pub(super) uploads: usize,
    /// Whether the state was seen: before that nothing is pruned.
    pub(super) synced: bool,
    /// Whether the chain's time moved since the last pruning.
    pub(super) ticked: bool,
    pub(super) stopping: bool,
    /// Whether the thread is at something, for tests that wait for it.
    #[cfg(test)]
    pub(super) at_work: bool,
    /// Where the next look at `awaiting` begins.
    pub(super) cursor: BlobId,
}

impl State {
    pub(super) fn is_held_or_busy(&self, id: &BlobId) -> bool {
        let current = self.current.iter().map(|current| current.job);
        self.held.contains(id) || self.jobs.iter().copied().chain(current).any(|job| job.id() == *id)
    }

    /// Queues a job, unless there is one for the blob.
    pub(super) fn push(&mut self, job: Job) {
        if !self.stopping && !self.jobs.iter().any(|other| other.id() == job.id()) {
            self.failed.remove(&job.id());
            self.jobs.push_back(job);
        }
    }

    fn fail(&mut self, id: BlobId, why: String) {
        if self.failed.len() >= FAILURES {
            self.failed.pop_first();
        }
        self.failed.insert(id, why);
    }

    /// Cells of the blob are gone: it is not attested any more.
    pub(super) fn lost(&mut self, id: &BlobId) {
        self.held.remove(id);
        self.awaiting.remove(id);
    }

    fn forget(&mut self, id: &BlobId) {
        self.lost(id);
        self.unpublished.remove(id);
    }
}

/// Gives the calling thread the lowest priority. Where the system refuses, it works at the usual one.
pub(super) fn lower_priority() {
    if let Err(cause) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%cause, "a thread of the blob service keeps its priority");
    }
}

impl Inner {
    pub(super) fn disk(&self) -> &Disk {
        &self.store.shared.disk
    }

    /// Removes uploads that were not acknowledged and goes on with those that were.
    pub(super) fn resume(&self) -> Result<(), ServiceError> {
        let entries = std::fs::read_dir(&self.work).map_err(BlobError::io("read", &self.work))?;
        let mut state = State::default();
        for entry in entries {
            let name = entry.map_err(BlobError::io("read", &self.work))?.file_name();
            let name = name.to_string_lossy().into_owned();
            let id = name.parse::<BlobId>().ok().filter(|id| hex::encode(id) == name);
            let is_body = id.is_some();
            let id = id.filter(|id| self.store.contains(id));
            match id {
                Some(id) => state.push(Job::Build(id)),
                None if name.starts_with(ARRIVING) || is_body => {
                    self.disk().unlink(&self.work.join(&name))?;
                }
                None => tracing::warn!(name, "a file that is no body is left alone"),
            }
        }
        for id in self.store.list(None, usize::MAX) {
            let presence = self.store.presence(&id)?;
            if presence.is_complete() {
                state.held.insert(id);
            } else if presence.count() > 0 {
                state.push(Job::Repair(id));
            }
        }
        *self.state.lock() = state;
        Ok(())
    }

    /// The thread's life.
    pub(super) fn run(&self) {
        lower_priority();
        loop {
            let mut state = self.state.lock();
            let idle = |state: &State| {
                let quiet = state.published.is_empty() && !(state.ticked && state.synced);
                quiet && state.jobs.is_empty() && !state.stopping
            };
            self.wake.wait_while(&mut state, |state| idle(state));
            if state.stopping {
                return;
            }
            let published = std::mem::take(&mut state.published);
            let prune = state.synced && std::mem::take(&mut state.ticked);
            let job = if published.is_empty() && !prune { Self::begin(&mut state) } else { None };
            #[cfg(test)]
            {
                state.at_work = true;
            }
            drop(state);
            self.extend(&published);
            if prune {
                self.prune();
            }
            if let Some((job, cancel)) = job {
                let done = self.carry_out(job, &cancel);
                self.end(job, done);
            }
            #[cfg(test)]
            {
                self.state.lock().at_work = false;
                self.rested.notify_all();
            }
        }
    }

    fn begin(state: &mut State) -> Option<(Job, Arc<Cancel>)> {
        let job = state.jobs.pop_front()?;
        let cancel = Arc::new(Cancel::new());
        state.current = Some(Current { job, cancel: cancel.clone() });
        Some((job, cancel))
    }

    fn end(&self, job: Job, done: Result<(), ServiceError>) {
        let id = job.id();
        let presence = self.store.presence(&id);
        let gone = matches!(presence, Err(BlobError::Unknown { .. }));
        let whole = presence.is_ok_and(|presence| presence.is_complete());
        let mut state = self.state.lock();
        state.current = None;
        match done {
            Ok(()) => {
                tracing::info!(blob = %id, ?job, "done");
                if matches!(job, Job::Archive(_)) {
                    state.archived(&id);
                }
            }
            Err(ServiceError::Stopped) => {}
            Err(error) if matches!(job, Job::Archive(_)) && !gone => {
                // Its cells are here: that is no failure of the blob.
                tracing::warn!(blob = %id, %error, "not archived yet; tried again");
                state.not_archived(id, self.now());
            }
            Err(error) => {
                tracing::warn!(blob = %id, ?job, %error, "not done");
                state.fail(id, error.to_string());
                if gone {
                    state.forget(&id);
                }
            }
        }
        if whole && !matches!(job, Job::Archive(_)) {
            state.held.insert(id);
            state.awaiting.insert(id);
        }
    }

    /// Takes paid expiries over.
    fn extend(&self, published: &[(BlobId, u64)]) {
        for (id, until) in published {
            match self.store.extend_expiry(id, *until) {
                Ok(()) | Err(BlobError::Unknown { .. }) => {}
                Err(error) => tracing::warn!(blob = %id, %error, "a blob's expiry could not be extended"),
            }
        }
    }

    fn prune(&self) {
        loop {
            match self.store.prune(self.now(), PRUNED_AT_ONCE) {
                Ok(pruned) => {
                    let mut state = self.state.lock();
                    for id in &pruned.removed {
                        if state.forget_unarchived(id) {
                            tracing::error!(blob = %id, "expired before the archive could take it");
                        }
                        state.forget(id);
                        state.jobs.retain(|job| job.id() != *id);
                    }
                    drop(state);
                    for id in &pruned.removed {
                        tracing::info!(blob = %id, "expired and removed");
                        // There is one only where the cells could not be made.
                        let _ = std::fs::remove_file(self.body(id));
                    }
                    if !pruned.more {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "expired blobs could not be removed; the next block tries again");
                    return;
                }
            }
        }
    }

    /// `rows` are the blob's data rows.
    pub(super) fn activity(&self, id: &BlobId, rows: usize) -> Activity {
        let state = self.state.lock();
        if let Some(current) = state.current.as_ref().filter(|current| current.job.id() == *id) {
            return match current.job {
                Job::Build(_) => Activity::Building(build::percent(rows, current.cancel.looks())),
                Job::Repair(_) => Activity::Repairing,
                Job::Archive(_) => Activity::Archiving,
            };
        }
        if state.jobs.iter().any(|job| job.id() == *id) {
            return Activity::Queued;
        }
        state.failed.get(id).map_or(Activity::Idle, |why| Activity::Failed(why.clone()))
    }

    pub(super) fn stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        if let Some(current) = &state.current {
            current.cancel.cancel();
        }
        self.cancel.cancel();
        self.wake.notify_all();
    }
}
