//! Lanes on one core: receipts to pages, trees and headers; a batch checked; a fraud proven and judged; what the worst judgements
//! cost beside the gas that they are charged.
//!
//! `cargo bench -p chlom-lane --bench lane [-- --receipts 1000000]`. Without `--bench` (under `cargo test`) a few receipts, once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{collections::BTreeMap, convert::Infallible, hint::black_box, time::Instant};

use alloy_primitives::{Address, B256, keccak256};
use chlom_crypto::kzg::{self, Cancel, CellId, DataRows};
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneId, LaneState, Receipt, build,
    fraud::{Fraud, OpenedCell, Place, check, judge, prove},
    lane::{ADLUXE, lane_id},
    module::gas,
    page::{Page, node::TreeKind},
    receipt::{Body, Name, ReceiptId, is_signed_by},
    state::EarlierRecord,
};
use chlom_royalty::Period;
use p256::ecdsa::signature::hazmat::PrehashSigner;

const LICENCES: usize = 500;
const CAMPAIGNS: u64 = 40;
/// Receipts that a batch of this kind surely holds.
const CHUNK: usize = 340_000;

struct Licences(BTreeMap<B256, u16>);

impl LaneState for Licences {
    type Error = Infallible;

    fn allows(&self, licence: &B256, _: u64, _: u64) -> Result<bool, Infallible> {
        Ok(self.0.contains_key(licence))
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

fn main() {
    let argument = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let full = std::env::args().any(|argument| argument == "--bench");
    let count = argument("--receipts").map_or(if full { 1_000_000 } else { 3_000 }, |n| n.parse().unwrap());
    let licences: Vec<B256> = (0..LICENCES).map(|i| keccak256(format!("AST-{i}"))).collect();
    let state = Licences(licences.iter().map(|licence| (*licence, 2_000)).collect());
    let receipts = receipts(count, &licences);
    let (drafts, built) = timed(|| build_all(receipts, &state));
    let pages: usize = drafts.iter().map(|draft| draft.pages().len()).sum();
    let batches: Vec<(Header, Vec<u8>)> =
        drafts.iter().map(|draft| (header(draft), draft.elements())).collect();
    let ((), checked) = timed(|| {
        for (header, elements) in &batches {
            let blob = Blob::new(header, elements).unwrap();
            assert_eq!(check(blob, &state), Ok(None));
        }
    });
    let bytes = (pages * 1_984) as f64 / count as f64;
    println!("| {count} receipts, {LICENCES} licences, {CAMPAIGNS} campaigns, ids like AD-123456 | |");
    println!("|---|---|");
    println!("| batches | {} |", batches.len());
    println!("| pages, both trees, headers without commitments | {built:.3} s |");
    println!("| check from the blobs | {checked:.3} s |");
    println!("| bytes a receipt, everything included | {bytes:.2} |");
    println!("| of that, entropy of a receipt | {:.2} |", entropy() / 8.0);
    let (header, elements) = &batches[0];
    let blob = Blob::new(header, elements).unwrap();
    proofs(header, blob, elements, full);
    judgements(header, blob, full);
}

/// Least seconds that a figure comes from: the clock of processor time ticks in milliseconds.
const LONG: f64 = 0.6;

/// Seconds that one round takes, from as many as take [`LONG`]; once where nothing is measured.
fn each<T>(full: bool, mut work: impl FnMut() -> T) -> f64 {
    let mut rounds = 1u32;
    loop {
        let ((), time) = timed(|| (0..rounds).for_each(|_| drop(black_box(work()))));
        if !full || time >= LONG {
            return time / f64::from(rounds);
        }
        // Towards a little more than is needed, at most a hundredfold at a time.
        rounds = (f64::from(rounds) * (1.2 * LONG / time.max(1e-9)).clamp(2.0, 100.0)).ceil() as u32;
    }
}

/// What a watcher that knows a fraud, and holds the blob's data and nothing else, needs to have a proof that the chain takes: the
/// cells and their KZG proofs.
fn proofs(header: &Header, blob: Blob<'_>, elements: &[u8], full: bool) {
    println!(
        "\n| a fraud proof from the data of {} rows | one core, ms | all cores, ms |",
        header.blob.rows.data()
    );
    println!("|---|---|---|");
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    kzg::setup();
    let last = header.record_pages.saturating_sub(1);
    let row = Place { page: header.record_pages, at: 0 };
    let frauds = [
        ("of one cell", Fraud::Page(0)),
        ("of two cells", Fraud::OrderAcross(last.min(1))),
        ("of three cells", Fraud::RowRevenue { row, first: 0, last }),
    ];
    for (name, fraud) in frauds {
        let one = alone.install(|| each(full, || opened(blob, elements, &fraud)));
        let start = Instant::now();
        let rounds = if full { 10 } else { 1 };
        (0..rounds).for_each(|_| drop(black_box(opened(blob, elements, &fraud))));
        let all = start.elapsed().as_secs_f64() / f64::from(rounds);
        println!("| {name} | {:.2} | {:.2} |", one * 1e3, all * 1e3);
    }
}

fn opened(blob: Blob<'_>, elements: &[u8], fraud: &Fraud) -> Vec<kzg::ProvenCell> {
    let proof = prove(blob, fraud);
    let data = DataRows::from_elements(elements, blob.header().blob.rows).unwrap();
    let cells: Vec<_> =
        proof.cells.iter().map(|cell: &OpenedCell| CellId { row: cell.row, column: cell.column }).collect();
    kzg::prove_cells(&data, &cells, &Cancel::new()).unwrap()
}

/// Seconds that this thread was on a core, so that a busy machine counts little; where Linux does not say, seconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let on_core = || -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
    };
    let (before, start) = (on_core(), Instant::now());
    let out = black_box(work());
    let seconds =
        on_core().zip(before).map_or(start.elapsed().as_secs_f64(), |(after, before)| after - before);
    (out, seconds)
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Ids in the order of arrival, times and values at random: values of one cent to some 1,600 dollars, in cents.
fn receipts(count: usize, licences: &[B256]) -> Vec<Receipt> {
    let (mut seed, start) = (7, period().start());
    let one = |number: usize| {
        let value = u128::from(1 + next(&mut seed) % (1 << (6 + next(&mut seed) % 12)));
        Receipt {
            payer: Address::repeat_byte(0x22),
            licence: licences[next(&mut seed) as usize % licences.len()],
            source: Name::new("ad-server").unwrap(),
            id: ReceiptId::new(&format!("AD-{number:06}")).unwrap(),
            time: start + next(&mut seed) % (7 * 86_400),
            body: Body::AdConversion {
                campaign: Name::new(&format!("CAMP-{}", next(&mut seed) % CAMPAIGNS)).unwrap(),
                value,
            },
            signature: None,
        }
    };
    (0..count).map(one).collect()
}

/// Bits that a receipt cannot do without: its licence, campaign, time and value. An id of consecutive ones costs nothing more than
/// what tells its licence.
fn entropy() -> f64 {
    // A value of up to 2^bits is one of 2^bits, for bits from 6 to 17.
    let chance =
        |value: u32| (6..18).filter(|bits| value <= 1 << bits).map(|bits| 0.5f64.powi(bits) / 12.0).sum();
    let value: f64 = (1..=1 << 17).map(chance).map(|p: f64| -p * p.log2()).sum();
    (LICENCES as f64).log2() + (CAMPAIGNS as f64).log2() + (7.0 * 86_400f64).log2() + value
}

fn period() -> Period {
    Period::new(20_250_901).unwrap()
}

fn build_all(receipts: Vec<Receipt>, state: &Licences) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut left = receipts;
    while !left.is_empty() {
        let after = left.split_off(left.len().min(CHUNK));
        let number = 1 + drafts.len() as u32;
        let frame = Frame {
            lane: lane_id(ADLUXE),
            parameters: 1,
            period: period(),
            number,
            predecessor: B256::ZERO,
            as_of: period().end(),
        };
        let (draft, rest) = build(frame, left, state).unwrap();
        assert!(rest.is_empty(), "{} receipts did not fit", rest.len());
        black_box(header(&draft).encode());
        drafts.push(draft);
        left = after;
    }
    drafts
}

