//! The loop: look at the chain; for each batch the next step; say how it goes; wait.
//!
//! One thread does everything, one batch at a time, so that memory is that of one batch. Frauds come first; a check of a large batch
//! comes between two looks, never several.

mod work;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use chlom_client::{
    Chain, Signer,
    lanes::{
        batches::Status,
        events::{Happening, LaneEvent},
    },
};
use parking_lot::{Condvar, Mutex};

use crate::{
    WatchError,
    follow::{self, Block},
    health::{Health, ShownBatch},
    store::{BatchRecord, ChainIdentity, Cursor, Stage, Store},
};

/// A batch that fails is tried again after so long, and twice as long each time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Heights without anything new after which the place is written down: they are read again after a restart.
const SELDOM: u64 = 64;
/// At most.
const LAST_RETRY: Duration = Duration::from_secs(60);

/// How to watch.
#[derive(Clone, Debug)]
pub struct Config {
    /// A directory of its own.
    pub dir: PathBuf,
    /// JSON-RPC of the node to ask.
    pub rpc: String,
    /// Other nodes, which must say the same.
    pub witnesses: Vec<String>,
    /// Between two looks while nothing happens.
    pub poll: Duration,
    /// Without an answer or a new block for so long: blind.
    pub stale_after: Duration,
    /// A batch that is accepted and not judged for so many seconds of the chain's time: behind.
    pub behind_after: u64,
    /// Whether to say on chain, lane by lane, what was found right.
    pub heartbeat: bool,
}

impl Config {
    /// Of a watcher with the usual patience.
    pub fn new(dir: PathBuf, rpc: String) -> Self {
        Self {
            dir,
            rpc,
            witnesses: Vec::new(),
            poll: Duration::from_secs(1),
            stale_after: Duration::from_secs(60),
            behind_after: 300,
            heartbeat: true,
        }
    }
}

/// Ends a watcher from another thread.
#[derive(Debug, Default)]
pub struct Stop {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Ends it after the step that it is at.
    pub fn raise(&self) {
        *self.raised.lock() = true;
        self.changed.notify_all();
    }

    /// Waits; whether it is time to end.
    pub fn wait(&self, time: Duration) -> bool {
        let mut raised = self.raised.lock();
        if !*raised {
            self.changed.wait_for(&mut raised, time);
        }
        *raised
    }
}

/// When a batch is tried again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    pause: Duration,
}

/// A watcher.
pub struct Watcher {
    config: Config,
    chain: Chain,
    witnesses: Vec<Chain>,
    store: Store,
    signer: Option<Signer>,
    health: Arc<Health>,
    /// Batches that are not over, by order.
    open: BTreeMap<u64, BatchRecord>,
    retries: BTreeMap<u64, Retry>,
    /// Up to where the chain was followed, and the height of that in the store.
    cursor: Cursor,
    kept: u64,
}

impl Watcher {
    /// Opens the store and goes on where it stopped. Without a signer nothing is sent: frauds are told, not punished.
    ///
    /// # Errors
    /// A node that does not answer; a directory that is in use, damaged, or about another chain.
    pub fn open(config: Config, signer: Option<Signer>, health: Arc<Health>) -> Result<Self, WatchError> {
        let chain = Chain::connect(&config.rpc)?;
        let genesis = follow::at(&chain, 0)?.hash;
        let identity = ChainIdentity::new(chain.id(), genesis);
        let store = Store::open(&config.dir, identity)?;
        let witnesses = config.witnesses.iter().map(|url| witness(url, &chain, &genesis));
        let witnesses = witnesses.collect::<Result<_, _>>()?;
        let mut open = BTreeMap::new();
        for record in store.batches() {
            let record = record?;
            if record.is_over() {
                health.over(ShownBatch::from(&record));
            } else {
                open.insert(record.order, record);
            }
        }
        // Genesis has no batches.
        let cursor = store.cursor()?.unwrap_or(Cursor { height: 0, hash: genesis });
        let (retries, kept) = (BTreeMap::new(), cursor.height);
        Ok(Self { config, chain, witnesses, store, signer, health, open, retries, cursor, kept })
    }

