//! What is kept of a batch.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

/// How far a watcher is with a batch.
///
/// `Seen → Fetched → Right | Wrong`, and then whatever the chain says. A fraud that was found is written down with its salt before
/// anything is sent, so that the commitment can be revealed by whoever starts next. Upholds [WAT-3].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// The chain accepted it; its blob is not here.
    Seen,
    /// Its blob is here, and is the one that was committed to.
    Fetched,
    /// It is right. `told` once a heartbeat said so.
    Right {
        /// Whether a heartbeat named it or a later one of the lane.
        told: bool,
    },
    /// A fraud was found, and its proof is on disk.
    Wrong(Case),
    /// Void, whoever proved it.
    Void {
        /// What this watcher was paid, wei in decimal digits; `None` when the reward was another's or nobody's.
        reward: Option<String>,
    },
    /// Final on chain.
    Final {
        /// Whether this watcher had found a fraud: then the chain paid what it should not.
        missed: bool,
    },
}

/// A fraud, as it is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its kind's number.
    pub kind: u8,
    /// What was found, for people.
    pub what: String,
    /// Of the commitment.
    pub salt: B256,
    /// keccak256 of the proof, which lies beside the blob.
    pub proof: B256,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// keccak256 of its header.
    pub root: B256,
    /// Its place among all that were accepted, from 1.
    pub order: u64,
    /// The lane.
    pub lane: Address,
    /// The period's code.
    pub period: u32,
    /// Its number in lane and period.
    pub number: u32,
    /// Its header, encoded.
    pub header: Bytes,
    /// Height of its acceptance.
    pub height: u64,
    /// The block's time, seconds.
    pub accepted_at: u64,
    /// Second at which its window closes.
    pub closes_at: u64,
    /// How far the watcher is.
    #[serde(flatten)]
    pub stage: Stage,
}

impl BatchRecord {
    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Void { .. } | Stage::Final { .. })
    }

    /// The stage in a word.
    pub fn word(&self) -> &'static str {
        match self.stage {
            Stage::Seen => "seen",
            Stage::Fetched => "fetched",
            Stage::Right { .. } => "right",
            Stage::Wrong(_) => "wrong",
            Stage::Void { .. } => "void",
            Stage::Final { .. } => "final",
        }
    }
}
