//! From receipts to a batch: sorted, packed into pages, with both trees.

mod pack;
mod sort;

use alloy_primitives::B256;
use chlom_crypto::kzg::{BlobHeader, RowCount};
use chlom_royalty::Period;

pub(crate) use sort::first_twice;

use crate::{
    Header, LaneId, PayerTotal, Row, blob,
    header::blob_rows,
    merkle::Tree,
    page::{self, Page},
    receipt::Receipt,
    state::LaneState,
};

/// What a header says beside its batch's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The lane.
    pub lane: LaneId,
    /// Version of its parameters.
    pub parameters: u32,
    /// The period.
    pub period: Period,
    /// Place among the lane's accepted batches of this period, from 1.
    pub number: u32,
    /// Hash of the lane's last accepted header.
    pub predecessor: B256,
    /// Seconds: state counts as it was known then.
    pub as_of: u64,
}

/// A batch whose blob has yet to be committed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    frame: Frame,
    record_pages: u32,
    table_pages: u32,
    records: u32,
    /// Its rows, as they will be settled.
    pub rows: Vec<Row>,
    /// What each payer can owe.
    pub payers: Vec<PayerTotal>,
    pages: Vec<Page>,
    receipts: Tree,
    table: Tree,
    blob_rows: RowCount,
}

/// Why receipts are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError<E> {
    /// No receipts.
    #[error("a batch has at least one receipt")]
    Empty,
    /// More receipts than a batch can number.
    #[error("{0} receipts are more than 2^32 - 1")]
    TooMany(usize),
    /// A receipt's time is outside of the period or later than `as_of`.
    #[error("receipt {id} of source {source_name} is of {time}, the batch of {from} to {until}")]
    Time {
        /// Its source.
        source_name: String,
        /// Its id.
        id: String,
        /// Its time.
        time: u64,
        /// First second of the batch's receipts.
        from: u64,
        /// Their last second.
        until: u64,
    },
    /// A receipt's amounts exceed their bounds or contradict each other.
    #[error("receipt {id} of source {source_name} has amounts that no receipt has")]
    Amounts {
        /// Its source.
        source_name: String,
        /// Its id.
        id: String,
    },
    /// Two receipts of one source with one id.
    #[error("receipt {id} of source {source_name} is there twice")]
    Twice {
        /// Their source.
        source_name: String,
        /// Their id.
        id: String,
    },
    /// A licence without terms.
    #[error("licence {0} has no terms as of the batch's time")]
    Licence(B256),
    /// State could not be read.
    #[error("state: {0}")]
    State(E),
}

/// Builds one batch of as many receipts as fit a blob, first in the order of pages first; the rest comes back. Upholds [LAN-51].
///
/// The receipts' licences and signatures are not looked at: [`crate::fraud::check`] says whether the batch is right.
///
/// # Errors
/// See [`BuildError`]; nothing is built then.
pub fn build<S: LaneState>(
    frame: Frame,
    receipts: Vec<Receipt>,
    state: &S,
) -> Result<(Draft, Vec<Receipt>), BuildError<S::Error>> {
    if receipts.is_empty() {
        return Err(BuildError::Empty);
    }
    let order = sort::sorted(&receipts).ok_or(BuildError::TooMany(receipts.len()))?;
    for receipt in &receipts {
        check_receipt(&frame, receipt)?;
    }
    if let Some((first, _)) = sort::twice(&receipts) {
        let (source_name, id) = (first.source.to_string(), first.id.to_string());
        return Err(BuildError::Twice { source_name, id });
    }
    let packed = pack::pack(&frame, &receipts, &order, state)?;
    let taken = packed.taken;
    let draft = Draft::new(frame, packed).ok_or(BuildError::Empty)?;
    let mut receipts: Vec<Option<Receipt>> = receipts.into_iter().map(Some).collect();
    let rest = order.iter().skip(taken).filter_map(|at| receipts.get_mut(usize::try_from(*at).ok()?)?.take());
    Ok((draft, rest.collect()))
}

