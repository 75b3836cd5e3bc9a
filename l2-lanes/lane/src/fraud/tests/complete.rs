//! Everything that can be changed in a batch, changed.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{naive::is_right, *};
use crate::{
    Receipt,
    page::{PAGE_BYTES, Page, RecordPage, TablePage},
};

static LARGE: LazyLock<Batch> = LazyLock::new(|| large(1));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Any byte of the blob: payload, top bytes, what is left over.
    #[test]
    fn lan_64_a_blob_with_any_byte_changed_is_convicted(at: prop::sample::Index, value: u8) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let at = at.index(batch.elements.len());
        prop_assume!(batch.elements[at] != value);
        batch.elements[at] = value;
        convicted(&batch, &state);
    }

    /// A page with bytes changed, both trees made to agree with it.
    #[test]
    fn lan_64_a_changed_page_under_right_roots_is_convicted_or_right(
        page in 0u32..20, changes in prop::collection::vec((0usize..400, any::<u8>()), 1..3),
    ) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let index = page % (batch.header.record_pages + batch.header.table_pages);
        let mut bytes = batch.page(index);
        changes.iter().for_each(|(at, value)| bytes[*at] = *value);
        batch.put_page(index, &bytes);
        batch.reroot();
        match batch.check(&state) {
            None => prop_assert!(is_right(&batch, &state)),
            Some(_) => { convicted(&batch, &state); }
        }
    }

    /// Pages that are random, cut off, padded, or another page of the batch, with the roots as they were and made to agree.
    #[test]
    fn lan_64_a_batch_with_a_page_replaced_is_convicted(
        index: prop::sample::Index, other: prop::sample::Index, how in 0u8..4, cut in 1usize..PAGE_BYTES, seed: u64, reroot: bool,
    ) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let pages = batch.header.pages() as usize;
        let index = index.index(pages) as u32;
        let before = batch.page(index);
        let mut bytes: Page = before;
        let mut seed = Seed(seed);
        match how {
            0 => bytes.iter_mut().for_each(|byte| *byte = seed.next() as u8),
            1 => bytes[cut..].fill(0),
            2 => bytes[PAGE_BYTES - 1] = seed.next() as u8,
            _ => bytes = batch.page(other.index(pages) as u32),
        }
        prop_assume!(bytes != before);
        batch.put_page(index, &bytes);
        if reroot {
            batch.reroot();
        }
        prop_assume!(batch.elements != LARGE.elements);
        convicted(&batch, &state);
    }

    /// Any byte of the header that leaves it a header, but for what names the batch rather than describing it.
    #[test]
    fn lan_64_a_header_that_says_something_else_is_convicted(at: prop::sample::Index, value: u8) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let mut bytes = batch.header.encode();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != value);
        bytes[at] = value;
        if let Ok(header) = crate::Header::decode(&bytes) {
            let named = |h: &crate::Header| (h.parameters, h.number, h.predecessor, h.as_of, h.blob.clone());
            prop_assume!(named(&header) == named(&batch.header));
            batch.header = header;
            convicted(&batch, &state);
        }
    }

    /// Another blob altogether.
    #[test]
    fn lan_64_a_header_over_another_batchs_blob_is_convicted(seed in 2u64..1_000) {
        let mut batch = LARGE.clone();
        let state = MemoryState::open();
        let mut elements = testing::batch(3, testing::receipts(seed, 500), &state).elements;
        elements.resize(batch.elements.len(), 0);
        batch.elements = elements;
        convicted(&batch, &state);
    }

    /// Each field of a record changed in its page, sums left as they were, roots made to agree.
    #[test]
    fn lan_64_a_record_with_a_field_changed_is_convicted_or_right(
        page: prop::sample::Index, at: prop::sample::Index, field in 0u8..7, seed: u64,
    ) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let index = page.index(batch.header.record_pages as usize) as u32;
        let decoded = RecordPage::decode(&batch.page(index)).unwrap();
        let mut records: Vec<Receipt> = decoded.records().map(|r| r.to_receipt().unwrap()).collect();
        let at = at.index(records.len());
        change(&mut records[at], field, &mut Seed(seed));
        let Some(bytes) = repacked(&decoded, &records) else { return Ok(()) };
        prop_assume!(bytes != batch.page(index));
        batch.put_page(index, &bytes);
        // With the roots of before every change is a fraud.
        convicted(&batch, &state);
        batch.reroot();
        match batch.check(&state) {
            None => prop_assert!(is_right(&batch, &state)),
            Some(_) => { convicted(&batch, &state); }
        }
    }

    /// Records exchanged, doubled, left out or moved to another page.
    #[test]
    fn lan_64_records_out_of_order_or_doubled_are_convicted(
        page: prop::sample::Index, a: prop::sample::Index, b: prop::sample::Index, how in 0u8..3,
    ) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let index = page.index(batch.header.record_pages as usize) as u32;
        let decoded = RecordPage::decode(&batch.page(index)).unwrap();
        let mut records: Vec<Receipt> = decoded.records().map(|r| r.to_receipt().unwrap()).collect();
        let (a, b) = (a.index(records.len()), b.index(records.len()));
        prop_assume!(a != b);
        match how {
            0 => records.swap(a, b),
            1 => { let _ = records.remove(a); }
            _ => records[a] = records[b].clone(),
        }
        let Some(bytes) = repacked(&decoded, &records) else { return Ok(()) };
        batch.put_page(index, &bytes);
        batch.reroot();
        convicted(&batch, &state);
    }

    /// Each field of a row changed; the header's totals and the roots made to agree as far as they can.
    #[test]
    fn lan_64_a_row_with_a_field_changed_is_convicted(
        page: prop::sample::Index, at: prop::sample::Index, field in 0u8..6, by in 1u32..3, totals: bool,
    ) {
        let (mut batch, state) = (LARGE.clone(), MemoryState::open());
        let pages = batch.header.table_pages as usize;
        let index = batch.header.record_pages + page.index(pages) as u32;
        let mut table = TablePage::decode(&batch.page(index)).unwrap();
        let at = at.index(table.rows.len());
        let row = &mut table.rows[at];
        match field {
            0 => row.revenue += u128::from(by),
            1 => row.royalty_bps = (row.royalty_bps + by as u16) % 10_001,
            2 => row.count += by,
            3 => row.licence = testing::licence(500 + by as usize),
            4 => row.payer = testing::payer(50 + by as usize),
            _ => table.owed_before += u128::from(by),
        }
        let bytes = table.encode();
        prop_assume!(bytes != batch.page(index));
        batch.put_page(index, &bytes);
        batch.reroot();
        if totals {
            follow_totals(&mut batch);
        }
        convicted(&batch, &state);
    }
}

