//! What is kept of the logs: the newest of everything, and counts of all. Upholds [PAG-7].

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use chlom_client::{
    contracts::royalty_ledger::IRoyaltyLedger::RouteKey,
    lanes::{
        batches::{Batch, Status},
        events::{Happening, LaneEvent},
    },
};
use chlom_lane::{Header, LaneId};

use super::{logs::Event, newest::Newest};

/// What is kept of each, so that later logs find what they are about. Far more than is shown.
const BATCHES: usize = 4_096;
const LICENCES: usize = 4_096;
const ROUTES: usize = 4_096;
const LANES: usize = 256;
const TOKENS: usize = 64;
/// What is kept to be shown.
const FRAUDS: usize = 50;
const ACCOUNTS: usize = 128;
/// Watchers of a lane, the last seen.
const WATCHERS: usize = 8;

/// Batches by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) open: u64,
    pub(super) void: u64,
    pub(super) finalized: u64,
    pub(super) done: u64,
}

impl Counts {
    fn of(&mut self, status: Status) -> Option<&mut u64> {
        match status {
            Status::Open => Some(&mut self.open),
            Status::Void => Some(&mut self.void),
            Status::Finalized => Some(&mut self.finalized),
            Status::Done => Some(&mut self.done),
            Status::None => None,
        }
    }

