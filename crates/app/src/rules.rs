//! What each header field must be, given the parent. Chapter `spec/block.md`.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_primitives::{Address, B64, B256, Bloom, U256, b256, keccak256};
use chlom_chain::{
    staking::{self, StakingRead},
    votes::{self, Attested},
};
use chlom_evm::BlockEnv;
use chlom_primitives::{Additions, Block, Params};
use chlom_state::{StateError, StateReader};

/// `requestsHash` of no requests (EIP-7685): sha256 of nothing.
pub const EMPTY_REQUESTS_HASH: B256 =
    b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

/// The least gas that any transaction uses (EIP-2).
pub(crate) const LEAST_TX_GAS: u64 = 21_000;

/// The mix of the block at `height`. Upholds [BLK-7] until the VRF beacon exists.
pub fn next_mix(parent_mix: &B256, height: u64) -> B256 {
    let mut bytes = [0u8; 40];
    bytes[..32].copy_from_slice(parent_mix.as_slice());
    bytes[32..].copy_from_slice(&height.to_be_bytes());
    keccak256(bytes)
}

/// Seconds since 1970 of the block after `parent` when consensus time is `time`. Upholds [BLK-8]: strictly increasing.
pub fn next_timestamp(parent: &Header, time: u64) -> u64 {
    parent.timestamp.saturating_add(1).max(time)
}

/// The base fee of the block after `parent`, wei (EIP-1559 with CHLOM's parameters and a floor). Upholds [BLK-9].
pub fn next_base_fee(parent: &Header, params: &Params) -> u64 {
    let gas = &params.gas;
    let base = u128::from(parent.base_fee_per_gas.unwrap_or(gas.initial_base_fee_wei));
    let target = u128::from(parent.gas_limit / gas.elasticity.max(1)).max(1);
    let used = u128::from(parent.gas_used);
    let denominator = u128::from(gas.base_fee_change_denominator.max(1));
    let step = |distance: u128| base.saturating_mul(distance) / target / denominator;
    let next = if used > target {
        base.saturating_add(step(used.saturating_sub(target)).max(1))
    } else {
        base.saturating_sub(step(target.saturating_sub(used)))
    };
    u64::try_from(next).unwrap_or(u64::MAX).max(gas.min_base_fee_wei)
}

/// The environment of the block after `parent`.
pub fn next_env(
    parent_hash: B256,
    parent: &Header,
    params: &Params,
    time: u64,
    beneficiary: Address,
) -> BlockEnv {
    let height = parent.number.saturating_add(1);
    BlockEnv {
        height,
        timestamp: next_timestamp(parent, time),
        beneficiary,
        gas_limit: params.gas.block_gas_limit,
        base_fee: next_base_fee(parent, params),
        mix_hash: next_mix(&parent.mix_hash, height),
        parent_hash,
    }
}

/// What validators attested in a committed block; `before` is the state that it executed on.
///
/// # Errors
/// Faults of the state; additions that a committed block cannot have.
pub fn attested<S: StateReader + ?Sized>(block: &Block, before: &S) -> Result<Attested, StateError> {
    let set = staking::storage(before).current_set()?;
    let damaged = |why: String| StateError::Corrupt(format!("block {}: {why}", block.height()));
    let evidence = block.additions.evidence().ok_or_else(|| damaged("its additions are malformed".into()))?;
    votes::attested_by(&evidence, &set).map_err(|why| damaged(why.to_string()))
}

/// The environment that a committed block executed in.
pub fn env_of(header: &Header) -> BlockEnv {
    BlockEnv {
        height: header.number,
        timestamp: header.timestamp,
        beneficiary: header.beneficiary,
        gas_limit: header.gas_limit,
        base_fee: header.base_fee_per_gas.unwrap_or_default(),
        mix_hash: header.mix_hash,
        parent_hash: header.parent_hash,
    }
}

/// Roots and sums that execution yields.
pub(crate) struct Roots {
    pub(crate) state: B256,
    pub(crate) transactions: B256,
    pub(crate) receipts: B256,
    pub(crate) bloom: Bloom,
    pub(crate) gas_used: u64,
}

/// The only header that a block with this environment and these roots can have. Upholds [BLK-2].
pub(crate) fn header(env: &BlockEnv, additions: &Additions, roots: &Roots) -> Header {
    Header {
        state_root: roots.state,
        transactions_root: roots.transactions,
        receipts_root: roots.receipts,
        logs_bloom: roots.bloom,
        gas_used: roots.gas_used,
        ..unexecuted(env, additions)
    }
}

/// A header as far as it is known before execution; the rest is as in an empty block on empty state. Upholds [BLK-6].
pub fn unexecuted(env: &BlockEnv, additions: &Additions) -> Header {
    Header {
        parent_hash: env.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: env.beneficiary,
        difficulty: U256::ZERO,
        number: env.height,
        gas_limit: env.gas_limit,
        timestamp: env.timestamp,
        extra_data: additions.hash().0.into(),
        mix_hash: env.mix_hash,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(env.base_fee),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(gas_used: u64, base_fee: u64) -> Header {
        Header {
            gas_limit: 200_000_000,
            gas_used,
            base_fee_per_gas: Some(base_fee),
            timestamp: 100,
            ..Default::default()
        }
    }

    #[test]
    fn blk_9_a_full_block_raises_the_base_fee_by_one_in_64() {
        let params = Params::default();
        assert_eq!(next_base_fee(&parent(200_000_000, 6_400_000_000), &params), 6_500_000_000);
        assert_eq!(next_base_fee(&parent(100_000_000, 6_400_000_000), &params), 6_400_000_000);
        assert_eq!(next_base_fee(&parent(0, 6_400_000_000), &params), 6_300_000_000);
    }

    #[test]
    fn blk_9_the_base_fee_never_falls_below_its_floor() {
        let params = Params::default();
        assert_eq!(next_base_fee(&parent(0, 10_000_001), &params), 10_000_000);
        assert_eq!(next_base_fee(&parent(0, 10_000_000), &params), 10_000_000);
    }

    #[test]
    fn blk_9_a_base_fee_at_the_floor_still_rises() {
        let mut params = Params::default();
        params.gas.min_base_fee_wei = 1;
        assert_eq!(next_base_fee(&parent(200_000_000, 1), &params), 2);
    }

    #[test]
    fn blk_8_time_is_strictly_increasing() {
        assert_eq!(next_timestamp(&parent(0, 1), 50), 101);
        assert_eq!(next_timestamp(&parent(0, 1), 100), 101);
        assert_eq!(next_timestamp(&parent(0, 1), 200), 200);
    }
}
