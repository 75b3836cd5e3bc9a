//! A state that the royalty crate's own ledger made: rows settled at random over a forest, written into tries as the contracts keep it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use chlom_lane::{Row, merkle::Tree};
use chlom_royalty::{
    Edge, Forest, Ledger, Period, Registry, RouteKey, Share, Split as AnySplit, SplitTree, SplitVector,
    base::most_due,
    forest::{State, Terms},
    ledger::{Lane, Payout, Row as LedgerRow},
    route::route_hash,
};
use chlom_state::Account as StateAccount;

use chlom_statement::{
    Draft,
    document::{AccrualOf, Batch, OwnLeaf, Route, RowOf, Split, Units},
    make::{hashes_of, slots_of},
    slots::{self, Slot},
    trie::Nodes,
};

pub(crate) const TOKEN: Address = Address::repeat_byte(0x11);
pub(crate) const PAYEE: Address = Address::repeat_byte(0x77);
const PERIODS: [u32; 3] = [20_250_901, 20_250_902, 20_251_001];
/// When the second split version of some licences takes effect: after the second period began.
const CHANGED: u64 = 1_758_000_000;
const NOW: u64 = 1_800_000_000;

/// SplitMix64.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % end
    }
}

pub(crate) struct World {
    pub(crate) header: Header,
    pub(crate) nodes: Nodes,
    pub(crate) routes: Vec<Route>,
    pub(crate) batches: Vec<Batch>,
    /// What the ledger owes the payee in all, and what it took.
    pub(crate) owed: (u128, u128),
    pub(crate) slots: BTreeMap<Slot, U256>,
}

struct Licence {
    id: B256,
    parent: Option<usize>,
    splits: Vec<AnySplit>,
    tree: Option<SplitTree>,
    active: bool,
}

fn name(index: usize) -> String {
    format!("L-{index}")
}

impl World {
    /// `None` where nothing reaches the payee.
    pub(crate) fn new(seed: u64) -> Option<Self> {
        let mut draws = Draws(seed);
        let (forest, licences) = plant(&mut draws);
        let mut ledger = Ledger::new();
        ledger.enable_token(TOKEN, 6).unwrap();
        let mut slots: BTreeMap<Slot, U256> = BTreeMap::new();
        let mut paid = Paid::new();
        for _ in 0..4 + draws.below(30) {
            let licence = draws.below(licences.len() as u64) as usize;
            let period = PERIODS[draws.below(3) as usize];
            let lane = Lane::repeat_byte(1 + draws.below(2) as u8);
            let payer = Address::repeat_byte(0x20 + draws.below(2) as u8);
            let batch = keccak256([lane.as_slice(), &period.to_be_bytes(), &[draws.below(2) as u8]].concat());
            if !licences[licence].active || ledger.is_settled(batch, payer, licences[licence].id) {
                continue;
            }
            let size = draws.below(40);
            let revenue = u128::from(draws.below(2 << size)) * 10_000;
            settle(
                &mut ledger,
                &forest,
                LedgerRow {
                    batch,
                    lane,
                    period,
                    token: TOKEN,
                    payer,
                    licence: licences[licence].id,
                    revenue,
                },
            );
            paid.entry((licence, period, lane)).or_default().push((batch, payer, revenue));
        }
        let (batches, mut shown) = tables(&licences, &paid, &mut slots);
        let mut routes = routes(&forest, &licences, &paid, &mut shown);
        for index in 0..routes.len() {
            let received = ledger.account_of(TOKEN, &key(&routes[index], &routes)).inflow();
            if received == 0 || !routes[index].active {
                routes[index].split = None;
            }
        }
        keep_what_is_needed(&mut routes)?;
        let owed = pay(&mut ledger, &forest, &licences, &routes, &mut draws);
        write(&ledger, &forest, &licences, &routes, &mut slots);
        let (root, nodes) = state(&slots, None);
        let header = Header { number: 7, timestamp: NOW, state_root: root, ..Header::default() };
        Some(Self { header, nodes, routes, batches, owed, slots })
    }

