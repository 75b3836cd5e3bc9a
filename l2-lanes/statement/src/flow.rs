//! Money up the routes: from what each accrual brought to what the payee is owed, by `chlom-royalty`'s own arithmetic on proven words.
//!
//! Every amount is the floor of a cumulative sum less what was there before. What a line says follows from one order of what an
//! account received: by period, then licence, lane and route of what earned it. Sums do not depend on that order (T10).

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use chlom_royalty::{
    Account, Accrual, Leaf, LeafProof, Period, Share, SplitVector,
    route::{MAX_DEPTH, route_hash},
    split::entitlement,
    tree::{tree_split_hash, verify_leaf},
};

use crate::{
    document::{Evidence, OwnLeaf, Split},
    fault::Fault,
    slots::{self, Slot, State},
};

/// A route with its place in the forest.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Hash of the way up to the root.
    pub(crate) hash: B256,
    /// The nearest active route above.
    pub(crate) station: Option<usize>,
    /// Whether the payee's amounts depend on it: by its own split, or by what passes up from it.
    pub(crate) needed: bool,
    depth: u8,
}

/// Something that an account received: a part of what an accrual brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inflow {
    pub(crate) period: u32,
    /// The route of the licence that earned it, and which accrual.
    pub(crate) earner: usize,
    pub(crate) accrual: usize,
    pub(crate) amount: u128,
}

/// What became of money: passed up, kept, owed to the payee of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Became {
    pub(crate) passed_up: u128,
    pub(crate) kept: u128,
    pub(crate) owed: u128,
}

impl Became {
    fn plus(self, more: Self) -> Self {
        Self {
            passed_up: self.passed_up.saturating_add(more.passed_up),
            kept: self.kept.saturating_add(more.kept),
            owed: self.owed.saturating_add(more.owed),
        }
    }

    fn less(self, before: Self) -> Self {
        Self {
            passed_up: self.passed_up.saturating_sub(before.passed_up),
            kept: self.kept.saturating_sub(before.kept),
            owed: self.owed.saturating_sub(before.owed),
        }
    }
}

/// A route that pays the payee.
#[derive(Clone, Debug)]
pub(crate) struct Paying {
    pub(crate) route: usize,
    pub(crate) weight: u128,
    pub(crate) denom: u128,
    pub(crate) inflows: Vec<(Inflow, Became)>,
    pub(crate) all: Became,
    pub(crate) taken: u128,
}

/// All that follows from the evidence but its rows.
#[derive(Clone, Debug)]
pub(crate) struct Reckoned {
    /// By route, then as listed.
    pub(crate) accruals: Vec<Vec<Accrual>>,
    pub(crate) paying: Vec<Paying>,
}

/// Where a route stands in the file.
pub(crate) fn place(route: usize) -> String {
    format!("evidence.routes[{route}]")
}

/// Hashes the routes and finds the way of money. Upholds [STM-11].
pub(crate) fn nodes(evidence: &Evidence) -> Result<Vec<Node>, Fault> {
    let mut nodes: Vec<Node> = Vec::with_capacity(evidence.routes.len());
    let mut seen = BTreeSet::new();
    for (index, route) in evidence.routes.iter().enumerate() {
        let fault = |why: &str| Fault::evidence(place(index), why);
        let above = match route.parent {
            None => None,
            Some(parent) => {
                let node =
                    nodes.get(parent).ok_or_else(|| fault("the route above it must come before it"))?;
                Some((parent, node.clone()))
            }
        };
        let parent_hash = above.as_ref().map_or(B256::ZERO, |(_, node)| node.hash);
        let hash = route_hash(parent_hash, route.licence, route.split_version, route.active);
        if !seen.insert(hash) {
            return Err(fault("it is listed twice"));
        }
        let depth = above.as_ref().map_or(0, |(_, node)| node.depth.saturating_add(1));
        if depth > MAX_DEPTH {
            return Err(fault("it has more than 16 licences above it"));
        }
        if !route.active && (route.split.is_some() || !route.accruals.is_empty()) {
            return Err(fault("it does not count, so it earns and pays nothing"));
        }
        let is_active = |parent: usize| evidence.routes.get(parent).is_some_and(|route| route.active);
        let station = above.as_ref().and_then(
            |(parent, node)| {
                if is_active(*parent) { Some(*parent) } else { node.station }
            },
        );
        let passes = station.and_then(|station| nodes.get(station)).is_some_and(|node| node.needed);
        let needed = route.active && (route.split.is_some() || passes);
        nodes.push(Node { hash, station, needed, depth });
    }
    Ok(nodes)
}

