//! What the node's operator chooses, and what the chain dictates.

use std::time::Duration;

/// Gas that one transaction may ask for: 2^24 (EIP-7825).
pub const TX_GAS_CAP: u64 = 1 << 24;

/// Bytes of creation code that one transaction may carry: twice the code size limit (EIP-3860).
pub const MAX_INITCODE_BYTES: usize = 2 * 24_576;

/// Limits of this node's pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Transactions in total.
    pub max_txs: usize,
    /// Memory of all transactions, in bytes, estimated as twice their encoding plus a fixed share.
    pub max_bytes: usize,
    /// Transactions of one account, pending and queued. High by default: a dev chain is hammered from few accounts.
    pub max_per_account: usize,
    /// Queued transactions of one account.
    pub max_queued_per_account: usize,
    /// How long a transaction may wait behind a nonce gap.
    pub queued_lifetime: Duration,
    /// By how many percent both fees must rise for a transaction to take the place of one with its nonce.
    pub price_bump_percent: u64,
    /// Least priority fee per gas, wei.
    pub min_tip_wei: u128,
    /// Takes transactions that any chain would (no chain id, before EIP-155). Deterministic deployers rely on them.
    pub allow_unprotected: bool,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_txs: 200_000,
            max_bytes: 512 << 20,
            max_per_account: 20_000,
            max_queued_per_account: 4_096,
            queued_lifetime: Duration::from_secs(3 * 60 * 60),
            price_bump_percent: 10,
            min_tip_wei: 0,
            allow_unprotected: true,
        }
    }
}

/// What the chain dictates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolEnv {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas limit of blocks.
    pub block_gas_limit: u64,
}
