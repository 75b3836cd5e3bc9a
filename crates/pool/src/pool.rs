//! The pool as others use it: the table behind its lock, the journal and the listeners. The way in is in `ingest`.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use alloy_primitives::{Address, B256};
use chlom_primitives::Tx;
use chlom_state::{Account, StateError, StateReader};
use parking_lot::RwLock;

use crate::{
    best::Best,
    config::{PoolConfig, PoolEnv},
    error::PoolError,
    journal::{Journal, JournalFailure, Live, Record, replay},
    listener::{Listeners, PendingReceiver, Subscription},
    table::{Leaving, Table},
    view::{Content, Stats, Status, TxsByNonce},
};

/// The transaction pool. Clones share it.
#[derive(Clone)]
pub struct Pool {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: PoolConfig,
    pub(crate) env: PoolEnv,
    pub(crate) table: RwLock<Table>,
    pub(crate) journal: Option<Journal>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) refused: AtomicU64,
    /// Until the journalled transactions are back, the journal holds more than the table: it must not be rewritten.
    pub(crate) restored: AtomicBool,
}

impl Pool {
    /// Opens the pool and, when there is a path, its journal, which one process at a time may hold. Returns the
    /// journalled transactions in order of arrival with their senders recovered; give them to [`Pool::restore`] once the
    /// state is known. They stay in the journal until then.
    ///
    /// # Errors
    /// When the journal cannot be read or written, belongs to another process or chain, or is damaged; or when a limit
    /// is zero.
    pub fn open(
        config: PoolConfig,
        journal: Option<&Path>,
        env: PoolEnv,
    ) -> Result<(Self, Vec<Tx>), PoolError> {
        let journal = journal.map(|path| Journal::open(path, env.chain_id)).transpose()?;
        Self::assemble(config, journal, env)
    }

    pub(crate) fn assemble(
        config: PoolConfig,
        journal: Option<(Journal, Vec<Record>)>,
        env: PoolEnv,
    ) -> Result<(Self, Vec<Tx>), PoolError> {
        let limits = [
            ("max_txs", config.max_txs),
            ("max_bytes", config.max_bytes),
            ("max_per_account", config.max_per_account),
        ];
        for (name, value) in limits {
            if value == 0 {
                return Err(PoolError::Config { name, value, min: 1 });
            }
        }
        let (journal, records) =
            journal.map_or((None, Vec::new()), |(journal, records)| (Some(journal), records));
        let journalled = replay(records);
        let shared = Shared {
            table: RwLock::new(Table::new(config.clone())),
            config,
            env,
            journal,
            listeners: Arc::default(),
            refused: AtomicU64::new(0),
            restored: AtomicBool::new(journalled.is_empty()),
        };
        Ok((Self { shared: Arc::new(shared) }, journalled))
    }

    /// The transactions for a block at `base_fee`, best first.
    pub fn best(&self, base_fee: u64) -> Best {
        Best::new(self.clone(), base_fee)
    }

    /// Takes over a new head: drops `included` and what they made impossible, promotes what they unblocked, and drops
    /// what waited too long at `now`. `state` is the state after the block and `base_fee` the next block's.
    ///
    /// Call it once the block is durable: from then on the journal may forget what the block included.
    ///
    /// # Errors
    /// When the state cannot be read; nothing changed then.
    pub fn on_block(
        &self,
        included: &[Arc<Tx>],
        state: &dyn StateReader,
        base_fee: u64,
        now: Instant,
    ) -> Result<(), StateError> {
        let touched = self.shared.table.read().touched_by(included);
        let accounts = read_all(touched, state)?;
        let mut fresh = Vec::new();
        self.shared.table.write().advance(included, &accounts, base_fee, now, &mut fresh);
        self.shared.listeners.notify(&fresh);
        self.shared.restored.store(true, Ordering::Release);
        Ok(())
    }

    /// Takes over any head, an older one too, as after `evm_revert`: checks everything anew.
    ///
    /// # Errors
    /// When the state cannot be read; nothing changed then.
    pub fn reset(&self, state: &dyn StateReader, base_fee: u64) -> Result<(), StateError> {
        let addresses = self.shared.table.read().addresses();
        let accounts = read_all(addresses, state)?;
        let mut fresh = Vec::new();
        self.shared.table.write().rebase(&accounts, base_fee, Instant::now(), &mut fresh);
        self.shared.listeners.notify(&fresh);
        // What the undone blocks included is not put back, so the journal must not bring it back after a restart.
        if let Some(journal) = &self.shared.journal
            && let Err(error) = journal.rewrite(&self.live())
        {
            tracing::warn!(%error, "the journal still holds transactions of undone blocks");
        }
        Ok(())
    }

