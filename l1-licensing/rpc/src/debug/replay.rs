//! A committed block executed again, on the state before it, up to a transaction.

use std::sync::Arc;

use chlom_chain::votes::Attested;
use chlom_evm::tx_env;
use chlom_primitives::{Block, Tx};
use revm::{ExecuteEvm, InspectEvm, context::ContextTr};

use super::{
    config::TraceConfig,
    tracer::{Position, Tracer},
};
use crate::{
    context::Context,
    dispatch::Params,
    error::RpcError,
    eth::{
        block_id::{BlockId, NumberOrTag},
        code_cache::{CallDb, keep_changes},
        deadline::Deadline,
        point::{point, state_error},
        stage::{CallEvm, Stage},
    },
};

/// A stage in the environment of `block`, on the state before it.
///
/// # Errors
/// Genesis, which nothing stands before; a state that was pruned.
pub(super) fn before<'c>(ctx: &'c Arc<Context>, block: &Block) -> Result<Stage<'c>, RpcError> {
    let Some(parent) = block.height().checked_sub(1) else {
        return Err(RpcError::server("genesis is not traceable"));
    };
    let point = point(ctx, BlockId::Number(NumberOrTag::Number(parent)))?;
    let env = chlom_evm::block_env(&chlom_app::env_of(&block.header));
    Ok(Stage::at(ctx, point, env))
}

/// What validators attested in the block, whose stage this is.
fn attested(stage: &Stage<'_>, block: &Block) -> Result<Attested, RpcError> {
    chlom_app::attested(block, &stage.point.state).map_err(state_error)
}

/// Executes what stands before transaction `index`; the stage keeps the changes.
///
/// # Errors
/// Faults of the store.
pub(super) fn run_to(
    stage: &mut Stage<'_>,
    block: &Block,
    index: usize,
    deadline: &Deadline,
) -> Result<(), RpcError> {
    let env = chlom_app::env_of(&block.header);
    let attested = attested(stage, block)?;
    let mut evm = stage.begin_block(&env, &attested, ())?;
    for tx in &block.txs[..index.min(block.txs.len())] {
        deadline.check()?;
        run(&mut evm, tx)?;
    }
    Ok(())
}

/// Executes a transaction of the block and keeps its changes.
fn run<I>(evm: &mut CallEvm<'_, I>, tx: &Tx) -> Result<(), RpcError> {
    let outcome = evm.transact(tx_env(tx)).map_err(RpcError::internal)?;
    keep_changes(evm.ctx.db_mut(), outcome.state);
    Ok(())
}

/// Traces transactions `first` to `last` of a block, each on the state that it met.
///
/// # Errors
/// The tracer's limits; faults of the store.
pub(super) fn trace(
    ctx: &Arc<Context>,
    block: &Block,
    positions: std::ops::Range<usize>,
    config: &TraceConfig,
    params: &Params<'_>,
) -> Result<Vec<Vec<u8>>, RpcError> {
    let deadline = Deadline::after(config.time(ctx.limits.call_time)?);
    let fresh = |left: usize| Tracer::new(config, deadline, left, params.room());
    let mut room = params.room();
    let mut left = ctx.limits.response_bytes;
    let mut stage = before(ctx, block)?;
    let env = chlom_app::env_of(&block.header);
    let attested = attested(&stage, block)?;
    let mut evm = stage.begin_block(&env, &attested, fresh(left)?)?;
    let mut traces = Vec::with_capacity(positions.len());
    for (index, tx) in block.txs.iter().enumerate().take(positions.end) {
        deadline.check()?;
        if index < positions.start {
            run(&mut evm, tx)?;
            continue;
        }
        evm.inspector = fresh(left)?;
        let outcome = evm.inspect_tx(tx_env(tx));
        let outcome = match (evm.inspector.stopped(), outcome) {
            (Some(stopped), _) => return Err(stopped),
            (None, outcome) => {
                outcome.map_err(|error| RpcError::server(format!("tracing failed: {error}")))?
            }
        };
        let place =
            Position { block_hash: Some(block.hash), tx_index: Some(index), tx_hash: Some(tx.hash()) };
        let (tx, header) = (evm.ctx.tx.clone(), evm.ctx.block.clone());
        let db: &mut CallDb = evm.ctx.journaled_state.database;
        let text = evm.inspector.result(Some(place), &tx, &header, &outcome, db)?;
        left = left.saturating_sub(text.len());
        room.cover(ctx.limits.response_bytes - left)?;
        traces.push(text);
        keep_changes(evm.ctx.db_mut(), outcome.state);
    }
    Ok(traces)
}