    pub(crate) fn draft(&self) -> Draft {
        Draft {
            chain_id: 7272,
            header: self.header.clone(),
            payee: PAYEE,
            token: TOKEN,
            from: None,
            to: None,
            names: Default::default(),
            routes: self.routes.clone(),
            batches: self.batches.clone(),
        }
    }
}

/// Drops accruals of which nothing reaches a route that pays the payee.
fn keep_what_is_needed(routes: &mut [Route]) -> Option<()> {
    let mut below = vec![false; routes.len()];
    for index in 0..routes.len() {
        below[index] =
            routes[index].split.is_some() || routes[index].parent.is_some_and(|parent| below[parent]);
        if !below[index] {
            routes[index].accruals.clear();
        }
    }
    routes.iter().any(|route| route.split.is_some()).then_some(())
}

/// Licences below each other, some of whose splits change, some of trees.
fn plant(draws: &mut Draws) -> (Forest, Vec<Licence>) {
    let mut forest = Forest::new(50 + u128::from(draws.below(60)), u128::from(draws.below(3)));
    let mut licences: Vec<Licence> = Vec::new();
    for index in 0..1 + draws.below(7) as usize {
        let parent = (index > 0 && draws.below(4) > 0).then(|| draws.below(index as u64) as usize);
        let id = keccak256(name(index));
        let edge = parent.map(|parent| Edge::new(licences[parent].id, draws.below(1_000), 999).unwrap());
        let (first, tree) = split(draws, index);
        let mut splits = vec![first];
        let active = index == 0 || draws.below(5) > 0;
        let terms = Terms {
            state: if active { State::Active } else { State::Draft },
            end: u64::MAX,
            royalty_bps: [0, 500, 3_333, 10_000][draws.below(4) as usize],
            split: forest.register(splits[0].clone()),
        };
        forest.mint(id, edge, 0, terms).unwrap();
        if draws.below(3) == 0 {
            let (second, _) = split(draws, index + 100);
            if let AnySplit::Vector(_) = second {
                let split = forest.register(second.clone());
                forest.modify(id, (CHANGED, CHANGED), Terms { split, ..terms }).unwrap();
                splits.push(second);
            }
        }
        licences.push(Licence { id, parent, splits, tree, active });
    }
    (forest, licences)
}

fn split(draws: &mut Draws, salt: usize) -> (AnySplit, Option<SplitTree>) {
    let other = |n: u64| Address::from_word(B256::left_padding_from(&[salt as u8 + 1, n as u8 + 1]));
    let mut shares: Vec<(Address, u128)> =
        (0..draws.below(4)).map(|n| (other(n), u128::from(1 + draws.below(99)))).collect();
    shares.push((PAYEE, u128::from(1 + draws.below(99))));
    if draws.below(4) == 0 {
        // The payee has two leaves of a tree.
        shares.push((PAYEE, 5));
        let tree = SplitTree::new(shares).unwrap();
        let leaves = tree.leaves().len() as u32;
        return (AnySplit::Tree { root: tree.root(), denom: tree.denom(), leaves }, Some(tree));
    }
    let denom = shares.iter().map(|(_, weight)| weight).sum();
    let shares = shares.into_iter().map(|(payee, weight)| Share { payee, weight });
    (AnySplit::Vector(SplitVector::canonical(shares, denom).unwrap()), None)
}

fn settle(ledger: &mut Ledger, forest: &Forest, row: LedgerRow) {
    let period = Period::new(row.period).unwrap();
    let bps = forest.royalty_bps_at(row.licence, period.start()).unwrap();
    let most = most_due(row.revenue, bps).unwrap();
    if most > 0 {
        ledger.deposit(TOKEN, row.lane, row.payer, most).unwrap();
        ledger.reserve(row.batch, TOKEN, row.lane, row.payer, most).unwrap();
    }
    ledger.settle(&row, NOW, forest).unwrap();
}

