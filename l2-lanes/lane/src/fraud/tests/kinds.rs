//! Each kind of fraud by its plainest example.

use super::*;
use crate::{
    Receipt,
    page::{RecordPage, TablePage},
    receipt::ReceiptId,
};

fn small() -> (Batch, MemoryState) {
    let state = MemoryState::open();
    (testing::batch(5, testing::receipts(11, 60), &state), state)
}

fn records(batch: &Batch, page: u32) -> Vec<Receipt> {
    RecordPage::decode(&batch.page(page)).unwrap().records().map(|r| r.to_receipt().unwrap()).collect()
}

#[test]
fn lan_14_what_is_left_over_is_zero() {
    let (mut batch, state) = (large(1), MemoryState::open());
    let rest = batch.header.pages();
    let mut page = batch.page(rest);
    page[1_000] = 1;
    batch.put_page(rest, &page);
    assert_eq!(convicted(&batch, &state), Fraud::Page(rest));
    let last = rest - 1;
    let mut batch = large(1);
    let mut page = batch.page(last);
    *page.last_mut().unwrap() = 1;
    batch.put_page(last, &page);
    assert_eq!(convicted(&batch, &state), Fraud::Page(last));
}

#[test]
fn lan_15_a_cell_that_is_no_payload_is_malformed() {
    let (mut batch, state) = small();
    let at = batch.elements.len() - 32;
    batch.elements[at] = 1;
    let page = batch.blob().pages() - 1;
    assert_eq!(convicted(&batch, &state), Fraud::Page(page));
}

#[test]
fn lan_14_a_blob_of_another_size_than_the_headers_is_refused() {
    let (batch, _) = small();
    let short = &batch.elements[..batch.elements.len() - 1];
    let refusal = crate::blob::BlobLength { rows: 1, expected: 131_072, found: 131_071 };
    assert_eq!(crate::Blob::new(&batch.header, short).err(), Some(refusal));
}

#[test]
fn lan_54_a_payers_total_is_what_its_rows_can_owe() {
    let (mut batch, state) = (large(1), MemoryState::open());
    batch.header.payers[1].owed -= 1;
    let fraud = convicted(&batch, &state);
    assert!(matches!(fraud, Fraud::PayerTotal { payer: 1, .. }), "{fraud:?}");
}

#[test]
fn lan_13_a_row_has_the_payer_whose_first_row_is_not_after_it() {
    let (mut batch, state) = (large(1), MemoryState::open());
    batch.header.payers[1].first_row += 1;
    assert!(matches!(convicted(&batch, &state), Fraud::PayerRow(_)));
}

#[test]
fn lan_57_a_wrong_root_is_convicted_by_one_cell() {
    for tree in [TreeKind::Receipts, TreeKind::Rows] {
        let (mut batch, state) = (large(1), MemoryState::open());
        let root = match tree {
            TreeKind::Receipts => &mut batch.header.receipts_root,
            TreeKind::Rows => &mut batch.header.licenses_root,
        };
        root.0[0] ^= 1;
        assert_eq!(convicted(&batch, &state), Fraud::Root(tree));
    }
}

#[test]
fn lan_56_every_wrong_node_is_convicted() {
    let (right, state) = (large(1), MemoryState::open());
    for tree in [TreeKind::Receipts, TreeKind::Rows] {
        for (level, width) in crate::merkle::widths(tree.leaves(&right.header)).enumerate() {
            for index in [0, width / 2, width - 1] {
                let mut batch = right.clone();
                let position = tree.position(&right.header, level, index).unwrap();
                let mut page = batch.page(position.page);
                let node = position.read(&page).unwrap();
                let at = page.windows(32).position(|bytes| bytes == node.as_slice()).unwrap();
                page[at + 31] ^= 1;
                batch.put_page(position.page, &page);
                let fraud = convicted(&batch, &state);
                assert_eq!(fraud.kind(), FraudKind::BadRoot, "{tree:?} {level} {index}");
            }
        }
    }
}

#[test]
fn lan_71_a_licence_that_did_not_allow_it_is_convicted_if_state_agrees() {
    let (batch, mut state) = small();
    let record = records(&batch, 0).remove(3);
    let terms = state.licences.get_mut(&record.licence).unwrap();
    *terms = (record.time + 1, u64::MAX, terms.2);
    assert!(matches!(convicted(&batch, &state), Fraud::Licence(_)));
    state.licences.remove(&record.licence);
    assert!(matches!(convicted(&batch, &state), Fraud::Licence(_)));
}

