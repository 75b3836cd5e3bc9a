//! Which logs are read, and what each says.

use alloy_primitives::{Address, B256, LogData, U256};
use alloy_sol_types::SolEvent;
use chlom_client::{
    Chain, ClientError,
    contracts::{
        lane_registry::ILaneRegistry as L, license_registry::ILicenseRegistry as C,
        royalty_ledger::IRoyaltyLedger as R,
    },
    lanes::events::{self, LaneEvent},
    logs::{self, Log},
};
use chlom_lane::LaneId;
use chlom_primitives::address::{LANE_REGISTRY, LICENSE_REGISTRY, PAYOUT_PROOFS, ROYALTY_LEDGER};

/// Something that happened.
pub(super) enum Event {
    /// To a batch.
    Batch(LaneEvent),
    LaneAdded {
        lane: LaneId,
        name: String,
    },
    WatcherSeen {
        lane: LaneId,
        watcher: Address,
        time: u64,
    },
    Minted {
        id: B256,
    },
    TokenEnabled {
        token: Address,
        decimals: u8,
    },
    Settled {
        licence: B256,
        token: Address,
        revenue: U256,
        base: U256,
        fee: U256,
    },
    /// A route receives for the first time.
    RouteOpened {
        licence: B256,
        route: B256,
        parent: B256,
        split_version: u32,
        generation: u16,
    },
    /// A route has received.
    Received {
        route: B256,
        token: Address,
    },
    Withdrawn {
        route: B256,
        token: Address,
        amount: U256,
    },
    /// Holds changed, or what they hold did.
    Held,
}

const ADDRESSES: [Address; 4] = [PAYOUT_PROOFS, LANE_REGISTRY, LICENSE_REGISTRY, ROYALTY_LEDGER];
const OTHERS: [B256; 11] = [
    L::LaneAdded::SIGNATURE_HASH,
    L::WatcherSeen::SIGNATURE_HASH,
    C::LicenseMinted::SIGNATURE_HASH,
    R::TokenEnabled::SIGNATURE_HASH,
    R::Settled::SIGNATURE_HASH,
    R::RouteOpened::SIGNATURE_HASH,
    R::PayoutReceipt::SIGNATURE_HASH,
    R::Withdrawn::SIGNATURE_HASH,
    R::HoldPlaced::SIGNATURE_HASH,
    R::HoldReleased::SIGNATURE_HASH,
    R::HoldCaptured::SIGNATURE_HASH,
];

/// What happened from a height to another, both included.
pub(super) fn between(chain: &Chain, from: u64, to: u64) -> Result<Vec<Event>, ClientError> {
    let topics = [&events::TOPICS[..], &OTHERS[..]].concat();
    logs::between(chain, &ADDRESSES, &topics, from, to)?.into_iter().map(event).collect()
}

fn event(log: Log) -> Result<Event, ClientError> {
    if log.address == PAYOUT_PROOFS {
        return events::event(log).map(Event::Batch);
    }
    let unreadable = |why: String| ClientError::Answer { method: "eth_getLogs", why };
    let time = log.time;
    let data =
        LogData::new(log.topics, log.data).ok_or_else(|| unreadable("more than four topics".into()))?;
    other(&data, time).map_err(|error| unreadable(error.to_string()))
}

fn other(data: &LogData, time: u64) -> alloy_sol_types::Result<Event> {
    let topic = data.topics().first().copied().unwrap_or_default();
    Ok(match topic {
        L::LaneAdded::SIGNATURE_HASH => {
            let e = L::LaneAdded::decode_log_data(data)?;
            Event::LaneAdded { lane: e.lane.0.into(), name: e.name }
        }
        L::WatcherSeen::SIGNATURE_HASH => {
            let e = L::WatcherSeen::decode_log_data(data)?;
            Event::WatcherSeen { lane: e.lane.0.into(), watcher: e.watcher, time }
        }
        C::LicenseMinted::SIGNATURE_HASH => Event::Minted { id: C::LicenseMinted::decode_log_data(data)?.id },
        R::TokenEnabled::SIGNATURE_HASH => {
            let e = R::TokenEnabled::decode_log_data(data)?;
            Event::TokenEnabled { token: e.token, decimals: e.decimals }
        }
        R::Settled::SIGNATURE_HASH => {
            let e = R::Settled::decode_log_data(data)?;
            let (licence, token) = (e.licence, e.token);
            Event::Settled { licence, token, revenue: e.revenue, base: e.base, fee: e.fee }
        }
        R::RouteOpened::SIGNATURE_HASH => {
            let e = R::RouteOpened::decode_log_data(data)?;
            let (licence, route, parent) = (e.licence, e.route, e.parentRoute);
            Event::RouteOpened {
                licence,
                route,
                parent,
                split_version: e.splitVersion,
                generation: e.generation,
            }
        }
        R::PayoutReceipt::SIGNATURE_HASH => {
            let e = R::PayoutReceipt::decode_log_data(data)?;
            Event::Received { route: e.route, token: e.token }
        }
        R::Withdrawn::SIGNATURE_HASH => {
            let e = R::Withdrawn::decode_log_data(data)?;
            Event::Withdrawn { route: e.route, token: e.token, amount: e.amount }
        }
        _ => Event::Held,
    })
}
