//! Batches that somebody changed after they were built: what drills plant on development chains, and what tests of frauds convict.

use alloy_primitives::B256;
use chlom_crypto::kzg::{BYTES_PER_CELL, RowCount};

use crate::{
    Blob, Draft, Header, Receipt, Row,
    blob::{self, BlobLength},
    build::node_page,
    merkle::{Tree, node_count},
    page::{self, NODES, Page, RecordPage, TablePage, record::RecordWriter},
};

/// A header and the elements of a blob, to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgery {
    /// The header.
    pub header: Header,
    /// 131,072 bytes a row of data.
    pub elements: Vec<u8>,
}

impl Forgery {
    /// A batch as it was built, its blob not committed to yet.
    pub fn of(draft: &Draft) -> Self {
        Self { header: draft.header([0; 48], B256::ZERO), elements: draft.elements() }
    }

    /// The batch as a reader has it.
    ///
    /// # Errors
    /// [`BlobLength`] when the header was given another number of rows.
    pub fn blob(&self) -> Result<Blob<'_>, BlobLength> {
        Blob::new(&self.header, &self.elements)
    }

    /// A page; `None` when its cell is no payload, or past the last.
    pub fn page(&self, index: u32) -> Option<Page> {
        blob::page_of_cell(self.elements.get(self.cell(index)?)?)
    }

    fn cell(&self, index: u32) -> Option<std::ops::Range<usize>> {
        let from = usize::try_from(index).ok()?.checked_mul(BYTES_PER_CELL)?;
        Some(from..from.checked_add(BYTES_PER_CELL)?)
    }

    /// Puts a page in the place of another; `None` past the last.
    pub fn put_page(&mut self, index: u32, page: &Page) -> Option<()> {
        let range = self.cell(index)?;
        let row = blob::elements(&[*page], RowCount::new(1).ok()?);
        self.elements.get_mut(range)?.copy_from_slice(row.get(..BYTES_PER_CELL)?);
        Some(())
    }

    /// Writes a record page anew with its receipts changed; `None` when they do not fit, or when it was no record page. What the page
    /// says of those before it stays, and so does what others say of it.
    pub fn change_records(&mut self, index: u32, change: impl FnOnce(&mut Vec<Receipt>)) -> Option<()> {
        let decoded = RecordPage::decode(&self.page(index)?).ok()?;
        let mut receipts = decoded.records().map(|record| record.to_receipt()).collect::<Option<Vec<_>>>()?;
        change(&mut receipts);
        let mut writer = RecordWriter::new(decoded.first, decoded.sum_before);
        let page = receipts.iter().all(|receipt| writer.push(receipt)).then(|| writer.finish())?;
        self.put_page(index, &page)
    }

    /// Writes a table page anew with its rows changed; `None` when it was no table page.
    pub fn change_rows(&mut self, index: u32, change: impl FnOnce(&mut Vec<Row>)) -> Option<()> {
        let mut table = TablePage::decode(&self.page(index)?).ok()?;
        change(&mut table.rows);
        self.put_page(index, &table.encode())
    }

    /// Makes both trees and the header's roots agree with the pages again, for frauds that only entries show; `None`, and nothing
    /// changes, when the pages have another number of rows than the header.
    pub fn reroot(&mut self) -> Option<()> {
        let header = &self.header;
        let first_table = header.record_pages;
        let first_node = first_table.checked_add(header.table_pages)?;
        let leaves =
            (0..first_table).map(|index| Some(page::leaf(&self.page(index)?))).collect::<Option<_>>()?;
        let tables = (first_table..first_node).filter_map(|index| TablePage::decode(&self.page(index)?).ok());
        let rows: Vec<B256> =
            tables.flat_map(|table| table.rows.iter().map(Row::leaf).collect::<Vec<_>>()).collect();
        let (receipts, table) = (Tree::new(leaves)?, Tree::new(rows)?);
        if table.nodes().count() != node_count(usize::try_from(header.rows).ok()?) {
            return None;
        }
        let nodes: Vec<B256> = receipts.nodes().chain(table.nodes()).copied().collect();
        (self.header.receipts_root, self.header.licenses_root) = (receipts.root(), table.root());
        for (index, nodes) in (first_node..).zip(nodes.chunks(usize::try_from(NODES).ok()?)) {
            self.put_page(index, &node_page(nodes))?;
        }
        Some(())
    }
}
