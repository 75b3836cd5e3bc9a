//! Table pages: rows by (payer, licence).
//!
//! Varints: index of the first row, index of the first record of that row, what all rows before can owe, number of rows; then each
//! row: its records · 2, plus 1 when its payer is another than the row's before; that payer's 20 bytes; the licence's 32; varints
//! of revenue and royaltyBps. What a row can owe is not written: it follows.

use alloy_primitives::{Address, B256};
use chlom_royalty::base::most_due;

use super::{MOST_ROWS, PAGE_BYTES, Page, PageError, ensure_zero};
use crate::{
    Row,
    bytes::{Reader, varint_len, write_varint},
};

/// A decoded table page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePage {
    /// Index of its first row.
    pub first_row: u32,
    /// What the rows of earlier pages can owe.
    pub owed_before: u128,
    /// At least one.
    pub rows: Vec<Row>,
    /// Index of the first record past its last row.
    pub end_record: u32,
    /// What the rows of earlier pages and of this one can owe.
    pub owed_after: u128,
}

impl TablePage {
    /// Decodes a page; only what [`TablePage::encode`] writes is accepted. Upholds [LAN-50].
    ///
    /// # Errors
    /// See [`PageError`]; [`PageError::Order`] alone is a fault of order.
    pub fn decode(page: &Page) -> Result<Self, PageError> {
        let mut reader = Reader::new(page);
        let first_row = reader.varint32(u32::MAX)?;
        let mut record = reader.varint32(u32::MAX)?;
        let owed_before = reader.varint(u128::MAX)?;
        let count = reader.varint32(MOST_ROWS)?;
        if count == 0 || first_row.checked_add(count).is_none() {
            return Err(PageError::Index);
        }
        let (mut rows, mut owed_after): (Vec<Row>, _) = (Vec::new(), owed_before);
        let mut order = Ok(());
        for _ in 0..count {
            let row = read_row(&mut reader, rows.last(), record)?;
            record = record.checked_add(row.count).ok_or(PageError::Index)?;
            owed_after = owed_after.checked_add(row.owed).ok_or(PageError::Sum)?;
            if rows.last().is_some_and(|last| last.pair() >= row.pair()) {
                order = Err(PageError::Order);
            }
            rows.push(row);
        }
        ensure_zero(reader.rest())?;
        order?;
        Ok(Self { first_row, owed_before, rows, end_record: record, owed_after })
    }

    /// Index past the last row.
    pub fn end_row(&self) -> u32 {
        self.first_row.saturating_add(u32::try_from(self.rows.len()).unwrap_or(u32::MAX))
    }

    /// The row with an index of the batch.
    pub fn row(&self, index: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(index.checked_sub(self.first_row)?).ok()?)
    }

    /// What all rows before the one at `index` of the batch can owe; defined up to the end of the page.
    pub fn owed_until(&self, index: u32) -> Option<u128> {
        let here = usize::try_from(index.checked_sub(self.first_row)?).ok()?;
        let rows = self.rows.get(..here)?;
        rows.iter().try_fold(self.owed_before, |sum, row| sum.checked_add(row.owed))
    }
}

impl Row {
    /// What rows are sorted by.
    pub const fn pair(&self) -> (Address, B256) {
        (self.payer, self.licence)
    }
}

fn read_row(reader: &mut Reader<'_>, last: Option<&Row>, first_record: u32) -> Result<Row, PageError> {
    let code = reader.varint64(u64::from(u32::MAX) << 1 | 1)?;
    let count = u32::try_from(code >> 1).map_err(|_| PageError::Index)?;
    if count == 0 {
        return Err(PageError::Index);
    }
    let payer = match last {
        Some(last) if code & 1 == 0 => last.payer,
        _ if code & 1 == 0 => return Err(PageError::Payer),
        last => {
            let payer = Address::from(*reader.array()?);
            if last.is_some_and(|last| last.payer == payer) {
                return Err(PageError::Payer);
            }
            payer
        }
    };
    let licence = B256::from(*reader.array()?);
    let revenue = reader.varint(u128::MAX)?;
    let bps = reader.varint32(10_000)?;
    let royalty_bps = u16::try_from(bps).map_err(|_| PageError::Amounts)?;
    let owed = most_due(revenue, royalty_bps).map_err(|_| PageError::Amounts)?;
    Ok(Row { payer, licence, first_record, count, revenue, royalty_bps, owed })
}