#[test]
fn lan_74_a_row_at_another_rate_is_convicted_if_state_agrees() {
    let (batch, mut state) = small();
    let licence = records(&batch, 0)[0].licence;
    state.licences.get_mut(&licence).unwrap().2 += 1;
    assert!(matches!(convicted(&batch, &state), Fraud::Terms(_)));
}

#[test]
fn lan_70_a_time_outside_of_the_period_or_past_as_of_is_convicted() {
    let state = MemoryState::open();
    for (before, as_of) in [(1u64, 1_000u64), (0, 0)] {
        let (mut batch, _) = small();
        if before > 0 {
            let mut all = records(&batch, 0);
            all[5].time = batch.header.period.start() - before;
            let decoded = RecordPage::decode(&batch.page(0)).unwrap();
            batch.put_page(0, &testing::page(&all, decoded.first, decoded.sum_before));
            batch.reroot();
        } else {
            batch.header.as_of = batch.header.period.start() + as_of;
        }
        assert!(matches!(convicted(&batch, &state), Fraud::Time(_)));
    }
}

#[test]
fn lan_72_one_receipt_under_two_licences_is_counted_twice() {
    let state = MemoryState::open();
    for apart in [0, 900] {
        let mut all: Vec<_> = (0..apart).map(|i| testing::receipt(0, 2, &format!("M-{i}"), 5)).collect();
        all.extend([testing::receipt(0, 1, "AD-000001", 5), testing::receipt(0, 3, "AD-000002", 5)]);
        let mut batch = testing::batch(1, all, &state);
        // The last record gets the first one's id.
        let pages = batch.header.record_pages;
        let holds = |batch: &Batch, page: u32, id: &str| {
            records(batch, page).iter().position(|r| r.id.as_str() == id)
        };
        let page = (0..pages).find(|page| holds(&batch, *page, "AD-000002").is_some()).unwrap();
        let mut of_page = records(&batch, page);
        let at = holds(&batch, page, "AD-000002").unwrap();
        of_page[at].id = ReceiptId::new("AD-000001").unwrap();
        let decoded = RecordPage::decode(&batch.page(page)).unwrap();
        batch.put_page(page, &testing::page(&of_page, decoded.first, decoded.sum_before));
        batch.reroot();
        assert!(matches!(convicted(&batch, &state), Fraud::Twice(..)));
    }
}

#[test]
fn lan_73_a_receipt_of_an_earlier_batch_is_counted_twice() {
    let mut state = MemoryState::open();
    let first = testing::batch(1, testing::receipts(5, 600), &state);
    let again = records(&first, 1).remove(2);
    let mut receipts: Vec<_> = (0..50).map(|i| testing::receipt(1, 1, &format!("N-{i}"), 5)).collect();
    let source = testing::source_of(&again);
    receipts.push(Receipt { licence: testing::licence(7), ..again.clone() });
    let second = testing::batch(2, receipts, &state);
    assert_eq!(second.check(&state), None);
    state.earlier.insert((source, again.id.to_string()), testing::shown(&first, 1, 2));
    let fraud = convicted(&second, &state);
    assert!(matches!(fraud, Fraud::Earlier(..)));
    let verdict = second.convict(&fraud).unwrap();
    assert_eq!(verdict.check, Check::Earlier { batch: first.header.batch_root() });

    // The earlier batch is not convicted by the later one, nor one of another lane, nor by another page or path.
    let Fraud::Earlier(place, shown) = fraud else { unreachable!() };
    let with = |change: &dyn Fn(&mut crate::state::EarlierRecord)| {
        let mut shown = shown.clone();
        change(&mut shown);
        second.convict(&Fraud::Earlier(place, shown))
    };
    let mut other = first.header.clone();
    other.number = 2;
    assert_eq!(with(&|shown| shown.header = other.encode()), Err(NoFraud::EarlierBatch));
    let mut other = first.header.clone();
    (other.lane, other.blob.lane_id) = (testing::payer(9), testing::payer(9));
    assert_eq!(with(&|shown| shown.header = other.encode()), Err(NoFraud::EarlierBatch));
    assert_eq!(with(&|shown| shown.header.truncate(100)), Err(NoFraud::EarlierBatch));
    assert_eq!(with(&|shown| shown.page = 0), Err(NoFraud::EarlierPage));
    assert_eq!(with(&|shown| shown.bytes[5] ^= 1), Err(NoFraud::EarlierPage));
    assert_eq!(with(&|shown| shown.path[0].0[0] ^= 1), Err(NoFraud::EarlierPage));
    assert_eq!(with(&|shown| shown.at = 3), Err(NoFraud::Right));
    assert_eq!(with(&|shown| shown.at = 9_999), Err(NoFraud::Place));
}

