//! eth_feeHistory: what gas cost in a range of blocks.

use std::{borrow::Cow, ops::Range, sync::Arc};

use alloy_consensus::Header;
use chlom_app::rules::next_base_fee;
use chlom_primitives::{Block, Receipt};

use super::{
    block::receipts,
    block_id::{BlockId, NumberOrTag, quantity},
    deadline::Deadline,
    json::Json,
    pending::pending_block,
    point::{block, head, store_error},
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply, params::invalid},
    error::RpcError,
};

/// Percentiles that one call may ask for, as geth.
const MOST_PERCENTILES: usize = 100;

/// eth_feeHistory. The range is cut to what the limits allow and to what exists.
pub(super) fn fee_history(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    let count = block_count(params)?;
    let newest: NumberOrTag = params.required(1)?;
    let percentiles: Vec<f64> = params.optional(2)?.unwrap_or_default();
    if count == 0 {
        return Ok(Answer::Static(
            r#"{"oldestBlock":"0x0","baseFeePerGas":[],"gasUsedRatio":[],"baseFeePerBlobGas":[],"blobGasUsedRatio":[]}"#,
        ));
    }
    check(&percentiles)?;
    let (heights, pending) = range(ctx, newest, count.min(ctx.limits.fee_history))?;
    let deadline = Deadline::start(ctx);
    let (mut headers, mut rewards) = (Vec::new(), Vec::new());
    for height in heights {
        deadline.check()?;
        if percentiles.is_empty() {
            headers.extend(ctx.store.header(height).map_err(store_error)?);
        } else if let Some(found) = block(ctx, BlockId::Number(NumberOrTag::Number(height)))? {
            rewards.push(block_rewards(ctx, &found, &percentiles)?);
            headers.push(found.header.clone());
        }
    }
    if pending {
        // Not executed yet: no gas used and so no rewards.
        headers.push(pending_block(ctx)?.header);
        if !percentiles.is_empty() {
            rewards.push(vec![0; percentiles.len()]);
        }
    }
    Ok(answer(ctx, &headers, &rewards))
}

/// Quantity, or a plain number as geth takes it.
fn block_count(params: &Params<'_>) -> Result<u64, RpcError> {
    let raw =
        params.raw(0).ok_or_else(|| RpcError::invalid_params("missing value for required argument 0"))?;
    if let Ok(number) = raw.get().parse::<u64>() {
        return Ok(number);
    }
    let text: Cow<'_, str> = params.required(0)?;
    quantity(&text).map_err(|why| invalid(0, why))
}

fn check(percentiles: &[f64]) -> Result<(), RpcError> {
    let refuse = |why: String| RpcError::server(format!("invalid reward percentile: {why}"));
    if percentiles.len() > MOST_PERCENTILES {
        return Err(refuse(format!("over the query limit {MOST_PERCENTILES}")));
    }
    if let Some(outside) = percentiles.iter().find(|p| !(0.0..=100.0).contains(*p)) {
        return Err(refuse(format!("{outside:.6}")));
    }
    match percentiles.windows(2).position(|pair| pair[1] <= pair[0]) {
        Some(at) => {
            Err(refuse(format!("#{at}:{:.6} >= #{}:{:.6}", percentiles[at], at + 1, percentiles[at + 1])))
        }
        None => Ok(()),
    }
}

/// The committed heights to tell of, and whether the pending block follows.
fn range(ctx: &Context, newest: NumberOrTag, count: u64) -> Result<(Range<u64>, bool), RpcError> {
    let head = head(ctx)?.block.height();
    let (last, pending) = match newest {
        NumberOrTag::Number(height) if height > head => {
            return Err(RpcError::server(format!(
                "request beyond head block: requested {height}, head {head}"
            )));
        }
        NumberOrTag::Number(height) => (height, false),
        NumberOrTag::Latest => (head, false),
        NumberOrTag::Pending => (head, true),
    };
    let committed = count - u64::from(pending);
    let end = last.saturating_add(1);
    Ok((end.saturating_sub(committed)..end, pending))
}

/// The tips at the percentiles of gas used, lowest first; zeros for an empty block.
fn block_rewards(ctx: &Context, block: &Block, percentiles: &[f64]) -> Result<Vec<u128>, RpcError> {
    if block.header.gas_used == 0 {
        return Ok(vec![0; percentiles.len()]);
    }
    let receipts = receipts(ctx, block)?;
    Ok(rewards(&tips(block, &receipts), block.header.gas_used, percentiles))
}

