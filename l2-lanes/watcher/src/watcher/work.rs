//! The next step of each batch.

use std::time::Instant;

use alloy_primitives::{B256, U256, keccak256};
use chlom_client::{
    ClientError, Signer,
    lanes::{
        batches::{self, Status},
        registry,
    },
};

use super::{FIRST_RETRY, LAST_RETRY, Retry, Watcher, over_by};
use crate::{
    WatchError,
    check::{self, Judgement},
    fetch::fetch,
    follow::Block,
    punish::{self, Outcome},
    store::{BatchRecord, Case, Stage, files::KeptBlob},
};

impl Watcher {
    /// Frauds first, then one batch that is not judged yet, then heartbeats. Whether there is more to do at once.
    pub(super) fn work(&mut self, head: &Block) -> Result<bool, WatchError> {
        let mut moved = false;
        for record in self.due(|stage| matches!(stage, Stage::Wrong(_))) {
            let Stage::Wrong(case) = &record.stage else { continue };
            let done = self.punish(head, &record, case);
            moved |= self.settle(&record, done)?;
        }
        if let Some(record) = self.due(|stage| matches!(stage, Stage::Seen | Stage::Fetched)).first() {
            let done = self.judge(record);
            moved |= self.settle(record, done)?;
        }
        moved |= self.heartbeat();
        Ok(moved)
    }

    /// Batches at a stage whose time has come, by order.
    fn due(&self, at: impl Fn(&Stage) -> bool) -> Vec<BatchRecord> {
        let now = Instant::now();
        let waits = |order: &u64| self.retries.get(order).is_some_and(|retry| retry.at > now);
        let due = self.open.iter().filter(|(order, record)| at(&record.stage) && !waits(order));
        due.map(|(_, record)| record.clone()).collect()
    }

    /// A step of one batch that failed is tried again later, and stops no other.
    fn settle(&mut self, record: &BatchRecord, done: Result<bool, WatchError>) -> Result<bool, WatchError> {
        match done {
            Ok(moved) => {
                if moved {
                    self.retries.remove(&record.order);
                }
                Ok(moved)
            }
            Err(error) if error.is_final() => Err(error),
            Err(error @ (WatchError::Store { .. } | WatchError::Io { .. })) => Err(error),
            Err(error) => {
                tracing::warn!(batch = %record.root, stage = record.word(), %error, "tried again later");
                self.health.count(|counts| counts.failures += 1);
                self.later(record.order);
                Ok(false)
            }
        }
    }

    fn later(&mut self, order: u64) {
        let pause = self.retries.get(&order).map_or(FIRST_RETRY, |last| (last.pause * 2).min(LAST_RETRY));
        self.retries.insert(order, Retry { at: Instant::now() + pause, pause });
    }

    /// From seen to fetched to right or wrong.
    fn judge(&mut self, record: &BatchRecord) -> Result<bool, WatchError> {
        let header = check::decode(record)?;
        let kept = match self.store.blob(&record.root, header.blob.rows.data())? {
            Some(kept) if record.stage == Stage::Fetched => kept,
            _ => {
                let kept = fetch(&self.chain, &record.root, &header)?;
                self.store.keep_blob(&record.root, &kept)?;
                self.save(BatchRecord { stage: Stage::Fetched, ..record.clone() })?;
                tracing::info!(batch = %record.root, bytes = kept.elements.len(), "fetched");
                kept
            }
        };
        let start = Instant::now();
        let judgement = self.judged_by_all(record, &kept)?;
        let ms = start.elapsed().as_millis() as u64;
        match judgement {
            Judgement::Right { again } => {
                tracing::info!(batch = %record.root, records = header.records, ms, "right");
                self.health.count(|counts| {
                    counts.right += 1;
                    counts.receipts += u64::from(header.records);
                });
                let right = BatchRecord { stage: Stage::Right { told: false }, ..record.clone() };
                // What happened to it on chain before it was judged was no news to anybody.
                let status = Status::of(&batches::batch(&self.chain, record.root)?);
                self.save(over_by(&right, status).unwrap_or(right))?;
                self.again(&again)?;
            }
            Judgement::Wrong { kind, what, proof } => {
                tracing::error!(batch = %record.root, order = record.order, %what, ms, "FRAUD");
                self.health.count(|counts| counts.wrong += 1);
                self.store.keep_proof(&record.root, &proof)?;
                let case = Case { kind, what, salt: punish::salt()?, proof: keccak256(&proof) };
                self.save(BatchRecord { stage: Stage::Wrong(case), ..record.clone() })?;
            }
        }
        Ok(true)
    }

    /// One node that hides a fraud is found out by another that does not. Upholds [WAT-6].
    fn judged_by_all(&self, record: &BatchRecord, kept: &KeptBlob) -> Result<Judgement, WatchError> {
        for witness in &self.witnesses {
            let judgement = check::check(witness, &self.store, record, kept)?;
            if matches!(judgement, Judgement::Wrong { .. }) {
                return Ok(judgement);
            }
        }
        check::check(&self.chain, &self.store, record, kept)
    }

