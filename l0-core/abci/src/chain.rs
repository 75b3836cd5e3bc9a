//! The thread that makes blocks, and the commands it takes.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use chlom_app::App;
use chlom_module::ModuleSet;
use chlom_pool::Pool;
use chlom_primitives::Params;
use chlom_store::Store;

use crate::{
    attest::Attester,
    clock::{ChainClock, machine_seconds},
    error::ChainError,
    produce::Producer,
};

pub use crate::produce::Produced;

/// Most blocks that one `mine` command makes.
pub const MAX_BLOCKS_AT_ONCE: u64 = 10_000;

/// How a dev chain runs; this node's choice.
pub struct DevChainConfig {
    /// Time between blocks, empty or not.
    pub block_time: Duration,
    /// Also make a block as soon as a transaction waits.
    pub automine: bool,
    /// The validator's account: coinbase of all blocks.
    pub proposer: Address,
    /// The validator itself.
    pub attester: Attester,
}

enum Command {
    Wake,
    Mine { blocks: u64, interval: Option<u64>, reply: Reply<u64> },
    IncreaseTime(u64, Reply<u64>),
    SetNextTimestamp(u64, Reply<()>),
    Snapshot(Reply<u64>),
    Revert(u64, Reply<Option<u64>>),
    Stop,
}

/// Told of every durable block, in order.
pub type Publish = Box<dyn FnMut(&Produced) + Send>;

type Reply<T> = SyncSender<Result<T, ChainError>>;

/// A handle on the producing thread. Dropping the last one does not stop it; [`DevChain::stop`] does.
#[derive(Clone)]
pub struct DevChain {
    commands: Sender<Command>,
    halted: Arc<OnceLock<ChainError>>,
    /// True while a wake is under way that the producer has not seen: one is as good as many.
    waking: Arc<AtomicBool>,
    /// True once the chain was told to stop; a long `mine` looks at it too.
    stopping: Arc<AtomicBool>,
    /// Chain time less the machine's, seconds.
    shift: Arc<AtomicI64>,
}

/// The producing thread, for joining after [`DevChain::stop`].
pub struct Running {
    thread: JoinHandle<()>,
}

impl Running {
    /// Waits until the last block is durable and the thread ended.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the block producer panicked");
        }
    }
}

impl DevChain {
    /// A chain on the store's head, and its producer, which makes nothing before [`Maker::start`]. `publish` is called for
    /// every block once it is durable, in order.
    pub fn new(
        config: DevChainConfig,
        store: Store,
        pool: Pool,
        params: Arc<Params>,
        modules: Arc<ModuleSet>,
        publish: Publish,
    ) -> (Self, Maker) {
        let (commands, inbox) = channel();
        let halted = Arc::new(OnceLock::new());
        let shift = Arc::new(AtomicI64::new(0));
        let (waking, stopping) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let producer = Producer {
            app: App::new(params.clone(), modules),
            store,
            pool,
            params,
            proposer: config.proposer,
            attester: config.attester,
        };
        let maker = Maker {
            block_time: config.block_time,
            automine: config.automine,
            producer,
            publish,
            inbox,
            halted: halted.clone(),
            waking: waking.clone(),
            stopping: stopping.clone(),
            shift: shift.clone(),
            clock: ChainClock::default(),
            snapshots: BTreeMap::new(),
            next_snapshot: 1,
        };
        (Self { commands, halted, waking, stopping, shift }, maker)
    }

    /// Chain time now, seconds: what a block that was made now would have, unless its parent has it already.
    pub fn time(&self) -> u64 {
        machine_seconds().saturating_add_signed(self.shift.load(Ordering::Acquire))
    }

    /// Why no further blocks are made, if so.
    pub fn halted(&self) -> Option<&ChainError> {
        self.halted.get()
    }

    /// Transactions arrived; makes a block at once on an automining chain.
    pub fn wake(&self) {
        if !self.waking.swap(true, Ordering::AcqRel) {
            // A stopped chain makes no blocks; the sender of the transactions learns that from `halted` and `/health`.
            let _stopped = self.commands.send(Command::Wake);
        }
    }

    /// Makes `blocks` blocks now, `interval` seconds apart; returns the last height once durable.
    ///
    /// # Errors
    /// Too many at once, or the chain halted.
    pub fn mine(&self, blocks: u64, interval: Option<u64>) -> Result<u64, ChainError> {
        if blocks > MAX_BLOCKS_AT_ONCE {
            return Err(ChainError::TooManyBlocks { asked: blocks, limit: MAX_BLOCKS_AT_ONCE });
        }
        self.ask(|reply| Command::Mine { blocks, interval, reply })
    }

    /// Moves chain time forward; returns the total offset, seconds.
    ///
    /// # Errors
    /// Overflow, or the chain halted.
    pub fn increase_time(&self, seconds: u64) -> Result<u64, ChainError> {
        self.ask(|reply| Command::IncreaseTime(seconds, reply))
    }

