//! The pool, written so that it is plainly right: one list, searched and sorted at every question.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use alloy_consensus::Transaction;
use alloy_primitives::{Address, U256};
use chlom_primitives::Tx;
use chlom_state::{Account, MemoryState, StateReader};

use crate::{AddError, Overdraft, PoolConfig};

#[derive(Clone, Debug)]
struct Held {
    tx: Arc<Tx>,
    arrival: u64,
}

pub(super) struct Model {
    config: PoolConfig,
    held: Vec<Held>,
    /// Nonces as the pool last saw them, of accounts with transactions.
    nonces: BTreeMap<Address, u64>,
    /// First nonces that are not pending, and what the accounts had when last looked at.
    nexts: BTreeMap<Address, u64>,
    balances: BTreeMap<Address, U256>,
    base_fee: u64,
    arrivals: u64,
}

fn cost(tx: &Tx) -> U256 {
    let gas = U256::from(tx.envelope().gas_limit()) * U256::from(tx.envelope().max_fee_per_gas());
    gas.saturating_add(tx.envelope().value())
}

fn weight(tx: &Tx) -> usize {
    2 * tx.raw().len() + 1_024
}

fn fees(tx: &Tx) -> [u128; 2] {
    [tx.envelope().max_fee_per_gas(), tx.envelope().priority_fee_or_price()]
}

fn account(state: &MemoryState, who: &Address) -> Account {
    state.account(who).unwrap().unwrap_or_default()
}

impl Model {
    pub(super) fn new(config: PoolConfig) -> Self {
        Self {
            config,
            held: vec![],
            nonces: BTreeMap::new(),
            nexts: BTreeMap::new(),
            balances: BTreeMap::new(),
            base_fee: 0,
            arrivals: 0,
        }
    }

    fn at(&self, who: &Address, nonce: u64) -> Option<&Held> {
        self.held.iter().find(|held| held.tx.sender() == *who && held.tx.nonce() == nonce)
    }

    fn is_pending(&self, tx: &Tx) -> bool {
        tx.nonce() < self.nexts[&tx.sender()]
    }

    fn pending_cost(&self, who: Address) -> U256 {
        self.of(who).filter(|held| self.is_pending(&held.tx)).map(|held| cost(&held.tx)).sum()
    }

    /// Raises `next` as far as there are transactions and funds.
    fn promote(&mut self, who: Address) {
        while let Some(held) = self.at(&who, self.nexts[&who])
            && self.pending_cost(who) + cost(&held.tx) <= self.balances[&who]
        {
            *self.nexts.get_mut(&who).unwrap() += 1;
        }
    }

    /// Takes one out; those after it are not pending any more.
    fn drop_one(&mut self, who: Address, nonce: u64) {
        self.held.retain(|held| held.tx.sender() != who || held.tx.nonce() != nonce);
        let next = self.nexts.get_mut(&who).unwrap();
        *next = (*next).min(nonce);
    }

