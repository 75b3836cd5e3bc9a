//! The commitments of a blob's rows, and the two values of its header that stand for them.

use alloy_primitives::{B256, Keccak256, keccak256};
use blstrs::G1Projective;

use super::{BlobHeader, KzgError, PointKind, RowCount, extend, field, point};

/// Hashed before a row's commitment, a node of the tree, the challenge of the fold: no hash of one kind is one of another.
const LEAF_TAG: &[u8] = b"CHLOM/da/row/v1";
const NODE_TAG: &[u8] = b"CHLOM/da/node/v1";
const FOLD_TAG: &[u8] = b"CHLOM/da/fold/v1";

/// The commitments of a blob's data rows: R points of G1. A zero row commits to infinity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowCommitments {
    rows: RowCount,
    bytes: Vec<[u8; 48]>,
    points: Vec<G1Projective>,
}

/// What a header says that its row commitments do not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderMismatch {
    /// Another number of rows.
    #[error("the header has {header} rows, but there are {found} row commitments")]
    Rows {
        /// The header's.
        header: usize,
        /// Row commitments.
        found: usize,
    },
    /// Another Merkle root.
    #[error("the header's Merkle root is {header}, the row commitments' is {found}")]
    Root {
        /// The header's.
        header: B256,
        /// The commitments'.
        found: B256,
    },
    /// Another fold.
    #[error("the header's commitment is 0x{}, the row commitments fold to 0x{}", alloy_primitives::hex::encode(.header), alloy_primitives::hex::encode(.found))]
    Fold {
        /// The header's.
        header: [u8; 48],
        /// The commitments'.
        found: [u8; 48],
    },
}

/// The root of the binary tree over row commitments, a power of two of them. Upholds [DA-6].
///
/// # Errors
/// [`KzgError::RowCount`].
pub fn merkle_root(commitments: &[[u8; 48]]) -> Result<B256, KzgError> {
    RowCount::new(commitments.len())?;
    let mut level: Vec<B256> = commitments.iter().map(|c| keccak256([LEAF_TAG, c].concat())).collect();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|pair| node(pair[0], pair[1])).collect();
    }
    Ok(level[0])
}

fn node(left: B256, right: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(NODE_TAG);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize()
}

impl RowCommitments {
    /// Checks commitments that somebody sent, in the order of the rows. Upholds [DA-5].
    ///
    /// # Errors
    /// [`KzgError::RowCount`] or [`KzgError::Point`].
    pub fn new(bytes: Vec<[u8; 48]>) -> Result<Self, KzgError> {
        let rows = RowCount::new(bytes.len())?;
        let read = |(row, bytes)| point::read(bytes, PointKind::Commitment { row });
        let points = bytes.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { rows, bytes, points })
    }

    /// Data rows.
    pub const fn rows(&self) -> RowCount {
        self.rows
    }

    /// The commitments' bytes.
    pub fn as_slice(&self) -> &[[u8; 48]] {
        &self.bytes
    }

    pub(super) fn points(&self) -> &[G1Projective] {
        &self.points
    }

    /// The root over them. Upholds [DA-6].
    pub fn merkle_root(&self) -> B256 {
        merkle_root(&self.bytes).expect("the number of rows was checked")
    }

    /// Σ γⁱ · Cᵢ, with γ hashed from the root. Upholds [DA-7].
    pub fn fold(&self) -> [u8; 48] {
        let gamma = field::from_hash(keccak256([FOLD_TAG, self.merkle_root().as_slice()].concat()));
        field::fold(&gamma, &self.points).to_compressed()
    }

    /// Recomputes what a header says of these commitments. Upholds [DA-8].
    ///
    /// # Errors
    /// The first [`HeaderMismatch`].
    pub fn check_header(&self, header: &BlobHeader) -> Result<(), HeaderMismatch> {
        let rows = [header.rows.data(), self.rows.data()];
        if rows[0] != rows[1] {
            return Err(HeaderMismatch::Rows { header: rows[0], found: rows[1] });
        }
        let root = self.merkle_root();
        if header.merkle_root != root {
            return Err(HeaderMismatch::Root { header: header.merkle_root, found: root });
        }
        let fold = self.fold();
        if header.kzg_commitment != fold {
            return Err(HeaderMismatch::Fold { header: header.kzg_commitment, found: fold });
        }
        Ok(())
    }
}

/// The commitments of all rows of a square. Deriving those of the parity rows costs a few milliseconds, so whoever
/// checks cells of one blob more than once keeps this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SquareCommitments {
    rows: RowCount,
    bytes: Vec<[u8; 48]>,
    points: Vec<G1Projective>,
}

impl SquareCommitments {
    /// Derives the commitments of the parity rows from those of the data rows. Upholds [DA-10].
    pub fn derive(data: &RowCommitments) -> Self {
        let mut parity = data.points.clone();
        extend::continue_downwards(&mut parity, 1);
        let bytes =
            data.bytes.iter().copied().chain(parity.iter().map(G1Projective::to_compressed)).collect();
        let points = data.points.iter().copied().chain(parity).collect();
        Self { rows: data.rows, bytes, points }
    }

    /// Data rows.
    pub const fn rows(&self) -> RowCount {
        self.rows
    }

    /// The commitments' bytes, data rows first.
    pub fn as_slice(&self) -> &[[u8; 48]] {
        &self.bytes
    }

    pub(super) fn points(&self) -> &[G1Projective] {
        &self.points
    }
}
