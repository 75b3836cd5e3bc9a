//! Receipts, states and batches for tests, from seeds.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, convert::Infallible};

use alloy_primitives::{Address, B256, address, keccak256};
use chlom_royalty::Period;

use crate::{
    Blob, Draft, Frame, Header, LaneId, Receipt, build,
    forge::Forgery,
    fraud::{self, Fraud, NoFraud, Verdict},
    lane::source_id,
    page::{Page, record::RecordWriter},
    receipt::{Body, BookingStatus, Name, ReceiptId},
    state::{EarlierRecord, LaneState},
};

/// `adluxe`.
pub(crate) const LANE: LaneId = address!("7cC99bfB447FE40d71eD4eBB22C852583eef797c");
pub(crate) const PERIOD: u32 = 20_250_901;

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Clone)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn wide(&mut self, bits: u32) -> u128 {
        let whole = (u128::from(self.next()) << 64) | u128::from(self.next());
        whole >> (128 - (self.below(bits as usize) as u32 + 1))
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub(crate) fn period() -> Period {
    Period::new(PERIOD).unwrap()
}

pub(crate) fn payer(number: usize) -> Address {
    Address::from_word(keccak256(format!("payer {number}")))
}

pub(crate) fn licence(number: usize) -> B256 {
    keccak256(format!("AST-{number}"))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn receipt(payer_number: usize, licence_number: usize, id: &str, value: u128) -> Receipt {
    Receipt {
        payer: payer(payer_number),
        licence: licence(licence_number),
        source: name("shop"),
        id: ReceiptId::new(id).unwrap(),
        time: period().start() + 5,
        body: Body::AdConversion { campaign: name("CAMP-1"), value },
        signature: None,
    }
}

fn body(seed: &mut Seed) -> Body {
    let bits = if seed.below(20) == 0 { 95 } else { 24 };
    let (a, b) = (seed.wide(bits), seed.wide(bits));
    let (low, high) = (a.min(b), a.max(b));
    match seed.below(6) {
        0 | 1 => Body::AdConversion { campaign: name(&format!("CAMP-{}", seed.below(40))), value: a },
        2 => Body::Order { gross: high, discount: low },
        3 => Body::Booking { status: BookingStatus::Completed, price: high, deposit: low, kept: high },
        4 => {
            let status = *seed.pick(&[BookingStatus::NoShow, BookingStatus::Cancelled]);
            Body::Booking { status, price: high, deposit: low, kept: high / 2 }
        }
        _ => {
            let title = name(&format!("Épisode {}", seed.below(7)));
            Body::View { title, views: 1 + seed.next() % 1_000, value: a }
        }
    }
}

fn id(seed: &mut Seed, number: usize) -> String {
    match seed.below(12) {
        0 => format!("{:032x}", keccak256(number.to_be_bytes())),
        1 => format!("x{number}-"),
        2 => format!("{number}{:018}", seed.next() % 1_000_000_000_000_000_000),
        3 => format!("AD-7-{number}"),
        _ => format!("AD-{:06}", number * 37),
    }
}

/// Receipts with ids of their own, of all kinds, in no order.
pub(crate) fn receipts(seed: u64, count: usize) -> Vec<Receipt> {
    let mut seed = Seed(seed);
    let (payers, licences, sources) = (1 + seed.below(4), 1 + seed.below(6), 1 + seed.below(3));
    let (start, end) = (period().start(), period().end());
    let one = |number: usize| {
        let source = ["shop", "ad-server.example", "Zürich/2"][seed.below(sources)];
        Receipt {
            payer: payer(seed.below(payers)),
            licence: licence(seed.below(licences)),
            source: name(source),
            id: ReceiptId::new(&id(&mut seed, number)).unwrap(),
            time: start + seed.next() % (end - start),
            body: body(&mut seed),
            signature: (seed.below(9) == 0).then(|| std::array::from_fn(|_| seed.next() as u8)),
        }
    };
    (0..count).map(one).collect()
}

/// A receipt of every kind and every way for a booking to end, signed and not, with the widest numbers.
pub(crate) fn one_of_each() -> Vec<Receipt> {
    let most = crate::receipt::MAX_AMOUNT;
    let booking = |status, kept| Body::Booking { status, price: most, deposit: 7, kept };
    let bodies = [
        Body::AdConversion { campaign: name(&"c".repeat(64)), value: most },
        Body::Order { gross: most, discount: 0 },
        Body::Order { gross: most, discount: most },
        booking(BookingStatus::Completed, most),
        booking(BookingStatus::NoShow, 7),
        booking(BookingStatus::Cancelled, 0),
        Body::View { title: name("Pilot"), views: u64::MAX, value: 0 },
    ];
    let signed = bodies.clone();
    let plain = bodies.into_iter().map(|body| (body, None));
    let all = plain.chain(signed.into_iter().map(|body| (body, Some([0xab; 64]))));
    let one = |(number, (body, signature)): (usize, (Body, Option<[u8; 64]>))| Receipt {
        body,
        signature,
        time: if number % 2 == 0 { 0 } else { crate::receipt::MAX_TIME },
        ..receipt(number % 2, number % 3, &format!("R-{number}"), 0)
    };
    all.enumerate().map(one).collect()
}

/// In the order of pages.
pub(crate) fn sorted(mut receipts: Vec<Receipt>) -> Vec<Receipt> {
    let key = |r: &Receipt| (r.payer, r.licence, r.source.clone());
    receipts.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.id.parts().cmp(&b.id.parts())));
    receipts
}