    fn of(&self, who: Address) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(move |held| held.tx.sender() == who)
    }

    pub(super) fn add(&mut self, tx: &Arc<Tx>, state: &MemoryState) -> Result<(), AddError> {
        let who = tx.sender();
        if self.held.iter().any(|held| held.tx.hash() == tx.hash()) {
            return Err(AddError::AlreadyKnown);
        }
        let state = account(state, &who);
        let from = self.nonces.get(&who).copied().unwrap_or(state.nonce);
        let next = self.nexts.get(&who).copied().unwrap_or(from);
        if tx.nonce() < state.nonce.max(from) {
            return Err(AddError::NonceTooLow { next: state.nonce.max(from), nonce: tx.nonce() });
        }
        let old = self.at(&who, tx.nonce()).cloned();
        self.judge_funds(tx, old.as_ref().filter(|_| tx.nonce() < next), next, state.balance)?;
        let mut displaced = None;
        if let Some(old) = &old {
            let bumped = |new: u128, old: u128| new > old && new * 100 >= old * 110 / 100 * 100;
            let (new, old) = (fees(tx), fees(&old.tx));
            if !bumped(new[0], old[0]) || !bumped(new[1], old[1]) {
                return Err(AddError::ReplacementUnderpriced);
            }
        } else {
            let pooled = self.of(who).count();
            let queued = self.of(who).filter(|held| held.tx.nonce() >= next).count();
            let crowded = pooled >= self.config.max_per_account
                || (tx.nonce() != next && queued >= self.config.max_queued_per_account);
            if crowded {
                let last = self.of(who).map(|held| held.tx.nonce()).max().unwrap();
                if last < tx.nonce() || last < next {
                    return Err(AddError::AccountLimit { pooled });
                }
                displaced = Some(last);
            }
        }
        self.make_room(tx, tx.nonce() <= next, old.as_ref(), displaced)?;
        let gone = |held: &Held| {
            let nonce = held.tx.nonce();
            held.tx.sender() == who && (nonce == tx.nonce() || Some(nonce) == displaced)
        };
        self.held.retain(|held| !gone(held));
        self.held.push(Held { tx: tx.clone(), arrival: self.arrivals });
        self.arrivals += 1;
        self.nonces.entry(who).or_insert(from);
        self.nexts.entry(who).or_insert(from);
        self.balances.insert(who, state.balance);
        self.promote(who);
        Ok(())
    }

    fn judge_funds(&self, tx: &Tx, old: Option<&Held>, next: u64, balance: U256) -> Result<(), AddError> {
        let cost_of = cost(tx);
        if cost_of > balance {
            return Err(Overdraft::One { balance, cost: cost_of, overshot: cost_of - balance }.into());
        }
        let pending = self.of(tx.sender()).filter(|held| held.tx.nonce() < next);
        let queued: U256 = pending.map(|held| cost(&held.tx)).sum();
        match old {
            Some(old) if cost_of > cost(&old.tx) => {
                let bump = cost_of - cost(&old.tx);
                let overshot = (queued + bump).saturating_sub(balance);
                if overshot.is_zero() {
                    return Ok(());
                }
                Err(Overdraft::Bump { balance, queued, bump, overshot }.into())
            }
            None if queued + cost_of > balance => {
                Err(Overdraft::All { balance, queued, cost: cost_of, overshot: queued + cost_of - balance }
                    .into())
            }
            _ => Ok(()),
        }
    }

    fn make_room(
        &mut self,
        tx: &Tx,
        pending: bool,
        old: Option<&Held>,
        displaced: Option<u64>,
    ) -> Result<(), AddError> {
        let grows = usize::from(old.is_none() && displaced.is_none());
        let mut txs = (self.held.len() + grows) as i64 - self.config.max_txs as i64;
        let bytes: usize = self.held.iter().map(|held| weight(&held.tx)).sum();
        let freed = old.map_or(0, |old| weight(&old.tx));
        let mut bytes = (bytes + weight(tx) - freed) as i64 - self.config.max_bytes as i64;
        let rank = |held: &Held| {
            (self.is_pending(&held.tx), held.tx.effective_tip(self.base_fee), Reverse(held.arrival))
        };
        let mut worst: Vec<_> = self.held.iter().map(|held| (rank(held), held.clone())).collect();
        worst.retain(|(_, held)| old.is_none_or(|old| old.arrival != held.arrival));
        worst.sort_by_key(|(rank, _)| *rank);
        let mut worst = worst.into_iter();
        let mut leaving = Vec::new();
        while txs > 0 || bytes > 0 {
            let ((is_pending, tip, _), held) = worst.next().ok_or(AddError::Full)?;
            match (is_pending, pending) {
                (false, true) => {}
                (true, false) => return Err(AddError::Full),
                (true, true) if held.tx.sender() == tx.sender() => return Err(AddError::Underpriced),
                _ if tx.effective_tip(self.base_fee) <= tip => return Err(AddError::Underpriced),
                _ => {}
            }
            (txs, bytes) = (txs - 1, bytes - weight(&held.tx) as i64);
            leaving.push((held.tx.sender(), held.tx.nonce()));
        }
        leaving.into_iter().for_each(|(who, nonce)| self.drop_one(who, nonce));
        self.forget_empty();
        Ok(())
    }

    fn forget_empty(&mut self) {
        let held = &self.held;
        let has = |who: &Address| held.iter().any(|held| held.tx.sender() == *who);
        self.nonces.retain(|who, _| has(who));
        self.nexts.retain(|who, _| has(who));
        self.balances.retain(|who, _| has(who));
    }

    /// Reads these accounts anew.
    pub(super) fn settle(&mut self, who: &[Address], state: &MemoryState) {
        for who in who {
            let Account { nonce, balance, .. } = account(state, who);
            self.held.retain(|held| {
                held.tx.sender() != *who || (held.tx.nonce() >= nonce && cost(&held.tx) <= balance)
            });
            self.nonces.insert(*who, nonce);
            self.nexts.insert(*who, nonce);
            self.balances.insert(*who, balance);
            self.promote(*who);
        }
        self.forget_empty();
    }

    pub(super) fn addresses(&self) -> Vec<Address> {
        self.nonces.keys().copied().collect()
    }

    pub(super) fn set_base_fee(&mut self, base_fee: u64) {
        self.base_fee = base_fee;
    }

    pub(super) fn expire(&mut self) {
        let pending: Vec<_> = self.held.iter().filter(|held| self.is_pending(&held.tx)).cloned().collect();
        self.held = pending;
        self.forget_empty();
    }

    pub(super) fn remove(&mut self, tx: &Tx) {
        self.drop_one(tx.sender(), tx.nonce());
        self.forget_empty();
    }

    pub(super) fn all(&self) -> Vec<Arc<Tx>> {
        self.held.iter().map(|held| held.tx.clone()).collect()
    }

    pub(super) fn next_nonce(&self, who: &Address) -> Option<u64> {
        self.nexts.get(who).copied()
    }

    /// (sender, nonce, pending) of everything.
    pub(super) fn content(&self) -> Vec<(Address, u64, bool)> {
        let line = |held: &Held| (held.tx.sender(), held.tx.nonce(), self.is_pending(&held.tx));
        let mut content: Vec<_> = self.held.iter().map(line).collect();
        content.sort_unstable();
        content
    }

    pub(super) fn best(&self, base_fee: u64) -> Vec<Arc<Tx>> {
        let mut nonces = self.nonces.clone();
        let mut best = Vec::new();
        loop {
            let pending = nonces.iter().filter(|(who, nonce)| **nonce < self.nexts[*who]);
            let heads = pending.filter_map(|(who, nonce)| self.at(who, *nonce));
            let payable = heads.filter_map(|held| Some((held.tx.effective_tip(base_fee)?, held)));
            let Some((_, first)) = payable.max_by_key(|(tip, held)| (*tip, Reverse(held.arrival))) else {
                return best;
            };
            *nonces.get_mut(&first.tx.sender()).unwrap() += 1;
            best.push(first.tx.clone());
        }
    }
}
