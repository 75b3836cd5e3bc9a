//! From waiting receipts to settled rows: batches built, published, submitted, finalised and settled.
//!
//! One batch of a lane is under way to the chain at a time, because each names its predecessor; any number wait for their window or
//! for their rows. Every step first asks the chain whether it was done already, so that a process that was killed at any
//! instruction goes on where it stopped: what was sent twice is refused by the chain the second time, and a header that the chain
//! has accepted is recognised by its hash (decision 0018). Upholds [OPR-30].
//!
//! - [`follow`]: what the chain accepted of the lane and is not of this outbox: its receipts are known from then on, its rows settled too.
//! - [`obstacle`]: what keeps a receipt from being in a batch. [`candidates`]: which receipts it keeps.
//! - [`assemble`]: the next batch, checked with a watcher's eyes. [`convict`]: which part of one that is wrong to leave out.
//! - `publish`, `submit`, `close`: the steps of a batch in the outbox. [`error`]: why one failed.

pub mod assemble;
mod candidates;
mod close;
pub mod convict;
pub mod error;
mod follow;
pub mod obstacle;
mod submit;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use chlom_client::{
    Chain, ClientError, Signer,
    lanes::{self, registry::Parameters},
};
use chlom_crypto::AccountKey;
use chlom_lane::{Header, LaneId, lane::lane_id};
use chlom_royalty::Period;

pub use error::SequenceError;
pub use obstacle::Obstacle;

use crate::{
    Store, StoreError,
    store::{Batch, BatchState, Lane, Leader},
};

/// What was done, or what is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// A batch is in the outbox.
    Built {
        /// Its number in the store.
        batch: i64,
        /// Its receipts.
        receipts: u64,
    },
    /// Receipts cannot be in a batch now.
    SetAside {
        /// Why.
        obstacle: Obstacle,
        /// How many.
        receipts: u64,
    },
    /// A batch that the chain accepted was made elsewhere; its receipts are known from now on.
    Adopted {
        /// Its number in the store.
        batch: i64,
        /// Its header's hash.
        root: B256,
        /// Its receipts.
        receipts: u64,
    },
    /// A batch was made elsewhere and its blob cannot be had: no batch of its period is built until it can.
    Unreadable {
        /// Its header's hash.
        root: B256,
        /// Its period.
        period: Period,
        /// Why not.
        why: String,
    },
    /// Its blob is available.
    Published(i64),
    /// The chain has accepted it.
    Submitted(i64),
    /// Its window is over.
    Finalized(i64),
    /// All its rows are settled.
    Settled(i64),
    /// It will never be accepted, or was voided: its receipts wait again.
    Void {
        /// Its number in the store.
        batch: i64,
        /// Why.
        why: String,
    },
}

/// What a turn did, and what of it failed.
#[derive(Debug, Default)]
pub struct Turn {
    /// What was done, in order.
    pub did: Vec<Did>,
    /// What failed; the next turn tries it again.
    pub faults: Vec<SequenceError>,
}

impl Turn {
    /// Notes what a part of the turn did. Whether it did not fail.
    fn note(&mut self, done: Result<Vec<Did>, SequenceError>) -> bool {
        match done {
            Ok(did) => {
                self.did.extend(did);
                true
            }
            Err(error) => {
                self.faults.push(error);
                false
            }
        }
    }

    /// Whether nothing else can work either.
    fn is_over(&self) -> bool {
        self.faults.iter().any(|fault| {
            matches!(
                fault,
                SequenceError::Client(ClientError::Transport { .. })
                    | SequenceError::Store(StoreError::LeadLost(_))
            )
        })
    }
}

/// Whose batches, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// Batch a period's receipts before it is over, too.
    pub unfinished_periods: bool,
}

/// Brings one lane's batches to the chain. Whoever has one leads the lane: no other process builds or sends.
pub struct Sequencer<'a> {
    store: &'a Store,
    lane: Lane,
    id: LaneId,
    chain: &'a Chain,
    signer: &'a Signer,
    payers: &'a [AccountKey],
    config: Config,
    leader: Leader,
    /// The first height that was not looked at for batches of others; what the store says of it may be less.
    followed: u64,
    kept: u64,
    looks: Looks,
    /// Batches of which it was said that they cannot be read.
    unreadable: BTreeSet<B256>,
    /// What the store says of the last turn's faults.
    faults: Option<String>,
}

/// When what was set aside is looked at again: soon after something changed, and less often while nothing does.
#[derive(Debug)]
struct Looks {
    due: Instant,
    pause: Duration,
    /// What was in the way at the last look.
    last: BTreeSet<(Obstacle, u64)>,
    /// Whether a look in this process was made.
    looked: bool,
}

