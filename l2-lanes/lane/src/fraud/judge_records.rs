//! Statements about single records and rows, some of which contract state has to confirm.

use alloy_primitives::keccak256;

use super::{
    Check, NoFraud, alone,
    judge::{Opened, proven},
    judge_links::{records, row_at, table},
};
use crate::{
    Header,
    lane::source_id,
    merkle,
    page::{self, RecordPage, RecordView},
    receipt::is_signed_by,
    state::EarlierRecord,
};

fn record_at(page: &RecordPage, at: u16) -> Result<RecordView<'_>, NoFraud> {
    page.record(at.into()).ok_or(NoFraud::Place)
}

/// Whether two records are one (source, id): a source is a payer's. Upholds [LAN-72].
fn is_same(a: &RecordView<'_>, b: &RecordView<'_>) -> bool {
    (a.payer, a.source, a.id) == (b.payer, b.source, b.id)
}

/// Cells: the pages of both records, or the one of both.
pub(super) fn twice(opened: &Opened<'_>, a: u16, b: u16) -> Result<Check, NoFraud> {
    let count = opened.indices().len();
    if count > 2 || (count == 1 && a >= b) {
        return Err(NoFraud::Cells);
    }
    let last = count.saturating_sub(1);
    let ((_, first), (_, second)) = (records(opened, 0, count)?, records(opened, last, count)?);
    proven(is_same(&record_at(&first, a)?, &record_at(&second, b)?))
}

/// Cells: the record's page. The other record is shown through its batch's `receipts_root`. Upholds [LAN-73].
pub(super) fn earlier(opened: &Opened<'_>, at: u16, earlier: &EarlierRecord) -> Result<Check, NoFraud> {
    let (_, page) = records(opened, 0, 1)?;
    let record = record_at(&page, at)?;
    let before = Header::decode(&earlier.header).map_err(|_| NoFraud::EarlierBatch)?;
    // Numbers are a period's own; across periods the chain alone knows which batch came first.
    let is_later = before.period == opened.header.period && before.number >= opened.header.number;
    if before.lane != opened.header.lane || is_later {
        return Err(NoFraud::EarlierBatch);
    }
    let count = usize::try_from(before.record_pages).map_err(|_| NoFraud::EarlierPage)?;
    let index = usize::try_from(earlier.page).map_err(|_| NoFraud::EarlierPage)?;
    let leaf = page::leaf(&earlier.bytes);
    if !merkle::verify(&before.receipts_root, leaf, index, count, &earlier.path) {
        return Err(NoFraud::EarlierPage);
    }
    let page = RecordPage::decode(&earlier.bytes).map_err(|_| NoFraud::Undecodable)?;
    proven(is_same(&record, &record_at(&page, earlier.at)?))?;
    Ok(Check::Earlier { batch: keccak256(&earlier.header) })
}

/// Cells: the row's page. Upholds [LAN-74].
pub(super) fn terms(opened: &Opened<'_>, at: u16) -> Result<Check, NoFraud> {
    let (_, table) = table(opened, 0, 1)?;
    let (_, row) = row_at(&table, at)?;
    let time = opened.header.period.start();
    Ok(Check::Terms { licence: row.licence, time, royalty_bps: row.royalty_bps })
}

/// Cells: the record's page. Upholds [LAN-71].
pub(super) fn licence(opened: &Opened<'_>, at: u16) -> Result<Check, NoFraud> {
    let (_, page) = records(opened, 0, 1)?;
    let record = record_at(&page, at)?;
    Ok(Check::Licence { licence: record.licence, time: record.time })
}

/// Cells: the record's page. Upholds [LAN-70].
pub(super) fn time(opened: &Opened<'_>, at: u16) -> Result<Check, NoFraud> {
    let (_, page) = records(opened, 0, 1)?;
    proven(alone::is_out_of_period(opened.header, record_at(&page, at)?.time))
}

/// Cells: the record's page. No key has signed anything: without one, state says whether the payer's consent admits the source.
/// Upholds [LAN-75] and [LAN-76].
pub(super) fn source(opened: &Opened<'_>, at: u16, key: &[u8]) -> Result<Check, NoFraud> {
    let (_, page) = records(opened, 0, 1)?;
    let record = record_at(&page, at)?;
    let lane = &opened.header.lane;
    let is_signed =
        record.signature.is_some_and(|signature| is_signed_by(key, &record.digest(lane), signature));
    proven(!is_signed)?;
    let source = source_id(lane, &record.payer, record.source.as_str());
    Ok(Check::Source { source, payer: record.payer, key: keccak256(key) })
}
