//! Waiting for inclusion, and checking that what was included is what was sent, and succeeded.

use crate::rpc::{Rpc, parse_quantity, to_hex};
use crate::tx::{Address, Signed};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Time between two looks at the chain's height.
const POLL: Duration = Duration::from_millis(20);

/// The blocks that a flood filled.
pub(crate) struct Blocks {
    /// Height before the first send.
    first: u64,
    /// Transactions per block from `first + 1` on.
    pub(crate) counts: Vec<u64>,
    /// When the last inclusion was seen.
    pub(crate) done: Instant,
}

/// Polls until `count` transactions were included after height `first`.
pub(crate) async fn wait(rpc: &mut Rpc, first: u64, count: u64, limit: Duration) -> Result<Blocks> {
    let start = Instant::now();
    let mut counts = Vec::new();
    while start.elapsed() < limit {
        let height = rpc.quantity("eth_blockNumber", json!([])).await?;
        while first + (counts.len() as u64) < height {
            let at = format!("{:#x}", first + 1 + counts.len() as u64);
            counts.push(rpc.quantity("eth_getBlockTransactionCountByNumber", json!([at])).await?);
        }
        if counts.iter().sum::<u64>() >= count {
            return Ok(Blocks { first, counts, done: Instant::now() });
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("only {} of {count} transactions were included within {limit:?}", counts.iter().sum::<u64>())
}

/// Reads every receipt: each transaction sent is there once, succeeded, and a token transfer has its log.
pub(crate) async fn check(
    rpc: &mut Rpc,
    blocks: &Blocks,
    signed: &[Signed],
    token: Option<Address>,
) -> Result<u64> {
    let mut missing: BTreeSet<String> = signed.iter().map(|tx| to_hex(&tx.hash)).collect();
    let mut checked = 0;
    for height in blocks.first + 1..=blocks.first + blocks.counts.len() as u64 {
        let receipts = rpc.call("eth_getBlockReceipts", json!([format!("{height:#x}")])).await?;
        for receipt in receipts.as_array().context("a block has receipts")? {
            let hash = receipt["transactionHash"].as_str().context("a receipt names its transaction")?;
            ensure!(missing.remove(hash), "{hash} was not sent by this run, or is there twice");
            ensure!(receipt["status"] == "0x1", "a transaction failed: {receipt}");
            ensure!(parse_quantity(&receipt["blockNumber"])? == height, "a receipt names another block");
            let logs = receipt["logs"].as_array().context("a receipt has logs")?;
            match token {
                None => ensure!(logs.is_empty(), "a plain transfer has no log"),
                Some(token) => ensure!(
                    logs.len() == 1 && logs[0]["address"] == to_hex(&token),
                    "a token transfer has one log, of the token"
                ),
            }
            checked += 1;
        }
    }
    ensure!(missing.is_empty(), "{} transactions have no receipt", missing.len());
    Ok(checked)
}
