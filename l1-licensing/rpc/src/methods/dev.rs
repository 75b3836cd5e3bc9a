//! `evm_`: time travel, mining and snapshots, on `chlom dev` only.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    context::{Context, DevControl},
    dispatch::{Answer, Params, Reply, params::invalid, service::Service},
    error::RpcError,
    methods::quantity::Quantity,
};

/// Blocks that one `evm_mine` may make.
const MOST_BLOCKS: u64 = 10_000;

fn control(context: &Context) -> Result<&dyn DevControl, RpcError> {
    context.dev.as_deref().ok_or_else(|| RpcError::server("only chlom dev can do this"))
}

/// What `evm_mine` takes: nothing, the next block's timestamp, or an object with the number of blocks.
#[derive(Deserialize)]
#[serde(untagged)]
enum Mine {
    Timestamp(Quantity),
    Options { timestamp: Option<Quantity>, blocks: Option<Quantity> },
}

/// `evm_mine`: makes blocks now; `"0x0"`, as Ganache began and everyone since has it.
pub(super) fn mine(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let (timestamp, blocks) = match params.optional(0)? {
        None => (None, 1),
        Some(Mine::Timestamp(timestamp)) => (Some(timestamp), 1),
        Some(Mine::Options { timestamp, blocks }) => (timestamp, blocks.map_or(1, |blocks| blocks.0)),
    };
    if blocks > MOST_BLOCKS {
        return Err(invalid(0, format!("{blocks} blocks, the limit is {MOST_BLOCKS}")));
    }
    let control = control(context)?;
    if let Some(Quantity(timestamp)) = timestamp {
        control.set_next_block_timestamp(timestamp)?;
    }
    if blocks > 0 {
        control.mine(blocks, None)?;
    }
    Ok(Answer::quantity(0u64))
}

/// `evm_increaseTime`: the total offset in seconds, a JSON number.
pub(super) fn increase_time(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let Quantity(seconds) = params.required(0)?;
    Ok(control(context)?.increase_time(seconds)?.to_string().into())
}

/// `evm_setNextBlockTimestamp`.
pub(super) fn set_next_block_timestamp(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let Quantity(timestamp) = params.required(0)?;
    control(context)?.set_next_block_timestamp(timestamp)?;
    Ok(Answer::NULL)
}

/// `evm_snapshot`: the snapshot's id.
pub(super) fn snapshot(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::quantity(control(context)?.snapshot()?))
}

/// `evm_revert`: false where there is no such snapshot. Filters go back with the chain: blocks and logs that take the place
/// of undone ones are new to them. Subscribers are told of the new blocks as of any; that earlier ones are gone they see by
/// the heights, as with anvil and Hardhat (`removed` logs are for reorganisations, which this chain does not have).
pub(super) fn revert(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let Quantity(id) = params.required(0)?;
    let control = control(&service.context)?;
    let reverted = service.filters.reverting(|| control.revert(id))?;
    Ok(Answer::bool(reverted))
}
