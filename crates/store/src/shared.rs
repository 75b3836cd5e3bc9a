//! What the store's handle, its writer and all views have in common.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_primitives::B256;
use chlom_primitives::{Block, Receipt};
use parking_lot::{Condvar, Mutex, RwLock};

use crate::{
    cache::{recent::Recent, state::StateCaches},
    config::{FailPoint, History, StoreConfig, WriteStep},
    earlier::EarlierTries,
    error::{KvError, StoreError},
    kv::{Batch, Kv, Table, Value},
    tip_file::{DurableTip, TipFile},
    version::Version,
};

/// Bytes of decoded blocks kept, and again of receipts.
const RECENT_BYTES: usize = 16 * 1024 * 1024;

/// The chain as it is now.
#[derive(Default)]
pub(crate) struct Chain {
    /// The newest durable block.
    pub(crate) head: Option<Arc<Version>>,
    /// The newest staged block; the head when none is staged.
    pub(crate) tip: Option<Arc<Version>>,
    /// Why nothing is written any more.
    pub(crate) poison: Option<StoreError>,
    /// Hash of block 0.
    pub(crate) genesis: Option<B256>,
}

/// See the module's documentation.
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) history: History,
    pub(crate) proof_history: u64,
    /// Bytes that the changes since an earlier height may take while its trie is worked out.
    pub(crate) proof_bytes: usize,
    pub(crate) fail_point: Option<Arc<dyn FailPoint>>,
    pub(crate) chain: RwLock<Chain>,
    pub(crate) caches: StateCaches,
    /// By fork and height.
    pub(crate) blocks: Recent<(u64, u64), Arc<Block>>,
    pub(crate) receipts: Recent<(u64, u64), Arc<Vec<Receipt>>>,
    /// Bytes of trie records in memory that make the writer store them.
    pub(crate) flush_bytes: usize,
    pub(crate) earlier: EarlierTries,
    /// Heights below this have lost their history.
    pub(crate) floor: AtomicU64,
    /// Blocks staged and not yet written.
    pub(crate) pending: Mutex<usize>,
    pub(crate) room: Condvar,
    pub(crate) counters: Counters,
    /// Where durable blocks are written down; `None` in memory.
    tip_file: Option<TipFile>,
    /// Last, because it closes the directory when nothing above holds a snapshot any more.
    pub(crate) kv: Box<dyn Kv>,
}

/// Sums since the store was opened.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) write_micros: AtomicU64,
    pub(crate) trie_flushes: AtomicU64,
    pub(crate) trie_flush_micros: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        kv: Box<dyn Kv>,
        path: PathBuf,
        tip_file: Option<TipFile>,
        config: &StoreConfig,
    ) -> Self {
        Self {
            kv,
            tip_file,
            path,
            history: config.history,
            proof_history: config.proof_history,
            proof_bytes: config.cache_bytes / 4,
            fail_point: config.fail_point.clone(),
            chain: RwLock::default(),
            caches: StateCaches::new(config.cache_bytes),
            blocks: Recent::new(RECENT_BYTES),
            receipts: Recent::new(RECENT_BYTES),
            flush_bytes: config.cache_bytes / 2,
            earlier: EarlierTries::default(),
            floor: AtomicU64::new(0),
            pending: Mutex::new(0),
            room: Condvar::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn head(&self) -> Option<Arc<Version>> {
        self.chain.read().head.clone()
    }

    /// The oldest height whose state is readable when the newest is `head`.
    pub(crate) fn oldest(&self, head: u64) -> u64 {
        self.history.oldest(head).max(self.floor.load(Ordering::Acquire))
    }

    /// Waits until fewer blocks than this are staged.
    pub(crate) fn wait_for_room(&self, most: usize) {
        let mut pending = self.pending.lock();
        while *pending >= most {
            self.room.wait(&mut pending);
        }
    }

    /// Counts one staged block less.
    pub(crate) fn make_room(&self) {
        let mut pending = self.pending.lock();
        *pending = pending.saturating_sub(1);
        self.room.notify_all();
    }

    /// Ends writing for good: what is staged vanishes, what is durable stays readable.
    pub(crate) fn poison(&self, error: &StoreError) {
        let mut chain = self.chain.write();
        chain.poison = Some(error.clone());
        chain.tip = chain.head.clone();
        self.caches.clear(chain.head.as_ref().map_or(0, |head| head.commit));
    }

    /// Writes down that a block is durable, or that the chain goes back to it.
    pub(crate) fn note_durable(&self, block: &Block) -> Result<(), StoreError> {
        let Some(tip_file) = &self.tip_file else { return Ok(()) };
        let tip = DurableTip { height: block.height(), hash: block.hash };
        tip_file
            .write(&tip)
            .map_err(|error| StoreError::WriteFailed { path: self.path.clone(), cause: error.to_string() })
    }

    /// Writes a batch, unless a test makes it fail.
    pub(crate) fn write(&self, batch: Batch, step: WriteStep) -> Result<(), StoreError> {
        self.attempt(step, || self.kv.write(batch))
    }

    /// Writes much to one table, unless a test makes it fail.
    pub(crate) fn load(
        &self,
        table: Table,
        items: Vec<(Value, Option<Value>)>,
        step: WriteStep,
    ) -> Result<(), StoreError> {
        self.attempt(step, || self.kv.load(table, items))
    }

    fn attempt(
        &self,
        step: WriteStep,
        write: impl FnOnce() -> Result<(), KvError>,
    ) -> Result<(), StoreError> {
        let failed =
            |error: KvError| StoreError::WriteFailed { path: self.path.clone(), cause: error.to_string() };
        if let Some(fail_point) = &self.fail_point {
            fail_point.before_write(step).map_err(|error| failed(error.into()))?;
        }
        write().map_err(failed)
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what: what.into() }
    }
}
