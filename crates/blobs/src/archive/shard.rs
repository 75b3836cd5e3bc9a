//! A shard as an object: header, then payload. Numbers are big-endian.
//!
//! | what | bytes |
//! |---|---|
//! | `CHLMSHRD` | 8 |
//! | format, 1 | 2 |
//! | data shards k, parity shards m, index (data first) | 1, 1, 1 |
//! | rows R | 2 |
//! | blob id | 32 |
//! | `BlobHeader` | 109 |
//! | row commitments | 48·R |
//! | payload's length, ⌈R·131,072 / k⌉ | 4 |
//! | SHA-256 of all of the above and the payload | 32 |
//! | payload | |

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    archive::error::ArchiveError,
    geometry::{Geometry, MAX_ROWS, PROOF_BYTES},
    layout::Reader,
    meta::{BlobId, BlobMeta, HEADER_BYTES},
};

const MAGIC: &[u8; 8] = b"CHLMSHRD";
const FORMAT: u16 = 1;
/// Most data shards, and most parity shards: the code allows 256 together, an archive needs few.
const MAX_SHARDS: u8 = 32;

/// How many shards a blob is cut into, and how many may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sharding {
    data: u8,
    parity: u8,
}

impl Default for Sharding {
    /// Four and two: half as much again in space, any two lost.
    fn default() -> Self {
        Self { data: 4, parity: 2 }
    }
}

impl Sharding {
    /// k data shards and m parity shards, each 1 to 32.
    ///
    /// # Errors
    /// [`ArchiveError::BadSharding`].
    pub fn new(data: u8, parity: u8) -> Result<Self, ArchiveError> {
        let fits = |count| (1..=MAX_SHARDS).contains(&count);
        if fits(data) && fits(parity) {
            Ok(Self { data, parity })
        } else {
            Err(ArchiveError::BadSharding { data, parity })
        }
    }

    /// Data shards, k.
    pub fn data(self) -> u8 {
        self.data
    }

    /// Parity shards, m.
    pub fn parity(self) -> u8 {
        self.parity
    }

    /// All shards, k + m.
    pub fn total(self) -> u8 {
        self.data + self.parity
    }

    /// Bytes of a shard's payload.
    pub fn payload_bytes(self, geometry: Geometry) -> usize {
        geometry.data_bytes().div_ceil(usize::from(self.data))
    }

    /// Bytes of a shard.
    pub fn shard_bytes(self, geometry: Geometry) -> usize {
        let fixed = MAGIC.len() + 2 + 3 + 2 + 32 + HEADER_BYTES + 4 + 32;
        fixed + PROOF_BYTES * usize::from(geometry.rows()) + self.payload_bytes(geometry)
    }

    /// Bytes of the largest blob's shard: nothing larger is fetched.
    pub fn largest_shard(self) -> usize {
        Geometry::new(MAX_ROWS).map_or(0, |largest| self.shard_bytes(largest))
    }
}

/// The header of a blob's shard around this payload.
pub(crate) fn header(meta: &BlobMeta, sharding: Sharding, index: u8, payload: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(sharding.shard_bytes(meta.geometry) - payload.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT.to_be_bytes());
    out.extend_from_slice(&[sharding.data, sharding.parity, index]);
    out.extend_from_slice(&meta.geometry.rows().to_be_bytes());
    out.extend_from_slice(meta.id.as_slice());
    out.extend_from_slice(&meta.header);
    meta.commitments.iter().for_each(|commitment| out.extend_from_slice(commitment));
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    let sum = Sha256::new().chain_update(&out).chain_update(payload).finalize();
    out.extend_from_slice(&sum);
    out.into()
}

/// The blob that a shard describes, and its payload.
///
/// # Errors
/// What does not match, in words.
pub(crate) fn decode(
    shard: &Bytes,
    id: &BlobId,
    sharding: Sharding,
    index: u8,
) -> Result<(BlobMeta, Bytes), &'static str> {
    let mut fields = Reader(shard);
    let (meta, length) = described(&mut fields, id, sharding, index)?;
    let described = shard.len() - fields.0.len();
    let sum: [u8; 32] = fields.array().ok_or("it ends early")?;
    if length != sharding.payload_bytes(meta.geometry) || fields.0.len() != length {
        return Err("its length is wrong");
    }
    let want = Sha256::new().chain_update(&shard[..described]).chain_update(fields.0).finalize();
    if want[..] != sum {
        return Err("its checksum does not match");
    }
    Ok((meta, shard.slice(described + 32..)))
}

