//! Why a batch does not go on.

use chlom_client::{ClientError, blobs::publish::PublishError};

use crate::StoreError;

/// Why a step was not done. What was done before stays; the same step can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// Another process leads.
    #[error("another process sequences lane {0}; stop it, or let it work")]
    Led(String),
    /// A batch is on its way already.
    #[error("batch {number} is {state}; publish and submit it first")]
    UnderWay {
        /// Its number within its period.
        number: u32,
        /// How far it is.
        state: &'static str,
    },
    /// The store counts in something else than the chain.
    #[error("lane {lane} is in {store} here and in {chain} on the chain; make it anew by `chlom lane init`")]
    Currency {
        /// The lane.
        lane: String,
        /// Here.
        store: String,
        /// There.
        chain: String,
    },
    /// Whoever signs is not who submits.
    #[error("{signer} does not submit to lane {lane}: {active} does")]
    NotActive {
        /// The lane.
        lane: String,
        /// Who signs here.
        signer: alloy_primitives::Address,
        /// Who is active.
        active: alloy_primitives::Address,
    },
    /// Too little stands behind the submitter.
    #[error(
        "{account} has {free} wei of free collateral, batch {number} locks {needed}: chlom lane collateral add"
    )]
    Collateral {
        /// The submitter.
        account: alloy_primitives::Address,
        /// What is free, wei.
        free: u128,
        /// What ten units are, wei.
        needed: alloy_primitives::U256,
        /// Number of the batch.
        number: u32,
    },
    /// The store has batches of another chain.
    #[error(
        "lane {lane} was batched for chain {known} here, and this is {here}: use another --rpc, or another data directory"
    )]
    Foreign {
        /// The lane.
        lane: String,
        /// Id and first block of the chain that the store's batches are on.
        known: String,
        /// Of the node's.
        here: String,
    },
    /// One batch after the other fails its own check.
    #[error(
        "one batch after the other failed its own check, the last because of {0}: is the node right, and this program its equal?"
    )]
    Wrong(String),
    /// What the outbox has cannot be read.
    #[error("batch {batch} of the outbox is damaged: {why}")]
    Damaged {
        /// Its number in the store.
        batch: i64,
        /// Why.
        why: String,
    },
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain's, or the node's.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The blob's.
    #[error(transparent)]
    Publish(#[from] PublishError),
}
