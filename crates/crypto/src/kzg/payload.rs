//! Payload bytes as field elements, and back.
//!
//! An element carries 31 bytes behind a zero byte, a data cell one page of 1,984 payload bytes, and page p is data cell
//! p mod 64 of row ⌊p / 64⌋. What the payload leaves over is zero; its length is for whoever wrote it to remember.

use std::fmt;

use c_kzg::Blob;

use super::{
    BYTES_PER_CELL, BYTES_PER_ELEMENT, CellId, DATA_COLUMNS, KzgError, PAGE_BYTES, PAYLOAD_PER_ELEMENT,
    ROW_DATA_BYTES, RowCount, field,
};

/// The cell of a page. Upholds [DA-4].
pub fn cell_of_page(page: usize) -> CellId {
    CellId::at(page / DATA_COLUMNS, page % DATA_COLUMNS)
}

/// Writes a page, at most [`PAGE_BYTES`] bytes, as a cell. What is left over is zero. Upholds [DA-3].
///
/// # Errors
/// [`KzgError::PayloadTooLong`].
pub fn encode_page(page: &[u8]) -> Result<Box<[u8; BYTES_PER_CELL]>, KzgError> {
    if page.len() > PAGE_BYTES {
        return Err(KzgError::PayloadTooLong { bytes: page.len(), capacity: PAGE_BYTES });
    }
    let mut cell = Box::new([0; BYTES_PER_CELL]);
    write_elements(page, &mut cell[..]);
    Ok(cell)
}

/// The page that a data cell carries. `id` is only what an error names. Upholds [DA-3].
///
/// # Errors
/// [`KzgError::Length`], [`KzgError::NonCanonical`] or [`KzgError::TopByte`].
pub fn decode_page(cell: &[u8], id: CellId) -> Result<[u8; PAGE_BYTES], KzgError> {
    if cell.len() != BYTES_PER_CELL {
        return Err(KzgError::Length { what: "a cell", expected: BYTES_PER_CELL, found: cell.len() });
    }
    let mut page = [0; PAGE_BYTES];
    read_elements(cell, id, &mut page)?;
    Ok(page)
}

fn write_elements(payload: &[u8], elements: &mut [u8]) {
    for (bytes, element) in
        payload.chunks(PAYLOAD_PER_ELEMENT).zip(elements.chunks_exact_mut(BYTES_PER_ELEMENT))
    {
        element[1..=bytes.len()].copy_from_slice(bytes);
    }
}

fn read_elements(cell: &[u8], id: CellId, page: &mut [u8]) -> Result<(), KzgError> {
    let elements = cell.chunks_exact(BYTES_PER_ELEMENT).zip(page.chunks_exact_mut(PAYLOAD_PER_ELEMENT));
    for (element, (bytes, out)) in elements.enumerate() {
        if bytes[0] != 0 {
            return Err(if field::is_canonical(bytes) {
                KzgError::TopByte { cell: id, element, byte: bytes[0] }
            } else {
                KzgError::NonCanonical { cell: id, element }
            });
        }
        out.copy_from_slice(&bytes[1..]);
    }
    Ok(())
}

/// The data half of a blob: 4,096 canonical elements a row.
#[derive(Clone)]
pub struct DataRows {
    rows: RowCount,
    /// On the heap: one is 128 KiB, and a few by value overflow a thread's stack.
    data: Vec<Blob>,
}

impl DataRows {
    /// Lays out a payload, zeros behind it. Upholds [DA-3] and [DA-4].
    ///
    /// # Errors
    /// [`KzgError::PayloadTooLong`].
    pub fn from_payload(payload: &[u8], rows: RowCount) -> Result<Self, KzgError> {
        if payload.len() > rows.capacity() {
            return Err(KzgError::PayloadTooLong { bytes: payload.len(), capacity: rows.capacity() });
        }
        let mut data = vec![Blob::default(); rows.data()];
        for (payload, row) in payload.chunks(DATA_COLUMNS * PAGE_BYTES).zip(&mut data) {
            write_elements(payload, &mut row[..]);
        }
        Ok(Self { rows, data })
    }

    /// Takes elements: 131,072 bytes a row, row after row.
    ///
    /// # Errors
    /// [`KzgError::Length`] or [`KzgError::NonCanonical`].
    pub fn from_elements(elements: &[u8], rows: RowCount) -> Result<Self, KzgError> {
        let expected = rows.data() * ROW_DATA_BYTES;
        if elements.len() != expected {
            return Err(KzgError::Length { what: "the data of the rows", expected, found: elements.len() });
        }
        let mut data = vec![Blob::default(); rows.data()];
        for (bytes, row) in elements.chunks_exact(ROW_DATA_BYTES).zip(&mut data) {
            row.copy_from_slice(bytes);
        }
        let these = Self { rows, data };
        for page in 0..rows.data() * DATA_COLUMNS {
            let id = cell_of_page(page);
            field::check_cell(these.cell_bytes(id), id)?;
        }
        Ok(these)
    }

    /// The payload with the zeros behind it, [`RowCount::capacity`] bytes. Upholds [DA-3].
    ///
    /// # Errors
    /// [`KzgError::TopByte`].
    pub fn payload(&self) -> Result<Vec<u8>, KzgError> {
        let mut payload = vec![0; self.rows.capacity()];
        for (page, out) in payload.chunks_exact_mut(PAGE_BYTES).enumerate() {
            let id = cell_of_page(page);
            read_elements(self.cell_bytes(id), id, out)?;
        }
        Ok(payload)
    }

    /// Data rows.
    pub const fn rows(&self) -> RowCount {
        self.rows
    }

    pub(super) fn blobs(&self) -> &[Blob] {
        &self.data
    }

    pub(super) fn cell_bytes(&self, id: CellId) -> &[u8] {
        let start = usize::from(id.column) * BYTES_PER_CELL;
        &self.data[usize::from(id.row)][start..start + BYTES_PER_CELL]
    }
}

impl fmt::Debug for DataRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataRows({})", self.rows.data())
    }
}
