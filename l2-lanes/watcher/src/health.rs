//! What a watcher says of itself: how far it is, what it found, and why nobody should rely on it now. Upholds [WAT-9].

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::store::{BatchRecord, Stage};

/// Batches that are over which a report still names.
const MOST_OVER: usize = 50;

/// What is counted from the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Batches found right.
    pub right: u64,
    /// Batches found wrong.
    pub wrong: u64,
    /// Receipts of batches found right.
    pub receipts: u64,
    /// Rewards, in wei of CHM; far below 2^128. In JSON as a decimal string: other readers' numbers are shorter.
    #[serde(with = "decimal")]
    pub rewards: u128,
    /// Frauds that became final.
    pub missed: u64,
    /// Questions that a node did not answer.
    pub failures: u64,
}

mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u128, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A batch as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownBatch {
    /// keccak256 of its header.
    pub root: alloy_primitives::B256,
    /// Its place among all.
    pub order: u64,
    /// Its lane.
    pub lane: alloy_primitives::Address,
    /// Its period.
    pub period: u32,
    /// Its number there.
    pub number: u32,
    /// Second at which its window closes.
    pub closes_at: u64,
    /// `seen`, `fetched`, `right`, `wrong`, `void`, `final`.
    pub stage: String,
    /// The fraud that was found.
    pub fraud: Option<String>,
    /// What this watcher was paid, wei.
    pub reward: Option<String>,
}

impl From<&BatchRecord> for ShownBatch {
    fn from(record: &BatchRecord) -> Self {
        let (fraud, reward) = match &record.stage {
            Stage::Wrong(case) => (Some(case.what.clone()), None),
            Stage::Void { reward } => (None, reward.clone()),
            _ => (None, None),
        };
        Self {
            root: record.root,
            order: record.order,
            lane: record.lane,
            period: record.period,
            number: record.number,
            closes_at: record.closes_at,
            stage: record.word().into(),
            fraud,
            reward,
        }
    }
}

/// `/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `ok` or `unhealthy`.
    pub status: String,
    /// Why it is not well: `blind`, `behind`, `missed`, `sending`, `store`, with what happened.
    pub troubles: BTreeMap<String, String>,
    /// The node's head.
    pub head: u64,
    /// Up to where all events are known.
    pub reached: u64,
    /// What was counted.
    pub counts: Counts,
    /// Batches that are open, and the last that are over.
    pub batches: Vec<ShownBatch>,
}

#[derive(Debug)]
struct Inner {
    troubles: BTreeMap<&'static str, String>,
    looked: Instant,
    moved: Instant,
    head: u64,
    reached: u64,
    counts: Counts,
    open: Vec<ShownBatch>,
    over: Vec<ShownBatch>,
}

/// Shared between the loop and whoever asks.
#[derive(Debug)]
pub struct Health {
    /// Without a look or a new block for so long the watcher is blind.
    stale_after: Duration,
    inner: Mutex<Inner>,
}

impl Health {
    /// Of a watcher that begins now.
    pub fn new(stale_after: Duration) -> Self {
        let now = Instant::now();
        let inner = Inner {
            troubles: BTreeMap::new(),
            looked: now,
            moved: now,
            head: 0,
            reached: 0,
            counts: Counts::default(),
            open: Vec::new(),
            over: Vec::new(),
        };
        Self { stale_after, inner: Mutex::new(inner) }
    }

    /// Says that the node answered.
    pub fn looked(&self, head: u64, reached: u64) {
        let mut inner = self.inner.lock();
        inner.looked = Instant::now();
        if head != inner.head {
            inner.moved = inner.looked;
        }
        (inner.head, inner.reached) = (head, reached);
    }

    /// Counts.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.inner.lock().counts);
    }

    /// Says what is wrong of a kind, or that nothing is any more. What is new is logged.
    pub fn trouble(&self, kind: &'static str, what: Option<String>) {
        let mut inner = self.inner.lock();
        match what {
            Some(what) => {
                if inner.troubles.insert(kind, what.clone()).as_ref() != Some(&what) {
                    tracing::error!(kind, %what, "ALARM");
                }
            }
            None => {
                if inner.troubles.remove(kind).is_some() {
                    tracing::info!(kind, "alarm is over");
                }
            }
        }
    }

    /// Says which batches are open.
    pub fn open(&self, records: impl Iterator<Item = ShownBatch>) {
        self.inner.lock().open = records.collect();
    }

    /// Says that a batch is over.
    pub fn over(&self, record: ShownBatch) {
        let mut inner = self.inner.lock();
        inner.over.retain(|old| old.order != record.order);
        inner.over.push(record);
        let surplus = inner.over.len().saturating_sub(MOST_OVER);
        inner.over.drain(..surplus);
    }

    /// Why nobody should rely on this watcher now.
    pub fn troubles(&self) -> BTreeMap<String, String> {
        let inner = self.inner.lock();
        let mut all: BTreeMap<String, String> =
            inner.troubles.iter().map(|(kind, what)| ((*kind).into(), what.clone())).collect();
        let (looked, moved) = (inner.looked.elapsed(), inner.moved.elapsed());
        let stale = if looked > self.stale_after {
            Some(format!("the node has not answered for {} s", looked.as_secs()))
        } else if moved > self.stale_after {
            Some(format!("the node has shown no new block for {} s", moved.as_secs()))
        } else {
            None
        };
        if let Some(stale) = stale {
            all.entry("blind".into()).or_insert(stale);
        }
        all
    }

    /// All of it.
    pub fn report(&self) -> Report {
        let troubles = self.troubles();
        let inner = self.inner.lock();
        Report {
            status: if troubles.is_empty() { "ok" } else { "unhealthy" }.into(),
            troubles,
            head: inner.head,
            reached: inner.reached,
            counts: inner.counts,
            batches: inner.over.iter().chain(&inner.open).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wat_9_a_watcher_is_blind_when_no_block_comes() {
        let health = Health::new(Duration::from_secs(3_600));
        health.looked(7, 7);
        assert!(health.troubles().is_empty());
        let health = Health::new(Duration::ZERO);
        health.looked(7, 7);
        assert!(health.troubles()["blind"].contains("no"), "{:?}", health.troubles());
    }

    #[test]
    fn wat_9_an_alarm_stands_until_it_is_over() {
        let health = Health::new(Duration::from_secs(3_600));
        health.trouble("behind", Some("batch 3".into()));
        let report = health.report();
        assert_eq!((report.status.as_str(), report.troubles["behind"].as_str()), ("unhealthy", "batch 3"));
        health.trouble("behind", None);
        assert_eq!(health.report().status, "ok");
    }
}
