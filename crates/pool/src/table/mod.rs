//! All transactions of the pool and their indices, behind one lock. No I/O happens here.
//!
//! - [`sender`]: one account's transactions by nonce.
//! - [`heads`]: the first pending transaction of every account, which is all that the block builder starts from.
//! - [`insert`]: taking one in.
//! - [`evict`]: making room when the pool is full.
//! - [`block`]: what a new head changes.
//!
//! # Invariants
//!
//! `check_invariants` in the tests spells them out: every index says the same as `senders`.

mod block;
mod evict;
mod heads;
mod insert;
mod sender;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use alloy_primitives::{Address, B256};
use chlom_primitives::Tx;
use chlom_state::Account;

use crate::{
    config::PoolConfig,
    view::{Content, Stats, Status, TxsByNonce},
};

pub(crate) use heads::Head;
use heads::Heads;
pub(crate) use sender::Entry;
use sender::Sender;

/// Queued transactions by the time since when they are, then by arrival: the next to expire comes first.
type Waiting = BTreeMap<(Instant, u64), (Address, u64)>;

/// See the module.
pub(crate) struct Table {
    config: PoolConfig,
    senders: HashMap<Address, Sender>,
    by_hash: HashMap<B256, Arc<Tx>>,
    waiting: Waiting,
    /// Every transaction in the order of arrival, and some that left.
    arrivals: VecDeque<(Instant, u64, Address, u64)>,
    heads: Heads,
    /// Ranking for eviction; absent until the pool is full, and again after every block.
    ranking: Option<evict::Ranking>,
    /// Accounts that the builder had trouble with; the next block reads them anew.
    suspects: HashSet<Address>,
    /// Nonces of senders after each of the newest blocks, oldest first.
    moved: VecDeque<HashMap<Address, u64>>,
    weight: usize,
    raw_bytes: u64,
    next_id: u64,
    base_fee: u64,
    counts: Stats,
}

/// Why a transaction leaves; decides which counter sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    Unpayable,
    Expired,
    Evicted,
    Replaced,
    Removed,
    /// The journal failed: it was never there.
    Undone,
}

/// A transaction that another one drove out, and its account as it was then, so that it can come back.
#[derive(Clone, Debug)]
pub(crate) struct Gone {
    entry: Entry,
    account: Account,
    why: Leaving,
}

impl Gone {
    pub(crate) fn hash(&self) -> B256 {
        self.entry.hash
    }

    /// Its position in the order of arrival.
    pub(crate) fn arrival(&self) -> u64 {
        self.entry.id
    }
}

impl Table {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self {
            config,
            senders: HashMap::new(),
            by_hash: HashMap::new(),
            waiting: BTreeMap::new(),
            arrivals: VecDeque::new(),
            heads: Heads::default(),
            ranking: None,
            suspects: HashSet::new(),
            moved: VecDeque::new(),
            weight: 0,
            raw_bytes: 0,
            next_id: 0,
            base_fee: 0,
            counts: Stats::default(),
        }
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Arc<Tx>> {
        self.by_hash.get(hash)
    }

    /// The nonce after the account's last pending transaction; `None` for an account without transactions here.
    pub(crate) fn next_nonce(&self, address: &Address) -> Option<u64> {
        self.senders.get(address).map(|sender| sender.next)
    }

    /// The pending transaction with this nonce.
    pub(crate) fn pending(&self, address: &Address, nonce: u64) -> Option<&Entry> {
        let sender = self.senders.get(address)?;
        if nonce >= sender.next { None } else { sender.txs.get(&nonce) }
    }

    pub(crate) fn heads(&self) -> &[Head] {
        self.heads.all()
    }

    pub(crate) fn base_fee(&self) -> u64 {
        self.base_fee
    }

    /// Encoded bytes of all transactions.
    pub(crate) fn raw_bytes(&self) -> u64 {
        self.raw_bytes
    }

    /// Has the account read anew at the next block.
    pub(crate) fn suspect(&mut self, address: Address) {
        if self.senders.contains_key(&address) {
            self.suspects.insert(address);
        }
    }

    pub(crate) fn status(&self) -> Status {
        Status { pending: self.by_hash.len() - self.waiting.len(), queued: self.waiting.len() }
    }

    pub(crate) fn stats(&self) -> Stats {
        let Status { pending, queued } = self.status();
        Stats { pending, queued, accounts: self.senders.len(), bytes: self.weight, ..self.counts }
    }

    pub(crate) fn content(&self) -> Content {
        let mut content = Content::default();
        for (address, sender) in &self.senders {
            let (pending, queued) = split(sender);
            if !pending.is_empty() {
                content.pending.insert(*address, pending);
            }
            if !queued.is_empty() {
                content.queued.insert(*address, queued);
            }
        }
        content
    }

