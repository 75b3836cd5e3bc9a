//! The one thread that writes, block after block.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, Sender},
    },
    thread,
    time::Instant,
};

use chlom_state::StateError;

use crate::{
    blocks::{block_bytes, receipts_bytes},
    cache::state::Replaced,
    commit::block_batch,
    config::WriteStep,
    error::StoreError,
    kv::{Batch, Table},
    layer::Layer,
    nodes::{Unstored, records},
    shared::Shared,
    version::{Pinned, Version},
};

/// Where an answer goes; nobody may be waiting for it.
pub(crate) type Reply = Sender<Result<(), StoreError>>;

/// What the writer is asked for.
pub(crate) enum Job {
    /// Make a staged block durable, and let go of what the caches held.
    Commit(Arc<Layer>, Reply, Replaced),
    /// Go back to a height.
    Rewind(u64, Reply),
    /// Store the trie records that are in memory.
    Flush(Reply),
    /// Flush and end.
    Stop,
}

/// Blocks since the stored trie that make the writer store it: what a restart after a crash has to make up for.
const FLUSH_BLOCKS: u64 = 256;

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    /// Height of the stored trie; `None` before genesis.
    pub(crate) stored_trie: Option<u64>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(self, jobs: Receiver<Job>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("chlom-store".into()).spawn(move || self.run(jobs))
    }

    fn run(mut self, jobs: Receiver<Job>) {
        let _ending = Ending(self.shared.clone());
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Commit(layer, reply, replaced) => {
                    drop(replaced);
                    let done = self.guarded(|writer| writer.commit(&layer));
                    self.shared.make_room();
                    answer(&reply, done.clone());
                    if done.is_ok() && self.is_flush_due() {
                        self.flush_or_warn();
                    }
                }
                Job::Rewind(height, reply) => answer(&reply, self.guarded(|writer| writer.rewind(height))),
                Job::Flush(reply) => answer(&reply, self.guarded(Self::flush)),
                Job::Stop => break,
            }
        }
        self.flush_or_warn();
    }

    /// Runs a write unless an earlier one failed; a failure is the last one.
    fn guarded(&mut self, write: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if let Some(poison) = self.shared.chain.read().poison.clone() {
            return Err(poison);
        }
        let done = write(self);
        if let Err(error) = &done {
            tracing::error!(%error, "the store takes no more writes");
            self.shared.poison(error);
        }
        done
    }

    fn flush_or_warn(&mut self) {
        if let Err(error) = self.guarded(Self::flush) {
            tracing::warn!(%error, "trie records were not stored; the next start makes up for them");
        }
    }

    /// Makes a block durable and shows it.
    fn commit(&mut self, layer: &Arc<Layer>) -> Result<(), StoreError> {
        let started = Instant::now();
        let (shared, height) = (self.shared.clone(), layer.height());
        let (parent, mut unstored) = match shared.head() {
            Some(head) => (head.pinned.clone(), head.unstored.clone()),
            None => (pin(&shared, 0), Unstored::default()),
        };
        let mut batch = block_batch(layer, &parent)?;
        unstored.push(height, layer.trie.clone());
        if height == 0 {
            // No list of changes leads to genesis, so its trie is stored at once.
            self.write_trie(&mut batch, &parent, &unstored, 0)?;
            unstored = Unstored::default();
        }
        let stored = self.stored_trie.unwrap_or(0);
        let floor = shared.prune(&mut batch, &parent, height, stored)?;
        shared.write(batch, WriteStep::Block { height })?;
        shared.note_durable(&layer.block)?;
        if let Some(floor) = floor {
            shared.pruned(floor);
        }
        if height == 0 {
            self.stored_trie = Some(0);
        }
        unstored.tidy();
        self.publish(layer, unstored);
        let micros = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        shared.counters.commits.fetch_add(1, Ordering::Relaxed);
        shared.counters.write_micros.fetch_add(micros, Ordering::Relaxed);
        Ok(())
    }

    /// Makes a written block the head.
    fn publish(&self, layer: &Arc<Layer>, unstored: Unstored) {
        let shared = &self.shared;
        let pinned = pin(shared, layer.commit);
        let mut chain = shared.chain.write();
        let fork = chain.head.as_ref().map_or(0, |head| head.fork);
        let (commit, block, layers) = (layer.commit, layer.block.clone(), Vec::new());
        let head = Version { commit, fork, block, pinned, layers, unstored };
        let recent = (fork, layer.height());
        shared.blocks.put(recent, layer.block.clone(), block_bytes(&layer.block));
        shared.receipts.put(recent, layer.receipts.clone(), receipts_bytes(&layer.receipts));
        if layer.height() == 0 {
            chain.genesis = Some(layer.block.hash);
        }
        let head = Arc::new(head);
        chain.tip = Some(chain.tip.as_ref().map_or_else(|| head.clone(), |tip| raise(tip, &head)));
        chain.head = Some(head.clone());
        drop(chain);
        shared.earlier.tidy(&head);
    }

    fn is_flush_due(&self) -> bool {
        let Some(head) = self.shared.head() else { return false };
        let blocks = head.height().saturating_sub(self.stored_trie.unwrap_or(0));
        blocks >= FLUSH_BLOCKS || head.unstored.bytes() >= self.shared.flush_bytes
    }

    /// Stores all trie records up to the head.
    fn flush(&mut self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let Some(head) = shared.head() else { return Ok(()) };
        if self.stored_trie == Some(head.height()) {
            return Ok(());
        }
        let started = Instant::now();
        let (merged, height) = (head.unstored.merge(), head.height());
        let records = records(&merged, head.pinned.trie_keys(merged.cleared.iter())?, height);
        drop(merged);
        shared.load(Table::Trie, records, WriteStep::Trie { height })?;
        self.stored_trie = Some(height);
        let pinned = pin(&shared, head.commit);
        let stored = Arc::new(Version { pinned, unstored: Unstored::default(), ..Version::clone(&head) });
        let mut chain = shared.chain.write();
        chain.tip = chain.tip.as_ref().map(|tip| raise(tip, &stored));
        chain.head = Some(stored);
        let micros = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        shared.counters.trie_flushes.fetch_add(1, Ordering::Relaxed);
        shared.counters.trie_flush_micros.fetch_add(micros, Ordering::Relaxed);
        Ok(())
    }

    /// Adds trie records to a batch, with the height that they complete.
    pub(crate) fn write_trie(
        &self,
        batch: &mut Batch,
        pinned: &Pinned,
        unstored: &Unstored,
        height: u64,
    ) -> Result<(), StateError> {
        let merged = unstored.merge();
        let records = records(&merged, pinned.trie_keys(merged.cleared.iter())?, height);
        batch.items.extend(records.into_iter().map(|(key, value)| (Table::Trie, key, value)));
        Ok(())
    }
}