/// Reckons everything from proven words. Upholds [STM-12] to [STM-15].
pub(crate) fn reckon(
    evidence: &Evidence,
    payee: Address,
    token: Address,
    state: &State<'_>,
) -> Result<Reckoned, Fault> {
    let nodes = nodes(evidence)?;
    let idle = nodes
        .iter()
        .zip(&evidence.routes)
        .position(|(node, route)| !node.needed && !route.accruals.is_empty());
    if let Some(index) = idle {
        return Err(Fault::evidence(place(index), "nothing that it earns reaches the payee"));
    }
    let accruals = accruals(evidence, token, state)?;
    let mut arrived: Vec<Vec<Inflow>> = accruals.iter().enumerate().map(own(evidence)).collect();
    let mut paying = Vec::new();
    // A route comes after the one above it, so from the last to the first all that passes up has arrived.
    for (index, node) in nodes.iter().enumerate().rev().filter(|(_, node)| node.needed) {
        let Some(route) = evidence.routes.get(index) else { continue };
        let mut inflows = std::mem::take(&mut arrived[index]);
        inflows.sort_by_key(|inflow| order(evidence, &nodes, inflow));
        let rate = match node.station {
            Some(_) => state.rate(route.licence)?,
            None => (0, 1),
        };
        let received = received(index, node.hash, token, rate, state)?;
        let listed = inflows.iter().fold(0u128, |sum, inflow| sum.saturating_add(inflow.amount));
        let total = received.iter().fold(0u128, |sum, one| sum.saturating_add(*one));
        if listed != total {
            return Err(Fault::Unexplained { place: place(index), received: total, listed });
        }
        // What was paid binds the route's hash; of nothing there is nothing to say.
        if total == 0 && route.split.is_some() {
            return Err(Fault::evidence(place(index), "nothing was ever paid by this route"));
        }
        let parts = match &route.split {
            Some(split) => parts(index, split, payee, state.split(route.licence, route.split_version)?)?,
            None => Parts { denom: 1, own: Vec::new() },
        };
        let mut meter = Meter::new(&received, rate, &parts);
        let mut became = Vec::with_capacity(inflows.len());
        for inflow in inflows {
            let before = meter.became();
            let more = meter.feed(inflow.amount, inflow.period).map(|()| meter.became().less(before));
            became
                .push((inflow, more.ok_or_else(|| Fault::evidence(place(index), "amounts past 112 bits"))?));
        }
        if let Some(station) = node.station.filter(|above| nodes.get(*above).is_some_and(|n| n.needed)) {
            let passed = became.iter().filter(|(_, became)| became.passed_up != 0);
            arrived[station]
                .extend(passed.map(|(inflow, became)| Inflow { amount: became.passed_up, ..*inflow }));
        }
        if route.split.is_some() {
            let mut taken = 0u128;
            for generation in 0u32..u32::try_from(received.len()).unwrap_or(u32::MAX) {
                for (_, by) in &parts.own {
                    taken = taken.saturating_add(state.taken(by.slot(token, node.hash, generation))?);
                }
            }
            let weight = parts.own.iter().fold(0u128, |sum, (weight, _)| sum.saturating_add(*weight));
            paying.push(Paying {
                route: index,
                weight,
                denom: parts.denom,
                all: meter.became(),
                inflows: became,
                taken,
            });
        }
    }
    paying.reverse();
    Ok(Reckoned { accruals, paying })
}

