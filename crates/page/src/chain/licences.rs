//! Licences: how they stand, and what they have earned.

use alloy_primitives::B256;
use chlom_client::{
    ClientError,
    contracts::license_registry::ILicenseRegistry::{licensesCall, stateAtCall, termsOfCall},
};
use chlom_primitives::address::LICENSE_REGISTRY;
use serde_json::{Value, json};

use super::{At, index::Index};

/// How many are shown.
const SHOWN: usize = 100;
/// `ILicenseRegistry.State`.
const STATES: [&str; 5] = ["draft", "active", "suspended", "revoked", "expired"];

/// The licences that were minted last.
pub(super) fn show(
    at: At<'_>,
    index: &mut Index,
    name: &impl Fn(&B256) -> Option<String>,
) -> Result<Value, ClientError> {
    let ids: Vec<B256> = index.licences.iter().take(SHOWN).map(|(id, _)| *id).collect();
    let unasked = |id: &&B256| index.licences.get(id).is_some_and(|facts| facts.above.is_none());
    let new: Vec<B256> = ids.iter().filter(unasked).copied().collect();
    let calls: Vec<_> = new.iter().map(|id| termsOfCall { id: *id }).collect();
    for (id, terms) in new.iter().zip(at.chain.view_each_at(at.height, LICENSE_REGISTRY, &calls)?) {
        let terms = terms?;
        if let Some(facts) = index.licences.get_mut(id) {
            facts.above = Some((terms.parent, terms.numer, terms.denom));
        }
    }
    let calls: Vec<_> = ids.iter().map(|id| licensesCall { id: *id }).collect();
    let held = at.chain.view_each_at(at.height, LICENSE_REGISTRY, &calls)?;
    let calls: Vec<_> = ids.iter().map(|id| stateAtCall { id: *id, time: at.time, asOf: at.time }).collect();
    let states = at.chain.view_each_at(at.height, LICENSE_REGISTRY, &calls)?;
    let mut rows = Vec::new();
    for ((id, held), status) in ids.iter().zip(held).zip(states) {
        let (held, status) = (held?, status?);
        let Some(facts) = index.licences.get(id) else { continue };
        let earned = facts.sums.iter().map(|(token, sums)| {
            json!({ "token": token, "revenue": sums.revenue.to_string(), "due": sums.base.to_string() })
        });
        let mut row = json!({
            "id": id, "name": name(id), "state": STATES.get(usize::from(status.state)).unwrap_or(&"unknown"),
            "royaltyBps": held.royaltyBps.to::<u64>(), "owner": held.owner, "licensee": held.licensee,
            "start": held.startTs, "end": held.endTs, "earned": earned.collect::<Vec<_>>(),
        });
        if let Some((parent, numer, denom)) = facts.above.filter(|(parent, ..)| !parent.is_zero()) {
            row["parent"] = json!({ "id": parent, "name": name(&parent), "numer": numer, "denom": denom });
        }
        rows.push(row);
    }
    Ok(json!({ "total": index.licences.total, "shown": rows }))
}
