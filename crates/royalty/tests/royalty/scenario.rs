//! Random forests and payments, played through the ledger.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use chlom_royalty::{
    Edge, Forest, Ledger, Period, Registry, RouteKey, Row, Share, Split, SplitVector,
    base::most_due,
    forest::{State, Terms},
    ledger::{Lane, Payout, Settled},
};

use crate::{
    model::{Node, id},
    seed::Seed,
};

pub(crate) const TOKEN: Address = Address::repeat_byte(0x11);
pub(crate) const WEEK: u32 = 20_250_901;
pub(crate) const CAP: u128 = 1_000_000_000;
pub(crate) const FEE_BPS: u128 = 50;
const NOW: u64 = 1_800_000_000;

/// One row: a licence's index, its lane, payer and revenue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment {
    pub(crate) licence: usize,
    pub(crate) lane: u8,
    pub(crate) payer: u8,
    pub(crate) revenue: u128,
}

/// A forest with its twin, and payments to licences in force.
pub(crate) struct Scenario {
    pub(crate) nodes: Vec<Node>,
    pub(crate) forest: Forest,
    pub(crate) payments: Vec<Payment>,
}

impl Scenario {
    pub(crate) fn new(seed: &mut Seed) -> Self {
        let mut forest = Forest::new(FEE_BPS, 1_000);
        let mut nodes: Vec<Node> = Vec::new();
        let mut depths = Vec::new();
        for index in 0..1 + seed.below(12) {
            let node = node(seed, &depths);
            depths.push(node.parent.map_or(0u8, |p| depths[p] + 1));
            let edge = node.parent.map(|p| Edge::new(id(p), node.rate.0, node.rate.1).unwrap());
            let split = forest.register(Split::Vector(vector(&node)));
            let state = if node.active { State::Active } else { State::Draft };
            let terms = Terms { state, end: u64::MAX, royalty_bps: node.royalty_bps, split };
            forest.mint(id(index), edge, 0, terms).unwrap();
            nodes.push(node);
        }
        let payments = payments(seed, &nodes);
        Self { nodes, forest, payments }
    }

    /// Revenue by (licence, lane).
    pub(crate) fn revenue(&self) -> BTreeMap<(usize, u8), u128> {
        let mut sums = BTreeMap::new();
        for payment in &self.payments {
            *sums.entry((payment.licence, payment.lane)).or_default() += payment.revenue;
        }
        sums
    }

    /// Settles in the order given, each as a row of its own, and withdraws now and then.
    pub(crate) fn play(&self, payments: &[Payment], seed: &mut Seed) -> (Ledger, Vec<Settled>) {
        let mut ledger = Ledger::new();
        ledger.enable_token(TOKEN, 6).unwrap();
        let settle = |(place, payment): (usize, &Payment)| {
            let settled = self.pay(&mut ledger, place, payment);
            if seed.one_in(4) {
                self.withdraw(&mut ledger, seed.below(self.nodes.len()), seed);
            }
            settled
        };
        let settled = payments.iter().enumerate().map(settle).collect();
        (ledger, settled)
    }

    fn pay(&self, ledger: &mut Ledger, place: usize, payment: &Payment) -> Settled {
        let Payment { licence, lane, payer, revenue } = *payment;
        let batch = B256::from(U256::from(place));
        let (lane, payer) = (Lane::repeat_byte(lane), Address::repeat_byte(payer));
        let needed = most_due(revenue, self.nodes[licence].royalty_bps).unwrap();
        if needed > 0 {
            ledger.deposit(TOKEN, lane, payer, needed).unwrap();
            ledger.reserve(batch, TOKEN, lane, payer, needed).unwrap();
        }
        let row = Row { batch, lane, period: WEEK, token: TOKEN, payer, licence: id(licence), revenue };
        ledger.settle(&row, NOW, &self.forest).unwrap()
    }

    fn withdraw(&self, ledger: &mut Ledger, licence: usize, seed: &mut Seed) {
        let (key, index) = (self.key(ledger, licence), seed.below(self.nodes[licence].weights.len()));
        let payout = Payout { key, token: TOKEN, index: u32::try_from(index).unwrap() };
        // Nothing due is no fault here.
        let _ = ledger.withdraw(&payout, &self.forest);
    }

    /// Pays everybody out; gives what each payee has had in all.
    pub(crate) fn pay_out(&self, ledger: &mut Ledger, licence: usize) -> Vec<u128> {
        let key = self.key(ledger, licence);
        let take = |index| {
            let payout = Payout { key, token: TOKEN, index: u32::try_from(index).unwrap() };
            let _ = ledger.withdraw(&payout, &self.forest);
            ledger.taken_of(TOKEN, &key, index as u128)
        };
        (0..self.nodes[licence].weights.len()).map(take).collect()
    }

    pub(crate) fn key(&self, ledger: &Ledger, licence: usize) -> RouteKey {
        let start = Period::new(WEEK).unwrap().start();
        ledger.current_key(TOKEN, &self.forest.route_at(id(licence), start).unwrap()[0])
    }
}

fn node(seed: &mut Seed, depths: &[u8]) -> Node {
    let parent = (!depths.is_empty() && !seed.one_in(4)).then(|| {
        // Deep chains as often as wide trees.
        if seed.one_in(2) { depths.len() - 1 } else { seed.below(depths.len()) }
    });
    let denom = 1 + seed.below(999) as u64;
    let rate = if seed.one_in(8) { (denom, denom) } else { (seed.below(denom as usize) as u64, denom) };
    let bits = if seed.one_in(4) { 90 } else { 16 };
    let weights: Vec<_> = (0..1 + seed.below(5)).map(|_| 1 + seed.wide(bits)).collect();
    Node {
        parent: parent.filter(|p| depths[*p] < 16),
        rate,
        active: !seed.one_in(6),
        royalty_bps: u16::try_from(seed.below(10_001)).unwrap(),
        denom: weights.iter().sum(),
        weights,
    }
}

/// The node's payees are 1, 2, 3, …, in the order of its weights.
fn vector(node: &Node) -> SplitVector {
    let share = |(i, weight): (u8, &u128)| Share { payee: Address::with_last_byte(i), weight: *weight };
    SplitVector::new((1..).zip(&node.weights).map(share).collect(), node.denom).unwrap()
}

fn payments(seed: &mut Seed, nodes: &[Node]) -> Vec<Payment> {
    let live: Vec<_> = (0..nodes.len()).filter(|i| nodes[*i].active).collect();
    if live.is_empty() {
        return Vec::new();
    }
    let count = 1 + seed.below(12);
    let payment = |_| Payment {
        licence: live[seed.below(live.len())],
        lane: u8::try_from(seed.below(2)).unwrap(),
        payer: 1 + u8::try_from(seed.below(3)).unwrap(),
        revenue: if seed.one_in(8) { seed.wide(100) } else { seed.wide(36) },
    };
    (0..count).map(payment).collect()
}