/// What an inflow is sorted by. Upholds [STM-14].
fn order(evidence: &Evidence, nodes: &[Node], inflow: &Inflow) -> (u32, B256, Address, B256) {
    let route = evidence.routes.get(inflow.earner);
    let licence = route.map(|route| route.licence).unwrap_or_default();
    let lane = route.and_then(|route| route.accruals.get(inflow.accrual)).map(|accrual| accrual.lane);
    let hash = nodes.get(inflow.earner).map(|node| node.hash).unwrap_or_default();
    (inflow.period, licence, lane.unwrap_or_default(), hash)
}

/// What a route's own accruals brought it.
fn own(evidence: &Evidence) -> impl Fn((usize, &Vec<Accrual>)) -> Vec<Inflow> {
    |(earner, accruals)| {
        let listed = evidence.routes.get(earner).map(|route| route.accruals.as_slice()).unwrap_or_default();
        let inflow = |(accrual, (found, listed)): (usize, (&Accrual, &crate::document::AccrualOf))| Inflow {
            period: listed.period,
            earner,
            accrual,
            amount: found.base().saturating_sub(found.fee()),
        };
        accruals.iter().zip(listed).enumerate().map(inflow).collect()
    }
}

/// Every accrual that is listed, each once, as the state has it.
fn accruals(evidence: &Evidence, token: Address, state: &State<'_>) -> Result<Vec<Vec<Accrual>>, Fault> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(evidence.routes.len());
    for (index, route) in evidence.routes.iter().enumerate() {
        let mut own = Vec::with_capacity(route.accruals.len());
        for (at, accrual) in route.accruals.iter().enumerate() {
            let fault = |why: String| Fault::evidence(format!("{}.accruals[{at}]", place(index)), why);
            Period::new(accrual.period).map_err(|error| fault(error.to_string()))?;
            if !seen.insert((route.licence, accrual.lane, accrual.period)) {
                return Err(fault("it is listed twice".into()));
            }
            let found = state.accrual(token, route.licence, &accrual.lane, accrual.period)?;
            own.push(found.ok_or_else(|| fault("the ledger has settled nothing of it".into()))?);
        }
        all.push(own);
    }
    Ok(all)
}

/// What a route's account received, generation by generation.
fn received(
    index: usize,
    hash: B256,
    token: Address,
    rate: (u64, u64),
    state: &State<'_>,
) -> Result<Vec<u128>, Fault> {
    let mut all = Vec::new();
    for generation in 0..=state.generations(token, hash)? {
        let found = state.account(token, hash, generation)?;
        let mut reckoned = Account::default();
        let passed = reckoned.add(found.inflow(), rate, found.last_period());
        if passed != Ok(found.passed_up()) {
            let why = format!("{} passed up, which is not the floor of what it received", found.passed_up());
            return Err(Fault::evidence(place(index), why));
        }
        all.push(found.inflow());
    }
    Ok(all)
}

/// The payee's parts of a split.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    denom: u128,
    pub(crate) own: Vec<(u128, TakenBy)>,
}

/// Under which key the ledger keeps what was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TakenBy {
    Index(usize),
    Start(u128),
}

impl TakenBy {
    pub(crate) fn slot(self, token: Address, route: B256, generation: u32) -> Slot {
        match self {
            Self::Index(index) => slots::taken(token, route, generation, index),
            Self::Start(start) => slots::leaf(token, route, generation, start),
        }
    }
}

