//! eth_simulateV1: calls in blocks that never were, one upon the other.
//!
//! - [`plan`]: what was asked for, checked, gaps filled: heights and times strictly increase.
//! - [`block`]: the execution of one block: overrides, calls, roots, header; [`answer`]: its JSON.
//! - [`call_logs`]: the logs of a call, transfers of CHM among them when asked for.
//! - [`state_root`]: the root that the state would have.

mod answer;
mod block;
mod call_logs;
mod plan;
mod state_root;

use std::sync::Arc;

use serde::Deserialize;

use self::{block::Simulator, plan::plan};
use super::{
    block_id::BlockId,
    overrides::{BlockOverrides, StateOverride},
    request::CallRequest,
    stage::Stage,
};
use crate::{
    context::Context,
    dispatch::{Params, Reply},
    error::RpcError,
};

/// Calls in one simulated block, as geth.
const MOST_CALLS_A_BLOCK: usize = 5_000;
/// Calls in all of them, as geth.
const MOST_CALLS: usize = 10_000;
/// A limit of this node was hit.
const CLIENT_LIMIT: i64 = -38026;

/// What a caller wants simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default)]
    block_state_calls: Vec<SimBlock>,
    /// Report transfers of CHM as logs.
    #[serde(default)]
    trace_transfers: bool,
    /// Check nonces and fees as for transactions.
    #[serde(default)]
    validation: bool,
    /// Whole transactions in the answer, not hashes.
    #[serde(default)]
    return_full_transactions: bool,
}

/// One block of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SimBlock {
    block_overrides: Option<BlockOverrides>,
    state_overrides: Option<StateOverride>,
    calls: Vec<CallRequest>,
}

fn limit(message: impl Into<String>) -> RpcError {
    RpcError::new(CLIENT_LIMIT, message)
}

fn too_many_blocks(ctx: &Context) -> RpcError {
    limit(format!("too many blocks: the limit is {}", ctx.limits.simulate_blocks))
}

/// eth_simulateV1. All calls together may use [`crate::Limits::call_gas`], all blocks together
/// [`crate::Limits::call_time`]. Simulated blocks are shown with the state root that they would have when they stand on
/// the head; on older blocks, whose trie is not kept in a form to build upon, the root is zero.
pub(super) fn simulate_v1(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let payload: Payload = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    bounds(ctx, &payload)?;
    let stage = Stage::new(ctx, id, None, None)?;
    let blocks = plan(ctx, &stage.point, payload.block_state_calls)?;
    let mut simulator = Simulator::new(
        stage,
        payload.validation,
        payload.trace_transfers,
        payload.return_full_transactions,
        params.room(),
    );
    for block in blocks {
        simulator.block(block)?;
    }
    Ok(simulator.finish().into())
}

fn bounds(ctx: &Context, payload: &Payload) -> Result<(), RpcError> {
    if payload.block_state_calls.is_empty() {
        return Err(RpcError::invalid_params("empty input"));
    }
    if payload.block_state_calls.len() > ctx.limits.simulate_blocks {
        return Err(too_many_blocks(ctx));
    }
    let mut all = 0;
    for block in &payload.block_state_calls {
        let calls = block.calls.len();
        if calls > MOST_CALLS_A_BLOCK {
            return Err(limit(format!("too many calls in block: {calls} > {MOST_CALLS_A_BLOCK}")));
        }
        all += calls;
    }
    if all > MOST_CALLS {
        return Err(limit(format!("too many calls: {all} > {MOST_CALLS}")));
    }
    Ok(())
}
