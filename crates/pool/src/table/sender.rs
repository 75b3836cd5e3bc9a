//! One account's transactions by nonce.
//!
//! `nonce..next` are pending: all of them are there, and the account can pay for all of them together. Everything from
//! `next` up is queued: behind a gap at `next`, or because the balance does not reach for the one there.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use alloy_primitives::{B256, U256};
use chlom_primitives::Tx;

use super::Waiting;
use crate::{
    admission::Checked,
    config::PoolConfig,
    error::{AddError, Overdraft},
    price::Price,
};

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tx: Arc<Tx>,
    pub(crate) hash: B256,
    /// Position in the order of arrival.
    pub(crate) id: u64,
    pub(crate) price: Price,
    pub(crate) cost: U256,
    pub(crate) weight: usize,
    /// When it came, or came back after a restart.
    pub(crate) arrived: Instant,
    /// Present exactly while it is queued.
    pub(crate) queued_since: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// The account's nonce.
    pub(crate) nonce: u64,
    /// First nonce that is not pending.
    pub(crate) next: u64,
    /// What the account had when it was last looked at, wei.
    pub(crate) balance: U256,
    /// What the pending transactions may cost together, wei.
    pub(crate) spent: U256,
    /// At least the highest cost of any transaction here, wei. Spares the search for those that cannot be paid.
    pub(crate) dearest: U256,
    /// Arrival of the transaction that the list of heads shows.
    pub(crate) published: Option<u64>,
    pub(crate) txs: BTreeMap<u64, Entry>,
}

/// Where a newcomer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// It is executable at once.
    pub(crate) pending: bool,
    /// Arrival and weight of the one with the same nonce, which it replaces.
    pub(crate) replaces: Option<(u64, usize)>,
    /// Nonce of the account's last queued transaction, which leaves because the account is at its limit.
    pub(crate) displaces: Option<u64>,
}

impl Sender {
    pub(crate) fn new(nonce: u64) -> Self {
        Self { nonce, next: nonce, ..Self::default() }
    }

    /// The first pending transaction.
    pub(crate) fn head(&self) -> Option<&Entry> {
        if self.next > self.nonce { self.txs.get(&self.nonce) } else { None }
    }

    fn queued(&self) -> usize {
        // The pending nonces are contiguous and all present.
        self.txs.len() - (self.next - self.nonce) as usize
    }

    /// Judges a newcomer by nonce, funds, replacement and the account's limits, in geth's order.
    pub(crate) fn judge(
        &self,
        new: &Checked,
        state_nonce: u64,
        balance: U256,
        config: &PoolConfig,
    ) -> Result<Place, AddError> {
        // The state that the caller holds may be a block older than the pool's, or newer.
        let next = self.nonce.max(state_nonce);
        if new.nonce < next {
            return Err(AddError::NonceTooLow { next, nonce: new.nonce });
        }
        let pending = new.nonce <= self.next;
        self.judge_funds(new, balance)?;
        if let Some(old) = self.txs.get(&new.nonce) {
            if !new.price.outbids(&old.price, config.price_bump_percent) {
                return Err(AddError::ReplacementUnderpriced);
            }
            return Ok(Place { pending, replaces: Some((old.id, old.weight)), displaces: None });
        }
        let crowded = self.txs.len() >= config.max_per_account
            || (!pending && self.queued() >= config.max_queued_per_account);
        let displaces = if crowded { Some(self.displaceable(new.nonce)?) } else { None };
        Ok(Place { pending, replaces: None, displaces })
    }

    /// The last transaction, when it comes after `nonce`: of two that do not both fit, the nearer one stays. It is a
    /// queued one then, because `nonce` is a gap before it.
    fn displaceable(&self, nonce: u64) -> Result<u64, AddError> {
        let last = self.txs.last_key_value().map(|(last, _)| *last);
        last.filter(|last| *last > nonce).ok_or(AddError::AccountLimit { pooled: self.txs.len() })
    }