/// Checks a split against its hash in the licence. Upholds [STM-13].
pub(crate) fn parts(index: usize, split: &Split, payee: Address, hash: B256) -> Result<Parts, Fault> {
    let fault = |why: String| Fault::evidence(format!("{}.split", place(index)), why);
    let other = || fault(format!("it is not the split {hash} that the licence names"));
    match split {
        Split::Vector(shares) => {
            let of = |(payee, weight): &(Address, crate::document::Units)| Share {
                payee: *payee,
                weight: weight.0,
            };
            let denom = shares.iter().fold(0u128, |sum, (_, weight)| sum.saturating_add(weight.0));
            let vector = SplitVector::new(shares.iter().map(of).collect(), denom)
                .map_err(|error| fault(error.to_string()))?;
            if vector.hash() != hash {
                return Err(other());
            }
            let at = vector.shares().binary_search_by_key(&payee, |share| share.payee);
            let at = at.map_err(|_| fault(format!("{payee} is no payee of it")))?;
            let weight = vector.shares().get(at).map_or(0, |share| share.weight);
            Ok(Parts { denom, own: vec![(weight, TakenBy::Index(at))] })
        }
        Split::Tree { root, denom, leaves, own } => {
            if tree_split_hash(*root, denom.0, *leaves) != hash {
                return Err(other());
            }
            if own.is_empty() {
                return Err(fault(format!("no leaf of {payee} is in it")));
            }
            if !own.is_sorted_by(|a, b| a.start < b.start) {
                return Err(fault("its leaves do not ascend".into()));
            }
            let mut parts = Vec::with_capacity(own.len());
            for leaf in own {
                let (leaf, proof) = leaf_of(leaf, payee);
                verify_leaf(*root, denom.0, &leaf, &proof).map_err(|error| fault(error.to_string()))?;
                parts.push((leaf.weight, TakenBy::Start(leaf.start)));
            }
            Ok(Parts { denom: denom.0, own: parts })
        }
    }
}

/// Under which keys the ledger keeps what the payee took, by a split that nothing was proven of yet.
pub(crate) fn own_parts(index: usize, split: &Split, payee: Address) -> Result<Vec<TakenBy>, Fault> {
    match split {
        Split::Vector(shares) => {
            let at = shares.iter().position(|(other, _)| *other == payee);
            let nobody =
                || Fault::evidence(format!("{}.split", place(index)), format!("{payee} is no payee of it"));
            Ok(vec![TakenBy::Index(at.ok_or_else(nobody)?)])
        }
        Split::Tree { own, .. } => Ok(own.iter().map(|leaf| TakenBy::Start(leaf.start.0)).collect()),
    }
}

fn leaf_of(own: &OwnLeaf, payee: Address) -> (Leaf, LeafProof) {
    let proof = LeafProof {
        path: own.path,
        siblings: own.siblings.iter().map(|(hash, _)| *hash).collect(),
        sums: own.siblings.iter().map(|(_, sum)| sum.0).collect(),
    };
    (Leaf { payee, start: own.start.0, weight: own.weight.0 }, proof)
}

/// A route's accounts, one generation behind the other, filled inflow by inflow.
struct Meter<'a> {
    received: &'a [u128],
    rate: (u64, u64),
    parts: &'a Parts,
    generation: usize,
    account: Account,
    before: Became,
}

impl<'a> Meter<'a> {
    fn new(received: &'a [u128], rate: (u64, u64), parts: &'a Parts) -> Self {
        Self { received, rate, parts, generation: 0, account: Account::default(), before: Became::default() }
    }

    fn became(&self) -> Became {
        let (parts, kept) = (self.parts, self.account.kept());
        let owed = parts
            .own
            .iter()
            .fold(0u128, |sum, (weight, _)| sum.saturating_add(entitlement(*weight, parts.denom, kept)));
        self.before.plus(Became { passed_up: self.account.passed_up(), kept, owed })
    }

    /// `None` when there is no room for it.
    fn feed(&mut self, mut amount: u128, period: u32) -> Option<()> {
        while amount != 0 {
            let room = self.received.get(self.generation)?.saturating_sub(self.account.inflow());
            let part = amount.min(room);
            self.account.add(part, self.rate, period).ok()?;
            amount = amount.saturating_sub(part);
            if amount != 0 {
                self.before = self.became();
                self.account = Account::default();
                self.generation = self.generation.saturating_add(1);
            }
        }
        Some(())
    }
}
