//! What is stored about a blob beside its cells.

use alloy_primitives::B256;

use crate::{
    error::BlobError,
    geometry::{Geometry, PROOF_BYTES},
};

/// Names a blob: 32 bytes that the caller derives from its header.
pub type BlobId = B256;

/// Bytes of a packed `BlobHeader` (REF §3).
pub const HEADER_BYTES: usize = 109;

/// A blob without its cells. The store does not look into header and commitments: that they belong together and to the id
/// is for the caller to check before it stores them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobMeta {
    /// Its name.
    pub id: BlobId,
    /// Its size.
    pub geometry: Geometry,
    /// The packed `BlobHeader`.
    pub header: [u8; HEADER_BYTES],
    /// One KZG commitment a data row.
    pub commitments: Vec<[u8; PROOF_BYTES]>,
    /// First second of the chain's time at which it may be removed.
    pub expires_at: u64,
}

impl BlobMeta {
    /// Checks that there is a commitment for every row.
    ///
    /// # Errors
    /// [`BlobError::BadCommitments`].
    pub fn check(&self) -> Result<(), BlobError> {
        let (got, want) = (self.commitments.len(), usize::from(self.geometry.rows()));
        if got == want { Ok(()) } else { Err(BlobError::BadCommitments { id: self.id, got, want }) }
    }

    /// Whether it describes the same blob: everything but the expiry.
    pub fn same_blob(&self, other: &Self) -> bool {
        self.id == other.id
            && self.geometry == other.geometry
            && self.header == other.header
            && self.commitments == other.commitments
    }
}
