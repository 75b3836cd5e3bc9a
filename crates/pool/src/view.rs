//! What others see of the pool.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::Address;
use chlom_primitives::Tx;

/// One account's transactions, by nonce.
pub type TxsByNonce = BTreeMap<u64, Arc<Tx>>;

/// How many wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Transactions that could be in the next block.
    pub pending: usize,
    /// Transactions behind a nonce gap.
    pub queued: usize,
}

/// Everything that waits, by sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Transactions that could be in the next block.
    pub pending: BTreeMap<Address, TxsByNonce>,
    /// Transactions behind a nonce gap.
    pub queued: BTreeMap<Address, TxsByNonce>,
}

/// Gauges and counters since the pool opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Pending transactions now.
    pub pending: usize,
    /// Queued transactions now.
    pub queued: usize,
    /// Accounts with transactions now.
    pub accounts: usize,
    /// Estimated memory of the transactions now, bytes.
    pub bytes: usize,
    /// Transactions taken, replacements included.
    pub added: u64,
    /// Transactions refused.
    pub refused: u64,
    /// Transactions that another with the same nonce replaced.
    pub replaced: u64,
    /// Transactions that left in a block.
    pub included: u64,
    /// Transactions that left because a block used their nonce for another.
    pub stale: u64,
    /// Transactions that left because their account can no longer pay.
    pub unpayable: u64,
    /// Transactions that waited behind a gap for too long.
    pub expired: u64,
    /// Transactions that left for better ones because of a limit.
    pub evicted: u64,
    /// Transactions that somebody removed.
    pub removed: u64,
    /// Notifications that slow receivers lost.
    pub lost: u64,
    /// Size of the journal, bytes; 0 without one.
    pub journal_bytes: u64,
    /// Groups that the journal synced.
    pub journal_groups: u64,
    /// Times that the journal was rewritten with only what waits.
    pub journal_rewrites: u64,
}
