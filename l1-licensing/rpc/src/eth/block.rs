//! Blocks, transactions and receipts by number, tag, hash or position.

use std::sync::Arc;

use alloy_primitives::B256;
use chlom_primitives::{Block, Receipt};

use super::{
    block_id::{BlockId, NumberOrTag, quantity},
    block_json::block_json,
    json::Json,
    pending::{pending_block, pending_json},
    point::{block, store_error},
    receipt_json::{Before, write_receipt},
    transaction_json::{Place, write_transaction},
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply, params::invalid},
    error::{RESOURCE_NOT_FOUND, RpcError},
};

/// eth_getBlockByHash.
pub(super) fn get_block_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let hash: B256 = params.required(0)?;
    let full: bool = params.required(1)?;
    Ok(block(ctx, BlockId::Hash(hash))?.map_or(Answer::NULL, |found| block_json(&found, full).into()))
}

/// eth_getBlockByNumber.
pub(super) fn get_block_by_number(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let number: NumberOrTag = params.required(0)?;
    let full: bool = params.required(1)?;
    if number == NumberOrTag::Pending {
        return Ok(pending_json(&pending_block(ctx)?, full).into());
    }
    Ok(block(ctx, BlockId::Number(number))?.map_or(Answer::NULL, |found| block_json(&found, full).into()))
}

fn by_number(ctx: &Context, params: &Params<'_>) -> Result<Option<Arc<Block>>, RpcError> {
    let number: NumberOrTag = params.required(0)?;
    if number == NumberOrTag::Pending {
        return pending_block(ctx).map(Arc::new).map(Some);
    }
    block(ctx, BlockId::Number(number))
}

fn by_hash(ctx: &Context, params: &Params<'_>) -> Result<Option<Arc<Block>>, RpcError> {
    block(ctx, BlockId::Hash(params.required(0)?))
}

fn count(found: Option<Arc<Block>>, of: impl Fn(&Block) -> usize) -> Answer {
    found.map_or(Answer::NULL, |block| Answer::quantity(of(&block)))
}

/// eth_getBlockTransactionCountByHash.
pub(super) fn count_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(count(by_hash(ctx, params)?, |block| block.txs.len()))
}

/// eth_getBlockTransactionCountByNumber.
pub(super) fn count_by_number(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(count(by_number(ctx, params)?, |block| block.txs.len()))
}

/// eth_getUncleCountByBlockHash: there are none.
pub(super) fn uncle_count_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(count(by_hash(ctx, params)?, |_| 0))
}

/// eth_getUncleCountByBlockNumber: there are none.
pub(super) fn uncle_count_by_number(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(count(by_number(ctx, params)?, |_| 0))
}

/// eth_getUncleByBlockHashAndIndex: there are none.
pub(super) fn uncle_by_hash(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let _: B256 = params.required(0)?;
    index(params)?;
    Ok(Answer::NULL)
}

/// eth_getUncleByBlockNumberAndIndex: there are none.
pub(super) fn uncle_by_number(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let _: NumberOrTag = params.required(0)?;
    index(params)?;
    Ok(Answer::NULL)
}

/// Argument 1 as a position.
fn index(params: &Params<'_>) -> Result<usize, RpcError> {
    let text: std::borrow::Cow<'_, str> = params.required(1)?;
    let index = quantity(&text).map_err(|why| invalid(1, why))?;
    Ok(usize::try_from(index).unwrap_or(usize::MAX))
}

fn transaction_at(found: Option<Arc<Block>>, index: usize, pending: bool) -> Answer {
    let Some(block) = found else { return Answer::NULL };
    let Some(tx) = block.txs.get(index) else { return Answer::NULL };
    let mut json = Json::with_capacity(1024);
    let place = Place::of(&block, index);
    write_transaction(&mut json, tx, if pending { None } else { Some(&place) });
    json.into()
}

/// eth_getTransactionByBlockHashAndIndex.
pub(super) fn transaction_by_hash_and_index(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    Ok(transaction_at(by_hash(ctx, params)?, index(params)?, false))
}

/// eth_getTransactionByBlockNumberAndIndex.
pub(super) fn transaction_by_number_and_index(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let pending = matches!(params.required(0)?, NumberOrTag::Pending);
    Ok(transaction_at(by_number(ctx, params)?, index(params)?, pending))
}