fn described(
    fields: &mut Reader<'_>,
    id: &BlobId,
    sharding: Sharding,
    index: u8,
) -> Result<(BlobMeta, usize), &'static str> {
    const SHORT: &str = "it ends early";
    if fields.array::<8>().ok_or(SHORT)? != *MAGIC {
        return Err("it is no shard");
    }
    if fields.u16().ok_or(SHORT)? != FORMAT {
        return Err("it is of another format");
    }
    if fields.array::<3>().ok_or(SHORT)? != [sharding.data, sharding.parity, index] {
        return Err("it is another shard than its name says");
    }
    let geometry = Geometry::new(fields.u16().ok_or(SHORT)?).map_err(|_| "no blob has so many rows")?;
    if fields.array::<32>().ok_or(SHORT)? != id.0 {
        return Err("it belongs to another blob");
    }
    let header = fields.array().ok_or(SHORT)?;
    let commitments = fields.commitments(geometry).ok_or(SHORT)?;
    let length = fields.u32().ok_or(SHORT)? as usize;
    Ok((BlobMeta { id: *id, geometry, header, commitments, expires_at: u64::MAX }, length))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn sample() -> (BlobMeta, Sharding, Bytes) {
        let geometry = Geometry::new(2).unwrap();
        let commitments = vec![[1; PROOF_BYTES], [2; PROOF_BYTES]];
        let id = B256::repeat_byte(3);
        let meta = BlobMeta { id, geometry, header: [4; HEADER_BYTES], commitments, expires_at: u64::MAX };
        let sharding = Sharding::new(32, 1).unwrap();
        let payload = vec![5; sharding.payload_bytes(geometry)];
        let shard = [header(&meta, sharding, 7, &payload), payload.into()].concat();
        (meta, sharding, shard.into())
    }

    #[test]
    fn a_shard_describes_its_blob_and_has_the_size_that_its_sharding_says() {
        let (meta, sharding, shard) = sample();
        assert_eq!(shard.len(), sharding.shard_bytes(meta.geometry));
        let (described, payload) = decode(&shard, &meta.id, sharding, 7).unwrap();
        assert_eq!((described, payload.len()), (meta.clone(), sharding.payload_bytes(meta.geometry)));
    }

    #[test]
    fn every_flipped_byte_and_every_other_length_is_found() {
        let (meta, sharding, shard) = sample();
        for at in 0..shard.len() {
            let mut bad = shard.to_vec();
            bad[at] ^= 0x40;
            assert!(decode(&bad.into(), &meta.id, sharding, 7).is_err(), "byte {at}");
        }
        for length in [0, 7, 100, 286, shard.len() - 1] {
            assert!(decode(&shard.slice(..length), &meta.id, sharding, 7).is_err(), "length {length}");
        }
        let longer = [&shard[..], &[0]].concat();
        assert_eq!(decode(&longer.into(), &meta.id, sharding, 7), Err("its length is wrong"));
    }

    #[test]
    fn a_shard_under_another_name_is_refused() {
        let (meta, sharding, shard) = sample();
        assert!(decode(&shard, &meta.id, sharding, 8).is_err());
        assert!(decode(&shard, &meta.id, Sharding::default(), 7).is_err());
        assert_eq!(decode(&shard, &B256::ZERO, sharding, 7), Err("it belongs to another blob"));
    }

    #[test]
    fn shardings_have_1_to_32_shards_of_each_kind() {
        for (data, parity) in [(0, 1), (1, 0), (33, 1), (1, 33), (255, 255)] {
            assert!(matches!(Sharding::new(data, parity), Err(ArchiveError::BadSharding { .. })));
        }
        assert_eq!(Sharding::new(4, 2).unwrap(), Sharding::default());
    }
}
