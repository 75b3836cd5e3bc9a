//! What of a batch that is wrong is set aside.

use std::cell::Cell;

use alloy_primitives::{Address, B256, keccak256};
use chlom_client::ClientError;
use chlom_lane::{
    Draft, Frame, Header, LaneId, LaneState, Receipt, build,
    forge::Forgery,
    fraud::{Fraud, FraudKind, check},
    lane::{ADLUXE, lane_id, source_id},
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};
use chlom_royalty::Period;

use chlom_operator::{
    sequence::convict::{Attempt, Part, attempt, culprit, part_of},
    store::ReceiptKey,
};

const BAD: u64 = 13;

/// State in which one licence's rate is another from the second question on, and one receipt's time is not allowed by whoever checks.
struct Fickle {
    asked: Cell<u32>,
    changes: bool,
    refuses: Option<u64>,
}

fn steady() -> Fickle {
    Fickle { asked: Cell::new(0), changes: false, refuses: None }
}

impl LaneState for Fickle {
    type Error = ClientError;

    fn allows(&self, _: &B256, time: u64, _: u64) -> Result<bool, ClientError> {
        Ok(self.refuses != Some(time))
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, ClientError> {
        let more = u16::from(self.changes && *licence == licence_of(1));
        self.asked.set(self.asked.get() + 1);
        Ok(Some(1_000 + more))
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, ClientError> {
        Ok(true)
    }
    fn earlier(&self, _: &Header, _: &B256, _: &ReceiptId) -> Result<Option<EarlierRecord>, ClientError> {
        Ok(None)
    }
}

/// The first 16 bytes of keccak256(source ‖ id).
fn key_of(source: &B256, id: &str) -> ReceiptKey {
    keccak256([source.as_slice(), id.as_bytes()].concat())[..16].try_into().unwrap()
}

fn payer() -> Address {
    Address::repeat_byte(7)
}

fn licence_of(number: u64) -> B256 {
    keccak256(format!("AST-{}", number % 3))
}

fn period() -> Period {
    Period::new(20_250_901).unwrap()
}

fn frame() -> Frame {
    let as_of = period().end();
    let (lane, period) = (lane_id(ADLUXE), period());
    Frame { lane, parameters: 1, period, number: 1, predecessor: B256::ZERO, as_of }
}

fn receipt(number: u64) -> Receipt {
    Receipt {
        payer: payer(),
        licence: licence_of(number),
        source: Name::new("shop").unwrap(),
        id: ReceiptId::new(&format!("R-{number}")).unwrap(),
        time: period().start() + number,
        body: Body::AdConversion { campaign: Name::new("C").unwrap(), value: 1_000 },
        signature: None,
    }
}

fn receipts(count: u64) -> Vec<Receipt> {
    (0..count).map(receipt).collect()
}

fn key(number: u64) -> ReceiptKey {
    key_of(&source_id(&lane_id(ADLUXE), &payer(), "shop"), &format!("R-{number}"))
}

fn commit(draft: &Draft) -> Result<(Header, Vec<u8>), String> {
    Ok((draft.header([0; 48], B256::ZERO), draft.elements()))
}

fn tried(receipts: Vec<Receipt>, eyes: Fickle) -> Attempt {
    attempt(frame(), receipts, &steady(), |_| eyes, commit).unwrap()
}

#[test]
fn a_right_batch_is_found_right() {
    let Attempt::Right(right) = tried(receipts(500), steady()) else { panic!("it is right") };
    assert_eq!((right.header.records, right.rest.len()), (500, 0));
}

#[test]
fn what_a_node_says_differently_the_second_time_is_named_by_its_row_or_its_receipt() {
    let rate = Fickle { changes: true, ..steady() };
    let Attempt::Wrong { what, part } = tried(receipts(50), rate) else { panic!("it is wrong") };
    assert_eq!(part, Part::Pair(payer(), licence_of(1)), "{what}");
    let refused = Fickle { refuses: Some(period().start() + BAD), ..steady() };
    let Attempt::Wrong { what, part } = tried(receipts(50), refused) else { panic!("it is wrong") };
    assert_eq!(part, Part::Receipt(key(BAD)), "{what}");
}

#[test]
fn receipts_that_make_no_batch_are_wrong_and_no_fault_of_the_lane() {
    let twice = [receipts(5), receipts(1)].concat();
    assert!(
        matches!(tried(twice, steady()), Attempt::Wrong { part: Part::Unnamed, what } if what.contains("twice"))
    );
    let early = vec![Receipt { time: 1, ..receipt(1) }];
    assert!(matches!(tried(early, steady()), Attempt::Wrong { part: Part::Unnamed, .. }));
}

/// Every kind of fraud that a batch can have by itself names the part that it is about, or none.
#[test]
fn each_fraud_names_the_smallest_part_that_it_is_about() {
    let (draft, _) = build(frame(), receipts(3_000), &steady()).unwrap();
    let right = Forgery::of(&draft);
    let table = right.header.record_pages;
    assert!(table > 1, "several pages");
    let part = |change: &dyn Fn(&mut Forgery)| {
        let mut forged = right.clone();
        change(&mut forged);
        let blob = forged.blob().unwrap();
        let found: Fraud = check(blob, &steady()).unwrap().expect("it is wrong now");
        (found.kind(), part_of(blob, &found))
    };
    let first = draft.rows[0];
    let pair = Part::Pair(first.payer, first.licence);
    // The last page has room for a time that is further away.
    let last = table - 1;
    let late = part(&|forged| {
        forged.change_records(last, |all| all[4].time = 5).unwrap();
        forged.reroot().unwrap();
    });
    let id = |at: usize| {
        let page = chlom_lane::page::RecordPage::decode(&right.page(last).unwrap()).unwrap();
        let record = page.records().nth(at).unwrap().to_receipt().unwrap();
        key_of(&source_id(&lane_id(ADLUXE), &payer(), "shop"), record.id.as_str())
    };
    assert_eq!(late, (FraudKind::OutOfPeriod, Part::Receipt(id(4))));
    let revenue = part(&|forged| {
        forged.change_rows(table, |rows| rows[0].revenue += 1).unwrap();
        forged.reroot().unwrap();
    });
    assert_eq!(revenue, (FraudKind::WrongSum, pair));
    let total = part(&|forged| forged.header.payers[0].owed += 1);
    assert_eq!(total, (FraudKind::WrongSum, Part::Payer(payer())));
    let root = part(&|forged| forged.header.licenses_root.0[0] ^= 1);
    assert_eq!(root, (FraudKind::BadRoot, Part::Unnamed));
    let page = part(&|forged| {
        let mut page = forged.page(0).unwrap();
        page[0] ^= 0xff;
        forged.put_page(0, &page).unwrap();
    });
    assert_eq!(page.1, Part::Unnamed);
}

#[test]
fn a_fault_that_names_nothing_is_narrowed_down_to_one_receipt() {
    for (count, bad) in [(1usize, 0usize), (2, 1), (2, 0), (1_000, 0), (1_000, 999), (400_000, 271_828)] {
        let attempts = Cell::new(0u32);
        let found = culprit(count, |first| {
            attempts.set(attempts.get() + 1);
            Ok::<_, ()>(first <= bad)
        });
        assert_eq!(found, Ok(bad), "of {count}");
        assert!(attempts.get() <= count.ilog2() + 1, "{} attempts for {count}", attempts.get());
    }
    assert_eq!(culprit(9, |_| Err::<bool, _>("gone")), Err("gone"));
}
