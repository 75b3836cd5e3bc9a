//! Lanes as their operators, payers and watchers use them (spec/payouts.md).
//!
//! - [`registry`]: parameters, submitters, sources' keys, allowances, heartbeats.
//! - [`money`]: pots, collateral, what payees withdraw.
//! - [`batches`]: a payout proof's life: submit, finalize, settle, release.
//! - [`challenges`]: commitments, fraud proofs, awards.
//! - [`events`]: what became of batches, by the contracts' logs; [`settled`]: which of their rows settled.
//! - [`state`]: what contract state says of licences and sources, as building and checking a batch ask for it.
//!
//! Everything that writes is a [`crate::Request`]: [`crate::Chain::send_all`] sends several, one behind the other.

pub mod batches;
pub mod challenges;
pub mod events;
pub mod money;
pub mod registry;
pub mod settled;
pub mod state;

use alloy_primitives::FixedBytes;
use chlom_lane::LaneId;

use crate::Chain;

/// One lane of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The lane.
    pub id: LaneId,
}

impl<'a> Lane<'a> {
    /// The lane of this id. Nothing is asked yet.
    pub fn new(chain: &'a Chain, id: LaneId) -> Self {
        Self { chain, id }
    }

    pub(crate) fn word(&self) -> FixedBytes<20> {
        word(self.id)
    }
}

/// A lane's id as the contracts have it.
pub fn word(lane: LaneId) -> FixedBytes<20> {
    lane.into_array().into()
}
