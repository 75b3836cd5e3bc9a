//! The chain: what was published, what awaits attestation, what time it is. Upholds [DAM-11] and [DAM-12].

use std::{collections::BTreeSet, ops::Bound, sync::atomic::Ordering::Relaxed};

use chlom_chain::blobs::{BlobsRead, attest::MOST_BLOBS, storage};
use chlom_state::StateReader;

use super::{BlobService, ServiceError, worker::Job};
use crate::meta::BlobId;

/// Blobs looked at for one statement: each costs a read of the state on the block path.
const LOOKS: usize = 512;

impl BlobService {
    /// Takes over what the state at the head says of every blob that is here: at start, and when the chain went back.
    ///
    /// # Errors
    /// Those of the state.
    pub fn follow<S: StateReader + ?Sized>(&self, state: &S, time: u64) -> Result<(), ServiceError> {
        let inner = &self.inner;
        let mut storage = storage(state);
        let (mut paid, mut unpublished) = (Vec::new(), BTreeSet::new());
        for id in inner.store.list(None, usize::MAX) {
            let times = storage.blob_times(&id)?;
            if times.announced_at == 0 {
                unpublished.insert(id);
            } else {
                paid.push((id, times.expires_at.max(times.pending_expiry)));
            }
        }
        inner.now.store(time, Relaxed);
        let mut here = inner.state.lock();
        here.awaiting = here.held.clone();
        here.unpublished = unpublished;
        here.published.extend(paid);
        (here.synced, here.ticked) = (true, true);
        inner.wake.notify_all();
        Ok(())
    }

    /// Follows a block that was added: its time, and what it published with the expiry of each. Cheap: the block path calls
    /// it.
    pub fn on_block(&self, time: u64, published: &[(BlobId, u64)]) {
        let inner = &self.inner;
        inner.now.store(time, Relaxed);
        let mut state = inner.state.lock();
        for (id, _) in published {
            state.unpublished.remove(id);
            if state.held.contains(id) {
                state.awaiting.insert(*id);
            }
        }
        state.published.extend_from_slice(published);
        state.retry_archive(time);
        state.ticked = true;
        inner.wake.notify_all();
    }

    /// Blobs that await attestation in this state and of which every cell was made here or verified, and is stored. Repeated
    /// until the state shows that they are available; read on the block path, so it asks the state only.
    ///
    /// # Errors
    /// Those of the state.
    pub fn attestable<S: StateReader + ?Sized>(&self, state: &S) -> Result<Vec<BlobId>, ServiceError> {
        let now = self.inner.now();
        let mut storage = storage(state);
        let (mut attestable, mut settled, mut paid) = (Vec::new(), Vec::new(), Vec::new());
        for id in self.look() {
            let times = storage.blob_times(&id)?;
            if times.announced_at == 0 {
                continue;
            }
            paid.push((id, times.expires_at.max(times.pending_expiry)));
            if times.pending_expiry <= now {
                settled.push((id, times.expires_at > now));
            } else if attestable.len() < MOST_BLOBS {
                attestable.push(id);
            }
        }
        let mut state = self.inner.state.lock();
        for (id, available) in settled {
            state.awaiting.remove(&id);
            if available && self.inner.config.archive.is_some() {
                state.push(Job::Archive(id));
                self.inner.wake.notify_all();
            }
        }
        // Published before its body came here.
        let late: Vec<_> = paid.into_iter().filter(|(id, _)| state.unpublished.remove(id)).collect();
        if !late.is_empty() {
            state.published.extend(late);
            self.inner.wake.notify_all();
        }
        Ok(attestable)
    }

    /// The next blobs to look at, in turn.
    fn look(&self) -> Vec<BlobId> {
        let mut state = self.inner.state.lock();
        let after = (Bound::Excluded(state.cursor), Bound::Unbounded);
        let up_to = (Bound::Unbounded, Bound::Included(state.cursor));
        let round = state.awaiting.range(after).chain(state.awaiting.range(up_to));
        let chosen: Vec<_> = round.take(LOOKS).copied().collect();
        if let Some(last) = chosen.last() {
            state.cursor = *last;
        }
        chosen
    }
}