type Paid = BTreeMap<(usize, u32, Lane), Vec<(B256, Address, u128)>>;
type Shown = BTreeMap<(usize, u32, Lane), Vec<RowOf>>;

/// Batches whose tables have those rows, in lanes that count in hundreds of the token's units.
fn tables(licences: &[Licence], paid: &Paid, slots: &mut BTreeMap<Slot, U256>) -> (Vec<Batch>, Shown) {
    let mut of: BTreeMap<(B256, u32, Lane), Vec<(Row, usize)>> = BTreeMap::new();
    for ((licence, period, lane), rows) in paid {
        for (batch, payer, revenue) in rows {
            let row = Row {
                payer: *payer,
                licence: licences[*licence].id,
                first_record: 3,
                count: 2,
                revenue: revenue / 100,
                royalty_bps: 1,
                owed: 9,
            };
            of.entry((*batch, *period, *lane)).or_default().push((row, *licence));
            slots.insert(slots::settled(*batch, *payer, row.licence), U256::ONE);
        }
    }
    let (mut batches, mut shown) = (Vec::new(), Shown::new());
    for ((root, period, lane), mut rows) in of {
        rows.sort_by_key(|(row, _)| row.pair());
        let tree = Tree::new(rows.iter().map(|(row, _)| row.leaf()).collect()).unwrap();
        let batch = Batch {
            root,
            lane: lane.0.into(),
            period,
            token: TOKEN,
            scale: 2,
            rebate_bps: 1_000,
            rows: rows.len() as u32,
            licenses_root: tree.root(),
        };
        slots.insert(slots::claim(root), batch.claim_hash().into());
        for (index, (row, licence)) in rows.iter().enumerate() {
            shown.entry((*licence, period, lane)).or_default().push(RowOf {
                batch: batches.len(),
                index: index as u32,
                payer: row.payer,
                first_record: row.first_record,
                count: row.count,
                revenue: Units(row.revenue),
                royalty_bps: row.royalty_bps,
                owed: Units(row.owed),
                path: tree.path(index).unwrap(),
            });
        }
        batches.push(batch);
    }
    (batches, shown)
}

/// Every route that was paid, and those above; the payee is in each split.
fn routes(forest: &Forest, licences: &[Licence], paid: &Paid, shown: &mut Shown) -> Vec<Route> {
    let (mut routes, mut places): (Vec<Route>, BTreeMap<B256, usize>) = Default::default();
    for (licence, period, lane) in paid.keys() {
        let nodes = forest.route_at(licences[*licence].id, Period::new(*period).unwrap().start()).unwrap();
        let mut parent = None;
        for node in nodes.iter().rev() {
            let next = routes.len();
            let place = *places.entry(node.route).or_insert(next);
            if place == next {
                let own = licences.iter().find(|licence| licence.id == node.step.licence).unwrap();
                routes.push(Route {
                    licence: node.step.licence,
                    split_version: node.step.split_version,
                    active: node.step.active,
                    parent,
                    split: Some(shown_split(own, node.step.split_version)),
                    accruals: Vec::new(),
                });
            }
            parent = Some(place);
        }
        let rows = shown.remove(&(*licence, *period, *lane));
        routes[parent.unwrap()].accruals.push(AccrualOf { lane: lane.0.into(), period: *period, rows });
    }
    routes
}

fn shown_split(licence: &Licence, version: u32) -> Split {
    match &licence.splits[version as usize - 1] {
        AnySplit::Vector(vector) => {
            Split::Vector(vector.shares().iter().map(|share| (share.payee, Units(share.weight))).collect())
        }
        AnySplit::Tree { root, denom, leaves } => {
            let tree = licence.tree.as_ref().unwrap();
            let own = tree.leaves().iter().enumerate().filter(|(_, leaf)| leaf.payee == PAYEE);
            let own = own.map(|(index, leaf)| {
                let proof = tree.prove(index).unwrap();
                let siblings =
                    proof.siblings.iter().copied().zip(proof.sums.iter().copied().map(Units)).collect();
                OwnLeaf { start: Units(leaf.start), weight: Units(leaf.weight), path: proof.path, siblings }
            });
            Split::Tree { root: *root, denom: Units(*denom), leaves: *leaves, own: own.collect() }
        }
    }
}