fn header(draft: &Draft) -> Header {
    draft.header([0xc0; 48], B256::ZERO)
}

/// The dearest judgements beside their gas.
fn judgements(header: &Header, blob: Blob<'_>, full: bool) {
    println!("\n| judgement | time, µs | gas | gas a µs |");
    println!("|---|---|---|---|");
    let place = Place { page: 0, at: 1 };
    let row = Place { page: header.record_pages, at: 0 };
    let last = header.record_pages.saturating_sub(1).min(1);
    let frauds = [
        ("a page", Fraud::Page(0)),
        ("two pages", Fraud::OrderAcross(last)),
        ("a row's revenue, three pages", Fraud::RowRevenue { row, first: 0, last }),
        ("a leaf", Fraud::Node { tree: TreeKind::Receipts, level: 0, index: 0, content: None }),
        ("twice", Fraud::Twice(place, Place { page: last, at: 0 })),
        ("unsigned", Fraud::Source(place, vec![3; 34])),
        ("earlier", Fraud::Earlier(place, Box::new(earlier(header, blob)))),
    ];
    for (name, fraud) in frauds {
        let proof = prove(blob, &fraud);
        line(name, header, &proof.cells, proof.kind as u8, &proof.evidence, full);
    }
    for (name, page) in worst_pages() {
        let mut cells = Vec::new();
        for column in 0..3 {
            let data = chlom_lane::blob::elements(&[page], header.blob.rows)[..2_048].to_vec();
            cells.push(OpenedCell { row: 0, column, data });
        }
        line(name, header, &cells[..1], 1, &[0], full);
        line("  two of them", header, &cells[..2], 4, &[1], full);
    }
    signatures(full);
    let bytes = header.encode();
    let time = each(full, || Header::decode(&bytes));
    row_of("decoding the header", time, gas::header(bytes.len()));
}

