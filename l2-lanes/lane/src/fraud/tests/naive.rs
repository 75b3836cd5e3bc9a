//! A batch judged the slow way: everything that its pages say is taken out, put in order, and built again.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    Header, Receipt,
    page::{RecordPage, TablePage},
};

/// Whether a batch is what its receipts give. Licences, keys and earlier batches apart.
pub(super) fn is_right(batch: &Batch, state: &MemoryState) -> bool {
    let Some(receipts) = receipts(batch) else { return false };
    let header = &batch.header;
    let mut unique = BTreeSet::new();
    let all_unique =
        receipts.iter().all(|r| unique.insert((r.payer, r.source.clone(), r.id.as_str().to_owned())));
    let in_time = receipts
        .iter()
        .all(|r| r.time >= header.period.start() && r.time < header.period.end() && r.time <= header.as_of);
    let mut rows: BTreeMap<(Address, B256), (u32, u128)> = BTreeMap::new();
    for receipt in &receipts {
        let row = rows.entry((receipt.payer, receipt.licence)).or_default();
        *row = (row.0 + 1, row.1 + receipt.body.revenue());
    }
    let said: Option<Vec<Row>> =
        tables(batch).map(|tables| tables.into_iter().flat_map(|t| t.rows).collect());
    let Some(said) = said else { return false };
    let same_rows = said.len() == rows.len()
        && said.iter().zip(&rows).all(|(row, (pair, (count, revenue)))| {
            row.pair() == *pair && row.count == *count && row.revenue == *revenue
        });
    let terms = said
        .iter()
        .all(|row| state.licences.get(&row.licence).is_some_and(|(_, _, bps)| *bps == row.royalty_bps));
    all_unique
        && in_time
        && same_rows
        && terms
        && testing::sorted(receipts.clone()) == receipts
        && frame(batch, &said)
}

use crate::Row;

fn receipts(batch: &Batch) -> Option<Vec<Receipt>> {
    let mut all = Vec::new();
    let mut sum = 0u128;
    for index in 0..batch.header.record_pages {
        let page = RecordPage::decode(&batch.blob().page(index)?).ok()?;
        if page.first as usize != all.len() || page.sum_before != sum {
            return None;
        }
        for record in page.records() {
            sum += record.revenue();
            all.push(record.to_receipt()?);
        }
    }
    (all.len() == batch.header.records as usize).then_some(all)
}

fn tables(batch: &Batch) -> Option<Vec<TablePage>> {
    let Header { record_pages, table_pages, rows, .. } = batch.header;
    let pages = (record_pages..record_pages + table_pages)
        .map(|index| TablePage::decode(&batch.blob().page(index)?).ok())
        .collect::<Option<Vec<_>>>()?;
    let (mut row, mut record, mut owed) = (0, 0, 0);
    for page in &pages {
        if (page.first_row, page.rows[0].first_record, page.owed_before) != (row, record, owed) {
            return None;
        }
        row += page.rows.len() as u32;
        record += page.rows.iter().map(|row| row.count).sum::<u32>();
        owed += page.rows.iter().map(|row| row.owed).sum::<u128>();
    }
    (row == rows && record == batch.header.records).then_some(pages)
}

/// Payers, roots, nodes and what is left over.
fn frame(batch: &Batch, rows: &[Row]) -> bool {
    let mut payers: Vec<(Address, u32, u128)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match payers.last_mut() {
            Some(last) if last.0 == row.payer => last.2 += row.owed,
            _ => payers.push((row.payer, at as u32, row.owed)),
        }
    }
    let said: Vec<_> = batch.header.payers.iter().map(|p| (p.payer, p.first_row, p.owed)).collect();
    let mut rooted = batch.clone();
    rooted.reroot();
    let end = batch.header.pages() as usize * 2_048;
    said == payers
        && rooted.elements == batch.elements
        && rooted.header == batch.header
        && batch.elements[end..].iter().all(|byte| *byte == 0)
}
