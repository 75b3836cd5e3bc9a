//! What a new head changes.

use std::{collections::HashMap, sync::Arc, time::Instant};

use alloy_primitives::Address;
use chlom_primitives::Tx;
use chlom_state::Account;

use super::{Leaving, Table};

/// Blocks that may come between reading a sender's account and taking its transaction in.
const REMEMBERED: usize = 8;

impl Table {
    /// An account as it was read, with the nonce that blocks since have given it: when they took all that its sender had
    /// here, nothing else in the pool knows.
    pub(super) fn as_of_now(&self, address: &Address, account: &Account) -> Account {
        let newest = self.moved.iter().rev().find_map(|nonces| nonces.get(address));
        let nonce = newest.map_or(account.nonce, |nonce| account.nonce.max(*nonce));
        Account { nonce, ..*account }
    }

    /// The accounts with transactions here whose state a block with these transactions changed in a way that matters.
    pub(crate) fn touched_by(&self, included: &[Arc<Tx>]) -> Vec<Address> {
        let senders = included.iter().map(|tx| tx.sender());
        let mut touched: Vec<_> = senders.filter(|sender| self.senders.contains_key(sender)).collect();
        touched.extend(&self.suspects);
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// Every account with transactions here.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.senders.keys().copied().collect()
    }

    /// Takes over a new head: `accounts` are those of [`Table::touched_by`] as they are after the block.
    pub(crate) fn advance(
        &mut self,
        included: &[Arc<Tx>],
        accounts: &HashMap<Address, Account>,
        base_fee: u64,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
    ) {
        let known = included.iter().filter(|tx| self.by_hash.contains_key(&tx.hash())).count() as u64;
        let stale_before = self.counts.stale;
        self.new_base_fee(base_fee);
        for (address, account) in accounts {
            self.settle(address, account, now, fresh);
        }
        for tx in included {
            // An account that came into the pool while the state was read: its nonce is known all the same.
            if self.senders.get(&tx.sender()).is_some_and(|sender| sender.nonce <= tx.nonce()) {
                self.forward(&tx.sender(), tx.nonce() + 1, fresh);
                // What it can pay for is known after the next block.
                self.suspect(tx.sender());
            }
        }
        // Of a sender's transactions, which stand in order, the last counts.
        self.moved.push_back(included.iter().map(|tx| (tx.sender(), tx.nonce().saturating_add(1))).collect());
        if self.moved.len() > REMEMBERED {
            self.moved.pop_front();
        }
        self.counts.included += known;
        self.counts.stale = stale_before + (self.counts.stale - stale_before).saturating_sub(known);
        self.expire(now);
    }

    /// Takes over a head that may be older: every account is read anew, in both directions.
    pub(crate) fn rebase(
        &mut self,
        accounts: &HashMap<Address, Account>,
        base_fee: u64,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
    ) {
        self.new_base_fee(base_fee);
        self.moved.clear();
        for (address, account) in accounts {
            self.settle(address, account, now, fresh);
        }
    }

    fn new_base_fee(&mut self, base_fee: u64) {
        self.base_fee = base_fee;
        self.ranking = None;
        self.suspects.clear();
    }

    /// Fits one account's transactions to its state.
    pub(super) fn settle(
        &mut self,
        address: &Address,
        account: &Account,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
    ) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        sender.balance = account.balance;
        if account.nonce < sender.nonce {
            let demoted = sender.demote(sender.nonce, now, &mut self.waiting);
            (sender.nonce, sender.next) = (account.nonce, account.nonce);
            Self::rank_all(&mut self.ranking, &demoted, self.base_fee, false);
        }
        self.forward(address, account.nonce, fresh);
        self.drop_unpayable(address, account, now);
        self.queue_unfunded(address, now);
        self.publish_head(address);
    }

    /// Moves an account to its nonce: drops what is below, promotes what follows.
    fn forward(&mut self, address: &Address, nonce: u64, fresh: &mut Vec<Arc<Tx>>) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        let gone = sender.forward(nonce);
        let promoted = sender.promote(&mut self.waiting);
        Self::rank_all(&mut self.ranking, &promoted, self.base_fee, true);
        fresh.extend(promoted.into_iter().map(|entry| entry.tx));
        for entry in &gone {
            self.forget(entry);
            self.counts.stale += 1;
        }
        self.publish_head(address);
    }

    /// Drops transactions that cost more than the account has, each by itself.
    fn drop_unpayable(&mut self, address: &Address, account: &Account, now: Instant) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        if sender.dearest <= account.balance {
            return;
        }
        let too_dear = sender.txs.iter().filter(|(_, entry)| entry.cost > account.balance);
        let nonces: Vec<_> = too_dear.map(|(nonce, _)| *nonce).collect();
        let left = sender.txs.values().map(|entry| entry.cost).filter(|cost| *cost <= account.balance);
        sender.dearest = left.max().unwrap_or_default();
        for nonce in nonces.into_iter().rev() {
            self.take(address, nonce, Leaving::Unpayable, now);
        }
    }

    /// Queues pending transactions from the first on that the account cannot pay for together with those before it: they
    /// would only be refused by the builder.
    fn queue_unfunded(&mut self, address: &Address, now: Instant) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        let Some(from) = sender.unfunded() else { return };
        let demoted = sender.demote(from, now, &mut self.waiting);
        Self::rank_all(&mut self.ranking, &demoted, self.base_fee, false);
    }

    fn expire(&mut self, now: Instant) {
        self.expire_queued(now);
        self.expire_all(now);
    }

    /// Drops what has been here too long, pending or not.
    fn expire_all(&mut self, now: Instant) {
        while let Some((arrived, id, address, nonce)) = self.arrivals.front().copied() {
            if now.saturating_duration_since(arrived) < self.config.lifetime {
                return;
            }
            self.arrivals.pop_front();
            if self.is_there(id, &address, nonce) {
                self.take(&address, nonce, Leaving::Expired, now);
            }
        }
    }

    fn expire_queued(&mut self, now: Instant) {
        while let Some(((since, _), (address, nonce))) = self.waiting.first_key_value() {
            if now.saturating_duration_since(*since) < self.config.queued_lifetime {
                return;
            }
            let (address, nonce) = (*address, *nonce);
            self.take(&address, nonce, Leaving::Expired, now);
        }
    }
}
