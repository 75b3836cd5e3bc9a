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
