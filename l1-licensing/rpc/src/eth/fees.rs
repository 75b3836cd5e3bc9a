//! What gas costs: eth_gasPrice, eth_maxPriorityFeePerGas, eth_baseFee, eth_blobBaseFee.

use std::sync::{Arc, LazyLock};

use alloy_primitives::B256;
use chlom_app::rules::next_base_fee;
use chlom_primitives::Block;
use parking_lot::Mutex;

use super::{
    block_id::{BlockId, NumberOrTag},
    point::{block, head},
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
};

/// Blocks that a suggestion looks back on, as geth.
const LOOK_BACK: u64 = 20;
/// The suggestion lies above this share of recent blocks' lowest tips, in percent, as geth.
const PERCENTILE: usize = 60;
/// No suggestion is higher, wei, as geth.
const MOST: u128 = 500_000_000_000;

/// The last suggestion, by the head that it was made for.
static LAST: LazyLock<Mutex<Option<(B256, u128)>>> = LazyLock::new(Mutex::default);

/// The tip to offer now: what the cheapest transactions of recent blocks paid, or the least base fee where there were
/// none.
///
/// # Errors
/// Faults of the store.
pub(crate) fn suggested_tip(ctx: &Context) -> Result<u128, RpcError> {
    let head = head(ctx)?.block;
    if let Some((hash, tip)) = *LAST.lock()
        && hash == head.hash
    {
        return Ok(tip);
    }
    let mut lowest = Vec::new();
    let first = head.height().saturating_sub(LOOK_BACK - 1);
    for height in first..=head.height() {
        let found = block(ctx, BlockId::Number(NumberOrTag::Number(height)))?;
        lowest.extend(found.as_deref().and_then(lowest_tip));
    }
    lowest.sort_unstable();
    let tip = match lowest.len() {
        0 => u128::from(ctx.params.gas.min_base_fee_wei),
        count => lowest[(count - 1) * PERCENTILE / 100].min(MOST),
    };
    *LAST.lock() = Some((head.hash, tip));
    Ok(tip)
}

/// The lowest tip of a block that anyone but its proposer paid; tips of nothing tell nothing.
fn lowest_tip(block: &Block) -> Option<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let others = block.txs.iter().filter(|tx| tx.sender() != block.header.beneficiary);
    others.filter_map(|tx| tx.effective_tip(base_fee)).filter(|tip| *tip > 1).min()
}

/// The base fee of the next block, wei.
///
/// # Errors
/// Faults of the store.
pub(crate) fn coming_base_fee(ctx: &Context) -> Result<u64, RpcError> {
    Ok(next_base_fee(&head(ctx)?.block.header, &ctx.params))
}

/// eth_gasPrice: the suggested tip above the head's base fee, as in geth, or above the next one where that is higher.
pub(super) fn gas_price(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let now = head(ctx)?.block.header.base_fee_per_gas.unwrap_or_default();
    let base_fee = u128::from(now.max(coming_base_fee(ctx)?));
    Ok(Answer::quantity(base_fee.saturating_add(suggested_tip(ctx)?)))
}

/// eth_maxPriorityFeePerGas.
pub(super) fn max_priority_fee(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    suggested_tip(ctx).map(Answer::quantity)
}

/// eth_baseFee: the next block's.
pub(super) fn base_fee(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    coming_base_fee(ctx).map(Answer::quantity)
}

/// eth_blobBaseFee: the least there is, since blocks carry no blobs.
pub(super) fn blob_base_fee(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::Static("\"0x1\""))
}
