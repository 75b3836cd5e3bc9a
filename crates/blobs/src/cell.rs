//! Cells, and the statement that they have been verified.

use crate::{
    geometry::{CELL_BYTES, PROOF_BYTES, Position},
    meta::BlobId,
};

/// A piece of a row with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its place in the square.
    pub at: Position,
    /// 64 field elements, big-endian.
    pub bytes: Box<[u8; CELL_BYTES]>,
    /// The KZG proof that they belong there.
    pub proof: [u8; PROOF_BYTES],
}

/// Cells that were verified against one blob's commitments. Having one is what allows to store: the store trusts whoever
/// makes it, and binds the cells to the blob that they were verified against.
#[derive(Clone, Debug)]
pub struct VerifiedCells {
    blob: BlobId,
    cells: Vec<Cell>,
}

impl VerifiedCells {
    /// Runs the caller's verifier over all cells at once (batches are cheaper than single cells) and keeps them when it
    /// agrees.
    ///
    /// # Errors
    /// The verifier's.
    pub fn verify<E>(
        blob: BlobId,
        cells: Vec<Cell>,
        verifier: impl FnOnce(&BlobId, &[Cell]) -> Result<(), E>,
    ) -> Result<Self, E> {
        verifier(&blob, &cells)?;
        Ok(Self { blob, cells })
    }

    /// Cells that need no verifier, because the caller computed them from the data: a publisher's own, or rebuilt ones.
    pub fn computed_here(blob: BlobId, cells: Vec<Cell>) -> Self {
        Self { blob, cells }
    }

    /// The blob that they belong to.
    pub fn blob(&self) -> BlobId {
        self.blob
    }

    /// The cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

/// What a read found at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellRead {
    /// The cell, as it was put.
    Found(Cell),
    /// No cell is stored there.
    Missing,
    /// A cell was stored there, and the disk gave something else back. It is missing from now on; put it again.
    Damaged,
}

impl CellRead {
    /// The cell, when there is one.
    pub fn found(self) -> Option<Cell> {
        match self {
            Self::Found(cell) => Some(cell),
            Self::Missing | Self::Damaged => None,
        }
    }
}
