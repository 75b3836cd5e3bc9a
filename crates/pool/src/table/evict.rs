//! Making room when the pool is full.
//!
//! The ranking is a heap that is built when the pool is first full, and again after a block, since a new base fee changes
//! every tip. Entries of it whose transaction left, or moved between queued and pending, are skipped when they surface.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use alloy_primitives::Address;

use super::{Entry, Gone, Leaving, Table, sender::Place};
use crate::{admission::Checked, error::AddError};

/// The worst on top.
pub(super) type Ranking = BinaryHeap<Reverse<Rank>>;

/// How good a transaction is, worst first: queued before pending; below the base fee before any tip; a low tip before a
/// high one; late before early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pending: bool,
    tip: Option<u128>,
    id: Reverse<u64>,
    address: Address,
    nonce: u64,
}

/// What must leave: numbers that victims lower until both are zero.
struct Excess {
    txs: usize,
    weight: usize,
}

impl Rank {
    fn of(entry: &Entry, base_fee: u64, pending: bool) -> Self {
        Self {
            pending,
            tip: entry.price.tip(base_fee),
            id: Reverse(entry.id),
            address: entry.tx.sender(),
            nonce: entry.tx.nonce(),
        }
    }
}

impl Table {
    /// Evicts what is worse than `new` until it fits.
    ///
    /// # Errors
    /// When too little is worse; then nothing left.
    pub(super) fn make_room(
        &mut self,
        new: &Checked,
        place: &Place,
        now: Instant,
        gone: &mut Vec<Gone>,
    ) -> Result<(), AddError> {
        let mut excess = self.excess(new, place);
        if excess.txs == 0 && excess.weight == 0 {
            return Ok(());
        }
        let mut ranking = match self.ranking.take() {
            Some(ranking) if ranking.len() <= 2 * self.by_hash.len() => ranking,
            _ => self.rank(),
        };
        let mut victims = Vec::new();
        let mut spared = Vec::new();
        let mut verdict = Ok(());
        while excess.txs > 0 || excess.weight > 0 {
            let Some(Reverse(worst)) = ranking.pop() else {
                verdict = Err(AddError::Full);
                break;
            };
            let Some(weight) = self.weight_of(&worst) else { continue };
            if place.replaces.is_some_and(|(id, _)| id == worst.id.0) {
                spared.push(worst);
                continue;
            }
            verdict = self.yields(&worst, new, place);
            if verdict.is_err() {
                spared.push(worst);
                break;
            }
            excess.txs = excess.txs.saturating_sub(1);
            excess.weight = excess.weight.saturating_sub(weight);
            victims.push(worst);
        }
        if verdict.is_err() {
            spared.append(&mut victims);
        }
        ranking.extend(spared.into_iter().map(Reverse));
        self.ranking = Some(ranking);
        for victim in victims {
            gone.extend(self.take(&victim.address, victim.nonce, Leaving::Evicted, now));
        }
        verdict
    }

    fn excess(&self, new: &Checked, place: &Place) -> Excess {
        let grows = place.replaces.is_none() && place.displaces.is_none();
        let replaced = place.replaces.map_or(0, |(_, weight)| weight);
        Excess {
            txs: (self.by_hash.len() + usize::from(grows)).saturating_sub(self.config.max_txs),
            weight: (self.weight + new.weight).saturating_sub(self.config.max_bytes + replaced),
        }
    }

    fn rank(&self) -> Ranking {
        let mut ranks = Vec::with_capacity(self.by_hash.len());
        for sender in self.senders.values() {
            for (nonce, entry) in &sender.txs {
                ranks.push(Reverse(Rank::of(entry, self.base_fee, *nonce < sender.next)));
            }
        }
        Ranking::from(ranks)
    }

    /// The weight of a ranked transaction, if the rank still describes one.
    fn weight_of(&self, rank: &Rank) -> Option<usize> {
        let sender = self.senders.get(&rank.address)?;
        let entry = sender.txs.get(&rank.nonce)?;
        let same = entry.id == rank.id.0 && rank.pending == (rank.nonce < sender.next);
        same.then_some(entry.weight)
    }

    /// Whether `worst` leaves for `new`.
    fn yields(&self, worst: &Rank, new: &Checked, place: &Place) -> Result<(), AddError> {
        match (worst.pending, place.pending) {
            (false, true) => Ok(()),
            // What cannot be executed now never drives out what can.
            (true, false) => Err(AddError::Full),
            // A transaction cannot do without those that come before it.
            (true, true) if worst.address == new.sender => Err(AddError::Underpriced),
            _ if new.price.tip(self.base_fee) > worst.tip => Ok(()),
            _ => Err(AddError::Underpriced),
        }
    }

    /// Ranks entries that are new or moved between queued and pending, if there is a ranking.
    pub(super) fn rank_all(ranking: &mut Option<Ranking>, entries: &[Entry], base_fee: u64, pending: bool) {
        if let Some(ranking) = ranking {
            ranking.extend(entries.iter().map(|entry| Reverse(Rank::of(entry, base_fee, pending))));
        }
    }
}
