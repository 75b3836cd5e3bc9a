//! The worked example (spec/vectors/demo), to the unit.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, keccak256};
use chlom_royalty::{
    Edge, Forest, Ledger, Period, Registry, RouteKey, Row, Share, Split, SplitVector,
    base::most_due,
    forest::{State, Terms},
    ledger::{Lane, Payout},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{replay::seeds, seed::Seed};

const LICENCES: &str = include_str!("../../../../spec/vectors/demo/licenses.json");
const EXPECTED: &str = include_str!("../../../../spec/vectors/demo/expected.json");
const RECEIPTS: &str = include_str!("../../../../spec/vectors/demo/receipts.csv");
const TOKEN: Address = Address::repeat_byte(0x11);
const PAYER: Address = Address::repeat_byte(0x22);
const LANE: Lane = Lane::repeat_byte(0x33);
const WEEK: u32 = 20_250_901;
/// 2025-09-01 and a month after its first week.
const START: u64 = 1_756_684_800;
const NOW: u64 = START + 40 * 86_400;

#[derive(Deserialize)]
struct Licence {
    id: String,
    royalty: Royalty,
    splits: Vec<Entry>,
    denom: u128,
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct Royalty {
    value: Box<RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    to: Address,
    weight: u128,
}

#[derive(Deserialize)]
struct Parent {
    id: String,
    rate: (u64, u64),
}

#[derive(Deserialize)]
struct Expected {
    licenses: Vec<Paid>,
    totals: Totals,
}

#[derive(Deserialize)]
struct Paid {
    id: String,
    revenue: String,
    base: String,
    fee: String,
    payees: Vec<Payee>,
    residual: String,
}

#[derive(Deserialize)]
struct Payee {
    address: Address,
    amount: String,
}

#[derive(Deserialize)]
struct Totals {
    gross: String,
    fees: String,
    paid: String,
    residual: String,
}

fn id(name: &str) -> B256 {
    keccak256(name)
}

/// A decimal of at most `places` places, in units of 10^-places.
fn decimal(text: &str, places: usize) -> u128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= places, "{text}");
    format!("{whole}{part:0<places$}").parse().unwrap()
}

fn forest() -> Forest {
    let licences: Vec<Licence> = serde_json::from_str(LICENCES).unwrap();
    let mut forest = Forest::new(50, 1_000);
    for licence in licences {
        let shares = licence.splits.iter().map(|entry| Share { payee: entry.to, weight: entry.weight });
        let split = forest.register(Split::Vector(SplitVector::canonical(shares, licence.denom).unwrap()));
        let royalty_bps = u16::try_from(decimal(licence.royalty.value.get(), 2)).unwrap();
        let terms = Terms { state: State::Active, end: u64::MAX, royalty_bps, split };
        let edge = licence.parent.map(|p| Edge::new(id(&p.id), p.rate.0, p.rate.1).unwrap());
        forest.mint(id(&licence.id), edge, START, terms).unwrap();
    }
    forest
}

/// Licence and value of every receipt, in units of 10⁻⁶.
fn receipts() -> Vec<(B256, u128)> {
    let fields = RECEIPTS.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    fields.map(|fields| (id(fields[3]), decimal(fields[4], 6))).collect()
}

/// Rows of a batch: revenue by licence.
fn rows(receipts: &[(B256, u128)]) -> BTreeMap<B256, u128> {
    let mut rows = BTreeMap::new();
    for (licence, value) in receipts {
        *rows.entry(*licence).or_default() += value;
    }
    rows
}

fn settle(ledger: &mut Ledger, forest: &Forest, batch: B256, mut rows: Vec<(B256, u128)>, seed: &mut Seed) {
    let bps = |licence| forest.royalty_bps_at(licence, START).unwrap();
    let needed = rows.iter().map(|(licence, revenue)| most_due(*revenue, bps(*licence)).unwrap()).sum();
    ledger.deposit(TOKEN, LANE, PAYER, needed).unwrap();
    ledger.reserve(batch, TOKEN, LANE, PAYER, needed).unwrap();
    seed.shuffle(&mut rows);
    for (licence, revenue) in rows {
        let row = Row { batch, lane: LANE, period: WEEK, token: TOKEN, payer: PAYER, licence, revenue };
        ledger.settle(&row, NOW, forest).unwrap();
    }
}