fn key(route: &Route, routes: &[Route]) -> RouteKey {
    let above = |route: &Route| route.parent.map_or(B256::ZERO, |parent| hash(&routes[parent], routes));
    RouteKey {
        licence: route.licence,
        split_version: route.split_version,
        parent_route: above(route),
        generation: 0,
    }
}

fn hash(route: &Route, routes: &[Route]) -> B256 {
    let above = route.parent.map_or(B256::ZERO, |parent| hash(&routes[parent], routes));
    route_hash(above, route.licence, route.split_version, route.active)
}

/// Pays the payee by some routes, as the ledger does it; what the ledger itself says that it was owed, and took.
fn pay(
    ledger: &mut Ledger,
    forest: &Forest,
    licences: &[Licence],
    routes: &[Route],
    draws: &mut Draws,
) -> (u128, u128) {
    let (mut owed, mut taken) = (0, 0);
    for route in routes {
        let key = key(route, routes);
        if ledger.account_of(TOKEN, &key).inflow() == 0 {
            continue;
        }
        let own = licences.iter().find(|licence| licence.id == route.licence).unwrap();
        match &own.splits[route.split_version as usize - 1] {
            AnySplit::Vector(vector) => {
                let index = vector.shares().iter().position(|share| share.payee == PAYEE).unwrap() as u32;
                let payout = Payout { key, token: TOKEN, index };
                let (due, _) = ledger.withdrawable(&payout, forest).unwrap();
                owed += due;
                if due > 0 && draws.below(2) == 0 {
                    ledger.withdraw(&payout, forest).unwrap();
                    taken += ledger.taken_of(TOKEN, &key, index.into());
                }
            }
            AnySplit::Tree { .. } => {
                let tree = own.tree.as_ref().unwrap();
                let kept = ledger.account_of(TOKEN, &key).kept();
                let leaves = tree.leaves().iter().enumerate().filter(|(_, leaf)| leaf.payee == PAYEE);
                for (index, leaf) in leaves {
                    owed += kept * leaf.weight / tree.denom();
                    if draws.below(2) == 0 {
                        let proof = tree.prove(index).unwrap();
                        let _nothing_due = ledger.withdraw_leaf(TOKEN, &key, leaf, &proof, forest);
                        taken += ledger.taken_of(TOKEN, &key, leaf.start);
                    }
                }
            }
        }
    }
    (owed, taken)
}

