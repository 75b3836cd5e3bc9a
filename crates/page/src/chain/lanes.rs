//! Lanes, with what they ask of batches.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use chlom_client::{
    ClientError,
    contracts::lane_registry::ILaneRegistry::{
        Parameters, activeOfCall, laneNameCall, parametersAtCall, parametersOfCall,
    },
    lanes::word,
};
use chlom_lane::{
    LaneId,
    lane::{ADLUXE, MEDIA_OTT, RETAIL_CPG, THRIVESEAT, lane_id},
};
use chlom_primitives::address::LANE_REGISTRY;
use serde_json::{Value, json};

use super::{
    At,
    index::{Counts, Index, LaneFacts},
    money::Tokens,
    one,
};
use crate::text::shown;

/// How many are shown.
const SHOWN: usize = 32;
/// Versions of parameters that are remembered.
const VERSIONS: usize = 1_024;

/// What was asked of lanes and does not change.
#[derive(Default)]
pub(super) struct Lanes {
    /// Whether those of genesis, which no log tells of, were looked for ([PAY-1]).
    begun: bool,
    versions: BTreeMap<(LaneId, u32), Parameters>,
}

impl Lanes {
    /// The lanes in which something happened last, then the others.
    pub(super) fn show(
        &mut self,
        at: At<'_>,
        index: &mut Index,
        tokens: &mut Tokens,
    ) -> Result<Value, ClientError> {
        if !self.begun {
            for lane in [ADLUXE, MEDIA_OTT, RETAIL_CPG, THRIVESEAT].map(lane_id) {
                if let Some(name) = name(at, lane)? {
                    index.lane(lane).name = Some(name);
                }
            }
            self.begun = true;
        }
        let unnamed: Vec<LaneId> =
            index.lanes.iter().filter(|(_, facts)| facts.name.is_none()).map(|(lane, _)| *lane).collect();
        for lane in unnamed {
            index.lane(lane).name = Some(name(at, lane)?.unwrap_or_default());
        }
        let mut all: Vec<(&LaneId, &LaneFacts)> = index.lanes.iter().collect();
        all.sort_by_key(|(_, facts)| std::cmp::Reverse(facts.active));
        all.truncate(SHOWN);
        let call = |lane: &LaneId| activeOfCall { lane: word(*lane) };
        let calls: Vec<_> = all.iter().map(|(lane, _)| call(lane)).collect();
        let active = at.chain.view_each_at(at.height, LANE_REGISTRY, &calls)?;
        let call = |lane: &LaneId| parametersAtCall { lane: word(*lane), time: at.time };
        let calls: Vec<_> = all.iter().map(|(lane, _)| call(lane)).collect();
        let terms = at.chain.view_each_at(at.height, LANE_REGISTRY, &calls)?;
        let mut rows = Vec::new();
        for (((lane, facts), active), terms) in all.into_iter().zip(active).zip(terms) {
            let (submitter, terms) = (active?.submitter, terms?);
            let p = terms.p;
            tokens.note(p.token, p.tokenDecimals);
            let watchers =
                facts.watchers.iter().map(|(address, time)| json!({ "address": address, "time": time }));
            rows.push(json!({
                "id": lane, "name": shown(facts.name.as_deref().unwrap_or_default()),
                "currency": currency(&p), "decimals": p.decimals, "token": p.token,
                "window": p.window, "windowBlocks": p.windowBlocks,
                "submitter": (!submitter.is_zero()).then_some(submitter),
                "batches": counts(facts.counts), "records": facts.records,
                "watchers": watchers.collect::<Vec<_>>(),
            }));
        }
        Ok(json!({ "total": index.lanes.total, "shown": rows }))
    }

    /// The parameters that a batch named.
    pub(super) fn version(
        &mut self,
        at: At<'_>,
        lane: LaneId,
        version: u32,
    ) -> Result<&Parameters, ClientError> {
        if self.versions.len() >= VERSIONS && !self.versions.contains_key(&(lane, version)) {
            self.versions.clear();
        }
        match self.versions.entry((lane, version)) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(unknown) => {
                let call = parametersOfCall { lane: word(lane), version };
                let found = one(at.chain.view_each_at(at.height, LANE_REGISTRY, &[call]))?;
                Ok(unknown.insert(found))
            }
        }
    }
}

/// `None`: there is no such lane.
fn name(at: At<'_>, lane: LaneId) -> Result<Option<String>, ClientError> {
    match one(at.chain.view_each_at(at.height, LANE_REGISTRY, &[laneNameCall { lane: word(lane) }])) {
        Ok(name) => Ok(Some(name)),
        Err(ClientError::Revert { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// As batches by how they stand.
pub(super) fn counts(counts: Counts) -> Value {
    let Counts { open, void, finalized, done } = counts;
    json!({ "open": open, "void": void, "finalized": finalized, "done": done })
}

/// The currency's letters.
pub(super) fn currency(p: &Parameters) -> String {
    shown(&p.currency.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect::<String>())
}

/// The contract's zero address stands for nobody.
pub(super) fn somebody(address: Address) -> Option<Address> {
    (!address.is_zero()).then_some(address)
}
