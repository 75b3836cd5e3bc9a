//! Cells from a body, and missing cells from the others.

use std::collections::BTreeSet;

use chlom_crypto::kzg::{
    self, Cancel, CellId, DataRows, PartialSquare, ROW_DATA_BYTES, RowCommitments, RowCount, Square,
    SquareCommitments, UpperHalf,
};

use super::{Inner, ServiceError, upload, worker::Job};
use crate::{
    cell::{Cell, CellRead, VerifiedCells},
    error::BlobError,
    geometry::{CELL_BYTES, COLUMNS, Position},
    meta::{BlobId, BlobMeta},
};

/// Columns that are stored in one call: the pause before a stop is seen, and the memory that copies take.
const COLUMNS_AT_ONCE: usize = 16;
/// The rows with their proofs are about three quarters of the work (`make bench-da`).
const ROWS_PERCENT: usize = 75;

/// How far building is, from how often it has looked at its flag: once a row to commit, once a row to prove, once a column
/// to extend the cells and once to derive the proofs.
pub(super) fn percent(rows: usize, looks: usize) -> u8 {
    let proven = looks.saturating_sub(rows);
    let derived = proven.saturating_sub(rows).min(2 * usize::from(COLUMNS));
    let done = ROWS_PERCENT * proven.min(rows) / rows.max(1)
        + (99 - ROWS_PERCENT) * derived / (2 * usize::from(COLUMNS));
    u8::try_from(done).unwrap_or(99)
}

impl Inner {
    pub(super) fn carry_out(&self, job: Job, cancel: &Cancel) -> Result<(), ServiceError> {
        match job {
            Job::Build(id) => self.build(id, cancel),
            Job::Repair(id) => self.repair(id, cancel),
            Job::Archive(id) => self.archive(id),
        }
    }

    /// The body goes when its cells are durable. What cannot be built leaves nothing, unless somebody published it.
    fn build(&self, id: BlobId, cancel: &Cancel) -> Result<(), ServiceError> {
        let body = self.body(&id);
        match self.build_cells(id, cancel) {
            Ok(()) => {}
            Err(ServiceError::Stopped) => return Err(ServiceError::Stopped),
            Err(error) => {
                if self.state.lock().unpublished.contains(&id) {
                    self.discard(&id);
                }
                return Err(error);
            }
        }
        self.disk().unlink(&body)?;
        Ok(())
    }

    fn discard(&self, id: &BlobId) {
        match self.store.remove(id) {
            // What cannot be removed of it now is removed at the next start.
            Ok(()) | Err(BlobError::Unknown { .. }) => drop(std::fs::remove_file(self.body(id))),
            Err(error) => {
                tracing::warn!(blob = %id, %error, "what could not be stored cannot be removed either; the next start goes on with it");
            }
        }
    }

    fn build_cells(&self, id: BlobId, cancel: &Cancel) -> Result<(), ServiceError> {
        let meta = self.store.meta(&id)?;
        let rows = RowCount::new(meta.geometry.rows().into())?;
        let data = DataRows::from_payload(&upload::read(&self.body(&id))?, rows)?;
        // Between the upload and now the body was on a disk.
        let commitments = self.pool.install(|| kzg::commit(&data, cancel))?;
        if commitments.as_slice() != meta.commitments {
            let cause = kzg::KzgError::WrongData { rows: rows.data() };
            return Err(ServiceError::Corrupt { id, cause });
        }
        let (square, proofs) = self.pool.install(|| UpperHalf::prove(&data, cancel)?.complete(cancel))?;
        drop(data);
        self.store_cells(&meta, cancel, |_| true, &square, |cell| Ok(*proofs.proof(cell)?))
    }