fn key(ledger: &Ledger, forest: &Forest, licence: B256) -> RouteKey {
    let start = Period::new(WEEK).unwrap().start();
    ledger.current_key(TOKEN, &forest.route_at(licence, start).unwrap()[0])
}

fn new_ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.enable_token(TOKEN, 6).unwrap();
    ledger
}

/// Withdraws all that is due; adds it to `paid`.
fn withdraw(ledger: &mut Ledger, forest: &Forest, licence: B256, paid: &mut BTreeMap<(B256, Address), u128>) {
    let key = key(ledger, forest, licence);
    let Ok(receipt) = ledger.payout_receipt(TOKEN, &key, forest) else { return };
    for index in 0..u32::try_from(receipt.allocations.len()).unwrap() {
        if let Ok(withdrawn) = ledger.withdraw(&Payout { key, token: TOKEN, index }, forest) {
            *paid.entry((licence, withdrawn.payee)).or_default() += withdrawn.amount;
        }
    }
}

/// Compares every amount with `expected.json`.
fn compare(ledger: &mut Ledger, forest: &Forest, paid: &mut BTreeMap<(B256, Address), u128>) {
    let expected: Expected = serde_json::from_str(EXPECTED).unwrap();
    let number = |text: &str| text.parse::<u128>().unwrap();
    let (mut gross, mut all_paid, mut residual) = (0, 0, 0);
    for licence in &expected.licenses {
        let licence_id = id(&licence.id);
        withdraw(ledger, forest, licence_id, paid);
        let accrual = ledger.accrual_of(TOKEN, licence_id, LANE, WEEK).unwrap();
        assert_eq!(accrual.revenue(), number(&licence.revenue), "{}", licence.id);
        assert_eq!(accrual.base(), number(&licence.base), "{}", licence.id);
        assert_eq!(accrual.fee(), number(&licence.fee), "{}", licence.id);
        let receipt = ledger.payout_receipt(TOKEN, &key(ledger, forest, licence_id), forest).unwrap();
        assert_eq!(receipt.residual, number(&licence.residual), "{}", licence.id);
        assert_eq!(receipt.allocations.len(), licence.payees.len());
        for payee in &licence.payees {
            assert_eq!(paid[&(licence_id, payee.address)], number(&payee.amount), "{}", licence.id);
        }
        gross += accrual.base();
        residual += receipt.residual;
        all_paid += receipt.kept - receipt.residual;
    }
    let totals = &expected.totals;
    assert_eq!(gross, number(&totals.gross));
    assert_eq!(ledger.fees_owed(TOKEN), number(&totals.fees));
    assert_eq!(all_paid, number(&totals.paid));
    assert_eq!(residual, number(&totals.residual));
    assert_eq!(ledger.books(TOKEN).total(), ledger.accounted(TOKEN));
}

#[test]
fn the_demo_in_one_batch_pays_what_is_expected_to_the_unit() {
    let (forest, mut ledger) = (forest(), new_ledger());
    let rows = rows(&receipts()).into_iter().collect();
    settle(&mut ledger, &forest, B256::ZERO, rows, &mut Seed::new(0));
    compare(&mut ledger, &forest, &mut BTreeMap::new());
}

#[test]
fn theorem_10_the_demo_in_any_batches_and_order_pays_the_same() {
    let forest = forest();
    seeds(1, 25, |seed| {
        let (mut ledger, mut paid, mut receipts) = (new_ledger(), BTreeMap::new(), receipts());
        seed.shuffle(&mut receipts);
        let mut batch = 0u64;
        while !receipts.is_empty() {
            let rest = receipts.split_off(receipts.len().min(1 + seed.below(400)));
            let name = B256::from(alloy_primitives::U256::from(batch));
            settle(&mut ledger, &forest, name, rows(&receipts).into_iter().collect(), seed);
            let (licence, _) = receipts[0];
            withdraw(&mut ledger, &forest, licence, &mut paid);
            (receipts, batch) = (rest, batch + 1);
        }
        compare(&mut ledger, &forest, &mut paid);
    });
}
