//! Block 0: the allocation's state under a header that the rules give.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::{Address, B256};
use chlom_evm::{
    BlockEnv,
    genesis::{GenesisError, GenesisSpec},
};
use chlom_primitives::{
    Additions, Block,
    block::{receipts_root, transactions_root},
};
use chlom_state::{MemoryState, StateError, trie};

use crate::{
    ExecutedBlock,
    rules::{self, Roots},
};

/// Why there is no block 0.
#[derive(Debug, thiserror::Error)]
pub enum GenesisBlockError {
    /// The genesis file says something that cannot be.
    #[error(transparent)]
    Spec(#[from] GenesisError),
    /// Rooting failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Builds block 0. Every node with the same genesis file gets the same bytes, and other parameters or another state give
/// another block. Upholds [BLK-1] and [GEN-11].
///
/// # Errors
/// What is wrong with the specification.
pub fn block(spec: &GenesisSpec) -> Result<ExecutedBlock, GenesisBlockError> {
    let mut diff = spec.state()?;
    let updates = trie::apply(&MemoryState::default(), &mut diff)?;
    let env = BlockEnv {
        height: 0,
        timestamp: spec.timestamp,
        beneficiary: Address::ZERO,
        gas_limit: spec.params.gas.block_gas_limit,
        base_fee: spec.params.gas.initial_base_fee_wei,
        mix_hash: spec.mix_hash,
        parent_hash: B256::ZERO,
    };
    let (receipts_root, bloom) = receipts_root(&[]);
    let roots = Roots {
        state: updates.state_root,
        transactions: transactions_root(&[]),
        receipts: receipts_root,
        bloom,
        gas_used: 0,
    };
    let additions = Additions::genesis(&spec.params);
    let header = rules::header(&env, &additions, &roots);
    Ok(ExecutedBlock {
        block: Arc::new(Block::seal(header, additions, Vec::new())),
        receipts: Arc::new(Vec::new()),
        diff,
        trie: updates,
    })
}

/// In what two genesis blocks differ, `found` from `expected`, for whoever gave the wrong file: one line for each.
pub fn differences(found: &Block, expected: &Block) -> Vec<String> {
    let mut lines = Vec::new();
    let there: BTreeMap<String, u64> = found.additions.params().into_iter().flatten().collect();
    let here: BTreeMap<String, u64> = expected.additions.params().into_iter().flatten().collect();
    let shown = |value: Option<&u64>| value.map_or("absent".to_owned(), u64::to_string);
    for name in there.keys().chain(here.keys()).collect::<BTreeSet<_>>() {
        let (there, here) = (there.get(name), here.get(name));
        if there != here {
            lines.push(format!("{name} is {} there and {} here", shown(there), shown(here)));
        }
    }
    let (there, here) = (&found.header, &expected.header);
    if there.timestamp != here.timestamp {
        lines.push(format!("the timestamp is {} there and {} here", there.timestamp, here.timestamp));
    }
    if there.mix_hash != here.mix_hash {
        lines.push(format!("mixHash is {} there and {} here", there.mix_hash, here.mix_hash));
    }
    if there.state_root != here.state_root {
        lines.push("the allocation, the accounts or the validators differ".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use chlom_chain::staking::Validator;

    use super::*;

    fn spec() -> GenesisSpec {
        let account = Address::repeat_byte(7);
        let validator = Validator { consensus_key: B256::repeat_byte(1), account, power: 1 };
        GenesisSpec::dev([(account, U256::from(1_000))], vec![validator], 100)
    }

    fn block_of(change: impl FnOnce(&mut GenesisSpec)) -> Arc<Block> {
        let mut spec = spec();
        change(&mut spec);
        block(&spec).unwrap().block
    }

    #[test]
    fn gen_11_every_consensus_parameter_changes_the_hash_of_block_0_and_is_named() {
        type Change = fn(&mut GenesisSpec);
        let cases: [(&str, Change); 15] = [
            ("chain.evm_chain_id", |s| s.params.chain.evm_chain_id += 1),
            ("da.fee_update_rows", |s| s.params.da.fee_update_rows += 1),
            ("da.max_rows", |s| s.params.da.max_rows /= 2),
            ("da.max_rows_per_block", |s| s.params.da.max_rows_per_block += 1),
            ("da.min_fee_per_row_wei", |s| s.params.da.min_fee_per_row_wei += 1),
            ("da.retention_seconds", |s| s.params.da.retention_seconds += 1),
            ("da.target_rows_per_block", |s| s.params.da.target_rows_per_block += 1),
            ("gas.base_fee_change_denominator", |s| s.params.gas.base_fee_change_denominator += 1),
            ("gas.block_gas_limit", |s| s.params.gas.block_gas_limit += 1),
            ("gas.elasticity", |s| s.params.gas.elasticity += 1),
            ("gas.initial_base_fee_wei", |s| s.params.gas.initial_base_fee_wei += 1),
            ("gas.max_block_bytes", |s| s.params.gas.max_block_bytes += 1),
            ("gas.min_base_fee_wei", |s| s.params.gas.min_base_fee_wei += 1),
            ("staking.max_validators", |s| s.params.staking.max_validators += 1),
            ("staking.min_stake_clom", |s| s.params.staking.min_stake_clom += 1),
        ];
        let same = block_of(|_| {});
        assert_eq!(cases.map(|(name, _)| name), spec().params.consensus().map(|(name, _)| name));
        for (name, change) in cases {
            let other = block_of(change);
            assert_ne!(other.hash, same.hash, "{name}");
            let lines = differences(&same, &other);
            assert!(lines[0].starts_with(&format!("{name} is ")), "{lines:?}");
        }
    }

    #[test]
    fn gen_11_a_nodes_own_affairs_do_not_change_block_0() {
        let same = block_of(|_| {});
        let other = block_of(|s| {
            s.params.chain.block_time_ms += 1;
            s.params.gas.build_budget_ms += 1;
            s.params.state.history_heights += 1;
            s.params.state.proof_heights += 1;
        });
        assert_eq!(other.hash, same.hash);
        assert!(differences(&same, &other).is_empty());
    }

    #[test]
    fn another_state_time_or_mix_is_named_too() {
        let same = block_of(|_| {});
        let state = block_of(|s| s.alloc.clear());
        assert_eq!(differences(&same, &state), ["the allocation, the accounts or the validators differ"]);
        let time = block_of(|s| s.timestamp = 101);
        assert_eq!(differences(&same, &time)[0], "the timestamp is 100 there and 101 here");
        let mix = block_of(|s| s.mix_hash = B256::repeat_byte(9));
        assert!(differences(&same, &mix)[0].starts_with("mixHash is "));
    }
}
