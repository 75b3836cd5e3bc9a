use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    receipt::{Body, IdParts, Name, ReceiptId},
    testing::{self, MemoryState},
};

/// Batches of all receipts, each as full as it can be, each right.
fn batches(mut receipts: Vec<Receipt>) -> Vec<Draft> {
    let state = MemoryState::open();
    let mut drafts = Vec::new();
    while !receipts.is_empty() {
        let (draft, rest) = build(testing::frame(1), receipts, &state).unwrap();
        let header = draft.header([0xc0; 48], B256::ZERO);
        assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
        let elements = draft.elements();
        let blob = crate::Blob::new(&header, &elements).unwrap();
        assert_eq!(crate::fraud::check(blob, &state), Ok(None));
        drafts.push(draft);
        receipts = rest;
    }
    drafts
}

fn revenue(drafts: &[Draft]) -> (u32, u128) {
    let rows = drafts.iter().flat_map(|draft| &draft.rows);
    (drafts.iter().map(Draft::records).sum(), rows.map(|row| row.revenue).sum())
}

#[test]
fn lan_51_receipts_past_a_blob_come_back_for_the_next_batch() {
    // Ids that share nothing and signatures: some fifteen a page.
    let one = |number: usize| Receipt {
        id: ReceiptId::new(
            &format!("{:x}x", alloy_primitives::keccak256(number.to_be_bytes())).replace("0x", "").as_str()
                [..60],
        )
        .unwrap(),
        signature: Some([0xab; 64]),
        ..testing::receipt(number % 2, number % 7, "x", 3)
    };
    let drafts = batches((0..32_000).map(one).collect());
    assert_eq!(drafts.len(), 2);
    assert!(drafts[0].pages().len() > 2_040, "{} pages", drafts[0].pages().len());
    assert_eq!(drafts[0].blob_rows().data(), 32);
    assert_eq!(revenue(&drafts), (32_000, 96_000));
}

#[test]
fn lan_51_rows_past_a_blob_come_back_too() {
    let mut state = MemoryState::open();
    let one = |number: usize| testing::receipt(0, number, &format!("R-{number}"), 3);
    let receipts: Vec<Receipt> = (0..24_000).map(one).collect();
    for receipt in &receipts {
        state.licences.insert(receipt.licence, (0, u64::MAX, 10_000));
    }
    let (draft, rest) = build(testing::frame(1), receipts, &state).unwrap();
    // What rows may take is guessed from above, so the blob is not quite full.
    assert!(draft.pages().len() > 1_500 && draft.pages().len() <= 2_048, "{}", draft.pages().len());
    assert_eq!(draft.rows.len() + rest.len(), 24_000);
    let header = draft.header([0xc0; 48], B256::ZERO);
    assert_eq!(Header::decode(&header.encode()), Ok(header));
}

#[test]
fn lan_12_the_129th_payer_waits_for_the_next_batch() {
    let drafts = batches((0..129).map(|i| testing::receipt(i, 1, "R-1", 3)).collect());
    let payers: Vec<usize> = drafts.iter().map(|draft| draft.payers.len()).collect();
    assert_eq!(payers, [128, 1]);
    assert_eq!(revenue(&drafts), (129, 387));
}

#[test]
fn what_is_no_batch_is_refused_with_the_receipt() {
    let state = MemoryState::open();
    let build = |receipts| build(testing::frame(1), receipts, &state).map(|_| ()).unwrap_err();
    let good = || testing::receipt(0, 1, "R-1", 3);
    assert_eq!(build(vec![]), BuildError::Empty);
    let (source_name, id) = ("shop".to_owned(), "R-1".to_owned());
    let twice = BuildError::Twice { source_name: source_name.clone(), id: id.clone() };
    assert_eq!(build(vec![good(), Receipt { licence: testing::licence(2), ..good() }]), twice);
    let (from, end) = (testing::period().start(), testing::period().end());
    for time in [from - 1, end, u64::MAX] {
        let (source_name, id) = (source_name.clone(), id.clone());
        let refusal = BuildError::Time { source_name, id, time, from, until: end - 1 };
        assert_eq!(build(vec![Receipt { time, ..good() }]), refusal);
    }
    let licence = testing::licence(5_000);
    assert_eq!(build(vec![Receipt { licence, ..good() }]), BuildError::Licence(licence));
    for body in [
        Body::Order { gross: 1, discount: 2 },
        Body::Order { gross: u128::MAX, discount: 0 },
        Body::AdConversion { campaign: testing::name("c"), value: crate::receipt::MAX_AMOUNT + 1 },
        Body::View { title: testing::name("t"), views: 0, value: 1 },
    ] {
        let refusal = BuildError::Amounts { source_name: source_name.clone(), id: id.clone() };
        assert_eq!(build(vec![Receipt { body, ..good() }]), refusal);
    }
}

#[test]
fn a_batch_does_not_depend_on_the_order_of_arrival() {
    let state = MemoryState::open();
    let (mut receipts, mut seed) = (testing::receipts(3, 500), testing::Seed(1));
    let first = testing::batch(1, receipts.clone(), &state);
    for i in (1..receipts.len()).rev() {
        receipts.swap(i, seed.below(i + 1));
    }
    let second = testing::batch(1, receipts, &state);
    assert_eq!((first.header, first.elements), (second.header, second.elements));
}

proptest! {
    #[test]
    fn lan_72_what_is_there_twice_is_found(keys in prop::collection::vec((0u8..4, 0u8..3, 0u8..3, 0u64..40), 0..40)) {
        let names = ["a", "b", "c"].map(|text| Name::new(text).unwrap());
        let stems = [&b"x"[..], b"y", b"xy"];
        let key = |at: u32| {
            let (payer, name, stem, number) = *keys.get(at as usize)?;
            let id = IdParts { stem: stems[stem as usize], width: 2, number };
            Some((testing::payer(payer.into()), &names[name as usize], id))
        };
        let found = first_twice(keys.len() as u32, key);
        let distinct: BTreeSet<_> = keys.iter().collect();
        prop_assert_eq!(found.is_some(), distinct.len() < keys.len());
        if let Some((a, b)) = found {
            prop_assert!(a < b && keys[a as usize] == keys[b as usize]);
        }
    }
}
