//! The header of a batch: all that is submitted of it. `batchRoot` is keccak256 of its bytes.

mod decode;
mod fault;

use alloy_primitives::{Address, B256, keccak256};
use chlom_crypto::kzg::{BlobHeader, DATA_COLUMNS, RowCount};
use chlom_royalty::Period;

pub use fault::HeaderFault;

use crate::{LaneId, merkle, page};

/// The format that this chapter describes.
pub const FORMAT: u16 = 1;
/// Most payers of a batch.
pub const MOST_PAYERS: usize = 128;
/// Bytes of a header before its payers.
pub const FIXED_BYTES: usize = 269;
/// Bytes of each payer there.
pub const PAYER_BYTES: usize = 40;

/// What a payer can owe by a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayerTotal {
    /// Who.
    pub payer: Address,
    /// Index of its first row; its last one is before the next payer's first.
    pub first_row: u32,
    /// Sum of what its rows can owe, in minor units.
    pub owed: u128,
}

/// The header of a batch, checked as far as it can be without the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the lane's parameters in LaneRegistry.
    pub parameters: u32,
    /// The lane.
    pub lane: LaneId,
    /// The period.
    pub period: Period,
    /// Place among the lane's accepted batches of this period, from 1.
    pub number: u32,
    /// Hash of the lane's last accepted header; zero before the first.
    pub predecessor: B256,
    /// Seconds: licences, terms and keys count as they were known then.
    pub as_of: u64,
    /// Records of the batch.
    pub records: u32,
    /// Rows of the batch.
    pub rows: u32,
    /// Pages that hold records: the first ones of the blob.
    pub record_pages: u32,
    /// Pages that hold rows, behind them.
    pub table_pages: u32,
    /// Root over the record pages.
    pub receipts_root: B256,
    /// Root over the rows.
    pub licenses_root: B256,
    /// The blob.
    pub blob: BlobHeader,
    /// The payers, by address.
    pub payers: Vec<PayerTotal>,
}

impl Header {
    /// The canonical bytes. Upholds [LAN-10].
    pub fn encode(&self) -> Vec<u8> {
        let payers = PAYER_BYTES.saturating_mul(self.payers.len());
        let mut out = Vec::with_capacity(FIXED_BYTES.saturating_add(payers));
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&self.parameters.to_be_bytes());
        out.extend_from_slice(self.lane.as_slice());
        out.extend_from_slice(&self.period.code().to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(self.predecessor.as_slice());
        out.extend_from_slice(&self.as_of.to_be_bytes());
        let counts = [self.records, self.rows, self.record_pages, self.table_pages, self.node_pages()];
        counts.iter().for_each(|count| out.extend_from_slice(&count.to_be_bytes()));
        out.extend_from_slice(self.receipts_root.as_slice());
        out.extend_from_slice(self.licenses_root.as_slice());
        out.extend_from_slice(&self.blob.encode());
        out.extend_from_slice(&u16::try_from(self.payers.len()).unwrap_or(u16::MAX).to_be_bytes());
        for payer in &self.payers {
            out.extend_from_slice(payer.payer.as_slice());
            out.extend_from_slice(&payer.first_row.to_be_bytes());
            out.extend_from_slice(&payer.owed.to_be_bytes());
        }
        out
    }

    /// The batch's name: keccak256 of the canonical bytes. Upholds [LAN-11].
    pub fn batch_root(&self) -> B256 {
        keccak256(self.encode())
    }

    /// Pages that hold the nodes of both trees.
    pub fn node_pages(&self) -> u32 {
        node_pages(self.record_pages, self.rows)
    }

    /// Pages in use; what the blob has beyond them is zero.
    pub fn pages(&self) -> u32 {
        self.record_pages.saturating_add(self.table_pages).saturating_add(self.node_pages())
    }

    /// Payer of a row, by the payers' first rows; `None` past the last row.
    pub fn payer_of_row(&self, row: u32) -> Option<Address> {
        if row >= self.rows {
            return None;
        }
        let after = self.payers.partition_point(|payer| payer.first_row <= row);
        self.payers.get(after.checked_sub(1)?).map(|payer| payer.payer)
    }

    /// First row past those of a payer.
    pub fn end_row(&self, payer: usize) -> u32 {
        let next = payer.checked_add(1).and_then(|next| self.payers.get(next));
        next.map_or(self.rows, |next| next.first_row)
    }
}

/// Pages that the nodes of both trees take. Upholds [LAN-13].
pub fn node_pages(record_pages: u32, rows: u32) -> u32 {
    let count = |leaves: u32| merkle::node_count(usize::try_from(leaves).unwrap_or(usize::MAX));
    let nodes = count(record_pages).saturating_add(count(rows));
    u32::try_from(nodes).unwrap_or(u32::MAX).div_ceil(page::NODES)
}

/// Rows of the blob that so many pages need: the least power of two. `None` when they fit none. Upholds [LAN-14].
pub fn blob_rows(pages: u32) -> Option<RowCount> {
    let pages = usize::try_from(pages).ok().filter(|pages| *pages > 0)?;
    RowCount::new(pages.div_ceil(DATA_COLUMNS).next_power_of_two()).ok()
}