#[test]
fn lan_50_rows_out_of_order_are_convicted() {
    let (mut batch, state) = (large(1), MemoryState::open());
    let index = batch.header.record_pages;
    let mut table = TablePage::decode(&batch.page(index)).unwrap();
    let (a, b) = (table.rows[0].licence, table.rows[1].licence);
    (table.rows[0].licence, table.rows[1].licence) = (b, a);
    batch.put_page(index, &table.encode());
    assert_eq!(convicted(&batch, &state), Fraud::OrderWithin(index));
}

#[test]
fn lan_61_every_reason_to_refuse_has_its_number() {
    let all = [
        NoFraud::Kind,
        NoFraud::Evidence,
        NoFraud::Cells,
        NoFraud::Undecodable,
        NoFraud::Place,
        NoFraud::Right,
        NoFraud::EarlierBatch,
        NoFraud::EarlierPage,
    ];
    assert_eq!(all.map(NoFraud::number), [1, 2, 3, 4, 5, 6, 7, 8]);
    let kinds: Vec<u8> = (0..=255).filter(|n| FraudKind::from_number(*n).is_some()).collect();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(kinds.iter().all(|n| FraudKind::from_number(*n).map(|kind| kind as u8) == Some(*n)));
}

/// A payer that consents by allowance consents to the sources that it names, and to one without a key only if it says so.
#[test]
fn lan_76_a_record_of_a_source_that_an_allowance_does_not_admit_convicts() {
    let receipt = testing::receipt(0, 1, "AD-000001", 500);
    let (source, payer) = (testing::source_of(&receipt), receipt.payer);
    let batch = testing::batch(1, vec![receipt], &MemoryState::open());
    for (named, unsigned, is_right) in
        [(vec![source], true, true), (vec![source], false, false), (vec![], true, false)]
    {
        let mut state = MemoryState::open();
        state.allowances.insert(payer, (named, unsigned));
        if is_right {
            assert_eq!(batch.check(&state), None);
            continue;
        }
        let fraud = convicted(&batch, &state);
        assert_eq!(fraud, Fraud::Source(Place { page: 0, at: 0 }, Vec::new()));
        let key = alloy_primitives::keccak256([]);
        let check = batch.convict(&fraud).map(|verdict| verdict.check);
        assert_eq!(check, Ok(Check::Source { source, payer, key }), "the chain asks for the consent");
    }
    let mut other = MemoryState::open();
    other.allowances.insert(testing::payer(1), (Vec::new(), false));
    assert_eq!(batch.check(&other), None, "each payer's consent is its own");
}

/// Each period numbers its own batches: a batch of another period convicts whatever its number.
#[test]
fn lan_73_an_earlier_batch_of_another_period_convicts_whatever_its_number() {
    let mut state = MemoryState::open();
    let mut first = testing::batch(7, vec![testing::receipt(0, 1, "AD-000001", 500)], &state);
    let other = chlom_royalty::Period::new(20_250_902).unwrap();
    first.header.period = other;
    first.header.blob.period = other.code();
    let second = testing::batch(1, vec![testing::receipt(0, 1, "AD-000001", 500)], &state);
    let source = testing::source_of(&testing::receipt(0, 1, "AD-000001", 500));
    state.earlier.insert((source, "AD-000001".into()), testing::shown(&first, 0, 0));
    let fraud = convicted(&second, &state);
    let check = second.convict(&fraud).map(|verdict| verdict.check);
    assert_eq!(check, Ok(Check::Earlier { batch: first.header.batch_root() }));
}
