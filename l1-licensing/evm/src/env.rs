//! The environment of a block and the rules that it executes under.

use alloy_consensus::{Transaction, Typed2718};
use alloy_eips::eip7702::RecoveredAuthorization;
use alloy_primitives::{Address, B256, U256};
use chlom_primitives::{Params, Tx};
use revm::{
    context::{BlockEnv as EvmBlockEnv, CfgEnv, TxEnv, either::Either},
    context_interface::block::BlobExcessGasAndPrice,
    primitives::hardfork::SpecId,
};

/// The rules of user transactions. Pinned: revm's default moves with its releases. Upholds [EVM-1].
pub const SPEC: SpecId = SpecId::OSAKA;

/// What a block's transactions can see of their block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockEnv {
    /// Position in the chain.
    pub height: u64,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// The proposer's account; receives the tips [EVM-3].
    pub beneficiary: Address,
    /// Gas that the block's transactions may use together.
    pub gas_limit: u64,
    /// Burned for each gas, wei.
    pub base_fee: u64,
    /// The beacon's mix (`prevrandao`).
    pub mix_hash: B256,
    /// Hash of the block before; zero at height 0.
    pub parent_hash: B256,
}

/// Rules and chain id. RPC loosens copies of it (`disable_nonce_check` and the like) for calls and estimates.
pub fn cfg_env(params: &Params) -> CfgEnv {
    cfg_env_at(SPEC, params)
}

/// [`cfg_env`] for another fork, for tests against vectors of that fork.
pub(crate) fn cfg_env_at(spec: SpecId, params: &Params) -> CfgEnv {
    CfgEnv::new_with_spec(spec).with_chain_id(params.chain.evm_chain_id)
}

/// The block as revm takes it. Blocks carry no blobs: blob gas is 0, BLOBBASEFEE is the least price, 1 wei.
pub fn block_env(env: &BlockEnv) -> EvmBlockEnv {
    EvmBlockEnv {
        number: U256::from(env.height),
        beneficiary: env.beneficiary,
        timestamp: U256::from(env.timestamp),
        gas_limit: env.gas_limit,
        basefee: env.base_fee,
        difficulty: U256::ZERO,
        prevrandao: Some(env.mix_hash),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 }),
        slot_num: 0,
    }
}

/// The transaction as revm takes it; authorizations (EIP-7702) come with their authorities recovered. Upholds [EVM-5]. A plain transfer
/// allocates nothing here.
pub fn tx_env(tx: &Tx) -> TxEnv {
    let envelope = tx.envelope();
    TxEnv {
        tx_type: envelope.ty(),
        caller: tx.sender(),
        gas_limit: envelope.gas_limit(),
        gas_price: envelope.max_fee_per_gas(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: envelope.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: authorizations(tx).into_iter().map(Either::Right).collect(),
    }
}

/// Recovered on arrival for what is executed in blocks; now for what came another way (from the store, for a trace).
fn authorizations(tx: &Tx) -> Vec<RecoveredAuthorization> {
    match tx.authorizations() {
        Some(recovered) => recovered.to_vec(),
        None => chlom_crypto::recover_authorities(tx.envelope()),
    }
}
