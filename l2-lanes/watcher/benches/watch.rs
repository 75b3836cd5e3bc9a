//! A watcher on one core: data against its commitments, every page, sum, node and receipt checked, every id looked up and written into
//! the index on disk. Fetching and asking the node apart.
//!
//! `cargo bench -p chlom-watcher --bench watch [-- --receipts 1000000]`. Without `--bench` (under `cargo test`) a few receipts, once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{collections::BTreeMap, time::Instant};

use alloy_primitives::{Address, B256, keccak256};
use chlom_crypto::kzg::{Cancel, DataRows, RowCommitments, check_data, commit};
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneId, LaneState, Receipt, build,
    lane::{ADLUXE, lane_id},
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};
use chlom_royalty::Period;
use chlom_watcher::{
    WatchError,
    check::by_state,
    state::earlier::Earlier,
    store::{ChainIdentity, Store},
};

const LICENCES: usize = 500;
/// Receipts that a batch of this kind surely holds.
const CHUNK: usize = 340_000;

/// Licences in memory, earlier batches by the watcher's own index.
struct State<'a> {
    licences: &'a BTreeMap<B256, u16>,
    earlier: Option<Earlier<'a>>,
}

impl LaneState for State<'_> {
    type Error = WatchError;

    fn allows(&self, licence: &B256, _: u64, _: u64) -> Result<bool, WatchError> {
        Ok(self.licences.contains_key(licence))
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, WatchError> {
        Ok(self.licences.get(licence).copied())
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, WatchError> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, WatchError> {
        Ok(true)
    }
    fn earlier(
        &self,
        _: &Header,
        source: &B256,
        id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, WatchError> {
        self.earlier.as_ref().map_or(Ok(None), |earlier| earlier.find(source, id))
    }
}

struct Batch {
    header: Header,
    elements: Vec<u8>,
    commitments: RowCommitments,
}

fn main() {
    let argument = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let full = std::env::args().any(|argument| argument == "--bench");
    let count = argument("--receipts").map_or(if full { 1_000_000 } else { 3_000 }, |n| n.parse().unwrap());
    let licences: Vec<B256> = (0..LICENCES).map(|i| keccak256(format!("AST-{i}"))).collect();
    let rates = licences.iter().map(|licence| (*licence, 2_000)).collect();
    let batches: Vec<Batch> = batches(receipts(count, &licences), &rates);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), ChainIdentity::new(1, B256::ZERO)).unwrap();
    // The set-up is loaded once a process.
    chlom_crypto::kzg::setup();
    let start = Instant::now();
    for (order, batch) in (1..).zip(&batches) {
        let data = DataRows::from_elements(&batch.elements, batch.header.blob.rows).unwrap();
        check_data(&batch.commitments, &data, &Cancel::new()).unwrap();
        let blob = Blob::new(&batch.header, &batch.elements).unwrap();
        let earlier = Some(Earlier::new(&store, order, |_| Ok(false)));
        assert_eq!(by_state(&store, order, blob, &State { licences: &rates, earlier }).unwrap(), None);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("| {count} receipts, {LICENCES} licences, {} batches | |", batches.len());
    println!("|---|---|");
    println!("| a watcher checks and indexes them | {seconds:.3} s |");
}

fn batches(receipts: Vec<Receipt>, rates: &BTreeMap<B256, u16>) -> Vec<Batch> {
    let state = State { licences: rates, earlier: None };
    let mut out = Vec::new();
    let mut left = receipts.into_iter().peekable();
    while left.peek().is_some() {
        let some: Vec<Receipt> = left.by_ref().take(CHUNK).collect();
        let number = out.len() as u32 + 1;
        let frame = Frame {
            lane: lane_id(ADLUXE),
            parameters: 1,
            period: period(),
            number,
            predecessor: B256::ZERO,
            as_of: period().end() + 1,
        };
        let (draft, rest) = build(frame, some, &state).unwrap();
        assert!(rest.is_empty());
        out.push(committed(&draft));
    }
    out
}

fn committed(draft: &Draft) -> Batch {
    let elements = draft.elements();
    let data = DataRows::from_elements(&elements, draft.blob_rows()).unwrap();
    let commitments = commit(&data, &Cancel::new()).unwrap();
    let header = draft.header(commitments.fold(), commitments.merkle_root());
    Batch { header, elements, commitments }
}

fn period() -> Period {
    Period::new(20_250_901).unwrap()
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn receipts(count: usize, licences: &[B256]) -> Vec<Receipt> {
    let (mut seed, start) = (7, period().start());
    let one = |number: usize| Receipt {
        payer: Address::repeat_byte(0x22),
        licence: licences[next(&mut seed) as usize % licences.len()],
        source: Name::new("ad-server").unwrap(),
        id: ReceiptId::new(&format!("AD-{number:06}")).unwrap(),
        time: start + next(&mut seed) % (7 * 86_400),
        body: Body::AdConversion {
            campaign: Name::new(&format!("CAMP-{}", next(&mut seed) % 40)).unwrap(),
            value: u128::from(1 + next(&mut seed) % 100_000),
        },
        signature: None,
    };
    (0..count).map(one).collect()
}