fn check_receipt<E>(frame: &Frame, receipt: &Receipt) -> Result<(), BuildError<E>> {
    let (from, until) = (frame.period.start(), frame.period.end().saturating_sub(1).min(frame.as_of));
    let names = || (receipt.source.to_string(), receipt.id.to_string());
    if receipt.time < from || receipt.time > until {
        let (source_name, id) = names();
        return Err(BuildError::Time { source_name, id, time: receipt.time, from, until });
    }
    if !receipt.body.is_valid() {
        let (source_name, id) = names();
        return Err(BuildError::Amounts { source_name, id });
    }
    Ok(())
}

impl Draft {
    fn new(frame: Frame, packed: pack::Packed) -> Option<Self> {
        let pack::Packed { record_pages, rows, taken, .. } = packed;
        let mut table = page::table::TableWriter::default();
        rows.iter().for_each(|row| table.push(row));
        let table_pages = table.finish();
        let receipts = Tree::new(record_pages.iter().map(page::leaf).collect())?;
        let table = Tree::new(rows.iter().map(Row::leaf).collect())?;
        let nodes: Vec<B256> = receipts.nodes().chain(table.nodes()).copied().collect();
        let count = |pages: usize| u32::try_from(pages).ok();
        let (records, record_count, table_count) =
            (count(taken)?, count(record_pages.len())?, count(table_pages.len())?);
        let mut pages = record_pages;
        pages.extend(table_pages);
        pages.extend(nodes.chunks(page::NODES as usize).map(node_page));
        let blob_rows = blob_rows(count(pages.len())?)?;
        let payers = payer_totals(&rows);
        Some(Self {
            frame,
            record_pages: record_count,
            table_pages: table_count,
            records,
            rows,
            payers,
            pages,
            receipts,
            table,
            blob_rows,
        })
    }

    /// Receipts of the batch.
    pub const fn records(&self) -> u32 {
        self.records
    }

    /// The pages in use.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Data rows of the blob.
    pub const fn blob_rows(&self) -> RowCount {
        self.blob_rows
    }

    /// The elements of the blob's data rows: what is committed to and published.
    pub fn elements(&self) -> Vec<u8> {
        blob::elements(&self.pages, self.blob_rows)
    }

    /// The path of a record page, for whoever shows one of its records to convict a later batch.
    pub fn page_path(&self, page: usize) -> Option<Vec<B256>> {
        self.receipts.path(page)
    }

    /// The path of a row, for `settle`.
    pub fn row_path(&self, row: usize) -> Option<Vec<B256>> {
        self.table.path(row)
    }

    /// The header, once the blob's commitments are known. The blob's own header must be of these elements.
    pub fn header(&self, kzg_commitment: [u8; 48], merkle_root: B256) -> Header {
        let blob = BlobHeader {
            lane_id: self.frame.lane,
            period: self.frame.period.code(),
            rows: self.blob_rows,
            kzg_commitment,
            merkle_root,
        };
        Header {
            parameters: self.frame.parameters,
            lane: self.frame.lane,
            period: self.frame.period,
            number: self.frame.number,
            predecessor: self.frame.predecessor,
            as_of: self.frame.as_of,
            records: self.records,
            rows: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            record_pages: self.record_pages,
            table_pages: self.table_pages,
            receipts_root: self.receipts.root(),
            licenses_root: self.table.root(),
            blob,
            payers: self.payers.clone(),
        }
    }
}

/// A page of nodes, at most as many as one holds.
pub(crate) fn node_page(nodes: &[B256]) -> Page {
    let mut page = [0; page::PAGE_BYTES];
    page.chunks_exact_mut(32).zip(nodes).for_each(|(to, node)| to.copy_from_slice(node.as_slice()));
    page
}

fn payer_totals(rows: &[Row]) -> Vec<PayerTotal> {
    let mut payers: Vec<PayerTotal> = Vec::new();
    for (first_row, row) in (0u32..).zip(rows) {
        match payers.last_mut() {
            Some(last) if last.payer == row.payer => last.owed = last.owed.saturating_add(row.owed),
            _ => payers.push(PayerTotal { payer: row.payer, first_row, owed: row.owed }),
        }
    }
    payers
}

#[cfg(test)]
mod tests;
