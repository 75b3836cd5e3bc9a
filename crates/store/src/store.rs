//! The handle.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Instant,
};

use alloy_primitives::{Address, B256, U256};
use chlom_primitives::Block;
use parking_lot::Mutex;

use crate::{
    config::{History, StoreConfig},
    earlier::Patience,
    error::StoreError,
    layer::{Commit, Layer},
    nodes::Unstored,
    proof::AccountProof,
    shared::Shared,
    stats::StoreStats,
    version::Version,
    view::{Head, StateView},
    writer::{Job, pin, writer_gone},
};

/// Blocks that may be staged before [`Store::stage`] waits: one that is written while the next one executes.
const MOST_STAGED: usize = 2;

/// Committed state, blocks and history. Clones are handles of the same store; the last one to go stores what is in memory
/// and closes the directory, once no view is left either.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// Held while a block is staged or the chain rewound, so that jobs are in the order of the chain.
    jobs: Mutex<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Last: it closes the engine, which nothing may hold then.
    shared: Arc<Shared>,
}

/// The promise of a staged block.
#[derive(Debug)]
pub struct CommitTicket {
    height: u64,
    done: Receiver<Result<(), StoreError>>,
}

impl CommitTicket {
    /// The staged block's height.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Waits until the block is durable.
    ///
    /// # Errors
    /// [`StoreError::WriteFailed`] when it or a block before it could not be written.
    pub fn wait(self) -> Result<(), StoreError> {
        self.done.recv().unwrap_or_else(|_| Err(writer_gone()))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.shared.path).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A writer that is gone already has nothing left to do.
        drop(self.jobs.lock().send(Job::Stop));
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

impl Store {
    /// Opens or creates a store. After a crash the trie is brought up to the newest block and its root compared with the
    /// block's.
    ///
    /// # Errors
    /// Says what is wrong with the directory, and what to do: see [`StoreError`].
    pub fn open(config: StoreConfig) -> Result<Self, StoreError> {
        crate::open::open(config)
    }

    pub(crate) fn start(shared: Arc<Shared>, jobs: Sender<Job>, writer: JoinHandle<()>) -> Self {
        let inner = Inner { shared, jobs: Mutex::new(jobs), writer: Some(writer) };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// Hash of block 0; `None` for an empty store.
    pub fn genesis_hash(&self) -> Option<B256> {
        self.shared().chain.read().genesis
    }

    /// Stages a block and waits until it is durable.
    ///
    /// # Errors
    /// As [`Store::stage`] and [`CommitTicket::wait`].
    pub fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.stage(commit)?.wait()
    }

    /// Puts a block on the chain: [`Store::tip_view`] has it at once, [`Store::head`] when it is durable. Waits while two
    /// blocks are staged already.
    ///
    /// # Errors
    /// [`StoreError::NotNext`] when it does not follow the tip, or is not block 0 for an empty store; the failure of an
    /// earlier write.
    pub fn stage(&self, commit: Commit) -> Result<CommitTicket, StoreError> {
        let shared = self.shared();
        let jobs = self.inner.jobs.lock();
        shared.wait_for_room(MOST_STAGED);
        let tip = self.writable_tip()?;
        check_next(tip.as_deref(), &commit.block)?;
        let number = tip.map_or(1, |tip| tip.commit.saturating_add(1));
        let replaced = shared.caches.stage(&commit.diff, &commit.trie, number);
        let layer = Arc::new(Layer::new(number, commit));
        self.show_tip(&layer)?;
        let (reply, done) = channel();
        *shared.pending.lock() += 1;
        let height = layer.height();
        jobs.send(Job::Commit(layer, reply, replaced)).map_err(|_| writer_gone())?;
        Ok(CommitTicket { height, done })
    }

    fn writable_tip(&self) -> Result<Option<Arc<Version>>, StoreError> {
        let chain = self.shared().chain.read();
        match &chain.poison {
            Some(poison) => Err(poison.clone()),
            None => Ok(chain.tip.clone()),
        }
    }

    fn show_tip(&self, layer: &Arc<Layer>) -> Result<(), StoreError> {
        let mut chain = self.shared().chain.write();
        if let Some(poison) = &chain.poison {
            return Err(poison.clone());
        }
        let (commit, block) = (layer.commit, layer.block.clone());
        let mut tip = match &chain.tip {
            Some(tip) => Version { commit, block, ..Version::clone(tip) },
            None => {
                let (pinned, unstored) = (pin(self.shared(), 0), Unstored::default());
                Version { commit, fork: 0, block, pinned, layers: Vec::new(), unstored }
            }
        };
        tip.layers.push(layer.clone());
        tip.unstored.push(layer.height(), layer.trie.clone());
        chain.tip = Some(Arc::new(tip));
        Ok(())
    }

