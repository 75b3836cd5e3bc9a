//! One block, from pool to disk.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, Bytes};
use chlom_app::{App, Base, TxSource};
use chlom_evm::TxInvalid;
use chlom_pool::{Best, Pool};
use chlom_primitives::{Block, Params, Receipt, Tx};
use chlom_store::{Commit, Store};

use crate::{attest::Attester, error::ChainError};

/// A block that is durable.
#[derive(Clone, Debug)]
pub struct Produced {
    /// The block.
    pub block: Arc<Block>,
    /// Its receipts.
    pub receipts: Arc<Vec<Receipt>>,
}

/// Everything that making a block needs.
pub(crate) struct Producer {
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) params: Arc<Params>,
    pub(crate) proposer: Address,
    pub(crate) attester: Attester,
}

/// The pool's best transactions as the application asks for them. What can never be valid leaves the pool.
struct FromPool<'p> {
    best: Best,
    pool: &'p Pool,
}

impl TxSource for FromPool<'_> {
    fn next(&mut self) -> Option<Arc<Tx>> {
        self.best.next()
    }

    fn refuse(&mut self, tx: &Arc<Tx>, why: Option<&TxInvalid>) {
        self.best.skip_sender(tx.sender());
        if let Some(why) = why {
            tracing::debug!(hash = %tx.hash(), sender = %tx.sender(), %why, "transaction left out");
            if !why.may_pass_later() {
                self.pool.remove(&tx.hash());
            }
        }
    }
}

impl Producer {
    /// Makes the block after the head at `time` and makes it durable.
    pub(crate) fn produce(&mut self, time: u64) -> Result<Produced, ChainError> {
        let started = Instant::now();
        let head = self.store.tip_view().ok_or(ChainError::Stopped)?;
        let base = Base { parent: head.block, state: head.state };
        let last_commit = self.attester.last_commit(base.parent.height(), &base.state);
        let base_fee = chlom_app::rules::next_base_fee(&base.parent.header, &self.params);
        let mut source = FromPool { best: self.pool.best(base_fee), pool: &self.pool };
        let deadline = started + Duration::from_millis(self.params.gas.build_budget_ms);
        let mut budget = || Instant::now() >= deadline;
        let proposal =
            self.app.prepare_proposal(&base, time, self.proposer, last_commit, &mut source, &mut budget)?;
        let finalized = self.app.finalize_block(&base, &proposal, &recover)?;
        let executed = finalized.executed;
        let produced = Produced { block: executed.block.clone(), receipts: executed.receipts.clone() };
        let executed_in = started.elapsed();
        self.store.commit(Commit {
            block: executed.block,
            receipts: executed.receipts,
            diff: executed.diff,
            trie: executed.trie,
        })?;
        self.after_commit(&produced, started, executed_in)?;
        Ok(produced)
    }

    fn after_commit(
        &self,
        produced: &Produced,
        started: Instant,
        executed_in: Duration,
    ) -> Result<(), ChainError> {
        let block = &produced.block;
        let head = self.store.head().ok_or(ChainError::Stopped)?;
        let next_base_fee = chlom_app::rules::next_base_fee(&block.header, &self.params);
        self.pool.on_block(&block.txs, &head.state, next_base_fee, Instant::now())?;
        tracing::info!(
            height = block.height(),
            hash = %block.hash,
            txs = block.txs.len(),
            gas = block.header.gas_used,
            base_fee = next_base_fee,
            execute_ms = executed_in.as_millis(),
            total_ms = started.elapsed().as_millis(),
            "block"
        );
        Ok(())
    }

    /// True when the pool holds a transaction that the next block could take.
    pub(crate) fn has_work(&self) -> Result<bool, ChainError> {
        let head = self.store.head().ok_or(ChainError::Stopped)?;
        let base_fee = chlom_app::rules::next_base_fee(&head.block.header, &self.params);
        Ok(self.pool.best(base_fee).next().is_some())
    }

    /// Height of the durable head.
    pub(crate) fn head_height(&self) -> Result<u64, ChainError> {
        Ok(self.store.head().ok_or(ChainError::Stopped)?.block.height())
    }

    /// Timestamp of the durable head, seconds.
    pub(crate) fn head_timestamp(&self) -> Result<u64, ChainError> {
        Ok(self.store.head().ok_or(ChainError::Stopped)?.block.header.timestamp)
    }

    /// Goes back to `height`; transactions of the undone blocks are not put back.
    pub(crate) fn rewind(&self, height: u64) -> Result<(), ChainError> {
        let oldest = self.store.oldest_history();
        if height < oldest {
            return Err(ChainError::HistoryGone { height, oldest });
        }
        self.store.rewind(height)?;
        let head = self.store.head().ok_or(ChainError::Stopped)?;
        let base_fee = chlom_app::rules::next_base_fee(&head.block.header, &self.params);
        self.pool.reset(&head.state, base_fee)?;
        Ok(())
    }
}

/// Recovery for entries that no pool recovered before.
fn recover(entries: &[Bytes]) -> Vec<Result<Tx, String>> {
    chlom_crypto::recover_batch(entries.to_vec())
        .into_iter()
        .map(|result| result.map_err(|error| error.to_string()))
        .collect()
}