    /// Watches until it is stopped. What passes is told by [`Health`] and tried again.
    ///
    /// # Errors
    /// What no patience mends ([`WatchError::is_final`]).
    pub fn run(&mut self, stop: &Stop) -> Result<(), WatchError> {
        loop {
            let pause = match self.tick() {
                Ok(true) => Duration::ZERO,
                Ok(false) => self.config.poll,
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    self.health.count(|counts| counts.failures += 1);
                    self.health.trouble(kind_of(&error), Some(error.to_string()));
                    self.config.poll
                }
            };
            if stop.wait(pause) {
                return Ok(());
            }
        }
    }

    /// One round; whether there is more to do at once.
    ///
    /// # Errors
    /// When the node or the disk fail.
    pub fn tick(&mut self) -> Result<bool, WatchError> {
        let news = follow::look(&self.chain, &self.store, &self.cursor)?;
        self.compare(&news.reached)?;
        let is_level = news.is_level();
        let head = news.head;
        let reached = news.reached.height;
        self.take(news)?;
        self.health.looked(head.height, reached);
        for kind in ["blind", "store"] {
            self.health.trouble(kind, None);
        }
        let moved = self.work(&head)?;
        self.tell(&head);
        Ok(moved || !is_level)
    }

    /// EIP-155 id of the chain.
    pub fn chain_id(&self) -> u64 {
        self.chain.id()
    }

    /// Whether nothing is left to judge or to punish.
    pub fn is_idle(&self) -> bool {
        self.open.values().all(|record| matches!(record.stage, Stage::Right { told: true }))
    }

    /// Writes down what a look brought, all or nothing.
    fn take(&mut self, news: follow::News) -> Result<(), WatchError> {
        let mut changed = news.accepted;
        for event in &news.events {
            changed.extend(self.changed_by(event)?);
        }
        self.cursor = news.reached;
        if changed.is_empty() && news.reached.height < self.kept.saturating_add(SELDOM) {
            return Ok(());
        }
        self.store.advance(news.reached, &changed)?;
        self.kept = news.reached.height;
        for record in changed {
            if record.stage == Stage::Seen {
                tracing::info!(batch = %record.root, order = record.order, lane = %record.lane,
                    period = record.period, number = record.number, height = record.height, "accepted");
            }
            self.put(record);
        }
        Ok(())
    }

    /// A batch that was right here and is void or final on chain is over. One that was not judged is judged all the same.
    fn changed_by(&self, event: &LaneEvent) -> Result<Option<BatchRecord>, WatchError> {
        let status = match event.what {
            Happening::Voided { .. } => Status::Void,
            Happening::Finalized => Status::Finalized,
            _ => return Ok(None),
        };
        let Some(order) = self.store.order_of(&event.batch)? else { return Ok(None) };
        let Some(record) = self.open.get(&order) else { return Ok(None) };
        Ok(over_by(record, status))
    }

    /// What the other nodes say of the last block that they have too: one that is behind is asked all the same.
    fn compare(&self, reached: &Cursor) -> Result<(), WatchError> {
        for witness in &self.witnesses {
            let url = witness.rpc().url();
            let (height, theirs) = match last_common(witness, reached.height) {
                Ok(found) => found,
                Err(error) => {
                    self.health.trouble("witness", Some(error.to_string()));
                    continue;
                }
            };
            let ours = match height == reached.height {
                true => reached.hash,
                false => follow::at(&self.chain, height)?.hash,
            };
            if ours != theirs {
                let why = format!("its block {height} is {ours}, that of {url} is {theirs}");
                return Err(WatchError::Lie { url: self.chain.rpc().url().into(), why });
            }
            let behind = reached.height.saturating_sub(height);
            let lags = behind > SELDOM;
            self.health.trouble("witness", lags.then(|| format!("{url} is {behind} blocks behind")));
        }
        Ok(())
    }

    fn put(&mut self, record: BatchRecord) {
        if record.is_over() {
            self.open.remove(&record.order);
            self.retries.remove(&record.order);
            self.health.over(ShownBatch::from(&record));
        } else {
            self.open.insert(record.order, record);
        }
    }

    fn save(&mut self, record: BatchRecord) -> Result<(), WatchError> {
        self.store.save(&record)?;
        self.put(record);
        Ok(())
    }

    /// Alarms, and what is open.
    fn tell(&self, head: &Block) {
        let late = self.open.values().find(|record| {
            matches!(record.stage, Stage::Seen | Stage::Fetched)
                && head.time.saturating_sub(record.accepted_at) > self.config.behind_after
        });
        let behind = late.map(|record| {
            let left = record.closes_at.saturating_sub(head.time);
            format!("batch {} is not judged; its window closes in {left} s", record.root)
        });
        self.health.trouble("behind", behind);
        self.health.open(self.open.values().map(ShownBatch::from));
    }
}

/// Height and hash of a node's block at this height, or of its head where that is lower.
fn last_common(node: &Chain, height: u64) -> Result<(u64, alloy_primitives::B256), WatchError> {
    let head = follow::block(node, "latest")?;
    let block = if head.height > height { follow::at(node, height)? } else { head };
    Ok((block.height, block.hash))
}

/// What the chain's status makes of a batch that was found right.
fn over_by(record: &BatchRecord, status: Status) -> Option<BatchRecord> {
    let stage = match (&record.stage, status) {
        (Stage::Right { .. }, Status::Void) => Stage::Void { reward: None },
        (Stage::Right { .. }, Status::Finalized | Status::Done) => Stage::Final { missed: false },
        _ => return None,
    };
    Some(BatchRecord { stage, ..record.clone() })
}

fn witness(url: &str, chain: &Chain, genesis: &alloy_primitives::B256) -> Result<Chain, WatchError> {
    let other = Chain::connect(url)?;
    if other.id() != chain.id() || follow::at(&other, 0)?.hash != *genesis {
        let why = format!("it is on another chain than {}", chain.rpc().url());
        return Err(WatchError::Lie { url: url.into(), why });
    }
    Ok(other)
}

fn kind_of(error: &WatchError) -> &'static str {
    match error {
        WatchError::Store { .. } | WatchError::Io { .. } | WatchError::Damaged { .. } => "store",
        _ => "blind",
    }
}