/// Where a committed transaction is.
///
/// # Errors
/// Faults of the store.
pub(crate) fn locate(ctx: &Context, hash: &B256) -> Result<Option<(Arc<Block>, usize)>, RpcError> {
    let Some((height, index)) = ctx.store.tx_location(hash).map_err(store_error)? else { return Ok(None) };
    let found = block(ctx, BlockId::Number(NumberOrTag::Number(height)))?;
    Ok(found.map(|block| (block, index as usize)))
}

/// eth_getTransactionByHash: committed, or waiting in the pool.
pub(super) fn transaction_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let hash: B256 = params.required(0)?;
    if let Some((block, index)) = locate(ctx, &hash)? {
        return Ok(transaction_at(Some(block), index, false));
    }
    let Some(tx) = ctx.pool.get(&hash) else { return Ok(Answer::NULL) };
    let mut json = Json::with_capacity(1024);
    write_transaction(&mut json, &tx, None);
    Ok(json.into())
}

/// eth_getRawTransactionByHash: committed, or waiting in the pool.
pub(super) fn raw_transaction_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let hash: B256 = params.required(0)?;
    let found = raw_transaction(ctx, &hash)?;
    let mut json = Json::default();
    json.hex(&found.unwrap_or_default());
    Ok(json.into())
}

/// The bytes of a transaction, committed or waiting.
///
/// # Errors
/// Faults of the store.
pub(crate) fn raw_transaction(
    ctx: &Context,
    hash: &B256,
) -> Result<Option<alloy_primitives::Bytes>, RpcError> {
    if let Some((block, index)) = locate(ctx, hash)? {
        return Ok(block.txs.get(index).map(|tx| tx.raw().clone()));
    }
    Ok(ctx.pool.get(hash).map(|tx| tx.raw().clone()))
}

/// eth_getBlockAccessList: blocks carry no EIP-7928 list; the answer is the one for blocks before that fork.
pub(super) fn block_access_list(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    match block(ctx, params.required(0)?)? {
        None => Ok(Answer::NULL),
        Some(_) => Err(no_access_list()),
    }
}

/// What a caller is told who asks for an EIP-7928 list.
pub(crate) fn no_access_list() -> RpcError {
    RpcError::new(
        RESOURCE_NOT_FOUND,
        "Resource not found: blocks of this chain carry no access list (EIP-7928)",
    )
}

/// A committed block's receipts.
///
/// # Errors
/// Faults of the store.
pub(crate) fn receipts(ctx: &Context, block: &Block) -> Result<Arc<Vec<Receipt>>, RpcError> {
    let found = ctx.store.receipts(block.height()).map_err(store_error)?;
    let found = found.ok_or_else(|| RpcError::internal("a block without its receipts"))?;
    if found.len() != block.txs.len() {
        return Err(RpcError::internal(format!(
            "receipts length mismatch: {} vs {}",
            block.txs.len(),
            found.len()
        )));
    }
    Ok(found)
}

/// eth_getTransactionReceipt.
pub(super) fn transaction_receipt(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(receipt_of(ctx, &params.required(0)?)?.unwrap_or(Answer::NULL))
}

/// The receipt of a committed transaction; eth_sendRawTransactionSync answers with it.
///
/// # Errors
/// Faults of the store.
pub(crate) fn receipt_of(ctx: &Context, hash: &B256) -> Result<Option<Answer>, RpcError> {
    let Some((block, index)) = locate(ctx, hash)? else { return Ok(None) };
    let receipts = receipts(ctx, &block)?;
    let Some(receipt) = receipts.get(index) else { return Ok(None) };
    let mut json = Json::with_capacity(1536 + receipt.logs.len() * 640);
    write_receipt(&mut json, &block, index, receipt, Before::at(&receipts, index));
    Ok(Some(json.into()))
}

/// eth_getBlockReceipts.
pub(super) fn block_receipts(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let id: BlockId = params.required(0)?;
    if id == BlockId::Number(NumberOrTag::Pending) {
        return Err(RpcError::server("pending receipts is not available"));
    }
    let Some(found) = block(ctx, id)? else { return Ok(Answer::NULL) };
    let receipts = receipts(ctx, &found)?;
    let mut json = Json::with_capacity(16 + receipts.len() * 1280);
    let (mut before, mut room) = (Before::default(), params.room());
    json.open_array();
    for (index, receipt) in receipts.iter().enumerate() {
        write_receipt(json.item(), &found, index, receipt, before);
        before = before.after(receipt);
        if json.len() > ctx.limits.response_bytes {
            let most = ctx.limits.response_bytes;
            return Err(RpcError::limit(format!("response is larger than {most} bytes")));
        }
        room.cover(json.len())?;
    }
    json.close_array();
    Ok(json.into())
}
