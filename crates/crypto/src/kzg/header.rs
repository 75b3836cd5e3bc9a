//! The header under which a blob is published.

use alloy_primitives::{Address, B256};

use super::{DATA_COLUMNS, RowCount};

/// Bytes of a packed header.
pub const HEADER_BYTES: usize = 109;
/// The version of headers.
pub const HEADER_VERSION: u8 = 0x01;

/// What is published of a blob (REF §3). `kzg_commitment` and `merkle_root` are two views of the row commitments; a header
/// says nothing until [`super::RowCommitments::check_header`] has agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobHeader {
    /// The lane that the data belongs to: the first 20 bytes of keccak256 of its name.
    pub lane_id: Address,
    /// The period, yyyy·10⁴ + mm·10² + w. What a period is, lanes say; here it is a number.
    pub period: u32,
    /// Data rows. The header's `cols` are the data columns, always 64.
    pub rows: RowCount,
    /// The fold of the row commitments.
    pub kzg_commitment: [u8; 48],
    /// The root over the row commitments.
    pub merkle_root: B256,
}

/// Why bytes are no header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Another number of bytes.
    #[error("a blob header has {HEADER_BYTES} bytes, not {0}")]
    Length(usize),
    /// Another version.
    #[error("blob headers have version {HEADER_VERSION}, not {0}")]
    Version(u8),
    /// Not a number of rows that a blob can have.
    #[error("a blob header has a power of two of rows between 1 and 32, not {0}")]
    Rows(u16),
    /// Not the number of data columns.
    #[error("a blob header has {DATA_COLUMNS} columns, not {0}")]
    Columns(u16),
}

impl BlobHeader {
    /// The packed form, big-endian. Upholds [DA-1].
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let short = |n: usize| u16::try_from(n).expect("at most 64").to_be_bytes();
        let mut out = [0; HEADER_BYTES];
        out[0] = HEADER_VERSION;
        out[1..21].copy_from_slice(self.lane_id.as_slice());
        out[21..25].copy_from_slice(&self.period.to_be_bytes());
        out[25..27].copy_from_slice(&short(self.rows.data()));
        out[27..29].copy_from_slice(&short(DATA_COLUMNS));
        out[29..77].copy_from_slice(&self.kzg_commitment);
        out[77..].copy_from_slice(self.merkle_root.as_slice());
        out
    }

    /// Reads the packed form. Upholds [DA-1].
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes: &[u8; HEADER_BYTES] = bytes.try_into().map_err(|_| HeaderError::Length(bytes.len()))?;
        let (version, rest) = split::<1>(bytes);
        if version[0] != HEADER_VERSION {
            return Err(HeaderError::Version(version[0]));
        }
        let (lane_id, rest) = split::<20>(rest);
        let (period, rest) = split(rest);
        let (rows, rest) = split(rest);
        let (columns, rest) = split(rest);
        let (kzg_commitment, rest) = split(rest);
        let [rows, columns] = [rows, columns].map(|n| u16::from_be_bytes(*n));
        if usize::from(columns) != DATA_COLUMNS {
            return Err(HeaderError::Columns(columns));
        }
        Ok(Self {
            lane_id: lane_id.into(),
            period: u32::from_be_bytes(*period),
            rows: RowCount::new(rows.into()).map_err(|_| HeaderError::Rows(rows))?,
            kzg_commitment: *kzg_commitment,
            merkle_root: B256::from_slice(rest),
        })
    }
}

/// The first `N` bytes of a header whose length was checked.
fn split<const N: usize>(bytes: &[u8]) -> (&[u8; N], &[u8]) {
    bytes.split_first_chunk().expect("the fields of a header are as long as a header")
}
