//! Records as the bytes that are hashed.

use std::sync::Arc;

use alloy_eips::Encodable2718;
use alloy_primitives::B256;
use chlom_primitives::Block;

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
    eth::{
        block::{no_access_list, raw_transaction as find_raw, receipts},
        block_id::{BlockId, NumberOrTag},
        block_json::rlp,
        json::Json,
        pending::pending_block,
        point::block,
    },
};

fn named(ctx: &Context, params: &Params<'_>) -> Result<Arc<Block>, RpcError> {
    params.at_most(1)?;
    let id: BlockId = params.required(0)?;
    if id == BlockId::Number(NumberOrTag::Pending) {
        return pending_block(ctx).map(Arc::new);
    }
    block(ctx, id)?.ok_or_else(|| RpcError::server("block not found"))
}

fn hex(bytes: &[u8]) -> Answer {
    let mut json = Json::with_capacity(bytes.len() * 2 + 4);
    json.hex(bytes);
    json.into()
}

/// debug_getRawHeader.
pub(super) fn raw_header(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    Ok(hex(&alloy_rlp::encode(&named(ctx, params)?.header)))
}

/// debug_getRawBlock.
pub(super) fn raw_block(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    Ok(hex(&rlp(&*named(ctx, params)?)))
}

/// debug_getRawReceipts.
pub(super) fn raw_receipts(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let id: BlockId = params.required(0)?;
    let found = block(ctx, id)?.ok_or_else(|| RpcError::server("block not found"))?;
    let mut json = Json::with_capacity(1024);
    json.open_array();
    for receipt in receipts(ctx, &found)?.iter() {
        json.item().hex(&receipt.to_envelope().encoded_2718());
    }
    json.close_array();
    Ok(json.into())
}

/// debug_getRawTransaction; no bytes where there is no such transaction.
pub(super) fn raw_transaction(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let hash: B256 = params.required(0)?;
    Ok(hex(&find_raw(ctx, &hash)?.unwrap_or_default()))
}

/// debug_getRawBlockAccessList: blocks carry none.
pub(super) fn raw_block_access_list(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    named(ctx, params)?;
    Err(no_access_list())
}

/// debug_getBadBlocks: a node of a final chain commits none and keeps none.
pub(super) fn bad_blocks(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::Static("[]"))
}
