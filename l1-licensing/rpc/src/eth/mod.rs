//! The `eth_` methods that ask the chain something. Those that send, sign or subscribe are elsewhere.
//!
//! - [`point`]: a block's name ([`block_id`]) to the block and the state behind it.
//! - [`json`], [`block_json`], [`transaction_json`], [`receipt_json`]: records to JSON text, without values in between.
//! - [`block`], [`account`], [`logs`] ([`filter`], [`log_texts`]), [`node`], [`fees`], [`fee_history`], [`pending`]:
//!   reads.
//! - [`stage`]: where calls execute, with [`overrides`], [`precompiles`] and [`code_cache`]; [`request`] and [`message`]:
//!   what they execute; [`outcome`]: what callers are told.
//! - [`call`], [`estimate`], [`access_list`], [`simulate`], [`fill`]: execution.

pub(crate) mod access_list;
pub(crate) mod account;
pub(crate) mod block;
pub(crate) mod block_id;
pub(crate) mod block_json;
pub(crate) mod call;
pub(crate) mod code_cache;
pub(crate) mod deadline;
pub(crate) mod estimate;
pub(crate) mod fee_history;
pub(crate) mod fees;
pub(crate) mod fill;
pub(crate) mod filter;
pub(crate) mod json;
pub(crate) mod log_texts;
pub(crate) mod logs;
pub(crate) mod message;
pub(crate) mod node;
pub(crate) mod outcome;
pub(crate) mod overrides;
pub(crate) mod pending;
pub(crate) mod point;
pub(crate) mod precompiles;
pub(crate) mod receipt_json;
pub(crate) mod request;
pub(crate) mod simulate;
pub(crate) mod stage;
pub(crate) mod transaction_json;

#[cfg(test)]
pub(crate) mod tests;

use crate::dispatch::{
    Class::{Heavy, Light},
    Row,
};

/// Every method of this module. What may have to build the pending block is heavy.
pub(crate) fn table() -> &'static [Row] {
    TABLE
}

const TABLE: &[Row] = &[
    ("eth_baseFee", Light, fees::base_fee),
    ("eth_blobBaseFee", Light, fees::blob_base_fee),
    ("eth_blockNumber", Light, node::block_number),
    ("eth_call", Heavy, call::call),
    ("eth_capabilities", Light, node::capabilities),
    ("eth_chainId", Light, node::chain_id),
    ("eth_coinbase", Light, node::coinbase),
    ("eth_config", Light, node::config),
    ("eth_createAccessList", Heavy, access_list::create_access_list),
    ("eth_estimateGas", Heavy, estimate::estimate_gas),
    ("eth_feeHistory", Heavy, fee_history::fee_history),
    ("eth_fillTransaction", Heavy, fill::fill_transaction),
    ("eth_gasPrice", Light, fees::gas_price),
    ("eth_getBalance", Light, account::get_balance),
    ("eth_getBlockAccessList", Light, block::block_access_list),
    ("eth_getBlockByHash", Heavy, block::get_block_by_hash),
    ("eth_getBlockByNumber", Heavy, block::get_block_by_number),
    ("eth_getBlockReceipts", Heavy, block::block_receipts),
    ("eth_getBlockTransactionCountByHash", Light, block::count_by_hash),
    ("eth_getBlockTransactionCountByNumber", Heavy, block::count_by_number),
    ("eth_getCode", Light, account::get_code),
    ("eth_getLogs", Heavy, logs::get_logs),
    ("eth_getProof", Heavy, account::get_proof),
    ("eth_getRawTransactionByHash", Light, block::raw_transaction_by_hash),
    ("eth_getStorageAt", Light, account::get_storage_at),
    ("eth_getStorageValues", Heavy, account::get_storage_values),
    ("eth_getTransactionByBlockHashAndIndex", Light, block::transaction_by_hash_and_index),
    ("eth_getTransactionByBlockNumberAndIndex", Heavy, block::transaction_by_number_and_index),
    ("eth_getTransactionByHash", Light, block::transaction_by_hash),
    ("eth_getTransactionCount", Light, account::get_transaction_count),
    ("eth_getTransactionReceipt", Light, block::transaction_receipt),
    ("eth_getUncleByBlockHashAndIndex", Light, block::uncle_by_hash),
    ("eth_getUncleByBlockNumberAndIndex", Light, block::uncle_by_number),
    ("eth_getUncleCountByBlockHash", Light, block::uncle_count_by_hash),
    ("eth_getUncleCountByBlockNumber", Heavy, block::uncle_count_by_number),
    ("eth_maxPriorityFeePerGas", Light, fees::max_priority_fee),
    ("eth_simulateV1", Heavy, simulate::simulate_v1),
    ("eth_syncing", Light, node::syncing),
];
