//! Rows that the ledger settled, by its logs: what a licence, lane and period brought, and by which route.

use alloy_primitives::{Address, B256, Bytes, LogData, U64};
use alloy_sol_types::SolEvent;
use chlom_lane::LaneId;
use chlom_primitives::address::ROYALTY_LEDGER;
use serde::Deserialize;
use serde_json::json;

use crate::{Chain, ClientError, contracts::royalty_ledger::IRoyaltyLedger};

/// Heights that are asked for at once; a node that finds that too many is asked for fewer.
const HEIGHTS_AT_ONCE: u64 = 10_000;

/// A row that was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its licence.
    pub licence: B256,
    /// Its batch.
    pub batch: B256,
    /// Who owed.
    pub payer: Address,
    /// The lane.
    pub lane: LaneId,
    /// The period.
    pub period: u32,
    /// What was paid in.
    pub token: Address,
    /// The licence's route then.
    pub route: B256,
}

#[derive(Deserialize)]
struct RpcLog {
    topics: Vec<B256>,
    data: Bytes,
}

/// Every row that settled from a height to another, both included, of all lanes and tokens.
///
/// # Errors
/// [`ClientError`].
pub fn settled(chain: &Chain, from: u64, to: u64) -> Result<Vec<Settled>, ClientError> {
    let (mut next, mut step, mut found) = (from, HEIGHTS_AT_ONCE, Vec::new());
    while next <= to {
        let last = to.min(next.saturating_add(step.saturating_sub(1)));
        match logs(chain, next, last) {
            Ok(logs) => {
                found.extend(logs);
                next = last.saturating_add(1);
                step = step.saturating_mul(2).min(HEIGHTS_AT_ONCE);
            }
            // Too many logs for one answer; of a single height it is the node's last word.
            Err(ClientError::Refused { .. } | ClientError::TooLong { .. }) if last > next => {
                step = (last.saturating_sub(next).saturating_add(1) / 2).max(1);
            }
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

fn logs(chain: &Chain, from: u64, to: u64) -> Result<Vec<Settled>, ClientError> {
    let filter = json!({
        "address": ROYALTY_LEDGER, "fromBlock": U64::from(from), "toBlock": U64::from(to),
        "topics": [IRoyaltyLedger::Settled::SIGNATURE_HASH],
    });
    let found: Vec<RpcLog> = chain.rpc().ask("eth_getLogs", json!([filter]))?;
    found.into_iter().map(event).collect()
}

fn event(log: RpcLog) -> Result<Settled, ClientError> {
    let unreadable = |why: String| ClientError::Answer { method: "eth_getLogs", why };
    let data =
        LogData::new(log.topics, log.data).ok_or_else(|| unreadable("more than four topics".into()))?;
    let e = IRoyaltyLedger::Settled::decode_log_data(&data).map_err(|error| unreadable(error.to_string()))?;
    Ok(Settled {
        licence: e.licence,
        batch: e.batch,
        payer: e.payer,
        lane: LaneId::from(e.lane.0),
        period: e.period,
        token: e.token,
        route: e.route,
    })
}
