//! What the node's operator chooses, and what the chain dictates.

use std::time::Duration;

use chlom_primitives::Params;

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
    /// How long a transaction may wait behind a nonce gap, or for funds.
    pub queued_lifetime: Duration,
    /// How long any transaction may wait, since it came or the node started: one whose fees no block accepts does not stay
    /// for ever.
    pub lifetime: Duration,
    /// By how many percent both fees must rise for a transaction to take the place of one with its nonce.
    pub price_bump_percent: u64,
    /// Least fee cap per gas, wei; the chain's least base fee where absent, below which no block can include anything.
    pub min_fee_cap_wei: Option<u128>,
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
            lifetime: Duration::from_secs(24 * 60 * 60),
            price_bump_percent: 10,
            min_fee_cap_wei: None,
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
    /// Least base fee that a block can have, wei.
    pub min_base_fee: u64,
}

impl PoolEnv {
    /// What a chain with these parameters dictates.
    pub fn of(params: &Params) -> Self {
        Self {
            chain_id: params.chain.evm_chain_id,
            block_gas_limit: params.gas.block_gas_limit,
            min_base_fee: params.gas.min_base_fee_wei,
        }
    }
}
