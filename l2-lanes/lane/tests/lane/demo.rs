//! The worked example (spec/vectors/demo), from receipts to payees, to the unit: receipts in JSON, batches, rows, the ledger.

use std::{collections::BTreeMap, convert::Infallible};

use alloy_primitives::{Address, B256, keccak256};
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneId, LaneState, Receipt, build,
    fraud::check,
    lane::{ADLUXE, lane_id},
    receipt::{Intake, Name, ReceiptId, parse_receipt},
    state::EarlierRecord,
};
use chlom_royalty::{
    Edge, Forest, Ledger, Period, Registry, RouteKey, Share, Split, SplitVector,
    forest::{State, Terms},
    ledger::Payout,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

const LICENCES: &str = include_str!("../../../../spec/vectors/demo/licenses.json");
const EXPECTED: &str = include_str!("../../../../spec/vectors/demo/expected.json");
pub(crate) const RECEIPTS: &str = include_str!("../../../../spec/vectors/demo/receipts.csv");
const TOKEN: Address = Address::repeat_byte(0x11);
const WEEK: u32 = 20_250_901;
const START: u64 = 1_756_684_800;
const NOW: u64 = START + 40 * 86_400;

#[derive(Clone, Deserialize)]
pub(crate) struct Licence {
    pub(crate) id: String,
    royalty: Royalty,
    pub(crate) splits: Vec<Entry>,
    pub(crate) denom: u128,
    pub(crate) parent: Option<Parent>,
}

#[derive(Clone, Deserialize)]
struct Royalty {
    value: Box<RawValue>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Entry {
    pub(crate) to: Address,
    pub(crate) weight: u128,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Parent {
    pub(crate) id: String,
    pub(crate) rate: (u64, u64),
}

impl Licence {
    /// Percent with at most two places, in basis points.
    pub(crate) fn bps(&self) -> u16 {
        let text = self.royalty.value.get();
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{part:0<2}").parse().unwrap()
    }
}

pub(crate) fn licences() -> Vec<Licence> {
    serde_json::from_str(LICENCES).unwrap()
}

fn forest() -> Forest {
    let mut forest = Forest::new(50, 1_000);
    for licence in licences() {
        let shares = licence.splits.iter().map(|entry| Share { payee: entry.to, weight: entry.weight });
        let split = forest.register(Split::Vector(SplitVector::canonical(shares, licence.denom).unwrap()));
        let terms = Terms { state: State::Active, end: u64::MAX, royalty_bps: licence.bps(), split };
        let edge = licence.parent.map(|p| Edge::new(keccak256(&p.id), p.rate.0, p.rate.1).unwrap());
        forest.mint(keccak256(&licence.id), edge, START, terms).unwrap();
    }
    forest
}

/// The chain's state of the example: its licences, in force from the period's start.
pub(crate) struct DemoState(pub(crate) BTreeMap<B256, u16>);

impl DemoState {
    pub(crate) fn new() -> Self {
        Self(licences().iter().map(|licence| (keccak256(&licence.id), licence.bps())).collect())
    }
}

impl LaneState for DemoState {
    type Error = Infallible;

    fn allows(&self, licence: &B256, time: u64, _: u64) -> Result<bool, Infallible> {
        Ok(self.0.contains_key(licence) && time >= START)
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
        Ok(self.0.get(licence).copied())
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn earlier(&self, _: &Header, _: &B256, _: &ReceiptId) -> Result<Option<EarlierRecord>, Infallible> {
        Ok(None)
    }
}

pub(crate) fn payer(number: usize) -> Address {
    Address::from_word(keccak256(format!("shop {number}")))
}

/// A line of the CSV as the JSON that an ad server would send.
pub(crate) fn json_of(line: &str) -> String {
    let fields: Vec<&str> = line.split(',').collect();
    json!({
        "event": fields[0], "ts": fields[1], "campaign": fields[2], "license_id": fields[3], "value": fields[4],
        "currency": fields[5], "txid": fields[6],
    })
    .to_string()
}

pub(crate) fn receipts<'a>(lines: impl IntoIterator<Item = &'a str>, payers: usize) -> Vec<Receipt> {
    let of = |(number, line): (usize, &str)| {
        let intake = Intake {
            currency: "USD".into(),
            decimals: 6,
            payer: Some(payer(number % payers)),
            source: Some(Name::new("ad-server").unwrap()),
        };
        parse_receipt(json_of(line).as_bytes(), &intake).unwrap()
    };
    lines.into_iter().enumerate().map(of).collect()
}

pub(crate) fn frame(number: u32, predecessor: B256) -> Frame {
    let period = Period::new(WEEK).unwrap();
    let as_of = period.end() + 3_600;
    Frame { lane: lane_id(ADLUXE), parameters: 1, period, number, predecessor, as_of }
}

/// The header over made-up commitments: the ledger asks for nothing of the blob.
pub(crate) fn header(draft: &Draft) -> Header {
    draft.header([0xc0; 48], keccak256("blob"))
}

/// Settles every row of a batch.
fn settle(ledger: &mut Ledger, forest: &Forest, draft: &Draft) {
    let header = header(draft);
    let (batch, lane) = (header.batch_root(), header.lane.0);
    for total in &header.payers {
        ledger.deposit(TOKEN, lane, total.payer, total.owed).unwrap();
        ledger.reserve(batch, TOKEN, lane, total.payer, total.owed).unwrap();
    }
    for row in &draft.rows {
        let (payer, licence, revenue) = (row.payer, row.licence, row.revenue);
        let row = chlom_royalty::Row { batch, lane, period: WEEK, token: TOKEN, payer, licence, revenue };
        ledger.settle(&row, NOW, forest).unwrap();
    }
}

/// What each payee of each licence can withdraw, and what stays as residual.
pub(crate) type Paid = (BTreeMap<(B256, Address), u128>, BTreeMap<B256, u128>, u128);

/// From receipts through right batches to the ledger.
pub(crate) fn pay(batches: Vec<Vec<Receipt>>) -> Paid {
    let (forest, state, mut ledger) = (forest(), DemoState::new(), Ledger::new());
    ledger.enable_token(TOKEN, 6).unwrap();
    let mut predecessor = B256::ZERO;
    for (number, receipts) in (1..).zip(batches) {
        let (draft, rest) = build(frame(number, predecessor), receipts, &state).unwrap();
        assert!(rest.is_empty());
        let (header, elements) = (header(&draft), draft.elements());
        let blob = Blob::new(&header, &elements).unwrap();
        assert_eq!(check(blob, &state), Ok(None));
        settle(&mut ledger, &forest, &draft);
        predecessor = header.batch_root();
    }
    let (mut paid, mut residuals) = (BTreeMap::new(), BTreeMap::new());
    for licence in licences() {
        let id = keccak256(&licence.id);
        let start = Period::new(WEEK).unwrap().start();
        let key: RouteKey = ledger.current_key(TOKEN, &forest.route_at(id, start).unwrap()[0]);
        let Ok(receipt) = ledger.payout_receipt(TOKEN, &key, &forest) else { continue };
        residuals.insert(id, receipt.residual);
        for index in 0..u32::try_from(receipt.allocations.len()).unwrap() {
            if let Ok(out) = ledger.withdraw(&Payout { key, token: TOKEN, index }, &forest) {
                *paid.entry((id, out.payee)).or_default() += out.amount;
            }
        }
    }
    (paid, residuals, ledger.fees_owed(TOKEN))
}

#[derive(Deserialize)]
struct Expected {
    licenses: Vec<ExpectedLicence>,
    totals: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ExpectedLicence {
    id: String,
    payees: Vec<Payee>,
    residual: String,
}

#[derive(Deserialize)]
struct Payee {
    address: Address,
    amount: String,
}

fn compare((paid, residuals, fees): Paid) {
    let expected: Expected = serde_json::from_str(EXPECTED).unwrap();
    let number = |text: &str| text.parse::<u128>().unwrap();
    let mut payees = 0;
    for licence in &expected.licenses {
        let id = keccak256(&licence.id);
        assert_eq!(residuals[&id], number(&licence.residual), "{}", licence.id);
        for payee in &licence.payees {
            assert_eq!(paid[&(id, payee.address)], number(&payee.amount), "{}", licence.id);
            payees += 1;
        }
    }
    assert_eq!(paid.values().filter(|amount| **amount > 0).count(), payees);
    assert_eq!(fees, number(&expected.totals["fees"]));
    assert_eq!(paid.values().sum::<u128>(), number(&expected.totals["paid"]));
}

#[test]
fn the_demo_pays_what_is_expected_to_the_unit() {
    compare(pay(vec![receipts(RECEIPTS.lines().skip(1), 1)]));
}

#[test]
fn the_demo_of_several_payers_in_several_batches_pays_the_same() {
    for (payers, size) in [(3, 700), (7, 123), (40, 999)] {
        let all = receipts(RECEIPTS.lines().skip(1), payers);
        compare(pay(all.chunks(size).map(<[Receipt]>::to_vec).collect()));
    }
}
