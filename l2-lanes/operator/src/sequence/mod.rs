//! From waiting receipts to settled rows: batches built, published, submitted, finalised and settled.
//!
//! One batch of a lane is under way to the chain at a time, because each names its predecessor; any number wait for their window or
//! for their rows. Every step first asks the chain whether it was done already, so that a process that was killed at any
//! instruction goes on where it stopped: what was sent twice is refused by the chain the second time, and a header that the chain
//! has accepted is recognised by its hash (decision 0018).
//!
//! - [`assemble`]: which receipts go into the next batch, and which cannot.
//! - `publish`, `submit`, `close`: the steps of a batch in the outbox. [`error`]: why one failed.

pub mod assemble;
mod close;
pub mod error;
mod submit;

use chlom_client::{
    Chain, Signer,
    lanes::{self, registry::Parameters},
};
use chlom_crypto::AccountKey;
use chlom_lane::{Header, LaneId, lane::lane_id};
use chlom_royalty::Period;

pub use error::SequenceError;

use crate::{
    Store,
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
        reason: String,
        /// How many.
        receipts: u64,
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
}

impl<'a> Sequencer<'a> {
    /// Takes the lead of a lane. `payers`: keys of payers that consent to their totals by signature; others need a standing
    /// allowance.
    ///
    /// # Errors
    /// [`SequenceError::Led`] while another process has it; a lane of another currency than the chain's.
    pub fn lead(
        store: &'a Store,
        lane: Lane,
        chain: &'a Chain,
        signer: &'a Signer,
        payers: &'a [AccountKey],
        config: Config,
    ) -> Result<Self, SequenceError> {
        let leader = store.lead(&lane)?.ok_or_else(|| SequenceError::Led(lane.name.clone()))?;
        let id = lane_id(&lane.name);
        Ok(Self { store, lane, id, chain, signer, payers, config, leader })
    }

    /// Does every step that can be done now, each once: settles, finalises, submits, publishes, and builds the next batch.
    ///
    /// # Errors
    /// The first step that failed; those before it are done.
    pub fn turn(&mut self) -> Result<Vec<Did>, SequenceError> {
        let mut did = self.close()?;
        did.extend(self.forward()?);
        if self.under_way()?.is_none() {
            did.extend(self.assemble()?);
            did.extend(self.forward()?);
        }
        Ok(did)
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

    fn forward(&mut self) -> Result<Vec<Did>, SequenceError> {
        let mut did = self.publish()?;
        did.extend(self.submit()?);
        Ok(did)
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

fn header_of(batch: &Batch) -> Result<Header, SequenceError> {
    Header::decode(&batch.header)
        .map_err(|fault| SequenceError::Damaged { batch: batch.id, why: fault.to_string() })
}
