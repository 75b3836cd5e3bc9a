//! Taking a transaction in.

use std::{sync::Arc, time::Instant};

use chlom_primitives::Tx;
use chlom_state::Account;

use super::{Entry, Gone, Leaving, Table, sender::Sender};
use crate::{admission::Checked, error::AddError};

impl Table {
    /// Takes a transaction whose sender's account is `account`. What became pending by it, itself included, goes to
    /// `fresh`; what it drove out, to `gone`.
    pub(crate) fn insert(
        &mut self,
        new: Checked,
        account: &Account,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
        gone: &mut Vec<Gone>,
    ) -> Result<(), AddError> {
        if self.by_hash.contains_key(&new.hash) {
            return Err(AddError::AlreadyKnown);
        }
        let account = &self.as_of_now(&new.sender, account);
        self.catch_up(&new, account, now, fresh);
        let (balance, config) = (account.balance, &self.config);
        let place = match self.senders.get(&new.sender) {
            Some(sender) => sender.judge(&new, account.nonce, balance, config)?,
            None => Sender::new(account.nonce).judge(&new, account.nonce, balance, config)?,
        };
        self.make_room(&new, &place, now, gone)?;
        if let Some(last) = place.displaces {
            gone.extend(self.take(&new.sender, last, Leaving::Evicted, now));
        }
        let Checked { tx, hash, price, cost, weight, .. } = new;
        let id = self.next_id;
        self.next_id += 1;
        let entry = Entry { tx, hash, id, price, cost, weight, arrived: now, queued_since: None };
        gone.extend(self.put(entry, account, now, fresh));
        Ok(())
    }

    /// Takes back what was driven out by a transaction that is not here after all, with the rank of its arrival; what the
    /// chain or a later transaction has made impossible stays away.
    pub(crate) fn put_back(&mut self, gone: Gone, now: Instant, fresh: &mut Vec<Arc<Tx>>) {
        let Gone { entry, account, why } = gone;
        let (address, nonce) = (entry.tx.sender(), entry.tx.nonce());
        let sender = self.senders.get(&address);
        let stale = sender.is_some_and(|sender| nonce < sender.nonce || sender.txs.contains_key(&nonce));
        let full = self.by_hash.len() >= self.config.max_txs
            || self.weight + entry.weight > self.config.max_bytes
            || sender.is_some_and(|sender| sender.txs.len() >= self.config.max_per_account);
        if stale || full || self.by_hash.contains_key(&entry.hash) {
            return;
        }
        let account = sender.map_or(account, |sender| Account { balance: sender.balance, ..account });
        self.put(entry, &account, now, fresh);
        self.uncount(why);
    }

    /// Forgets that something that was never acknowledged came and was driven out.
    pub(crate) fn forget_gone(&mut self, gone: &Gone) {
        self.uncount(gone.why);
    }

    fn uncount(&mut self, why: Leaving) {
        self.counts.added -= 1;
        match why {
            Leaving::Replaced => self.counts.replaced -= 1,
            _ => self.counts.evicted -= 1,
        }
    }

    /// When an account's nonce passed everything pending here, a block that this pool has not seen yet, or somebody
    /// else's transaction (EIP-7702 raises nonces), moved it.
    fn catch_up(&mut self, new: &Checked, account: &Account, now: Instant, fresh: &mut Vec<Arc<Tx>>) {
        let behind = |sender: &Sender| sender.next < account.nonce;
        if self.senders.get(&new.sender).is_some_and(behind) {
            self.settle(&new.sender, account, now, fresh);
        }
    }

    fn put(
        &mut self,
        mut entry: Entry,
        account: &Account,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
    ) -> Option<Gone> {
        let (address, nonce) = (entry.tx.sender(), entry.tx.nonce());
        let sender = self.senders.entry(address).or_insert_with(|| Sender::new(account.nonce));
        sender.balance = account.balance;
        let pending = nonce < sender.next
            || (nonce == sender.next && sender.spent.saturating_add(entry.cost) <= sender.balance);
        entry.queued_since = (!pending).then_some(now);
        if pending {
            fresh.push(entry.tx.clone());
        } else {
            self.waiting.insert((now, entry.id), (address, nonce));
        }
        self.by_hash.insert(entry.hash, entry.tx.clone());
        self.weight += entry.weight;
        self.raw_bytes += entry.tx.raw().len() as u64;
        Self::rank_all(&mut self.ranking, std::slice::from_ref(&entry), self.base_fee, pending);
        let noted = entry.clone();
        let old = sender.put(nonce, entry, pending);
        let promoted = sender.promote(&mut self.waiting);
        let (nonce, balance) = (sender.nonce, sender.balance);
        Self::rank_all(&mut self.ranking, &promoted, self.base_fee, true);
        fresh.extend(promoted.into_iter().map(|entry| entry.tx));
        let gone = old.map(|entry| {
            self.forget(&entry);
            self.count(Leaving::Replaced);
            Gone { entry, account: Account { nonce, balance, ..Account::default() }, why: Leaving::Replaced }
        });
        self.note_arrival(&noted);
        self.counts.added += 1;
        self.publish_head(&address);
        gone
    }
}
