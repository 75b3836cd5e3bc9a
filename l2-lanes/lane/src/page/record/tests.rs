use proptest::prelude::*;

use super::{super::PAGE_BYTES, *};
use crate::{page::PageError, testing};

#[test]
fn lan_40_a_page_of_every_kind_reads_back() {
    let receipts = testing::sorted(testing::one_of_each());
    let page = testing::page(&receipts, 7, 1_000);
    let decoded = RecordPage::decode(&page).unwrap();
    assert_eq!((decoded.first, decoded.sum_before, decoded.len()), (7, 1_000, receipts.len()));
    let back: Vec<_> = decoded.records().map(|record| record.to_receipt().unwrap()).collect();
    assert_eq!(back, receipts);
    let sum: u128 = receipts.iter().map(|receipt| receipt.body.revenue()).sum();
    assert_eq!(decoded.sum_after, 1_000 + sum);
    assert_eq!(decoded.end(), 7 + u32::try_from(receipts.len()).unwrap());
    for (view, receipt) in decoded.records().zip(&receipts) {
        assert_eq!(view.digest(&testing::LANE), receipt.digest(&testing::LANE));
    }
}

#[test]
fn lan_40_an_empty_page_and_one_of_ones_are_refused() {
    assert_eq!(RecordPage::decode(&[0; PAGE_BYTES]), Err(PageError::Index));
    assert!(RecordPage::decode(&[0xff; PAGE_BYTES]).is_err());
}

#[test]
fn lan_44_what_stands_behind_the_last_record_is_zero() {
    let mut page = testing::page(&testing::sorted(testing::one_of_each()), 0, 0);
    page[PAGE_BYTES - 1] = 1;
    assert_eq!(RecordPage::decode(&page), Err(PageError::Rest));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn lan_40_whatever_receipts_a_page_takes_read_back(seed: u64, count in 1usize..300) {
        let receipts = testing::sorted(testing::receipts(seed, count));
        let mut writer = RecordWriter::new(3, 9);
        let fit = receipts.iter().take_while(|receipt| writer.push(receipt)).count();
        let decoded = RecordPage::decode(&writer.finish()).unwrap();
        prop_assert!(fit > 0);
        let back: Vec<_> = decoded.records().map(|record| record.to_receipt().unwrap()).collect();
        prop_assert_eq!(&back[..], &receipts[..fit]);
        prop_assert_eq!(decoded.encode(), writer.finish());
    }

    /// One content has one encoding: a page with any byte changed is refused, or says something else and encodes to just that.
    #[test]
    fn lan_40_whatever_decodes_encodes_to_the_same_bytes(
        seed: u64, count in 1usize..20, changes in prop::collection::vec((0usize..600, any::<u8>()), 1..4),
    ) {
        let mut page = testing::page(&testing::sorted(testing::receipts(seed, count)), 3, 9);
        for (at, value) in changes {
            page[at] = value;
        }
        if let Ok(decoded) = RecordPage::decode(&page) {
            let mut whole = Vec::new();
            for record in decoded.records() {
                whole.push(record.to_receipt());
            }
            prop_assert!(whole.iter().all(Option::is_some));
            let keys: Vec<_> = decoded.records().map(|record| record.key()).collect();
            prop_assert!(keys.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(decoded.encode(), page);
        }
    }

    #[test]
    fn lan_40_random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), PAGE_BYTES)) {
        let page: super::super::Page = bytes.try_into().unwrap();
        let _ = RecordPage::decode(&page);
        let _ = super::super::TablePage::decode(&page);
    }
}

/// A page of raw bytes.
fn raw(parts: &[&[u8]]) -> PageResult {
    RecordPage::decode(&super::super::padded(&parts.concat()))
}

type PageResult = Result<RecordPage, PageError>;

/// Index 0, sum 0.
const HEAD: [u8; 2] = [0, 0];
/// One source, `s`; one form, a conversion of campaign `c`.
const NAMES: [u8; 10] = [1, 0, 1, b's', 1, 0, 1, 0, 1, b'c'];
/// Payer and licence of the first group, its source the first.
const GROUP: [u8; 53] = {
    let mut group = [7; 53];
    group[0] = 2;
    group
};
/// The first form, the id `x`, the time 0, the amount 5.
const RECORD: [u8; 7] = [0, 1, 1, b'x', 0, 0, 5];

#[test]
fn lan_40_a_page_written_by_hand_reads() {
    let page = raw(&[&HEAD, &[1], &NAMES, &GROUP, &[1], &RECORD]).unwrap();
    let record = page.record(0).unwrap();
    assert_eq!((record.source.as_str(), record.parts.label, record.revenue()), ("s", "c", 5));
    assert_eq!((record.payer, record.id.stem), (Address::repeat_byte(7), &b"x"[..]));
}