/// The ledger's words, as `contracts/snapshots/*.storage` lay them out.
fn write(
    ledger: &Ledger,
    forest: &Forest,
    licences: &[Licence],
    routes: &[Route],
    slots: &mut BTreeMap<Slot, U256>,
) {
    let at = |value: u128, bit: usize| U256::from(value) << bit;
    slots.insert(slots::token(TOKEN), at(6, 216) | at(1, 224));
    for licence in licences {
        if let Some(parent) = licence.parent {
            let nodes = forest.route_at(licence.id, NOW).unwrap();
            assert_eq!(nodes[1].step.licence, licences[parent].id);
            let (numer, denom) = nodes[0].step.rate;
            slots.insert(slots::edge(licence.id), at(denom.into(), 0) | at(numer.into(), 64) | at(3, 128));
        }
        for (version, split) in (1u32..).zip(&licence.splits) {
            slots.insert(slots::split(licence.id, version), split.hash().into());
        }
    }
    for route in routes {
        for accrual in &route.accruals {
            let lane = Lane::from(accrual.lane.into_array());
            let found = ledger.accrual_of(TOKEN, route.licence, lane, accrual.period).unwrap();
            let word = at(found.revenue(), 0)
                | at(found.terms().cap(), 128)
                | at(found.royalty_bps().into(), 224)
                | at(found.terms().bps().into(), 240);
            slots.insert(slots::accrual(TOKEN, route.licence, &accrual.lane, accrual.period), word);
        }
        let (key, hash) = (key(route, routes), hash(route, routes));
        let account = ledger.account_of(TOKEN, &key);
        let word =
            at(account.inflow(), 0) | at(account.passed_up(), 112) | at(account.last_period().into(), 224);
        slots.insert(slots::account(TOKEN, hash, 0), word);
        match &route.split {
            Some(Split::Vector(shares)) => {
                let index = shares.iter().position(|(payee, _)| *payee == PAYEE).unwrap();
                let taken = at(ledger.taken_of(TOKEN, &key, index as u128), 0) | at(99, 112);
                slots.insert(slots::taken(TOKEN, hash, 0, index), taken);
            }
            Some(Split::Tree { own, .. }) => own.iter().for_each(|leaf| {
                let taken = at(ledger.taken_of(TOKEN, &key, leaf.start.0), 0) | at(99, 112);
                slots.insert(slots::leaf(TOKEN, hash, 0, leaf.start.0), taken);
            }),
            None => {}
        }
    }
    slots.retain(|_, word| !word.is_zero());
}

/// The state's root, and the nodes that prove some slots, or all nodes.
pub(crate) fn state(slots: &BTreeMap<Slot, U256>, asked: Option<&BTreeSet<Slot>>) -> (B256, Nodes) {
    let mut storage: BTreeMap<Address, BTreeMap<B256, Vec<u8>>> = BTreeMap::new();
    for ((contract, slot), word) in slots {
        let leaf = (keccak256(B256::from(*slot)), alloy_rlp::encode(word));
        storage.entry(*contract).or_default().insert(leaf.0, leaf.1);
    }
    let mut nodes = Nodes::default();
    let mut accounts: BTreeMap<B256, Vec<u8>> = BTreeMap::new();
    for (contract, leaves) in storage {
        let wanted = asked.map(|asked| {
            let own = asked.iter().filter(|(of, _)| *of == contract);
            own.map(|(_, slot)| keccak256(B256::from(*slot))).collect::<Vec<_>>()
        });
        let storage_root = trie(&leaves, wanted, &mut nodes);
        let account = StateAccount { storage_root, ..StateAccount::default() };
        accounts.insert(keccak256(contract), alloy_rlp::encode(account));
    }
    // Others are there too.
    for other in 0..40u8 {
        accounts.insert(keccak256([other]), alloy_rlp::encode(StateAccount::default()));
    }
    let contracts = asked.map(|asked| asked.iter().map(|(of, _)| keccak256(of)).collect());
    let root = trie(&accounts, contracts, &mut nodes);
    (root, nodes)
}

fn trie(leaves: &BTreeMap<B256, Vec<u8>>, wanted: Option<Vec<B256>>, nodes: &mut Nodes) -> B256 {
    let wanted = wanted.unwrap_or_else(|| leaves.keys().copied().collect());
    let targets = wanted.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    nodes.extend(builder.take_proof_nodes().into_nodes_sorted().into_iter().map(|(_, node)| node));
    root
}

/// That the slots which the exporter asks for are all that is looked at.
pub(crate) fn asked(world: &World) -> BTreeSet<Slot> {
    let hashes = hashes_of(&world.routes).unwrap();
    assert_eq!(hashes.len(), world.routes.len());
    slots_of(&world.routes, &world.batches, PAYEE, TOKEN, &|_| 0).unwrap()
}

pub(crate) fn bytes(statement: &chlom_statement::Statement) -> Vec<u8> {
    serde_json::to_vec(statement).unwrap()
}
