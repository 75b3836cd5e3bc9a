//! Taking a transaction in.

use std::{sync::Arc, time::Instant};

use chlom_primitives::Tx;
use chlom_state::Account;

use super::{Entry, Leaving, Table, sender::Sender};
use crate::{admission::Checked, error::AddError};

impl Table {
    /// Takes a transaction whose sender's account is `account`. What became pending by it, itself included, goes to
    /// `fresh`.
    pub(crate) fn insert(
        &mut self,
        new: Checked,
        account: &Account,
        now: Instant,
        fresh: &mut Vec<Arc<Tx>>,
    ) -> Result<(), AddError> {
        if self.by_hash.contains_key(&new.hash) {
            return Err(AddError::AlreadyKnown);
        }
        self.catch_up(&new, account, now, fresh);
        let (balance, config) = (account.balance, &self.config);
        let place = match self.senders.get(&new.sender) {
            Some(sender) => sender.judge(&new, account.nonce, balance, config)?,
            None => Sender::new(account.nonce).judge(&new, account.nonce, balance, config)?,
        };
        self.make_room(&new, &place, now)?;
        if let Some(last) = place.displaces {
            self.take(&new.sender, last, Leaving::Evicted, now);
        }
        self.put(new, account.nonce, now, fresh);
        Ok(())
    }

    /// When an account's nonce passed everything pending here, a block that this pool has not seen yet, or somebody
    /// else's transaction (EIP-7702 raises nonces), moved it.
    fn catch_up(&mut self, new: &Checked, account: &Account, now: Instant, fresh: &mut Vec<Arc<Tx>>) {
        let behind = |sender: &Sender| sender.next < account.nonce;
        if self.senders.get(&new.sender).is_some_and(behind) {
            self.settle(&new.sender, account, now, fresh);
        }
    }

    fn put(&mut self, new: Checked, state_nonce: u64, now: Instant, fresh: &mut Vec<Arc<Tx>>) {
        let Checked { tx, hash, sender: address, nonce, price, cost, weight } = new;
        let sender = self.senders.entry(address).or_insert_with(|| Sender::new(state_nonce));
        let pending = nonce <= sender.next;
        let id = self.next_id;
        self.next_id += 1;
        let queued_since = (!pending).then_some(now);
        if pending {
            fresh.push(tx.clone());
        } else {
            self.waiting.insert((now, id), (address, nonce));
        }
        self.by_hash.insert(hash, tx.clone());
        self.weight += weight;
        self.raw_bytes += tx.raw().len() as u64;
        let entry = Entry { tx, hash, id, price, cost, weight, queued_since };
        Self::rank_all(&mut self.ranking, std::slice::from_ref(&entry), self.base_fee, pending);
        let old = sender.put(nonce, entry);
        let promoted = sender.promote(&mut self.waiting);
        Self::rank_all(&mut self.ranking, &promoted, self.base_fee, true);
        fresh.extend(promoted.into_iter().map(|entry| entry.tx));
        if let Some(old) = old {
            self.forget(&old);
            self.counts.replaced += 1;
        }
        self.counts.added += 1;
        self.publish_head(&address);
    }
}
