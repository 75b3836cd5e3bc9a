//! A blob's file, byte by byte. Numbers are big-endian.
//!
//! | at | what |
//! |---|---|
//! | 0 | *meta*, 4,096 bytes, written once: `CHLMBLOB`, format u16, rows u16, id 32, header 109, first expiry u64, commitments 48·R, zeros, checksum u64 |
//! | 4,096 and 8,192 | two *state slots*, 4,096 bytes each: `CHLMSLOT`, sequence u64, expiry u64, bitmap 32·R, zeros, checksum u64 |
//! | 12,288 + 2,104·i | the *record* of cell i = column·2R + row: bytes 2,048, proof 48, checksum u64 |
//!
//! Checksums are XXH3-64 over everything before them, seeded with the blob's id and, for a record, its index: a cell
//! written to the wrong place does not match. They find accidents, not forgers; forgers meet the KZG proofs.
//!
//! # Why a crash leaves nothing half-stored
//!
//! - A file gets its name only when its meta and both slots are durable: a blob is known or not.
//! - Records are durable before a slot names them, and a slot is written over the older of the two: whatever a torn slot
//!   looks like, the other names only whole cells.
//! - A slot that does not match its checksum may also be rot in the newer one. The other could then forget acknowledged
//!   cells, so the bitmap is made anew from the records, which speak for themselves; the slot left gives the expiry.
//!   It may then also name whole cells that were never acknowledged, or were deleted and not yet overwritten.
//! - Deleted cells leave the bitmap first, durably, and their bytes afterwards.
//! - A call that fails changes nothing for as long as the store is open. Where only its last step failed, it may turn out
//!   done when the directory is opened again.
//!
//! # What the quota counts
//!
//! 12,288 bytes a blob and 2,104 a present cell. The file is sparse: on disk it is that, rounded to the file system's
//! blocks at both ends of each run of cells.

use alloy_primitives::B256;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{
    cell::Cell,
    geometry::{CELL_BYTES, Geometry, PROOF_BYTES},
    meta::{BlobMeta, HEADER_BYTES},
    presence::Presence,
};

/// Layout that this build reads and writes.
pub const FORMAT: u32 = 1;
/// Bytes of meta, and of a slot.
pub const PAGE: usize = 4096;
/// Where records begin, and what a blob without cells counts.
pub const HEAD: u64 = 3 * PAGE as u64;
/// Bytes of a record, and what a cell counts.
pub const RECORD: usize = CELL_BYTES + PROOF_BYTES + 8;

const META_MAGIC: &[u8; 8] = b"CHLMBLOB";
const SLOT_MAGIC: &[u8; 8] = b"CHLMSLOT";

/// What a state slot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The higher one counts.
    pub(crate) sequence: u64,
    pub(crate) expires_at: u64,
    pub(crate) presence: Presence,
}

/// Which of the two slots a state of this sequence is written to.
pub(crate) fn slot_offset(sequence: u64) -> u64 {
    PAGE as u64 * (1 + sequence % 2)
}

/// Where a cell's record begins.
pub(crate) fn record_offset(index: usize) -> u64 {
    HEAD + (index * RECORD) as u64
}

/// What a file of that many cells counts.
pub(crate) fn charged(cells: usize) -> u64 {
    (cells * RECORD) as u64
}

/// The seed of a blob's checksums.
pub(crate) fn seed(id: &B256) -> u64 {
    xxh3_64(id.as_slice())
}

/// Seals a page: its last eight bytes become the checksum of the others.
fn seal(page: &mut [u8; PAGE], seed: u64) {
    let (body, sum) = page.split_at_mut(PAGE - 8);
    sum.copy_from_slice(&xxh3_64_with_seed(body, seed).to_be_bytes());
}

fn sealed(page: &[u8; PAGE], seed: u64) -> bool {
    let (body, sum) = page.split_at(PAGE - 8);
    sum == xxh3_64_with_seed(body, seed).to_be_bytes()
}

/// Writes fields one after the other; every caller knows that they fit.
struct Fields<'a>(&'a mut [u8], usize);

impl Fields<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.1 + bytes.len();
        self.0[self.1..end].copy_from_slice(bytes);
        self.1 = end;
    }
}

/// Reads fields one after the other; `None` at the end.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// One commitment for each of the rows.
    pub(crate) fn commitments(&mut self, geometry: Geometry) -> Option<Vec<[u8; PROOF_BYTES]>> {
        (0..geometry.rows()).map(|_| self.array()).collect()
    }
}

pub(crate) fn encode_meta(meta: &BlobMeta) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    let mut fields = Fields(&mut page, 0);
    fields.put(META_MAGIC);
    fields.put(&(FORMAT as u16).to_be_bytes());
    fields.put(&meta.geometry.rows().to_be_bytes());
    fields.put(meta.id.as_slice());
    fields.put(&meta.header);
    fields.put(&meta.expires_at.to_be_bytes());
    meta.commitments.iter().for_each(|commitment| fields.put(commitment));
    seal(&mut page, seed(&meta.id));
    page
}

