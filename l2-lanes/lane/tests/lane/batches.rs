//! A small batch byte by byte, and a proof of fraud of every kind: what a second watcher is tried against
//! (`spec/vectors/lanes/batch.json` and `frauds.json`).

use std::{collections::BTreeMap, convert::Infallible};

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolCall;
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneId, LaneState, Receipt, build,
    fraud::{Fraud, check, prove},
    lane::{ADLUXE, lane_id, source_id},
    module::{ILane, Lane},
    page::TablePage,
    receipt::{ED25519, Intake, ReceiptId, parse_receipt},
    state::EarlierRecord,
};
use chlom_module::MemoryContext;
use chlom_primitives::address::LANE;
use chlom_royalty::Period;
use ed25519_dalek::Signer;
use serde_json::{Value, json};

use crate::vectors::assert_vectors;

/// State on maps: what each licence allows from when on, and its rate.
#[derive(Clone, Default)]
struct State {
    licences: BTreeMap<B256, (u64, u16)>,
    keys: BTreeMap<B256, Vec<u8>>,
    earlier: BTreeMap<(B256, String), EarlierRecord>,
}

impl LaneState for State {
    type Error = Infallible;

    fn allows(&self, licence: &B256, time: u64, _: u64) -> Result<bool, Infallible> {
        Ok(self.licences.get(licence).is_some_and(|(from, _)| time >= *from))
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
        Ok(self.licences.get(licence).map(|(_, bps)| *bps))
    }
    fn source_key(
        &self,
        _: &LaneId,
        _: &Address,
        source: &B256,
        _: u64,
    ) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.keys.get(source).cloned())
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn earlier(
        &self,
        _: &Header,
        source: &B256,
        id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, Infallible> {
        Ok(self.earlier.get(&(*source, id.as_str().to_owned())).cloned())
    }
}

fn key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[4; 32])
}

fn payer(number: u8) -> Address {
    Address::repeat_byte(0x11 * number)
}

fn intake() -> Intake {
    Intake { currency: "USD".into(), decimals: 2, payer: None, source: None }
}

/// Receipts of every event; those of the source `till` are signed.
fn receipts() -> Vec<(Value, Receipt)> {
    let base = |event: &str, payer_number: u8, source: &str, licence: &str| {
        json!({
            "event": event, "ts": "2025-09-02T04:01:05Z", "license_id": licence, "currency": "USD",
            "payer": format!("0x{}", hex::encode(payer(payer_number))), "source": source,
        })
    };
    let with = |mut object: Value, fields: Value| {
        let fields = fields.as_object().unwrap().clone();
        object.as_object_mut().unwrap().extend(fields);
        object
    };
    let mut all: Vec<Value> = (0..6u32)
        .map(|i| {
            let fields = json!({
                "campaign": format!("CAMP-{}", i % 3), "txid": format!("AD-{:06}", 900 + i * 7), "value": format!("{i}.50"),
            });
            with(base("ad_conversion", 1, "ad-server", if i < 4 { "AST-1" } else { "AST-2" }), fields)
        })
        .collect();
    all.push(with(
        base("order", 2, "till", "AST-1"),
        json!({ "order_id": "O-1", "gross": "84.00", "discount": "4.00", "net": "80.00" }),
    ));
    for (id, status, kept) in
        [("B-1", "completed", "120"), ("B-2", "no_show", "30"), ("B-10", "cancelled", "0")]
    {
        let fields =
            json!({ "booking_id": id, "status": status, "price": "120", "deposit": "30", "kept": kept });
        all.push(with(base("booking", 2, "till", "AST-2"), fields));
    }
    all.push(with(
        base("view", 2, "Zürich/2", "AST-3"),
        json!({ "view_id": "1f0c9a7e", "title": "Pilot", "views": 1000, "value": "2.50" }),
    ));
    let read = |value: Value| {
        let mut receipt = parse_receipt(value.to_string().as_bytes(), &intake()).unwrap();
        if receipt.source.as_str() == "till" {
            receipt.signature = Some(key().sign(receipt.digest(&lane_id(ADLUXE)).as_slice()).to_bytes());
        }
        (value, receipt)
    };
    all.into_iter().map(read).collect()
}