/// One field of a receipt changed.
fn change(receipt: &mut Receipt, field: u8, seed: &mut Seed) {
    use crate::receipt::{Body, ReceiptId};
    match field {
        0 => receipt.payer = testing::payer(seed.below(6)),
        1 => receipt.licence = testing::licence(seed.below(20)),
        2 => receipt.source = testing::name(["shop", "another"][seed.below(2)]),
        3 => receipt.id = ReceiptId::new(&format!("AD-{}", seed.below(30_000))).unwrap(),
        4 => receipt.time = seed.next() % crate::receipt::MAX_TIME,
        5 => receipt.signature = Some([seed.next() as u8; 64]),
        _ => receipt.body = Body::AdConversion { campaign: testing::name("CAMP-1"), value: seed.wide(40) },
    }
}

/// A page with other records and the index and sum of before; `None` when they do not fit it.
fn repacked(page: &RecordPage, records: &[Receipt]) -> Option<Page> {
    let mut writer = crate::page::record::RecordWriter::new(page.first, page.sum_before);
    (!records.is_empty() && records.iter().all(|record| writer.push(record))).then(|| writer.finish())
}

/// The header's totals as the rows have them.
fn follow_totals(batch: &mut Batch) {
    let header = &batch.header;
    let tables = header.record_pages..header.record_pages + header.table_pages;
    let rows: Vec<_> = tables
        .filter_map(|index| TablePage::decode(&batch.page(index)).ok())
        .flat_map(|table| table.rows)
        .collect();
    for place in 0..header.payers.len() {
        let (from, to) =
            (batch.header.payers[place].first_row as usize, batch.header.end_row(place) as usize);
        if let Some(rows) = rows.get(from..to) {
            batch.header.payers[place].owed = rows.iter().map(|row| row.owed).sum();
        }
    }
}