impl<'a> Sequencer<'a> {
    /// Takes the lead of a lane. `payers`: keys of payers that consent to their totals by signature; others need a standing
    /// allowance.
    ///
    /// # Errors
    /// [`SequenceError::Led`] while another process has it; a store whose batches are another chain's.
    pub fn lead(
        store: &'a Store,
        lane: Lane,
        chain: &'a Chain,
        signer: &'a Signer,
        payers: &'a [AccountKey],
        config: Config,
    ) -> Result<Self, SequenceError> {
        let leader = store.lead(&lane)?.ok_or_else(|| SequenceError::Led(lane.name.clone()))?;
        let followed = follow::begin(store, &lane, chain)?;
        let looks =
            Looks { due: Instant::now(), pause: Duration::ZERO, last: BTreeSet::new(), looked: false };
        let (id, unreadable) = (lane_id(&lane.name), BTreeSet::new());
        let kept = followed;
        Ok(Self {
            store,
            lane,
            id,
            chain,
            signer,
            payers,
            config,
            leader,
            followed,
            kept,
            looks,
            unreadable,
            faults: None,
        })
    }

    /// Does every step that can be done now, each once: settles, finalises, submits, publishes, and builds the next batch. What fails
    /// keeps nothing else from being done.
    pub fn turn(&mut self) -> Turn {
        let mut turn = Turn::default();
        self.steps(&mut turn);
        let faults: Vec<String> = turn.faults.iter().map(ToString::to_string).collect();
        let faults = faults.join("\n");
        if self.faults.as_ref() != Some(&faults) {
            let written = self.store.set_note(&faults_of(&self.lane), &faults);
            self.faults = written.is_ok().then_some(faults);
        }
        turn
    }

    fn steps(&mut self, turn: &mut Turn) {
        let done = self.follow();
        let followed = turn.note(done);
        let open = self.store.batches(&self.lane, &[BatchState::Submitted, BatchState::Final]);
        for batch in open.unwrap_or_else(|error| {
            turn.faults.push(error.into());
            Vec::new()
        }) {
            if turn.is_over() {
                break;
            }
            self.close_one(&batch, turn);
        }
        if !followed || turn.is_over() || !self.forward(turn) {
            return;
        }
        match self.under_way() {
            Ok(None) => {
                let done = self.assemble();
                if turn.note(done) {
                    self.forward(turn);
                }
            }
            Ok(Some(_)) => {}
            Err(error) => turn.faults.push(error),
        }
    }

    /// Builds the next batch, if receipts wait and none is under way.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub fn batch(&mut self) -> Result<Vec<Did>, SequenceError> {
        match self.under_way()? {
            Some(batch) => Err(SequenceError::UnderWay { number: batch.number, state: batch.state.word() }),
            None => self.assemble(),
        }
    }

    /// Publishes the batch under way.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub fn publish(&mut self) -> Result<Vec<Did>, SequenceError> {
        match self.under_way()? {
            Some(batch) if batch.state == BatchState::Built => Ok(vec![self.publish_one(&batch)?]),
            _ => Ok(Vec::new()),
        }
    }

    /// Submits the batch under way.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub fn submit(&mut self) -> Result<Vec<Did>, SequenceError> {
        match self.under_way()? {
            Some(batch) if batch.state == BatchState::Published => Ok(vec![self.submit_one(&batch)?]),
            _ => Ok(Vec::new()),
        }
    }

    fn forward(&mut self, turn: &mut Turn) -> bool {
        let published = self.publish();
        if !turn.note(published) {
            return false;
        }
        let submitted = self.submit();
        turn.note(submitted)
    }

    /// The batch that is on its way to the chain, if there is one.
    fn under_way(&self) -> Result<Option<Batch>, SequenceError> {
        let states = [BatchState::Built, BatchState::Published];
        Ok(self.store.batches(&self.lane, &states)?.into_iter().next())
    }

    fn on_chain(&self) -> lanes::Lane<'a> {
        lanes::Lane::new(self.chain, self.id)
    }

    /// The lane's parameters for a period, which must be of the store's currency.
    fn terms(&self, period: Period) -> Result<(u32, Parameters), SequenceError> {
        let (version, terms) = self.on_chain().parameters_at(period.start())?;
        let currency: String =
            terms.currency.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        if currency != self.lane.currency || terms.decimals != self.lane.decimals {
            return Err(SequenceError::Currency {
                lane: self.lane.name.clone(),
                store: format!("{} with {} decimals", self.lane.currency, self.lane.decimals),
                chain: format!("{currency} with {} decimals", terms.decimals),
            });
        }
        Ok((version, terms))
    }

    /// To be asked before each step that must not be done twice.
    fn check_lead(&mut self) -> Result<(), SequenceError> {
        Ok(self.leader.check()?)
    }
}

fn faults_of(lane: &Lane) -> String {
    format!("faults {}", lane.name)
}

/// What failed in the last turn of whoever leads a lane, or led it last.
///
/// # Errors
/// The database's.
pub fn faults(store: &Store, lane: &Lane) -> Result<Vec<String>, StoreError> {
    let said = store.get_note(&faults_of(lane))?.unwrap_or_default();
    Ok(said.lines().map(str::to_owned).collect())
}

fn header_of(batch: &Batch) -> Result<Header, SequenceError> {
    Header::decode(&batch.header)
        .map_err(|fault| SequenceError::Damaged { batch: batch.id, why: fault.to_string() })
}