    /// The newest durable block with its state; `None` for an empty store. Upholds [STA-4].
    pub fn head(&self) -> Option<Head> {
        self.show(self.shared().head())
    }

    /// The newest staged block with its state: what the next block builds on.
    pub fn tip_view(&self) -> Option<Head> {
        let tip = self.shared().chain.read().tip.clone();
        self.show(tip)
    }

    fn show(&self, version: Option<Arc<Version>>) -> Option<Head> {
        let version = version?;
        Some(Head { block: version.block.clone(), state: StateView::newest(self.shared(), &version) })
    }

    /// State after a durable block.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] and [`StoreError::Future`].
    pub fn state_at(&self, height: u64) -> Result<StateView, StoreError> {
        let shared = self.shared();
        let Some(head) = shared.head() else { return Err(StoreError::Future { height, tip: None }) };
        if height > head.height() {
            return Err(StoreError::Future { height, tip: Some(head.height()) });
        }
        let oldest = shared.oldest(head.height());
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        Ok(StateView::at(shared, &head, height))
    }

    /// Proves an account and some of its slots at a durable height (EIP-1186).
    ///
    /// # Errors
    /// [`StoreError::NoProof`] for heights further back than `proof_history`, [`StoreError::TooMuchSince`] when that many
    /// changes came after, [`StoreError::Pruned`], [`StoreError::Future`], and faults of the disk.
    pub fn proof(&self, height: u64, address: Address, slots: &[U256]) -> Result<AccountProof, StoreError> {
        self.shared().prove(height, address, slots, Patience(None))
    }

    /// Like [`Store::proof`], for a caller who waits until `deadline` only: an earlier height's trie takes time to work
    /// out, which is then given up.
    ///
    /// # Errors
    /// As [`Store::proof`], and [`StoreError::Expired`].
    pub fn proof_by(
        &self,
        height: u64,
        address: Address,
        slots: &[U256],
        deadline: Instant,
    ) -> Result<AccountProof, StoreError> {
        self.shared().prove(height, address, slots, Patience(Some(deadline)))
    }

    /// Makes an earlier block the newest again and forgets those after it: `evm_revert` on a development chain. Views
    /// from before keep showing what they showed.
    ///
    /// # Errors
    /// [`StoreError::Pruned`], [`StoreError::Future`], and failures of the disk.
    pub fn rewind(&self, height: u64) -> Result<(), StoreError> {
        let jobs = self.inner.jobs.lock();
        let shared = self.shared();
        let tip = self.writable_tip()?.map(|tip| tip.height());
        let Some(newest) = tip.filter(|tip| *tip >= height) else {
            return Err(StoreError::Future { height, tip });
        };
        let oldest = shared.oldest(newest);
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        if height == newest {
            return Ok(());
        }
        let (reply, done) = channel();
        jobs.send(Job::Rewind(height, reply)).map_err(|_| writer_gone())?;
        done.recv().unwrap_or_else(|_| Err(writer_gone()))
    }

    /// How far back state is kept, as the node chose.
    pub fn history(&self) -> History {
        self.shared().history
    }

    /// For how many heights below the head proofs are made, as the node chose.
    pub fn proof_history(&self) -> u64 {
        self.shared().proof_history
    }

    /// The oldest height whose state is readable.
    pub fn oldest_history(&self) -> u64 {
        let height = self.shared().head().map_or(0, |head| head.height());
        self.shared().oldest(height)
    }

    /// Waits until all staged blocks are durable and the trie records in memory are stored, so that the next start has
    /// nothing to make up for. The store does it by itself when it is closed.
    ///
    /// # Errors
    /// The failure of a write.
    pub fn flush(&self) -> Result<(), StoreError> {
        let (reply, done) = channel();
        self.inner.jobs.lock().send(Job::Flush(reply)).map_err(|_| writer_gone())?;
        done.recv().unwrap_or_else(|_| Err(writer_gone()))
    }

    /// Bytes that the files take; `None` in memory. Walks the directory.
    pub fn disk_bytes(&self) -> Option<u64> {
        self.shared().kv.disk_bytes()
    }

    /// Gauges and counters for metrics.
    pub fn stats(&self) -> StoreStats {
        self.shared().stats()
    }
}

fn check_next(tip: Option<&Version>, block: &Block) -> Result<(), StoreError> {
    let follows = match tip {
        Some(tip) => {
            Some(block.height()) == tip.height().checked_add(1) && block.header.parent_hash == tip.block.hash
        }
        None => block.height() == 0,
    };
    if follows {
        return Ok(());
    }
    let tip = tip.map(|tip| (tip.height(), tip.block.hash));
    Err(StoreError::NotNext { height: block.height(), parent: block.header.parent_hash, tip })
}