/// Writes table pages, each as full as it can be.
#[derive(Debug, Default)]
pub struct TableWriter {
    pages: Vec<Page>,
    /// Rows of the page that is being filled.
    open: Vec<u8>,
    rows: u32,
    first_row: u32,
    first_record: u32,
    owed_before: u128,
    owed: u128,
    last_payer: Option<Address>,
}

/// Bytes before a table page's rows, at most.
const HEAD: usize = 5 + 5 + 19 + 1;
/// Bytes of a row, at most.
pub(crate) const MOST_ROW_BYTES: usize = 5 + 20 + 32 + 19 + 2;
/// Rows that a page holds whatever they are.
pub(crate) const LEAST_ROWS: usize = (PAGE_BYTES - HEAD) / MOST_ROW_BYTES;

impl TableWriter {
    /// Takes the next row; rows come in order, contiguous, and owe what follows from their revenue.
    pub fn push(&mut self, row: &Row) {
        let mut bytes = self.row_bytes(row);
        let head = varint_len(self.first_row.into())
            .saturating_add(varint_len(self.first_record.into()))
            .saturating_add(varint_len(self.owed_before))
            .saturating_add(1);
        let size = head.saturating_add(self.open.len()).saturating_add(bytes.len());
        if self.rows > 0 && (size > PAGE_BYTES || self.rows == MOST_ROWS) {
            self.close();
            bytes = self.row_bytes(row);
        }
        if self.rows == 0 {
            self.first_record = row.first_record;
        }
        self.open.extend_from_slice(&bytes);
        self.rows = self.rows.saturating_add(1);
        self.owed = self.owed.saturating_add(row.owed);
        self.last_payer = Some(row.payer);
    }

    fn row_bytes(&self, row: &Row) -> Vec<u8> {
        let new = self.last_payer != Some(row.payer);
        let mut out = Vec::with_capacity(MOST_ROW_BYTES);
        write_varint(&mut out, u128::from(row.count) << 1 | u128::from(new));
        if new {
            out.extend_from_slice(row.payer.as_slice());
        }
        out.extend_from_slice(row.licence.as_slice());
        write_varint(&mut out, row.revenue);
        write_varint(&mut out, row.royalty_bps.into());
        out
    }

    fn close(&mut self) {
        let mut out = Vec::with_capacity(PAGE_BYTES);
        write_varint(&mut out, self.first_row.into());
        write_varint(&mut out, self.first_record.into());
        write_varint(&mut out, self.owed_before);
        write_varint(&mut out, self.rows.into());
        out.append(&mut self.open);
        self.pages.push(super::padded(&out));
        self.first_row = self.first_row.saturating_add(self.rows);
        self.owed_before = self.owed;
        (self.rows, self.last_payer) = (0, None);
    }

    /// The pages.
    pub fn finish(mut self) -> Vec<Page> {
        if self.rows > 0 {
            self.close();
        }
        self.pages
    }
}

impl TablePage {
    /// The page's bytes. A page of more rows or larger numbers than fit is cut off; none that was decoded is.
    pub fn encode(&self) -> Page {
        let mut writer = TableWriter {
            first_row: self.first_row,
            owed_before: self.owed_before,
            owed: self.owed_before,
            ..TableWriter::default()
        };
        self.rows.iter().for_each(|row| writer.push(row));
        writer.finish().first().copied().unwrap_or([0; PAGE_BYTES])
    }
}