#[test]
fn lan_40_every_other_way_to_write_a_page_is_refused() {
    use crate::bytes::BytesError;
    let max32 = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let max128 = [&[0xff; 18][..], &[3]].concat();
    let second = |id: &[u8]| [&HEAD[..], &[2], &NAMES, &GROUP, &[2], &RECORD, &[0], id, &[0, 5]].concat();
    let order = [1, 0, 1, b's', 1, 1];
    let cases: Vec<(Vec<Vec<u8>>, PageError)> = vec![
        // Counts and sums at the type's edge.
        (vec![HEAD.into(), vec![0]], PageError::Index),
        (vec![HEAD.into(), vec![0xf1, 3]], BytesError::Bound(496).into()),
        (vec![max32.into(), vec![0, 1], NAMES.into()], PageError::Index),
        (vec![vec![0xff, 0xff, 0xff, 0xff, 0x7f]], BytesError::Bound(u32::MAX.into()).into()),
        (
            vec![vec![0], max128.clone(), vec![1], NAMES.into(), GROUP.into(), vec![1], RECORD.into()],
            PageError::Sum,
        ),
        (vec![HEAD.into(), vec![2], NAMES.into(), GROUP.into(), vec![1], RECORD.into()], PageError::Group),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![2]], PageError::Group),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![0]], PageError::Group),
        // Dictionaries.
        (vec![HEAD.into(), vec![1, 2, 0, 1, b's', 0, 1, b's']], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 2, 0, 1, b't', 0, 1, b's']], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 2, 0, 2, b's', b's', 0, 2, b's', b't']], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 1, 1, 1, b's']], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 1, 0, 0]], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 1, 0, 65]], BytesError::Bound(64).into()),
        (vec![HEAD.into(), vec![1, 1, 0, 1, 0xff]], PageError::Name),
        (vec![HEAD.into(), vec![1, 1, 0, 1, b'\n']], PageError::Name),
        (vec![HEAD.into(), vec![1, 1, 0, 1, b's', 1, 5]], PageError::Shape(5)),
        (vec![HEAD.into(), vec![1, 1, 0, 1, b's', 2, 1, 1]], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 1, 0, 1, b's', 1, 0, 0]], PageError::Dictionary),
        (vec![HEAD.into(), vec![1, 1, 0, 1, b's', 13]], BytesError::Bound(12).into()),
        (
            vec![
                HEAD.into(),
                vec![1, 2, 0, 1, b's', 0, 1, b't', 1, 0, 1, 0, 1, b'c'],
                GROUP.into(),
                vec![1],
                RECORD.into(),
            ],
            PageError::Unused,
        ),
        // Groups and entries.
        (vec![HEAD.into(), vec![1], NAMES.into(), vec![0]], PageError::Group),
        (vec![HEAD.into(), vec![1], NAMES.into(), vec![1]], PageError::Group),
        (vec![HEAD.into(), vec![1], NAMES.into(), vec![3]], PageError::Entry),
        (
            vec![HEAD.into(), vec![2], NAMES.into(), GROUP.into(), vec![1], RECORD.into(), GROUP.into()],
            PageError::Group,
        ),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 1]], PageError::Entry),
        // Ids.
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 0]], PageError::Id),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 3]], PageError::Id),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 0, 0]], PageError::Id),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b' ', 0]], PageError::Id),
        (vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b'7', 0]], PageError::Id),
        (
            vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b'x', 1, 10]],
            PageError::Id,
        ),
        (
            vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b'x', 19, 1]],
            PageError::Id,
        ),
        (vec![second(&[1, 1, b'x', 0])], PageError::Id),
        (vec![second(&[0])], PageError::Id),
        (vec![second(&[3, 0, 0])], PageError::Order),
        (vec![second(&[1, 1, b'w', 0])], PageError::Order),
        // Times and amounts.
        (
            vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b'x', 0, 1, 5]],
            PageError::Time,
        ),
        (
            vec![
                HEAD.into(),
                vec![1],
                NAMES.into(),
                GROUP.into(),
                vec![1, 0, 1, 1, b'x', 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 5],
            ],
            PageError::Time,
        ),
        (
            vec![HEAD.into(), vec![1], NAMES.into(), GROUP.into(), vec![1, 0, 1, 1, b'x', 0, 0], max128],
            BytesError::Bound(crate::receipt::MAX_AMOUNT).into(),
        ),
        (
            vec![
                HEAD.into(),
                vec![1],
                order.into(),
                GROUP.into(),
                vec![1, 0, 1, 1, b'x', 0, 0],
                vec![0xff; 13],
                vec![0x1f, 1],
            ],
            PageError::Amounts,
        ),
        (vec![HEAD.into(), vec![0x81, 0]], BytesError::Varint.into()),
    ];
    for (number, (parts, error)) in cases.into_iter().enumerate() {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(raw(&parts).map(|_| ()), Err(error), "case {number}");
    }
}
