//! eth_call.

use std::sync::Arc;

use super::{
    block_id::BlockId,
    json::Json,
    message::tx_env,
    outcome::output,
    overrides::{BlockOverrides, StateOverride},
    request::CallRequest,
    stage::Stage,
};
use crate::{
    context::Context,
    dispatch::{Params, Reply},
};

/// eth_call: executes without a transaction. Bounded by [`crate::Limits::call_gas`], to which more gas is lowered, as in
/// geth; without a price gas is free, with one the sender must have the funds.
pub(super) fn call(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(4)?;
    let request: CallRequest = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let state: Option<StateOverride> = params.optional(2)?;
    let block: Option<BlockOverrides> = params.optional(3)?;
    request.check(ctx.params.chain.evm_chain_id)?;
    let mut stage = Stage::new(ctx, id, state.as_ref(), block.as_ref())?;
    let result = stage.run(tx_env(&request, gas_limit(ctx, &request), 0, ctx.params.chain.evm_chain_id));
    let data = output(result.map_err(|refused| refused.into_error())?)?;
    let mut json = Json::with_capacity(data.len() * 2 + 4);
    json.hex(&data);
    Ok(json.into())
}

/// The gas of a call: what is asked for, up to the node's limit.
pub(crate) fn gas_limit(ctx: &Context, request: &CallRequest) -> u64 {
    request.gas.unwrap_or(u64::MAX).min(ctx.limits.call_gas)
}