    fn judge_funds(&self, new: &Checked, balance: U256) -> Result<(), AddError> {
        let cost = new.cost;
        let missing = |need: U256| need.saturating_sub(balance);
        if cost > balance {
            return Err(Overdraft::One { balance, cost, overshot: missing(cost) }.into());
        }
        let queued = self.spent;
        let replaced = self.txs.get(&new.nonce).filter(|_| new.nonce < self.next);
        if let Some(old) = replaced {
            let bump = cost.saturating_sub(old.cost);
            let overshot = missing(queued.saturating_add(bump));
            if !bump.is_zero() && !overshot.is_zero() {
                return Err(Overdraft::Bump { balance, queued, bump, overshot }.into());
            }
            return Ok(());
        }
        let overshot = missing(queued.saturating_add(cost));
        if !overshot.is_zero() {
            return Err(Overdraft::All { balance, queued, cost, overshot }.into());
        }
        Ok(())
    }

    /// Puts an entry at its nonce; returns the one that was there. Its `queued_since` must agree with `pending`, which is
    /// for a nonce up to `next` only.
    pub(crate) fn put(&mut self, nonce: u64, entry: Entry, pending: bool) -> Option<Entry> {
        self.dearest = self.dearest.max(entry.cost);
        if pending {
            self.spent = self.spent.saturating_add(entry.cost);
        }
        let old = self.txs.insert(nonce, entry);
        match &old {
            Some(old) if nonce < self.next => self.spent = self.spent.saturating_sub(old.cost),
            _ if pending && nonce == self.next => self.next += 1,
            _ => {}
        }
        old
    }

    /// Turns queued transactions without a gap before them into pending ones, as far as the balance reaches; returns them.
    pub(crate) fn promote(&mut self, waiting: &mut Waiting) -> Vec<Entry> {
        let mut promoted = Vec::new();
        while let Some(entry) = self.txs.get_mut(&self.next) {
            let spent = self.spent.saturating_add(entry.cost);
            if spent > self.balance {
                break;
            }
            if let Some(since) = entry.queued_since.take() {
                waiting.remove(&(since, entry.id));
            }
            self.spent = spent;
            self.next += 1;
            promoted.push(entry.clone());
        }
        promoted
    }

    /// The first pending nonce that the balance does not reach for, together with those before it.
    pub(crate) fn unfunded(&self) -> Option<u64> {
        if self.spent <= self.balance {
            return None;
        }
        let mut spent = U256::ZERO;
        let mut pending = self.txs.range(self.nonce..self.next);
        let overdrawn = pending.find(|(_, entry)| {
            spent = spent.saturating_add(entry.cost);
            spent > self.balance
        });
        overdrawn.map(|(nonce, _)| *nonce)
    }

    /// Turns pending transactions from `from` on into queued ones; returns them.
    pub(crate) fn demote(&mut self, from: u64, now: Instant, waiting: &mut Waiting) -> Vec<Entry> {
        let mut demoted = Vec::new();
        if from >= self.next {
            return demoted;
        }
        for (nonce, entry) in self.txs.range_mut(from..self.next) {
            entry.queued_since = Some(now);
            waiting.insert((now, entry.id), (entry.tx.sender(), *nonce));
            self.spent = self.spent.saturating_sub(entry.cost);
            demoted.push(entry.clone());
        }
        self.next = from;
        demoted
    }

    /// Makes the last pending transaction, whose nonce is `nonce`, count as pending no more. It is about to leave.
    pub(crate) fn retreat(&mut self, nonce: u64) {
        if let Some(entry) = self.txs.get(&nonce) {
            self.spent = self.spent.saturating_sub(entry.cost);
        }
        self.next = nonce;
    }

    /// Moves to the account's new, higher nonce; returns what was below it.
    pub(crate) fn forward(&mut self, nonce: u64) -> Vec<Entry> {
        let mut below = Vec::new();
        while let Some(first) = self.txs.first_entry()
            && *first.key() < nonce
        {
            let (old, entry) = first.remove_entry();
            if old < self.next {
                self.spent = self.spent.saturating_sub(entry.cost);
            }
            below.push(entry);
        }
        self.nonce = nonce;
        self.next = self.next.max(nonce);
        below
    }
}