/// A page of sorted receipts, all of them.
pub(crate) fn page(receipts: &[Receipt], first: u32, sum_before: u128) -> Page {
    let mut writer = RecordWriter::new(first, sum_before);
    for receipt in receipts {
        assert!(writer.push(receipt), "these receipts do not fit one page");
    }
    writer.finish()
}

/// Contract state on plain maps: licences with the time that they allow and their rate.
#[derive(Clone, Default)]
pub(crate) struct MemoryState {
    pub(crate) licences: BTreeMap<B256, (u64, u64, u16)>,
    pub(crate) keys: BTreeMap<B256, Vec<u8>>,
    pub(crate) earlier: BTreeMap<(B256, String), EarlierRecord>,
    /// Payers that consent by allowance: the sources named, and whether such without a key are admitted.
    pub(crate) allowances: BTreeMap<Address, (Vec<B256>, bool)>,
}

impl MemoryState {
    /// All licences of [`receipts`], in force for ever.
    pub(crate) fn open() -> Self {
        let terms =
            |number: usize| (licence(number), (0, u64::MAX, [2_000, 10_000, 3_333, 0, 1, 500][number % 6]));
        Self { licences: (0..1_000).map(terms).collect(), ..Self::default() }
    }
}

impl LaneState for MemoryState {
    type Error = Infallible;

    fn allows(&self, licence: &B256, time: u64, _: u64) -> Result<bool, Infallible> {
        Ok(self.licences.get(licence).is_some_and(|(from, to, _)| (*from..*to).contains(&time)))
    }

    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
        Ok(self.licences.get(licence).map(|(_, _, bps)| *bps))
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

    fn admits(&self, _: &Header, payer: &Address, source: &B256, has_key: bool) -> Result<bool, Infallible> {
        let by_allowance =
            |(named, unsigned): &(Vec<B256>, bool)| named.contains(source) && (has_key || *unsigned);
        Ok(self.allowances.get(payer).is_none_or(by_allowance))
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

pub(crate) fn frame(number: u32) -> Frame {
    Frame {
        lane: LANE,
        parameters: 1,
        period: period(),
        number,
        predecessor: keccak256(number.to_be_bytes()),
        as_of: period().end() + 1_000,
    }
}

/// A batch with its blob's elements; the blob's commitments play no part in judging and are made up.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) draft: Draft,
    pub(crate) header: Header,
    pub(crate) elements: Vec<u8>,
}

pub(crate) fn batch(number: u32, receipts: Vec<Receipt>, state: &MemoryState) -> Batch {
    let (draft, rest) = build(frame(number), receipts, state).unwrap();
    assert!(rest.is_empty());
    let header = draft.header([0xc0; 48], keccak256("blob"));
    assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
    let elements = draft.elements();
    Batch { draft, header, elements }
}

impl Batch {
    pub(crate) fn blob(&self) -> Blob<'_> {
        Blob::new(&self.header, &self.elements).unwrap()
    }

    pub(crate) fn check(&self, state: &MemoryState) -> Option<Fraud> {
        fraud::check(self.blob(), state).unwrap()
    }

    pub(crate) fn page(&self, index: u32) -> Page {
        self.blob().page(index).unwrap()
    }

    pub(crate) fn put_page(&mut self, index: u32, page: &Page) {
        self.forge(|forgery| forgery.put_page(index, page)).unwrap();
    }

    fn forge<T>(&mut self, change: impl FnOnce(&mut Forgery) -> T) -> T {
        let elements = std::mem::take(&mut self.elements);
        let mut forgery = Forgery { header: self.header.clone(), elements };
        let out = change(&mut forgery);
        (self.header, self.elements) = (forgery.header, forgery.elements);
        out
    }

    /// What the chain says of the proof of a fraud.
    pub(crate) fn convict(&self, fraud: &Fraud) -> Result<Verdict, NoFraud> {
        let proof = fraud::prove(self.blob(), fraud);
        assert!(proof.cells.len() <= 3);
        let header = Header::decode(&self.header.encode()).unwrap();
        fraud::judge(&header, proof.kind as u8, &proof.cells, &proof.evidence)
    }

    /// Makes both trees and the header's roots agree with the pages again, where there are as many rows: for frauds that only
    /// entries show.
    pub(crate) fn reroot(&mut self) {
        self.forge(Forgery::reroot);
    }
}

/// How an earlier batch shows a record.
pub(crate) fn shown(batch: &Batch, page: u32, at: u16) -> EarlierRecord {
    EarlierRecord {
        header: batch.header.encode(),
        page,
        bytes: Box::new(batch.page(page)),
        at,
        path: batch.draft.page_path(page as usize).unwrap(),
    }
}

pub(crate) fn source_of(receipt: &Receipt) -> B256 {
    source_id(&LANE, &receipt.payer, receipt.source.as_str())
}
