//! The blocks of a simulation in order, with every height and time known.

use alloy_primitives::U256;

use super::{SimBlock, limit, too_many_blocks};
use crate::{
    context::Context,
    error::RpcError,
    eth::{
        node::block_seconds,
        overrides::{BlockOverrides, StateOverride},
        point::Point,
        request::CallRequest,
    },
};

/// Heights must increase.
const HEIGHT_ORDER: i64 = -38020;
/// Times must increase.
const TIME_ORDER: i64 = -38021;

/// A block to simulate.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    pub(super) height: u64,
    pub(super) timestamp: u64,
    pub(super) overrides: BlockOverrides,
    pub(super) state: StateOverride,
    pub(super) calls: Vec<CallRequest>,
}

/// Puts the blocks upon `base`; empty ones fill the heights that a caller skips.
pub(super) fn plan(ctx: &Context, base: &Point, blocks: Vec<SimBlock>) -> Result<Vec<Planned>, RpcError> {
    let header = &base.block.header;
    let spacing = block_seconds(ctx);
    let (mut height, mut timestamp) = (header.number, header.timestamp);
    let mut planned = Vec::with_capacity(blocks.len());
    for block in blocks {
        let overrides = block.block_overrides.unwrap_or_default();
        overrides.check()?;
        let next = next_height(height, overrides.number)?;
        if next - header.number > ctx.limits.simulate_blocks as u64 {
            return Err(too_many_blocks(ctx));
        }
        for gap in height + 1..next {
            timestamp = timestamp.saturating_add(spacing);
            planned.push(Planned { height: gap, timestamp, ..Planned::default() });
        }
        timestamp = next_time(timestamp, overrides.time, spacing)?;
        height = next;
        let state = block.state_overrides.unwrap_or_default();
        planned.push(Planned { height, timestamp, overrides, state, calls: block.calls });
    }
    Ok(planned)
}

fn next_height(height: u64, asked: Option<U256>) -> Result<u64, RpcError> {
    let next = match asked {
        None => height.checked_add(1).ok_or_else(|| limit("too many blocks"))?,
        Some(number) => u64::try_from(number).map_err(|_| limit("too many blocks"))?,
    };
    if next <= height {
        let message = format!("block numbers must be in order: {next} <= {height}");
        return Err(RpcError::new(HEIGHT_ORDER, message));
    }
    Ok(next)
}

fn next_time(timestamp: u64, asked: Option<u64>, spacing: u64) -> Result<u64, RpcError> {
    match asked {
        None => Ok(timestamp.saturating_add(spacing)),
        Some(time) if time > timestamp => Ok(time),
        Some(time) => {
            let message = format!("block timestamps must be in order: {time} <= {timestamp}");
            Err(RpcError::new(TIME_ORDER, message))
        }
    }
}
