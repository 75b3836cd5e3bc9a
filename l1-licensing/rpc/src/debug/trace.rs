//! debug_traceTransaction, debug_traceBlockByNumber, debug_traceBlockByHash, debug_traceCall.

use std::sync::Arc;

use alloy_primitives::B256;
use chlom_primitives::Block;

use super::{
    config::{TraceCallConfig, TraceConfig},
    replay,
    tracer::Tracer,
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
    eth::{
        block::locate,
        block_id::{BlockId, NumberOrTag},
        call::gas_limit,
        deadline::Deadline,
        json::Json,
        message::tx_env,
        overrides::apply,
        point::block,
        request::CallRequest,
        stage::{Refused, Stage},
    },
};

/// debug_traceTransaction.
pub(super) fn trace_transaction(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let hash: B256 = params.required(0)?;
    let config: TraceConfig = params.optional(1)?.unwrap_or_default();
    let (block, index) = locate(ctx, &hash)?.ok_or_else(|| RpcError::server("transaction not found"))?;
    let traces = replay::trace(ctx, &block, index..index + 1, &config, params)?;
    let trace = traces.into_iter().next();
    trace.map(Answer::Owned).ok_or_else(|| RpcError::internal("a located transaction was not executed"))
}

/// debug_traceBlockByNumber.
pub(super) fn trace_block_by_number(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    let number: NumberOrTag = params.required(0)?;
    if number == NumberOrTag::Pending {
        return Err(RpcError::server("tracing on top of pending is not supported"));
    }
    let found = block(ctx, BlockId::Number(number))?;
    let missing = || RpcError::server(format!("block {} not found", shown(params)));
    trace_block(ctx, params, &*found.ok_or_else(missing)?)
}

/// debug_traceBlockByHash.
pub(super) fn trace_block_by_hash(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    let hash: B256 = params.required(0)?;
    let found = block(ctx, BlockId::Hash(hash))?;
    let missing = || RpcError::server(format!("block {hash:#x} not found"));
    trace_block(ctx, params, &*found.ok_or_else(missing)?)
}

/// The block argument as the caller wrote it.
fn shown(params: &Params<'_>) -> String {
    params.raw(0).map(|raw| raw.get().trim_matches('"').to_owned()).unwrap_or_default()
}

fn trace_block(ctx: &Arc<Context>, params: &Params<'_>, block: &Block) -> Reply {
    params.at_most(2)?;
    let config: TraceConfig = params.optional(1)?.unwrap_or_default();
    let mut room = params.room();
    let traces = replay::trace(ctx, block, 0..block.txs.len(), &config, params)?;
    room.cover(2 * traces.iter().map(Vec::len).sum::<usize>())?;
    let mut json = Json::with_capacity(traces.iter().map(|trace| trace.len() + 96).sum());
    json.open_array();
    for (tx, trace) in block.txs.iter().zip(&traces) {
        json.item().open_object();
        json.key("txHash").hex(tx.hash().as_slice());
        json.key("result").raw(trace);
        json.close_object();
    }
    json.close_array();
    Ok(json.into())
}

/// debug_traceCall: a call as eth_call executes it, traced.
pub(super) fn trace_call(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    let request: CallRequest = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let config: TraceCallConfig = params.optional(2)?.unwrap_or_default();
    if id == BlockId::Number(NumberOrTag::Pending) {
        return Err(RpcError::server("tracing on top of pending is not supported"));
    }
    let chain_id = ctx.params.chain.evm_chain_id;
    request.check(chain_id)?;
    let deadline = Deadline::after(config.trace.time(ctx.limits.call_time)?);
    let mut tracer = Tracer::new(&config.trace, deadline, ctx.limits.response_bytes, params.room())?;
    let mut stage = stage(ctx, id, &config, &deadline)?;
    let tx = tx_env(&request, gas_limit(ctx, &request), 0, chain_id);
    let outcome = stage.inspect(tx.clone(), &mut tracer);
    let outcome = match (tracer.stopped(), outcome) {
        (Some(stopped), _) => return Err(stopped),
        (None, outcome) => outcome.map_err(failed)?,
    };
    let env = stage.env.clone();
    tracer.result(None, &tx, &env, &outcome, &mut stage.db).map(Answer::Owned)
}

/// Where a call is traced: after a block, or before one of its transactions; with overrides.
fn stage<'c>(
    ctx: &'c Arc<Context>,
    id: BlockId,
    config: &TraceCallConfig,
    deadline: &Deadline,
) -> Result<Stage<'c>, RpcError> {
    let mut stage = match config.position()? {
        None => Stage::new(ctx, id, None, None)?,
        Some(index) => {
            let found = block(ctx, id)?.ok_or_else(|| RpcError::server("block not found"))?;
            if index > found.txs.len() {
                return Err(RpcError::server(format!(
                    "transaction index {index} out of range for block {}",
                    found.hash
                )));
            }
            let mut stage = replay::before(ctx, &found)?;
            replay::run_to(&mut stage, &found, index, deadline)?;
            stage
        }
    };
    if let Some(overrides) = &config.block_overrides {
        overrides.apply(&mut stage.env)?;
    }
    if let Some(overrides) = &config.state_overrides {
        stage.moves = apply(overrides, &mut stage.db, &ctx.modules)?;
    }
    Ok(stage)
}

fn failed(refused: Refused) -> RpcError {
    let error = refused.into_error();
    let message = error.message.strip_prefix("err: ").unwrap_or(&error.message);
    RpcError { message: format!("tracing failed: {message}"), ..error }
}
