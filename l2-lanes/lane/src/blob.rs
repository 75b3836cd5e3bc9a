//! A batch's blob as its reader has it: the elements of the data rows.

use chlom_crypto::kzg::{
    BYTES_PER_CELL, BYTES_PER_ELEMENT, CellId, DATA_COLUMNS, PAGE_BYTES, PAYLOAD_PER_ELEMENT, ROW_DATA_BYTES,
    RowCount,
};

use crate::{Header, page::Page};

/// A header and the elements of its blob's data rows, row after row.
#[derive(Clone, Copy)]
pub struct Blob<'a> {
    header: &'a Header,
    elements: &'a [u8],
}

/// Another number of bytes than the header's rows have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rows} rows of data have {expected} bytes, not {found}")]
pub struct BlobLength {
    /// Data rows.
    pub rows: usize,
    /// Their bytes.
    pub expected: usize,
    /// What was given.
    pub found: usize,
}

impl<'a> Blob<'a> {
    /// Takes 131,072 bytes for each of the header's rows. Whether they are the committed ones is for the caller to know.
    ///
    /// # Errors
    /// [`BlobLength`].
    pub fn new(header: &'a Header, elements: &'a [u8]) -> Result<Self, BlobLength> {
        let rows = header.blob.rows.data();
        let (expected, found) = (rows.saturating_mul(ROW_DATA_BYTES), elements.len());
        if found == expected {
            Ok(Self { header, elements })
        } else {
            Err(BlobLength { rows, expected, found })
        }
    }

    /// The header.
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// Pages, in use or not.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.elements.len() / BYTES_PER_CELL).unwrap_or(u32::MAX)
    }

    /// The 2,048 bytes of a page's cell; empty past the last.
    pub fn cell(&self, page: u32) -> &'a [u8] {
        let from = usize::try_from(page).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_CELL);
        self.elements.get(from..from.saturating_add(BYTES_PER_CELL)).unwrap_or_default()
    }

    /// A page; `None` when its cell is no payload.
    pub fn page(&self, page: u32) -> Option<Page> {
        page_of_cell(self.cell(page))
    }
}

/// The page that a cell carries; `None` when a top byte is not zero or the cell has another length. Upholds [LAN-15].
pub fn page_of_cell(cell: &[u8]) -> Option<Page> {
    if cell.len() != BYTES_PER_CELL {
        return None;
    }
    let mut page = [0; PAGE_BYTES];
    let elements = cell.chunks_exact(BYTES_PER_ELEMENT);
    for (element, out) in elements.zip(page.chunks_exact_mut(PAYLOAD_PER_ELEMENT)) {
        let (top, payload) = element.split_first()?;
        if *top != 0 {
            return None;
        }
        out.copy_from_slice(payload);
    }
    Some(page)
}

/// The elements of pages, and of as many rows as asked for.
pub fn elements(pages: &[Page], rows: RowCount) -> Vec<u8> {
    let mut out = vec![0; rows.data().saturating_mul(ROW_DATA_BYTES)];
    for (page, cell) in pages.iter().zip(out.chunks_exact_mut(BYTES_PER_CELL)) {
        let elements = cell.chunks_exact_mut(BYTES_PER_ELEMENT);
        for (payload, element) in page.chunks(PAYLOAD_PER_ELEMENT).zip(elements) {
            element.iter_mut().skip(1).zip(payload).for_each(|(to, from)| *to = *from);
        }
    }
    out
}

/// The cell of a page.
pub fn cell_id(page: u32) -> CellId {
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    CellId { row: short(page / DATA_COLUMNS), column: short(page % DATA_COLUMNS) }
}

/// The page of a data cell; `None` for a parity cell.
pub fn page_of(row: u16, column: u16, rows: RowCount) -> Option<u32> {
    let columns = u32::try_from(DATA_COLUMNS).ok()?;
    let is_data = usize::from(row) < rows.data() && u32::from(column) < columns;
    is_data.then(|| u32::from(row).saturating_mul(columns).saturating_add(column.into()))
}