/// (tip, gas used) of each transaction, lowest tip first.
fn tips(block: &Block, receipts: &[Receipt]) -> Vec<(u128, u64)> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let mut before = 0;
    let mut tips: Vec<(u128, u64)> = block
        .txs
        .iter()
        .zip(receipts)
        .map(|(tx, receipt)| {
            let used = receipt.cumulative_gas_used.saturating_sub(before);
            before = receipt.cumulative_gas_used;
            (tx.effective_tip(base_fee).unwrap_or_default(), used)
        })
        .collect();
    tips.sort_by_key(|(tip, _)| *tip);
    tips
}

fn rewards(tips: &[(u128, u64)], gas_used: u64, percentiles: &[f64]) -> Vec<u128> {
    let mut at = 0;
    let mut sum = tips.first().map_or(0, |(_, used)| *used);
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = share(gas_used, *percentile);
            while sum < threshold && at + 1 < tips.len() {
                at += 1;
                sum += tips[at].1;
            }
            tips.get(at).map_or(0, |(tip, _)| *tip)
        })
        .collect()
}

/// Gas at a percentile, rounded down.
#[expect(clippy::float_arithmetic, reason = "percentiles are JSON numbers; nothing here is consensus")]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn share(gas: u64, percentile: f64) -> u64 {
    (gas as f64 * percentile / 100.0) as u64
}

fn answer(ctx: &Context, headers: &[Header], rewards: &[Vec<u128>]) -> Answer {
    let mut json = Json::with_capacity(256 + headers.len() * 64);
    json.open_object();
    json.key("oldestBlock").quantity(headers.first().map_or(0, |header| header.number));
    if !rewards.is_empty() {
        json.key("reward").open_array();
        for row in rewards {
            json.item().open_array();
            for tip in row {
                json.item().quantity128(*tip);
            }
            json.close_array();
        }
        json.close_array();
    }
    write_fees(&mut json, ctx, headers);
    json.key("gasUsedRatio").open_array();
    for header in headers {
        json.item().raw(ratio(header).as_bytes());
    }
    json.close_array();
    json.key("baseFeePerBlobGas").open_array();
    for _ in 0..=headers.len() {
        json.item().quantity(1);
    }
    json.close_array();
    json.key("blobGasUsedRatio").open_array();
    for _ in headers {
        json.item().number(0);
    }
    json.close_array();
    json.close_object();
    json.into()
}

/// The blocks' base fees and the one that follows from the last.
fn write_fees(json: &mut Json, ctx: &Context, headers: &[Header]) {
    json.key("baseFeePerGas").open_array();
    for header in headers {
        json.item().quantity(header.base_fee_per_gas.unwrap_or_default());
    }
    if let Some(last) = headers.last() {
        json.item().quantity(next_base_fee(last, &ctx.params));
    }
    json.close_array();
}

/// Gas used over gas limit as a decimal number, 16 digits after the point at most.
fn ratio(header: &Header) -> String {
    const SCALE: u128 = 10_000_000_000_000_000;
    let limit = u128::from(header.gas_limit.max(1));
    let scaled = u128::from(header.gas_used) * SCALE / limit;
    let (whole, part) = (scaled / SCALE, scaled % SCALE);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:016}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_weighted_by_gas() {
        let tips = [(1, 10), (5, 80), (9, 10)];
        assert_eq!(rewards(&tips, 100, &[0.0, 10.0, 11.0, 90.0, 91.0, 100.0]), [1, 1, 5, 5, 9, 9]);
    }

    #[test]
    fn ratios_are_decimals_between_zero_and_one() {
        let of = |gas_used, gas_limit| ratio(&Header { gas_used, gas_limit, ..Default::default() });
        assert_eq!(of(0, 200_000_000), "0");
        assert_eq!(of(200_000_000, 200_000_000), "1");
        assert_eq!(of(21_000, 200_000_000), "0.000105");
        assert_eq!(of(1, 3), "0.3333333333333333");
    }

    #[test]
    fn percentiles_must_rise_within_a_hundred() {
        assert!(check(&[0.0, 50.5, 100.0]).is_ok());
        for bad in [&[-1.0][..], &[100.1], &[5.0, 5.0], &[6.0, 5.0], &[f64::NAN]] {
            assert!(check(bad).unwrap_err().message.starts_with("invalid reward percentile"), "{bad:?}");
        }
        assert!(check(&vec![1.0; 101]).unwrap_err().message.contains("over the query limit 100"));
    }
}