    /// Later batches that have a receipt of one that came only now.
    fn again(&mut self, orders: &[u64]) -> Result<(), WatchError> {
        for order in orders {
            let found = self.open.get(order).filter(|record| matches!(record.stage, Stage::Right { .. }));
            if let Some(record) = found.cloned() {
                tracing::warn!(batch = %record.root, "a receipt of it is in an earlier batch that came later");
                self.save(BatchRecord { stage: Stage::Fetched, ..record })?;
            }
        }
        Ok(())
    }

    fn punish(&mut self, head: &Block, record: &BatchRecord, case: &Case) -> Result<bool, WatchError> {
        let Some(signer) = &self.signer else {
            self.health
                .trouble("sending", Some("a fraud was found, and there is no key to prove it with".into()));
            self.later(record.order);
            return Ok(false);
        };
        let outcome = match punish::act(&self.chain, &self.store, head, record, case, signer) {
            Ok(outcome) => outcome,
            Err(error) => {
                let what = format!("batch {} is wrong and cannot be challenged: {error}", record.root);
                self.health.trouble("sending", Some(what));
                return Err(error);
            }
        };
        if outcome != Outcome::Refused {
            self.health.trouble("sending", None);
        }
        match outcome {
            Outcome::Moved => Ok(true),
            Outcome::Waiting => Ok(false),
            Outcome::Refused => self.reconsider(record),
            Outcome::Void(reward) => self.close(record, reward),
            Outcome::Missed => self.missed(record, case),
        }
    }

    /// The chain refused. While the batch is open it may have become right: an allowance can only grow. So it is judged anew.
    fn reconsider(&mut self, record: &BatchRecord) -> Result<bool, WatchError> {
        self.later(record.order);
        let is_open = Status::of(&batches::batch(&self.chain, record.root)?) == Status::Open;
        let header = check::decode(record)?;
        let kept = self.store.blob(&record.root, header.blob.rows.data())?;
        let (true, Some(kept)) = (is_open, kept) else { return Ok(false) };
        if let Judgement::Right { .. } = self.judged_by_all(record, &kept)? {
            tracing::info!(batch = %record.root, "right by now");
            self.save(BatchRecord { stage: Stage::Right { told: false }, ..record.clone() })?;
            return Ok(true);
        }
        Ok(false)
    }

    fn close(&mut self, record: &BatchRecord, reward: Option<U256>) -> Result<bool, WatchError> {
        tracing::info!(batch = %record.root, reward = ?reward, "void");
        let wei = reward.map_or(0, |wei| wei.saturating_to::<u128>());
        self.health.count(|counts| counts.rewards += wei);
        let reward = reward.map(|wei| wei.to_string());
        self.save(BatchRecord { stage: Stage::Void { reward }, ..record.clone() })?;
        self.store.forget_files(&record.root)?;
        Ok(true)
    }

    fn missed(&mut self, record: &BatchRecord, case: &Case) -> Result<bool, WatchError> {
        let what = format!("batch {} is wrong ({}) and final: the chain pays it", record.root, case.what);
        self.health.trouble("missed", Some(what));
        self.health.count(|counts| counts.missed += 1);
        let header = check::decode(record)?;
        if let Some(kept) = self.store.blob(&record.root, header.blob.rows.data())? {
            check::index_final(&self.store, record, &kept)?;
        }
        self.save(BatchRecord { stage: Stage::Final { missed: true }, ..record.clone() })?;
        Ok(true)
    }

    /// Says on chain, once a lane, which batch was found right last ([PAY-9]). A heartbeat that fails is no trouble of its own.
    fn heartbeat(&mut self) -> bool {
        let untold = self.due(|stage| *stage == Stage::Right { told: false });
        let mut last: std::collections::BTreeMap<_, B256> = std::collections::BTreeMap::new();
        last.extend(untold.iter().map(|record| (record.lane, record.root)));
        if let Some(signer) = self.signer.as_ref().filter(|_| self.config.heartbeat && !last.is_empty())
            && let Err(error) = send_heartbeats(self, signer, &last)
        {
            tracing::warn!(%error, "a heartbeat was not taken");
            untold.iter().for_each(|record| self.later(record.order));
            return false;
        }
        let mut moved = false;
        for record in untold {
            let told = BatchRecord { stage: Stage::Right { told: true }, ..record };
            moved |= self.save(told).is_ok();
        }
        moved
    }
}

fn send_heartbeats(
    watcher: &Watcher,
    signer: &Signer,
    last: &std::collections::BTreeMap<chlom_lane::LaneId, B256>,
) -> Result<(), ClientError> {
    let requests: Vec<_> = last.iter().map(|(lane, root)| registry::heartbeat(*lane, *root)).collect();
    watcher.chain.send_all(signer, &requests).map(|_| ())
}