    /// Stores the wanted cells of a square, some columns at a time.
    fn store_cells(
        &self,
        meta: &BlobMeta,
        cancel: &Cancel,
        wanted: impl Fn(Position) -> bool,
        square: &Square,
        proof: impl Fn(CellId) -> Result<[u8; 48], ServiceError>,
    ) -> Result<(), ServiceError> {
        let cell = |at: Position| -> Result<Cell, ServiceError> {
            let id = CellId { row: at.row, column: at.column };
            let mut bytes = Box::new([0; CELL_BYTES]);
            bytes.copy_from_slice(square.cell(id)?);
            Ok(Cell { at, bytes, proof: proof(id)? })
        };
        let places: Vec<_> = meta.geometry.positions().filter(|at| wanted(*at)).collect();
        let some = usize::from(meta.geometry.extended_rows()) * COLUMNS_AT_ONCE;
        for places in places.chunks(some) {
            if cancel.is_raised() {
                return Err(ServiceError::Stopped);
            }
            let cells = places.iter().map(|at| cell(*at)).collect::<Result<Vec<_>, _>>()?;
            self.store.put(&VerifiedCells::computed_here(meta.id, cells))?;
        }
        Ok(())
    }

    /// Makes the cells that are missing, with the proofs of their rows only.
    fn repair(&self, id: BlobId, cancel: &Cancel) -> Result<(), ServiceError> {
        let meta = self.store.meta(&id)?;
        let damaged = self.store.scrub(&id)?.len();
        let presence = self.store.presence(&id)?;
        let missing: Vec<_> = presence.missing().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let square = self.rebuild(&meta, cancel)?;
        let rows: BTreeSet<u16> = missing.iter().map(|at| at.row).collect();
        let cells = missing.len();
        tracing::info!(blob = %id, cells, rows = rows.len(), damaged, "making missing cells");
        // Proving a data row and deriving a parity row from all data rows cost about 3 to 1.
        if rows.len() * 3 > usize::from(meta.geometry.rows()) * 4 {
            let data = data_of(&square)?;
            let (_, proofs) = self.pool.install(|| UpperHalf::prove(&data, cancel)?.complete(cancel))?;
            return self.store_cells(
                &meta,
                cancel,
                |at| !presence.has(at),
                &square,
                |cell| Ok(*proofs.proof(cell)?),
            );
        }
        let rows: Vec<u16> = rows.into_iter().collect();
        let proofs = self.pool.install(|| kzg::prove_rows(&square, &rows, cancel))?;
        self.store_cells(
            &meta,
            cancel,
            |at| !presence.has(at),
            &square,
            |cell| {
                let row = rows.iter().position(|row| *row == cell.row).and_then(|place| proofs.get(place));
                let proof = row.and_then(|row| row.get(usize::from(cell.column)));
                proof.copied().ok_or(ServiceError::Store(BlobError::Unknown { id }))
            },
        )
    }

    /// The whole square from what is left of it, checked against the commitments.
    pub(super) fn rebuild(&self, meta: &BlobMeta, cancel: &Cancel) -> Result<Square, ServiceError> {
        let id = meta.id;
        let mut partial = PartialSquare::new(RowCount::new(meta.geometry.rows().into())?);
        let present: Vec<_> = self.store.presence(&id)?.present().collect();
        let some = usize::from(meta.geometry.extended_rows()) * COLUMNS_AT_ONCE;
        for places in present.chunks(some) {
            for read in self.store.get(&id, places)? {
                // One that was damaged is missing now.
                if let CellRead::Found(cell) = read {
                    let at = CellId { row: cell.at.row, column: cell.at.column };
                    partial.insert(at, &cell.bytes[..]).map_err(|cause| ServiceError::of_check(id, cause))?;
                }
            }
        }
        let commitments = RowCommitments::new(meta.commitments.clone())
            .map_err(|cause| ServiceError::of_check(id, cause))?;
        self.pool.install(|| {
            let square = kzg::recover(partial, cancel).map_err(|e| ServiceError::of_recovery(id, e))?;
            let check = kzg::check_square(&SquareCommitments::derive(&commitments), &square, cancel);
            check.map_err(|cause| ServiceError::of_check(id, cause))?;
            Ok(square)
        })
    }
}

/// The data half of a square's data rows.
pub(super) fn data_of(square: &Square) -> Result<DataRows, ServiceError> {
    let row_bytes = usize::from(COLUMNS) * CELL_BYTES;
    let mut elements = Vec::with_capacity(square.rows().data() * ROW_DATA_BYTES);
    for row in square.as_bytes().chunks_exact(row_bytes).take(square.rows().data()) {
        elements.extend_from_slice(&row[..ROW_DATA_BYTES]);
    }
    Ok(DataRows::from_elements(&elements, square.rows())?)
}