    /// The transaction with this hash.
    pub fn get(&self, hash: &B256) -> Option<Arc<Tx>> {
        self.shared.table.read().get(hash).cloned()
    }

    /// True when the transaction with this hash waits here.
    pub fn contains(&self, hash: &B256) -> bool {
        self.shared.table.read().get(hash).is_some()
    }

    /// The nonce after the account's last pending transaction. `None` when nothing of the account waits here: then it is
    /// the state's nonce.
    pub fn next_nonce(&self, address: &Address) -> Option<u64> {
        self.shared.table.read().next_nonce(address)
    }

    /// How many wait.
    pub fn status(&self) -> Status {
        self.shared.table.read().status()
    }

    /// Everything that waits, by sender and nonce.
    pub fn content(&self) -> Content {
        self.shared.table.read().content()
    }

    /// What waits of one account: pending and queued.
    pub fn content_from(&self, address: &Address) -> (TxsByNonce, TxsByNonce) {
        self.shared.table.read().content_from(address)
    }

    /// Calls `listener` with transactions that became pending, once they are durable. It runs on the thread that added
    /// them: it must be quick and must not add any.
    pub fn on_pending(&self, listener: impl Fn(&[Arc<Tx>]) + Send + Sync + 'static) -> Subscription {
        self.shared.listeners.register(Arc::new(listener))
    }

    /// A channel of transactions that became pending. A reader that falls `capacity` behind loses some.
    pub fn subscribe(&self, capacity: usize) -> PendingReceiver {
        self.shared.listeners.channel(capacity)
    }

    /// Takes one out, for good; its successors are queued behind the gap that it leaves.
    pub fn remove(&self, hash: &B256) -> Option<Arc<Tx>> {
        let mut table = self.shared.table.write();
        let removed = table.remove(hash, Leaving::Removed, Instant::now());
        if let (Some(journal), Some(_)) = (&self.shared.journal, &removed) {
            // Not worth a sync of its own: it goes with the next group, and until then only a crash brings it back.
            let _next_group = journal.enqueue([Record::Removed(*hash)]);
        }
        removed
    }

    /// Takes everything out, for good.
    ///
    /// # Errors
    /// When the journal cannot be rewritten.
    pub fn clear(&self) -> Result<(), JournalFailure> {
        self.shared.table.write().clear();
        self.shared.restored.store(true, Ordering::Release);
        match &self.shared.journal {
            Some(journal) => journal.rewrite(&self.live()),
            None => Ok(()),
        }
    }

    /// Gauges and counters.
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.table.read().stats();
        stats.refused = self.shared.refused.load(Ordering::Relaxed);
        stats.lost = self.shared.listeners.lost();
        if let Some(journal) = &self.shared.journal {
            (stats.journal_bytes, stats.journal_groups, stats.journal_rewrites) = journal.stats();
        }
        stats
    }

    /// The base fee that the pool ranks by: the one that [`Pool::on_block`] or [`Pool::reset`] brought last.
    pub fn base_fee(&self) -> u64 {
        self.shared.table.read().base_fee()
    }

    pub(crate) fn table(&self) -> &RwLock<Table> {
        &self.shared.table
    }

    pub(crate) fn live(&self) -> Live<'_> {
        let rewritable = self.shared.restored.load(Ordering::Acquire);
        let bytes = self.shared.table.read().raw_bytes();
        Live {
            rewritable,
            bytes,
            collect: Box::new(|| {
                let txs = self.shared.table.read().by_arrival();
                txs.iter().map(|tx| Record::Tx(tx.raw().clone())).collect()
            }),
        }
    }
}

fn read_all(
    addresses: Vec<Address>,
    state: &dyn StateReader,
) -> Result<HashMap<Address, Account>, StateError> {
    let mut accounts = HashMap::with_capacity(addresses.len());
    for address in addresses {
        accounts.insert(address, state.account(&address)?.unwrap_or_default());
    }
    Ok(accounts)
}