fn state() -> State {
    let licences = [("AST-1", 2_000), ("AST-2", 3_333), ("AST-3", 10_000)];
    let key = [&[ED25519][..], key().verifying_key().as_bytes()].concat();
    State {
        licences: licences.map(|(name, bps)| (keccak256(name), (0, bps))).into(),
        keys: [(source_id(&lane_id(ADLUXE), &payer(2), "till"), key)].into(),
        earlier: BTreeMap::new(),
    }
}

fn frame(number: u32) -> Frame {
    let period = Period::new(20_250_901).unwrap();
    let predecessor = B256::repeat_byte(number as u8);
    Frame { lane: lane_id(ADLUXE), parameters: 1, period, number, predecessor, as_of: period.end() }
}

struct Batch {
    draft: Draft,
    header: Header,
    elements: Vec<u8>,
}

fn batch(number: u32) -> Batch {
    let receipts = receipts().into_iter().map(|(_, receipt)| receipt).collect();
    let (draft, rest) = build(frame(number), receipts, &state()).unwrap();
    assert!(rest.is_empty());
    let header = draft.header([0xc0; 48], keccak256("blob"));
    let elements = draft.elements();
    Batch { draft, header, elements }
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Bytes up to the last that is not zero.
fn trimmed(page: &[u8]) -> String {
    let end = page.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    hex_of(&page[..end])
}

#[test]
fn lan_51_a_batch_is_these_bytes() {
    let Batch { draft, header, .. } = batch(7);
    let receipts: Vec<Value> = receipts()
        .into_iter()
        .map(|(json, receipt)| {
            json!({
                "receipt": json, "digest": receipt.digest(&header.lane), "licence": receipt.licence,
                "source": source_id(&header.lane, &receipt.payer, receipt.source.as_str()),
                "signature": receipt.signature.map(|bytes| hex_of(&bytes)),
            })
        })
        .collect();
    let pages: Vec<_> = draft.pages().iter().map(|page| trimmed(page)).collect();
    let case = json!({
        "receipts": receipts, "pages": pages, "recordPages": header.record_pages, "tablePages": header.table_pages,
        "header": hex_of(&header.encode()), "batchRoot": header.batch_root(),
    });
    assert_vectors("batch.json", vec![case]);
}

/// A change to a right batch, and to what state says.
type Change = fn(&mut Batch, &mut State);

fn put(batch: &mut Batch, page: u32, bytes: &chlom_lane::page::Page) {
    let cell = chlom_lane::blob::elements(&[*bytes], batch.header.blob.rows);
    let from = page as usize * 2_048;
    batch.elements[from..from + 2_048].copy_from_slice(&cell[..2_048]);
}

fn table(batch: &Batch) -> TablePage {
    let blob = Blob::new(&batch.header, &batch.elements).unwrap();
    TablePage::decode(&blob.page(batch.header.record_pages).unwrap()).unwrap()
}

const CHANGES: [(&str, u8, Change); 10] = [
    ("the last element of the blob begins with 1", 1, |batch, _| {
        let at = batch.elements.len() - 32;
        batch.elements[at] = 1;
    }),
    ("the first two rows exchange their licences", 2, |batch, _| {
        let mut page = table(batch);
        let (a, b) = (page.rows[0].licence, page.rows[1].licence);
        (page.rows[0].licence, page.rows[1].licence) = (b, a);
        put(batch, batch.header.record_pages, &page.encode());
    }),
    ("an earlier batch has the same receipts", 3, |batch, state| {
        let first = self::batch(6);
        let receipt = &receipts()[0].1;
        let shown = EarlierRecord {
            header: first.header.encode(),
            page: 0,
            bytes: Box::new(first.draft.pages()[0]),
            at: 0,
            path: first.draft.page_path(0).unwrap(),
        };
        let page = chlom_lane::page::RecordPage::decode(&shown.bytes).unwrap();
        let at = page.records().position(|record| record.to_receipt().as_ref() == Some(receipt)).unwrap();
        let source = source_id(&batch.header.lane, &receipt.payer, receipt.source.as_str());
        let shown = EarlierRecord { at: at as u16, ..shown };
        state.earlier.insert((source, receipt.id.to_string()), shown);
    }),
    ("the first row has a unit more of revenue", 4, |batch, _| {
        let mut page = table(batch);
        page.rows[0].revenue += 1;
        put(batch, batch.header.record_pages, &page.encode());
    }),
    ("the second payer's total is a unit more", 4, |batch, _| batch.header.payers[1].owed += 1),
    ("the first licence's rate is another", 5, |_, state| {
        state.licences.get_mut(&keccak256("AST-1")).unwrap().1 += 1;
    }),
    ("receipts_root is another", 6, |batch, _| batch.header.receipts_root.0[31] ^= 1),
    ("a licence allows nothing yet", 7, |_, state| {
        state.licences.get_mut(&keccak256("AST-3")).unwrap().0 = u64::MAX;
    }),
    ("asOf is before the receipts", 8, |batch, _| batch.header.as_of = batch.header.period.start()),
    ("the key of till is another", 9, |_, state| {
        state.keys.values_mut().for_each(|key| *key.last_mut().unwrap() ^= 1);
    }),
];

#[test]
fn lan_62_every_kind_of_fraud_is_found_proven_and_judged_by_the_module() {
    let mut cases = Vec::new();
    for (change, kind, apply) in CHANGES {
        let (mut batch, mut state) = (batch(7), state());
        apply(&mut batch, &mut state);
        let blob = Blob::new(&batch.header, &batch.elements).unwrap();
        let fraud: Fraud = check(blob, &state).unwrap().expect(change);
        let proof = prove(blob, &fraud);
        assert_eq!(proof.kind as u8, kind, "{change}: {fraud:?}");
        let cells: Vec<ILane::Cell> = proof
            .cells
            .iter()
            .map(|cell| ILane::Cell { row: cell.row, column: cell.column, data: cell.data.clone().into() })
            .collect();
        let pages: Vec<Value> = cells
            .iter()
            .map(|cell| json!({ "row": cell.row, "column": cell.column, "data": trimmed(&cell.data) }))
            .collect();
        let header = batch.header.encode();
        let evidence = proof.evidence.clone();
        let call = ILane::judgeCall { header: header.into(), kind, cells, evidence: evidence.into() };
        let output = MemoryContext::new(LANE).call(&Lane, &call.abi_encode()).unwrap();
        let verdict = ILane::judgeCall::abi_decode_returns(&output).unwrap();
        confirm(change, &batch.header, &state, &verdict);
        cases.push(json!({
            "change": change, "header": hex_of(&batch.header.encode()), "kind": kind, "cells": pages,
            "evidence": hex_of(&proof.evidence), "check": verdict.check as u8, "licence": verdict.licence,
            "time": verdict.time.to_string(), "royaltyBps": verdict.royaltyBps, "source": verdict.source,
            "payer": verdict.payer.to_string().to_lowercase(), "key": verdict.key, "earlier": verdict.earlier,
        }));
    }
    assert_vectors("frauds.json", cases);
}

/// Whether state says what the verdict leaves to it.
fn confirm(change: &str, header: &Header, state: &State, verdict: &ILane::Verdict) {
    let confirmed = match verdict.check {
        ILane::Check::Licence => !state.allows(&verdict.licence, verdict.time, header.as_of).unwrap(),
        ILane::Check::Terms => {
            let known = state.royalty_bps(&verdict.licence, verdict.time, header.as_of).unwrap();
            verdict.time == header.period.start() && known != Some(verdict.royaltyBps)
        }
        ILane::Check::Source => {
            let known = state.keys.get(&verdict.source).map(keccak256);
            known == Some(verdict.key) && verdict.payer == payer(2)
        }
        ILane::Check::Earlier => verdict.earlier == batch(6).header.batch_root(),
        _ => true,
    };
    assert!(confirmed, "{change}: {verdict:?}");
}