/// Decodes the meta of the blob whose name the file has.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn decode_meta(page: &[u8; PAGE], id: B256) -> Result<BlobMeta, String> {
    if !sealed(page, seed(&id)) {
        return Err("the checksum of its meta does not match".into());
    }
    let mut fields = Reader(page);
    let decoded = (|| {
        let (magic, format, rows) = (fields.array::<8>()?, fields.u16()?, fields.u16()?);
        let named: [u8; 32] = fields.array()?;
        let header: [u8; HEADER_BYTES] = fields.array()?;
        let expires_at = fields.u64()?;
        if magic != *META_MAGIC || u32::from(format) != FORMAT || named != id.0 {
            return None;
        }
        let geometry = Geometry::new(rows).ok()?;
        let commitments = fields.commitments(geometry)?;
        Some(BlobMeta { id, geometry, header, commitments, expires_at })
    })();
    decoded.ok_or_else(|| "its meta is not that of a blob of this format".into())
}

pub(crate) fn encode_slot(slot: &Slot, seed: u64) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    let mut fields = Fields(&mut page, 0);
    fields.put(SLOT_MAGIC);
    fields.put(&slot.sequence.to_be_bytes());
    fields.put(&slot.expires_at.to_be_bytes());
    fields.put(slot.presence.as_bytes());
    seal(&mut page, seed);
    page
}

/// `None` for a slot that is torn or rotten.
pub(crate) fn decode_slot(page: &[u8; PAGE], geometry: Geometry, seed: u64) -> Option<Slot> {
    let mut fields = Reader(page);
    let intact = sealed(page, seed) && fields.array::<8>()? == *SLOT_MAGIC;
    let (sequence, expires_at) = (fields.u64()?, fields.u64()?);
    let presence = Presence::from_bytes(geometry, fields.take(geometry.cells() / 8)?)?;
    intact.then_some(Slot { sequence, expires_at, presence })
}

fn record_sum(body: &[u8], seed: u64, index: usize) -> [u8; 8] {
    xxh3_64_with_seed(body, seed.wrapping_add(index as u64)).to_be_bytes()
}

/// Appends a cell's record.
pub(crate) fn encode_record(cell: &Cell, index: usize, seed: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&cell.bytes[..]);
    out.extend_from_slice(&cell.proof);
    let sum = record_sum(&out[start..], seed, index);
    out.extend_from_slice(&sum);
}

/// Whether these bytes are the record of some cell at this index.
pub(crate) fn record_is_whole(record: &[u8], index: usize, seed: u64) -> bool {
    record.len() == RECORD && record[RECORD - 8..] == record_sum(&record[..RECORD - 8], seed, index)
}

/// `None` for a record that does not match its checksum.
pub(crate) fn decode_record(record: &[u8], index: usize, geometry: Geometry, seed: u64) -> Option<Cell> {
    if !record_is_whole(record, index, seed) {
        return None;
    }
    let mut fields = Reader(record);
    let bytes: Box<[u8]> = fields.take(CELL_BYTES)?.into();
    Some(Cell { at: geometry.position(index), bytes: bytes.try_into().ok()?, proof: fields.array()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(rows: u16) -> BlobMeta {
        let geometry = Geometry::new(rows).unwrap();
        let commitments = (0..rows).map(|row| [row as u8; PROOF_BYTES]).collect();
        BlobMeta {
            id: B256::repeat_byte(7),
            geometry,
            header: [9; HEADER_BYTES],
            commitments,
            expires_at: 77,
        }
    }

    #[test]
    fn the_largest_meta_and_the_largest_slot_fit_their_pages() {
        let meta = meta(32);
        assert_eq!(decode_meta(&encode_meta(&meta), meta.id), Ok(meta.clone()));
        let mut presence = Presence::empty(meta.geometry);
        presence.set(8191, true);
        let slot = Slot { sequence: 3, expires_at: 4, presence };
        let page = encode_slot(&slot, seed(&meta.id));
        assert_eq!(decode_slot(&page, meta.geometry, seed(&meta.id)), Some(slot));
    }

    #[test]
    fn every_flipped_bit_of_a_page_is_found() {
        let meta = meta(1);
        let seed = seed(&meta.id);
        let slot = Slot { sequence: 1, expires_at: 4, presence: Presence::empty(meta.geometry) };
        let pages = (encode_meta(&meta), encode_slot(&slot, seed));
        for byte in 0..PAGE {
            let (mut first, mut second) = pages;
            first[byte] ^= 1;
            second[byte] ^= 1;
            assert!(decode_meta(&first, meta.id).is_err(), "byte {byte}");
            assert_eq!(decode_slot(&second, meta.geometry, seed), None, "byte {byte}");
        }
    }

    #[test]
    fn a_page_of_zeros_is_no_slot_and_no_record() {
        let geometry = Geometry::new(1).unwrap();
        assert_eq!(decode_slot(&[0; PAGE], geometry, 5), None);
        assert!(!record_is_whole(&[0; RECORD], 0, 5));
    }

    #[test]
    fn a_record_counts_only_in_its_own_place_of_its_own_blob() {
        let geometry = Geometry::new(1).unwrap();
        let cell =
            Cell { at: geometry.position(5), bytes: Box::new([1; CELL_BYTES]), proof: [2; PROOF_BYTES] };
        let mut record = Vec::new();
        encode_record(&cell, 5, 10, &mut record);
        assert_eq!(record.len(), RECORD);
        assert_eq!(decode_record(&record, 5, geometry, 10), Some(cell));
        assert_eq!(decode_record(&record, 6, geometry, 10), None);
        assert_eq!(decode_record(&record, 5, geometry, 11), None);
    }

    #[test]
    fn the_meta_of_another_blob_is_refused() {
        let meta = meta(2);
        assert!(decode_meta(&encode_meta(&meta), B256::repeat_byte(8)).is_err());
    }
}