    /// Fixes the next block's timestamp.
    ///
    /// # Errors
    /// Not later than the head's, or the chain halted.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), ChainError> {
        self.ask(|reply| Command::SetNextTimestamp(timestamp, reply))
    }

    /// Remembers the present height and time; returns the snapshot's id.
    ///
    /// # Errors
    /// The chain halted.
    pub fn snapshot(&self) -> Result<u64, ChainError> {
        self.ask(Command::Snapshot)
    }

    /// Goes back to a snapshot and forgets it and all later ones; the height that is the head then, or `None` where there
    /// is no snapshot with this id.
    ///
    /// # Errors
    /// History does not reach back so far, or the chain halted.
    pub fn revert(&self, id: u64) -> Result<Option<u64>, ChainError> {
        self.ask(|reply| Command::Revert(id, reply))
    }

    /// Ends the thread after the block in hand.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        let _already = self.commands.send(Command::Stop);
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, ChainError> {
        let (reply, answer) = sync_channel(1);
        let gone = || self.halted.get().cloned().unwrap_or(ChainError::Stopped);
        self.commands.send(command(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

/// What makes the blocks: the thread's own state.
pub struct Maker {
    block_time: Duration,
    automine: bool,
    producer: Producer,
    publish: Publish,
    inbox: Receiver<Command>,
    halted: Arc<OnceLock<ChainError>>,
    waking: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    shift: Arc<AtomicI64>,
    clock: ChainClock,
    snapshots: BTreeMap<u64, (u64, ChainClock)>,
    next_snapshot: u64,
}

impl Maker {
    /// Has the chain's clock begin at a time of its own, in seconds, instead of at the machine's; it goes on from there.
    ///
    /// # Errors
    /// Not later than the head's, or in the far half of the range.
    pub fn begin_at(mut self, timestamp: u64) -> Result<Self, ChainError> {
        let head = self.producer.head_timestamp()?;
        self.clock.set_next(timestamp, head)?;
        self.tell_time();
        Ok(self)
    }

    /// Starts the thread; the first block is made at once.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(mut self) -> std::io::Result<Running> {
        let thread = std::thread::Builder::new().name("blocks".into()).spawn(move || {
            // A panic is a broken invariant: it must show in `/health` as any other halt does.
            let ended = catch_unwind(AssertUnwindSafe(|| self.run()));
            if let Err(why) = ended.unwrap_or(Err(ChainError::Panicked)) {
                tracing::error!(%why, "no further blocks");
                let _first = self.halted.set(why);
            }
        })?;
        Ok(Running { thread })
    }

    fn run(&mut self) -> Result<(), ChainError> {
        let mut due = Instant::now();
        while !self.stopping.load(Ordering::Acquire) {
            // The block time comes first, whatever is waiting: commands get what is left until the next.
            if Instant::now() >= due {
                self.make_block()?;
                due = next_due(due, self.block_time);
            }
            match self.inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(command) => self.obey(command)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        Ok(())
    }

    fn make_block(&mut self) -> Result<u64, ChainError> {
        let time = self.clock.take();
        let produced = self.producer.produce(time)?;
        self.tell_time();
        (self.publish)(&produced);
        Ok(produced.block.height())
    }

    fn tell_time(&self) {
        self.shift.store(self.clock.shift(), Ordering::Release);
    }

    /// `Err` halts the chain; a refusal goes back to whoever asked.
    fn obey(&mut self, command: Command) -> Result<(), ChainError> {
        match command {
            Command::Wake => {
                self.waking.store(false, Ordering::Release);
                if self.automine && self.producer.has_work()? {
                    self.make_block()?;
                }
            }
            Command::Mine { blocks, interval, reply } => {
                let result = self.mine(blocks, interval);
                let fault = result.as_ref().err().cloned();
                let _gone = reply.send(result);
                if let Some(fault) = fault.filter(ChainError::halts) {
                    return Err(fault);
                }
            }
            Command::IncreaseTime(seconds, reply) => {
                let head = self.producer.head_timestamp();
                let increased = head.and_then(|head| self.clock.increase(seconds, head));
                self.tell_time();
                let _gone = reply.send(increased);
            }
            Command::SetNextTimestamp(timestamp, reply) => {
                let head = self.producer.head_timestamp();
                let fixed = head.and_then(|head| self.clock.set_next(timestamp, head));
                self.tell_time();
                let _gone = reply.send(fixed);
            }
            Command::Snapshot(reply) => {
                let _gone = reply.send(self.snapshot());
            }
            Command::Revert(id, reply) => {
                let _gone = reply.send(self.revert(id));
            }
            Command::Stop => {}
        }
        Ok(())
    }

    fn mine(&mut self, blocks: u64, interval: Option<u64>) -> Result<u64, ChainError> {
        let mut height = self.producer.head_height()?;
        for index in 0..blocks {
            if self.stopping.load(Ordering::Acquire) {
                return Err(ChainError::Stopped);
            }
            if let Some(seconds) = interval.filter(|_| index > 0) {
                let head = self.producer.head_timestamp()?;
                self.clock.increase(seconds, head)?;
            }
            height = self.make_block()?;
        }
        Ok(height)
    }

    fn snapshot(&mut self) -> Result<u64, ChainError> {
        let id = self.next_snapshot;
        self.next_snapshot = id.saturating_add(1);
        self.snapshots.insert(id, (self.producer.head_height()?, self.clock.clone()));
        Ok(id)
    }

    fn revert(&mut self, id: u64) -> Result<Option<u64>, ChainError> {
        let Some((height, clock)) = self.snapshots.get(&id).cloned() else {
            return Ok(None);
        };
        self.producer.rewind(height)?;
        self.clock = clock;
        self.tell_time();
        self.snapshots.split_off(&id);
        Ok(Some(height))
    }
}

/// The next tick of a steady pace; a chain that fell behind does not rush after it.
fn next_due(due: Instant, block_time: Duration) -> Instant {
    let now = Instant::now();
    let next = due + block_time;
    if next < now { now + block_time } else { next }
}
