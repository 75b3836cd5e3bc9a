//! The way in: judging, inserting, making durable.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use alloy_primitives::{Address, B256};
use chlom_primitives::Tx;
use chlom_state::{Account, StateReader};

use crate::{
    admission::{Checked, check, read_sender},
    error::AddError,
    journal::{Journal, JournalFailure, Record, Ticket},
    pool::Pool,
    table::{Gone, Leaving},
};

/// What became of the transactions of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Transactions that wait again.
    pub kept: usize,
    /// Transactions that the chain has moved past, or that have become impossible, with the reason.
    pub dropped: Vec<(B256, AddError)>,
}

/// What one call of `add_many` did to the table, until it is durable.
struct Batch {
    results: Vec<Result<B256, AddError>>,
    fresh: Vec<Arc<Tx>>,
    gone: Vec<Gone>,
    ticket: Option<Ticket>,
}

impl Pool {
    /// Takes one transaction. When it returns a hash and there is a journal, the transaction is on disk.
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn add(&self, tx: Arc<Tx>, state: &dyn StateReader) -> Result<B256, AddError> {
        self.add_many(vec![tx], state).pop().expect("add_many answers once for each transaction")
    }

    /// Takes many transactions, with one lock and one sync; the answers are in the order of the questions. A transaction
    /// may build on an earlier one of the same call.
    pub fn add_many(&self, txs: Vec<Arc<Tx>>, state: &dyn StateReader) -> Vec<Result<B256, AddError>> {
        let batch = self.insert(txs, state, true);
        let Batch { mut results, fresh, gone, ticket } = batch;
        if let (Some(journal), Some(ticket)) = (&self.shared.journal, ticket)
            && let Err(failure) = journal.commit(&ticket, &self.live())
        {
            self.undo(&mut results, gone, &failure);
        } else {
            self.shared.listeners.notify(&fresh);
        }
        let refused = results.iter().filter(|result| result.is_err()).count() as u64;
        self.shared.refused.fetch_add(refused, Ordering::Relaxed);
        results
    }

    /// Takes the journal's transactions back, without writing them again, and rewrites the journal with those that still
    /// can be included.
    ///
    /// # Errors
    /// When the journal cannot be rewritten; the transactions are back and the old journal still holds them.
    pub fn restore(&self, txs: Vec<Tx>, state: &dyn StateReader) -> Result<Restored, JournalFailure> {
        let hashes: Vec<_> = txs.iter().map(Tx::hash).collect();
        let batch = self.insert(txs.into_iter().map(Arc::new).collect(), state, false);
        let mut restored = Restored::default();
        for (hash, result) in hashes.into_iter().zip(batch.results) {
            match result {
                Ok(_) => restored.kept += 1,
                // A journal may hold a transaction twice.
                Err(AddError::AlreadyKnown) => {}
                Err(error) => restored.dropped.push((hash, error)),
            }
        }
        self.shared.listeners.notify(&batch.fresh);
        self.shared.restored.store(true, Ordering::Release);
        if let Some(journal) = &self.shared.journal {
            journal.rewrite(&self.live())?;
        }
        Ok(restored)
    }

    /// Judges and inserts; what needs no lock is done before it is taken.
    fn insert(&self, txs: Vec<Arc<Tx>>, state: &dyn StateReader, write: bool) -> Batch {
        let journal = self.shared.journal.as_ref().filter(|_| write);
        let healthy = journal.map_or(Ok(()), Journal::healthy);
        let mut accounts = HashMap::new();
        let known: Vec<_> = {
            let table = self.shared.table.read();
            txs.iter().map(|tx| table.get(&tx.hash()).is_some()).collect()
        };
        let judge = |(tx, known)| {
            healthy.clone()?;
            if known { Err(AddError::AlreadyKnown) } else { self.judge(tx, state, &mut accounts) }
        };
        let judged: Vec<_> = txs.into_iter().zip(known).map(judge).collect();
        let now = Instant::now();
        let (mut fresh, mut gone) = (Vec::new(), Vec::new());
        let mut records = Vec::new();
        let mut table = self.shared.table.write();
        let results = judged
            .into_iter()
            .map(|judged| {
                let (new, account) = judged?;
                let (hash, raw) = (new.hash, new.tx.raw().clone());
                table.insert(new, &account, now, &mut fresh, &mut gone)?;
                records.push(Record::Tx(raw));
                Ok(hash)
            })
            .collect();
        // Under the table's lock, so that the journal's order is that of arrival.
        let ticket = journal.filter(|_| !records.is_empty()).map(|journal| journal.enqueue(records));
        Batch { results, fresh, gone, ticket }
    }

    fn judge(
        &self,
        tx: Arc<Tx>,
        state: &dyn StateReader,
        accounts: &mut HashMap<Address, Account>,
    ) -> Result<(Checked, Account), AddError> {
        let checked = check(tx, &self.shared.env, &self.shared.config)?;
        if let Some(account) = accounts.get(&checked.sender) {
            return Ok((checked, *account));
        }
        let account = read_sender(&checked.sender, state)?;
        accounts.insert(checked.sender, account);
        Ok((checked, account))
    }

    /// The journal failed after the table took them: they go again, and what they drove out, which was acknowledged, comes
    /// back in the order of its arrival.
    fn undo(&self, results: &mut [Result<B256, AddError>], mut gone: Vec<Gone>, failure: &JournalFailure) {
        let now = Instant::now();
        let mut refused = HashSet::new();
        let mut table = self.shared.table.write();
        for result in results {
            if let Ok(hash) = result {
                refused.insert(*hash);
                table.remove(hash, Leaving::Undone, now);
                *result = Err(failure.clone().into());
            }
        }
        gone.sort_unstable_by_key(Gone::arrival);
        let mut back = Vec::new();
        for gone in gone {
            if refused.contains(&gone.hash()) {
                table.forget_gone(&gone);
                continue;
            }
            // Whoever listens has heard of it before.
            table.put_back(gone, now, &mut back);
        }
    }
}