    fn step(&mut self, from: Status, to: Status) {
        if let Some(count) = self.of(from) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.of(to) {
            *count = count.saturating_add(1);
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct LaneFacts {
    pub(super) name: Option<String>,
    pub(super) counts: Counts,
    pub(super) records: u64,
    /// When a batch last came.
    pub(super) active: u64,
    /// When each was last seen.
    pub(super) watchers: BTreeMap<Address, u64>,
}

#[derive(Debug)]
pub(super) struct BatchFacts {
    pub(super) lane: LaneId,
    pub(super) period: u32,
    pub(super) number: u32,
    /// `None` for one that cannot be read, which no chain accepts.
    pub(super) header: Option<HeaderFacts>,
    pub(super) accepted: u64,
    pub(super) status: Status,
    /// As the chain last had it.
    pub(super) held: Option<Batch>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderFacts {
    pub(super) parameters: u32,
    pub(super) records: u32,
    pub(super) rows: u32,
    pub(super) payers: usize,
    /// In the lane's minor unit.
    pub(super) owed: u128,
}

/// A batch that was proven wrong.
#[derive(Debug)]
pub(super) struct FraudFacts {
    pub(super) lane: LaneId,
    pub(super) period: u32,
    pub(super) number: u32,
    pub(super) kind: u8,
    pub(super) submitter: Address,
    pub(super) slashed: U256,
    pub(super) time: u64,
    pub(super) height: u64,
    /// The earliest commitment that was revealed, and whose it is.
    pub(super) best: Option<(u64, Address)>,
    /// Whom the reward was paid to (zero: nobody), and how much.
    pub(super) award: Option<(Address, U256)>,
}

/// Sums of settled rows, and of what payees took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) revenue: U256,
    pub(super) base: U256,
    pub(super) fee: U256,
    pub(super) withdrawn: U256,
}

#[derive(Debug, Default)]
pub(super) struct LicenceFacts {
    /// By token; a licence is mostly paid in one.
    pub(super) sums: BTreeMap<Address, Sums>,
    /// The licence above (zero: none) and the share that passes up, once asked.
    pub(super) above: Option<(B256, u64, u64)>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenFacts {
    pub(super) decimals: Option<u8>,
    pub(super) sums: Sums,
}

/// Token, route, generation.
pub(super) type AccountKey = (Address, B256, u16);

/// An account of kept money, and what its payees have of it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) key: RouteKey,
    /// Whether something happened since it was asked for.
    pub(super) stale: bool,
    pub(super) division: Division,
}

/// How an account is divided.
#[derive(Debug)]
pub(super) enum Division {
    /// Among these, the ones with the largest parts; and how many more there are.
    Vector(Vec<Part>, usize),
    /// By proofs, which only the payees have.
    Tree,
}

/// A payee's part of an account, in the token's minor unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) payee: Address,
    pub(super) due: U256,
    pub(super) can: U256,
    pub(super) held: U256,
}

#[derive(Default)]
pub(super) struct Index {
    pub(super) lanes: Newest<LaneId, LaneFacts, LANES>,
    pub(super) batches: Newest<B256, BatchFacts, BATCHES>,
    pub(super) counts: Counts,
    pub(super) frauds: Newest<B256, FraudFacts, FRAUDS>,
    pub(super) slashed: U256,
    pub(super) rewarded: U256,
    pub(super) licences: Newest<B256, LicenceFacts, LICENCES>,
    pub(super) tokens: Newest<Address, TokenFacts, TOKENS>,
    pub(super) accounts: Newest<AccountKey, Account, ACCOUNTS>,
    routes: Newest<B256, RouteKey, ROUTES>,
    /// Generations above the first, which are rare.
    generations: Newest<(Address, B256), u16, ROUTES>,
    /// The route that was opened last, whose first receipt follows.
    opened: Option<(B256, u16)>,
}

impl Index {
    pub(super) fn add(&mut self, event: Event) {
        match event {
            Event::Batch(event) => self.batch(event),
            Event::LaneAdded { lane, name } => self.lane(lane).name = Some(name),
            Event::WatcherSeen { lane, watcher, time } => self.watcher(lane, watcher, time),
            Event::Minted { id } => self.licences.add(id, LicenceFacts::default()),
            Event::TokenEnabled { token, decimals } => self.token(token).decimals = Some(decimals),
            Event::Settled { licence, token, revenue, base, fee } => {
                let sums = Sums { revenue, base, fee, withdrawn: U256::ZERO };
                self.token(token).sums.add(sums);
                if let Some(facts) = self.licences.get_mut(&licence)
                    && (facts.sums.len() < 4 || facts.sums.contains_key(&token))
                {
                    facts.sums.entry(token).or_default().add(sums);
                }
            }
            Event::RouteOpened { licence, route, parent, split_version, generation } => {
                let key = RouteKey { licence, splitVersion: split_version, parentRoute: parent, generation };
                self.routes.add(route, key);
                self.opened = Some((route, generation));
            }
            Event::Received { route, token } => self.received(route, token),
            Event::Withdrawn { route, token, amount } => {
                self.token(token).sums.withdrawn += amount;
                for (key, account) in self.accounts.iter_mut() {
                    account.stale |= key.0 == token && key.1 == route;
                }
            }
            Event::Held => self.accounts.iter_mut().for_each(|(_, account)| account.stale = true),
        }
    }

    pub(super) fn lane(&mut self, lane: LaneId) -> &mut LaneFacts {
        self.lanes.of(lane)
    }

    fn token(&mut self, token: Address) -> &mut TokenFacts {
        self.tokens.of(token)
    }

    fn watcher(&mut self, lane: LaneId, watcher: Address, time: u64) {
        let watchers = &mut self.lane(lane).watchers;
        watchers.insert(watcher, time);
        if watchers.len() > WATCHERS {
            let oldest = watchers.iter().min_by_key(|(_, time)| **time).map(|(watcher, _)| *watcher);
            oldest.and_then(|oldest| watchers.remove(&oldest));
        }
    }

    /// An account has received: it is the newest, and its payees are due more.
    fn received(&mut self, route: B256, token: Address) {
        if let Some((_, generation)) = self.opened.take_if(|(opened, _)| *opened == route)
            && generation > 0
        {
            self.generations.add((token, route), generation);
        }
        let generation = self.generations.get(&(token, route)).copied().unwrap_or(0);
        let account = (token, route, generation);
        if let Some(known) = self.accounts.renew(&account) {
            known.stale = true;
        } else if let Some(key) = self.routes.get(&route) {
            let key = RouteKey { generation, ..key.clone() };
            self.accounts
                .add(account, Account { key, stale: true, division: Division::Vector(Vec::new(), 0) });
        }
    }

    fn batch(&mut self, event: LaneEvent) {
        let LaneEvent { height, time, batch, what, .. } = event;
        match what {
            Happening::Accepted { lane, period, number, header, .. } => {
                let header = Header::decode(&header).ok().map(|header| HeaderFacts {
                    parameters: header.parameters,
                    records: header.records,
                    rows: header.rows,
                    payers: header.payers.len(),
                    owed: header.payers.iter().fold(0, |sum, payer| payer.owed.saturating_add(sum)),
                });
                let facts = self.lane(lane);
                facts.records += header.map_or(0, |header| header.records.into());
                facts.active = time;
                let status = Status::None;
                let facts = BatchFacts { lane, period, number, header, accepted: time, status, held: None };
                self.batches.add(batch, facts);
                self.step(batch, Status::None, Status::Open);
            }
            Happening::Voided { submitter, kind, slashed } => {
                self.step(batch, Status::Open, Status::Void);
                self.slashed += slashed;
                let place = self.batches.get(&batch).map(|facts| (facts.lane, facts.period, facts.number));
                let (lane, period, number) = place.unwrap_or_default();
                let (best, award) = (None, None);
                let fraud =
                    FraudFacts { lane, period, number, kind, submitter, slashed, time, height, best, award };
                self.frauds.add(batch, fraud);
            }
            Happening::Revealed { watcher, order } => {
                if let Some(fraud) = self.frauds.get_mut(&batch)
                    && fraud.best.is_none_or(|(best, _)| order < best)
                {
                    fraud.best = Some((order, watcher));
                }
            }
            Happening::Awarded { winner, reward, .. } => {
                self.rewarded += reward;
                if let Some(fraud) = self.frauds.get_mut(&batch) {
                    fraud.award = Some((winner, reward));
                }
            }
            Happening::Finalized => self.step(batch, Status::Open, Status::Finalized),
            Happening::Done => self.step(batch, Status::Finalized, Status::Done),
            Happening::Released => {}
        }
    }

    /// Counts a batch's step. `from`: where one comes from that is not kept any more.
    fn step(&mut self, batch: B256, from: Status, to: Status) {
        let known = self.batches.get_mut(&batch).map(|facts| {
            let from = std::mem::replace(&mut facts.status, to);
            (facts.lane, from)
        });
        match known {
            Some((lane, from)) => {
                self.counts.step(from, to);
                self.lane(lane).counts.step(from, to);
            }
            None => self.counts.step(from, to),
        }
    }
}

impl Sums {
    fn add(&mut self, more: Self) {
        self.revenue += more.revenue;
        self.base += more.base;
        self.fee += more.fee;
        self.withdrawn += more.withdrawn;
    }
}
