//! The pending block: the pool's best transactions under the header that the next block would have. A preview: it is not
//! executed, so it shows the head's state root and no gas used, and its hash, nonce and miner are null as in geth.

use std::sync::Arc;

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header, Transaction};
use chlom_primitives::{Additions, Block, Tx, block::transactions_root};

use super::{
    block_json::{Sealed, write_block_open},
    json::Json,
    point::{head, next_env},
};
use crate::{context::Context, error::RpcError};

/// The block that would be built now.
///
/// # Errors
/// Faults of the store.
pub(crate) fn pending_block(ctx: &Context) -> Result<Block, RpcError> {
    let parent = head(ctx)?.block;
    let env = next_env(ctx, &parent);
    let txs = fitting(ctx, env.base_fee, env.gas_limit);
    let header = Header {
        parent_hash: env.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: env.beneficiary,
        state_root: parent.header.state_root,
        transactions_root: transactions_root(&txs),
        receipts_root: EMPTY_ROOT_HASH,
        number: env.height,
        gas_limit: env.gas_limit,
        timestamp: env.timestamp,
        extra_data: Additions::empty().hash().0.into(),
        mix_hash: env.mix_hash,
        base_fee_per_gas: Some(env.base_fee),
        withdrawals_root: parent.header.withdrawals_root,
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: parent.header.parent_beacon_block_root,
        requests_hash: parent.header.requests_hash,
        ..Default::default()
    };
    Ok(Block::seal(header, Additions::empty(), txs))
}

/// The pool's best, as far as their gas limits fit.
fn fitting(ctx: &Context, base_fee: u64, gas_limit: u64) -> Vec<Arc<Tx>> {
    let mut left = gas_limit;
    let mut txs = Vec::new();
    for tx in ctx.pool.best(base_fee) {
        let Some(rest) = left.checked_sub(tx.envelope().gas_limit()) else { break };
        left = rest;
        txs.push(tx);
    }
    txs
}

/// A pending block object.
pub(crate) fn pending_json(block: &Block, full: bool) -> Json {
    let mut json = Json::with_capacity(2048 + block.txs.len() * if full { 900 } else { 69 });
    write_block_open(&mut json, block, full, Sealed::Pending);
    json.close_object();
    json
}
