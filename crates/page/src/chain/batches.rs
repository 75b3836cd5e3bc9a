//! Batches with their countdown, and those that were proven wrong.

use alloy_primitives::B256;
use chlom_client::{
    ClientError, contracts::payout_proofs::IPayoutProofs::batchOfCall, lanes::batches::Status,
};
use chlom_primitives::address::PAYOUT_PROOFS;
use serde_json::{Value, json};

use super::{
    At,
    index::{BatchFacts, FraudFacts, Index},
    lanes::{Lanes, counts, currency, somebody},
};
use crate::text::shown;

/// How many are shown.
const SHOWN: usize = 50;

/// The newest batches, and how all of them stand.
pub(super) fn show(at: At<'_>, index: &mut Index, lanes: &mut Lanes) -> Result<Value, ClientError> {
    // What is void or done stays as it is.
    let stays = |facts: &BatchFacts| {
        let known = facts.held.as_ref().map(Status::of);
        known == Some(facts.status) && matches!(facts.status, Status::Void | Status::Done)
    };
    let newest = index.batches.iter().take(SHOWN);
    let ask: Vec<B256> = newest.filter(|(_, facts)| !stays(facts)).map(|(root, _)| *root).collect();
    let calls: Vec<_> = ask.iter().map(|root| batchOfCall { batchRoot: *root }).collect();
    for (root, held) in ask.iter().zip(at.chain.view_each_at(at.height, PAYOUT_PROOFS, &calls)?) {
        let held = held?;
        if let Some(facts) = index.batches.get_mut(root) {
            facts.held = Some(held);
        }
    }
    let mut rows = Vec::new();
    for (root, facts) in index.batches.iter().take(SHOWN) {
        rows.push(row(at, index, lanes, root, facts)?);
    }
    Ok(json!({ "total": index.batches.total, "counts": counts(index.counts), "shown": rows }))
}

fn row(
    at: At<'_>,
    index: &Index,
    lanes: &mut Lanes,
    root: &B256,
    facts: &BatchFacts,
) -> Result<Value, ClientError> {
    let mut row = json!({
        "root": root, "lane": lane_name(index, facts.lane), "period": facts.period, "number": facts.number,
        "accepted": facts.accepted, "state": facts.status.word(),
    });
    if let Some(held) = &facts.held {
        row["state"] = Status::of(held).word().into();
        row["closesAt"] = held.closesAt.to::<u64>().into();
        row["closesHeight"] = held.closesHeight.to::<u64>().into();
        row["bond"] = held.bond.to_string().into();
        row["submitter"] = json!(held.submitter);
        row["unsettled"] = held.unsettled.into();
    }
    if let Some(header) = facts.header {
        let terms = lanes.version(at, facts.lane, header.parameters)?;
        row["records"] = header.records.into();
        row["rows"] = header.rows.into();
        row["payers"] = header.payers.into();
        row["owed"] = header.owed.to_string().into();
        row["decimals"] = terms.decimals.into();
        row["currency"] = currency(terms).into();
    }
    Ok(row)
}

/// The newest frauds, and what all of them cost.
pub(super) fn frauds(index: &Index) -> Value {
    let row = |(root, fraud): (&B256, &FraudFacts)| {
        let watcher = match fraud.award {
            Some((winner, _)) => somebody(winner),
            None => fraud.best.map(|(_, watcher)| watcher),
        };
        json!({
            "root": root, "lane": lane_name(index, fraud.lane), "period": fraud.period, "number": fraud.number,
            "kind": fraud.kind, "submitter": fraud.submitter, "slashed": fraud.slashed.to_string(),
            "time": fraud.time, "height": fraud.height, "watcher": watcher,
            "reward": fraud.award.map(|(_, reward)| reward.to_string()),
        })
    };
    json!({
        "total": index.frauds.total, "slashed": index.slashed.to_string(), "rewarded": index.rewarded.to_string(),
        "shown": index.frauds.iter().map(row).collect::<Vec<_>>(),
    })
}

fn lane_name(index: &Index, lane: chlom_lane::LaneId) -> String {
    let name = index.lanes.get(&lane).and_then(|facts| facts.name.as_deref()).unwrap_or_default();
    if name.is_empty() { lane.to_string() } else { shown(name) }
}
