//! Strict decoding of headers: what needs no cell is refused here.

use alloy_primitives::{Address, B256};
use chlom_crypto::kzg::{BlobHeader, HEADER_BYTES};
use chlom_royalty::Period;

use super::{FORMAT, Header, HeaderFault, MOST_PAYERS, PayerTotal, blob_rows};
use crate::{
    bytes::{BytesError, Reader},
    page::{MOST_PAGES, MOST_RECORDS, MOST_ROWS},
};

impl From<BytesError> for HeaderFault {
    fn from(_: BytesError) -> Self {
        Self::Length
    }
}

impl Header {
    /// Reads canonical bytes and checks all that the header says by itself. Faults are found in the order of their numbers,
    /// but the payers' come as they are read. Upholds [LAN-12].
    ///
    /// # Errors
    /// The first [`HeaderFault`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != FORMAT {
            return Err(HeaderFault::Format);
        }
        let parameters = reader.u32()?;
        let lane = Address::from(*reader.array()?);
        let period = Period::new(reader.u32()?).map_err(|_| HeaderFault::Period)?;
        let number = reader.u32()?;
        let predecessor = B256::from(*reader.array()?);
        let as_of = reader.u64()?;
        let (records, rows) = (reader.u32()?, reader.u32()?);
        let (record_pages, table_pages, node_pages) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (receipts_root, licenses_root) = (B256::from(*reader.array()?), B256::from(*reader.array()?));
        let blob = BlobHeader::decode(reader.array::<HEADER_BYTES>()?).map_err(|_| HeaderFault::Blob)?;
        let payers = payers(&mut reader, rows)?;
        let header = Self {
            parameters,
            lane,
            period,
            number,
            predecessor,
            as_of,
            records,
            rows,
            record_pages,
            table_pages,
            receipts_root,
            licenses_root,
            blob,
            payers,
        };
        header.check(node_pages)?;
        Ok(header)
    }

    fn check(&self, node_pages: u32) -> Result<(), HeaderFault> {
        let ensure = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
        ensure(self.blob.lane_id == self.lane, HeaderFault::BlobLane)?;
        ensure(self.blob.period == self.period.code(), HeaderFault::BlobPeriod)?;
        ensure(fits(self.records, self.record_pages, MOST_RECORDS), HeaderFault::Records)?;
        let rows = self.rows <= self.records && fits(self.rows, self.table_pages, MOST_ROWS);
        ensure(rows, HeaderFault::Rows)?;
        ensure(node_pages == self.node_pages(), HeaderFault::NodePages)?;
        ensure(self.pages() <= MOST_PAGES, HeaderFault::Pages)?;
        ensure(blob_rows(self.pages()) == Some(self.blob.rows), HeaderFault::BlobRows)
    }
}

/// No page is empty and none holds more than it can.
fn fits(things: u32, pages: u32, most: u32) -> bool {
    pages > 0 && pages <= things && pages <= MOST_PAGES && things <= pages.saturating_mul(most)
}

fn payers(reader: &mut Reader<'_>, rows: u32) -> Result<Vec<PayerTotal>, HeaderFault> {
    let count = usize::from(reader.u16()?);
    let too_many_rows = u32::try_from(count).map_or(true, |count| count > rows);
    if count == 0 || count > MOST_PAYERS || too_many_rows {
        return Err(HeaderFault::Payers);
    }
    let mut payers: Vec<PayerTotal> = Vec::with_capacity(count);
    let mut total = 0u128;
    for _ in 0..count {
        let payer = Address::from(*reader.array()?);
        let (first_row, owed) = (reader.u32()?, reader.u128()?);
        let last = payers.last();
        if last.map_or(Address::ZERO, |last| last.payer) >= payer {
            return Err(HeaderFault::PayerOrder);
        }
        if last.map_or(first_row != 0, |last| first_row <= last.first_row) || first_row >= rows {
            return Err(HeaderFault::PayerRows);
        }
        total = total.checked_add(owed).ok_or(HeaderFault::PayerTotals)?;
        payers.push(PayerTotal { payer, first_row, owed });
    }
    if reader.rest().is_empty() { Ok(payers) } else { Err(HeaderFault::Length) }
}
