//! Block 0: the allocation's state under a header that the rules give.

use std::sync::Arc;

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

/// Builds block 0. Every node with the same genesis file gets the same bytes. Upholds [BLK-1].
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
    let additions = Additions::empty();
    let header = rules::header(&env, &additions, &roots);
    Ok(ExecutedBlock {
        block: Arc::new(Block::seal(header, additions, Vec::new())),
        receipts: Arc::new(Vec::new()),
        diff,
        trie: updates,
    })
}