/// A writer that panics takes nobody with it that waits for it.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.poison(&writer_gone());
            *self.0.pending.lock() = 0;
            self.0.room.notify_all();
        }
    }
}

/// What is said when the writer is not there any more.
pub(crate) fn writer_gone() -> StoreError {
    StoreError::WriteFailed { path: "the store".into(), cause: "the writer ended unexpectedly".into() }
}

/// The tip on top of a newer head; the head itself when it has caught up.
fn raise(tip: &Version, head: &Arc<Version>) -> Arc<Version> {
    if tip.height() <= head.height() {
        return head.clone();
    }
    let layers = tip.layers.iter().filter(|layer| layer.height() > head.height()).cloned().collect();
    Arc::new(Version {
        commit: tip.commit,
        fork: tip.fork,
        block: tip.block.clone(),
        pinned: head.pinned.clone(),
        layers,
        unstored: tip.unstored.rebase(&head.unstored, head.height()),
    })
}

/// The engine as it is now.
pub(crate) fn pin(shared: &Shared, commit: u64) -> Arc<Pinned> {
    Arc::new(Pinned { snapshot: shared.kv.snapshot(), commit })
}

fn answer(reply: &Reply, done: Result<(), StoreError>) {
    // Whoever asked may have stopped waiting; the outcome is in the chain all the same.
    drop(reply.send(done));
}