fn line(name: &str, header: &Header, cells: &[OpenedCell], kind: u8, evidence: &[u8], full: bool) {
    let bytes = header.encode();
    let time = each(full, || judge(&Header::decode(&bytes).unwrap(), kind, cells, evidence).is_ok());
    let gas = gas::judge(kind, cells.len(), evidence.len()) + gas::header(bytes.len());
    row_of(name, time, gas);
}

fn row_of(name: &str, seconds: f64, gas: u64) {
    println!("| {name} | {:.2} | {gas} | {:.0} |", seconds * 1e6, gas as f64 / (seconds * 1e6));
}

fn earlier(header: &Header, blob: Blob<'_>) -> EarlierRecord {
    let page = blob.page(0).unwrap();
    let header = Header { number: 0, ..header.clone() };
    // A path of the longest kind; it ends elsewhere than at the root.
    EarlierRecord {
        header: header.encode(),
        page: 0,
        bytes: Box::new(page),
        at: 0,
        path: vec![B256::ZERO; 11],
    }
}

/// Pages that take longest to decode for their size.
fn worst_pages() -> Vec<(&'static str, Page)> {
    let (mut short, mut fresh) = (Vec::new(), Vec::new());
    for number in 0..500u32 {
        let body = Body::Order { gross: 0, discount: 0 };
        let of = |id: String, source: &str, body: Body| Receipt {
            payer: Address::ZERO,
            licence: B256::ZERO,
            source: Name::new(source).unwrap(),
            id: ReceiptId::new(&id).unwrap(),
            time: 0,
            body,
            signature: None,
        };
        short.push(of(format!("{number:03}"), "s", body));
        let campaign = Name::new(&format!("{number:03}")).unwrap();
        fresh.push(of("x".into(), &format!("{number:03}"), Body::AdConversion { campaign, value: 1 }));
    }
    vec![("the most records", packed(short)), ("the most names and groups", packed(fresh))]
}

/// The first page of receipts, built without asking whether their times are of the period.
fn packed(receipts: Vec<Receipt>) -> Page {
    let start = period().start();
    let receipts = receipts.into_iter().map(|receipt| Receipt { time: start, ..receipt }).collect();
    let state = Licences([(B256::ZERO, 1)].into());
    let payer = Address::repeat_byte(1);
    let receipts: Vec<Receipt> = receipts;
    let receipts = receipts.into_iter().map(|receipt| Receipt { payer, ..receipt }).collect();
    let frame = Frame {
        lane: lane_id(ADLUXE),
        parameters: 1,
        period: period(),
        number: 1,
        predecessor: B256::ZERO,
        as_of: period().end(),
    };
    build(frame, receipts, &state).unwrap().0.pages()[0]
}

fn signatures(full: bool) {
    let digest = keccak256("a receipt");
    let secp256k1 = secp256k1::SecretKey::from_byte_array([3; 32]).unwrap();
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
    let p256 = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
    let p256_signature: p256::ecdsa::Signature = p256.sign_prehash(digest.as_slice()).unwrap();
    let message = secp256k1::Message::from_digest(digest.0);
    let all: [(&str, Vec<u8>, [u8; 64]); 3] = [
        (
            "secp256k1",
            [&[1][..], &secp256k1.public_key(secp256k1::SECP256K1).serialize()].concat(),
            secp256k1::SECP256K1.sign_ecdsa(message, &secp256k1).serialize_compact(),
        ),
        (
            "ed25519",
            [&[2][..], ed25519.verifying_key().as_bytes()].concat(),
            ed25519_dalek::Signer::sign(&ed25519, digest.as_slice()).to_bytes(),
        ),
        (
            "p256",
            [&[3][..], p256.verifying_key().to_encoded_point(true).as_bytes()].concat(),
            p256_signature.to_bytes().into(),
        ),
    ];
    for (name, key, signature) in all {
        let time = each(full, || assert!(is_signed_by(&key, &digest, &signature)));
        row_of(name, time, gas::JUDGE_SIGNATURE);
    }
}
