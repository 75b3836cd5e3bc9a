//! Packing: records into pages, pairs into rows, until the blob is full.

use alloy_primitives::{Address, B256};
use chlom_royalty::base::most_due;

use super::{BuildError, Frame};
use crate::{
    Row,
    header::{MOST_PAYERS, node_pages},
    page::{MOST_PAGES, Page, record::RecordWriter, table::LEAST_ROWS},
    receipt::Receipt,
    state::LaneState,
};

/// Pages of records, rows, and how many receipts they are of.
pub(super) struct Packed {
    pub(super) record_pages: Vec<Page>,
    pub(super) rows: Vec<Row>,
    pub(super) taken: usize,
}

/// Takes receipts in order until one more might not fit the blob.
pub(super) fn pack<S: LaneState>(
    frame: &Frame,
    receipts: &[Receipt],
    order: &[u32],
    state: &S,
) -> Result<Packed, BuildError<S::Error>> {
    let mut packed = Packed { record_pages: Vec::new(), rows: Vec::new(), taken: 0 };
    let mut payers = 0usize;
    let mut writer = RecordWriter::new(0, 0);
    for at in order {
        let Some(receipt) = usize::try_from(*at).ok().and_then(|at| receipts.get(at)) else { break };
        let last = packed.rows.last();
        let new_row = last.is_none_or(|row| row.pair() != (receipt.payer, receipt.licence));
        let new_payer = last.is_none_or(|row| row.payer != receipt.payer);
        if new_payer && payers == MOST_PAYERS {
            break;
        }
        let rows = packed.rows.len().saturating_add(new_row.into());
        // The page that is open and, should the receipt not fit it, one more.
        let pages = packed.record_pages.len().saturating_add(1);
        if new_row && !fits(pages, rows) {
            break;
        }
        if !writer.push(receipt) {
            if !fits(pages.saturating_add(1), rows) {
                break;
            }
            let first = u32::try_from(packed.taken).unwrap_or(u32::MAX);
            packed.record_pages.push(writer.finish());
            writer = RecordWriter::new(first, writer.sum());
            // A page takes any one receipt.
            if !writer.push(receipt) {
                break;
            }
        }
        if new_row {
            let row = new_row_of(frame, receipt, packed.taken, state)?;
            packed.rows.push(row);
            payers = payers.saturating_add(new_payer.into());
        }
        if let Some(row) = packed.rows.last_mut() {
            row.count = row.count.saturating_add(1);
            row.revenue = row.revenue.saturating_add(receipt.body.revenue());
        }
        packed.taken = packed.taken.saturating_add(1);
    }
    if writer.len() > 0 {
        packed.record_pages.push(writer.finish());
    }
    for row in &mut packed.rows {
        row.owed = most_due(row.revenue, row.royalty_bps).map_err(|_| BuildError::Licence(row.licence))?;
    }
    Ok(packed)
}

fn new_row_of<S: LaneState>(
    frame: &Frame,
    receipt: &Receipt,
    first: usize,
    state: &S,
) -> Result<Row, BuildError<S::Error>> {
    let (payer, licence): (Address, B256) = (receipt.payer, receipt.licence);
    let bps = state.royalty_bps(&licence, frame.period.start(), frame.as_of).map_err(BuildError::State)?;
    let royalty_bps = bps.ok_or(BuildError::Licence(licence))?;
    let first_record = u32::try_from(first).unwrap_or(u32::MAX);
    Ok(Row { payer, licence, first_record, count: 0, revenue: 0, royalty_bps, owed: 0 })
}

/// Whether so many record pages and rows fit a blob, whatever the rows say.
fn fits(record_pages: usize, rows: usize) -> bool {
    let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (records, table) = (short(record_pages), short(rows.div_ceil(LEAST_ROWS)));
    records.saturating_add(table).saturating_add(node_pages(records, short(rows))) <= MOST_PAGES
}