    pub(crate) fn content_from(&self, address: &Address) -> (TxsByNonce, TxsByNonce) {
        self.senders.get(address).map(split).unwrap_or_default()
    }

    /// Every transaction in order of arrival.
    pub(crate) fn by_arrival(&self) -> Vec<Arc<Tx>> {
        let entries = self.senders.values().flat_map(|sender| sender.txs.values());
        let mut all: Vec<_> = entries.map(|entry| (entry.id, entry.tx.clone())).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, tx)| tx).collect()
    }

    /// Takes one out; its successors are queued behind the gap that it leaves.
    pub(crate) fn remove(&mut self, hash: &B256, why: Leaving, now: Instant) -> Option<Arc<Tx>> {
        let tx = self.by_hash.get(hash)?.clone();
        self.take(&tx.sender(), tx.nonce(), why, now);
        Some(tx)
    }

    pub(crate) fn clear(&mut self) {
        let removed = self.by_hash.len() as u64;
        let (config, counts) = (self.config.clone(), self.counts);
        let (next_id, base_fee) = (self.next_id, self.base_fee);
        *self = Self { next_id, base_fee, counts, ..Self::new(config) };
        self.counts.removed += removed;
    }

    fn take(&mut self, address: &Address, nonce: u64, why: Leaving, now: Instant) -> Option<Gone> {
        let sender = self.senders.get_mut(address)?;
        let pending_from = nonce + 1;
        if nonce < sender.next && sender.txs.contains_key(&nonce) {
            let demoted = sender.demote(pending_from, now, &mut self.waiting);
            sender.retreat(nonce);
            Self::rank_all(&mut self.ranking, &demoted, self.base_fee, false);
        }
        let entry = sender.txs.remove(&nonce)?;
        let account = Account { nonce: sender.nonce, balance: sender.balance, ..Account::default() };
        self.forget(&entry);
        self.count(why);
        self.publish_head(address);
        Some(Gone { entry, account, why })
    }

    /// True where the transaction that arrived as `id` still is at this nonce.
    fn is_there(&self, id: u64, address: &Address, nonce: u64) -> bool {
        let entry = self.senders.get(address).and_then(|sender| sender.txs.get(&nonce));
        entry.is_some_and(|entry| entry.id == id)
    }

    /// Notes an arrival; the list is cleared of those that left when they are the greater part of it.
    fn note_arrival(&mut self, entry: &Entry) {
        if self.arrivals.len() > 2 * self.by_hash.len() + 1_024 {
            let mut arrivals = std::mem::take(&mut self.arrivals);
            arrivals.retain(|(_, id, address, nonce)| self.is_there(*id, address, *nonce));
            self.arrivals = arrivals;
        }
        self.arrivals.push_back((entry.arrived, entry.id, entry.tx.sender(), entry.tx.nonce()));
    }

    /// Drops what the indices know of an entry that left its sender.
    fn forget(&mut self, entry: &Entry) {
        if let Some(since) = entry.queued_since {
            self.waiting.remove(&(since, entry.id));
        }
        self.by_hash.remove(&entry.hash);
        self.weight -= entry.weight;
        self.raw_bytes -= entry.tx.raw().len() as u64;
    }

    fn count(&mut self, why: Leaving) {
        match why {
            Leaving::Unpayable => self.counts.unpayable += 1,
            Leaving::Expired => self.counts.expired += 1,
            Leaving::Evicted => self.counts.evicted += 1,
            Leaving::Replaced => self.counts.replaced += 1,
            Leaving::Removed => self.counts.removed += 1,
            Leaving::Undone => self.counts.added -= 1,
        }
    }

    /// Brings the list of heads up to date with one account, and drops the account when nothing of it is left.
    fn publish_head(&mut self, address: &Address) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        let head = sender.head().map(|entry| (entry.id, entry.price));
        if head.map(|(id, _)| id) != sender.published {
            sender.published = head.map(|(id, _)| id);
            match head {
                Some((id, price)) => {
                    self.heads.set(Head { address: *address, nonce: sender.nonce, id, price });
                }
                None => self.heads.unset(address),
            }
        }
        if sender.txs.is_empty() {
            self.senders.remove(address);
            self.suspects.remove(address);
        }
    }
}

fn split(sender: &Sender) -> (TxsByNonce, TxsByNonce) {
    let txs = |(nonce, entry): (&u64, &Entry)| (*nonce, entry.tx.clone());
    let pending = sender.txs.range(..sender.next).map(txs).collect();
    (pending, sender.txs.range(sender.next..).map(txs).collect())
}

#[cfg(test)]
#[path = "invariants.rs"]
mod invariants;
