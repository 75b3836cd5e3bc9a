//! The journal's bytes. All numbers are little-endian.
//!
//! ```text
//! file    = header group*
//! header  = "CHLOMTXJ" version:u32 chain_id:u64 salt:16 check:8      check = xxh3-64 of what is before it
//! group   = salt:16 number:u64 length:u32 check:16 payload:length    check = xxh3-128 of salt, number, length, payload
//! payload = (kind:u8 length:u32 body:length)*                        kind 0: a transaction; 1: a removed hash
//! ```

use alloy_primitives::{B256, Bytes};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::Record;

/// First bytes of every journal.
const MAGIC: [u8; 8] = *b"CHLOMTXJ";
/// The format that this build reads and writes.
pub(super) const VERSION: u32 = 1;
/// Bytes of the header.
pub(super) const HEADER: usize = 44;
/// Bytes of a group before its payload.
pub(super) const GROUP: usize = 44;

const KIND_TX: u8 = 0;
const KIND_REMOVED: u8 = 1;

/// Random bytes that mark this file's groups.
pub(super) type Salt = [u8; 16];

/// What a file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) chain_id: u64,
    pub(super) salt: Salt,
}

/// Why bytes are no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormatError {
    Foreign,
    Version(u32),
    Damaged { offset: usize },
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) header: Header,
    pub(super) records: Vec<Record>,
    /// Number of the next group.
    pub(super) next: u64,
    /// Where the next group goes; what is behind it is the remains of one that was never finished.
    pub(super) end: usize,
}

pub(super) fn encode_header(header: &Header) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&header.chain_id.to_le_bytes());
    out.extend_from_slice(&header.salt);
    out.extend_from_slice(&xxh3_64(&out).to_le_bytes());
    out
}

pub(super) fn encode_record(record: &Record, out: &mut Vec<u8>) {
    let (kind, body): (u8, &[u8]) = match record {
        Record::Tx(raw) => (KIND_TX, raw),
        Record::Removed(hash) => (KIND_REMOVED, hash.as_slice()),
    };
    let length = u32::try_from(body.len()).expect("a transaction is shorter than 128 KiB");
    out.push(kind);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(body);
}

/// A group with this payload; `None` for a payload of 4 GiB or more.
pub(super) fn encode_group(salt: &Salt, number: u64, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok()?;
    let mut out = Vec::with_capacity(GROUP + payload.len());
    out.extend_from_slice(salt);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    let check = checksum(&out, payload);
    out.extend_from_slice(&check);
    out.extend_from_slice(payload);
    Some(out)
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 16] {
    let mut hasher = Xxh3Default::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.digest128().to_le_bytes()
}

/// Reads a whole file.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, FormatError> {
    let header = decode_header(bytes)?;
    let mut scan = Scan { header, records: Vec::new(), next: 0, end: HEADER };
    while scan.end < bytes.len() {
        let rest = &bytes[scan.end..];
        let Some(payload) = decode_group(&header.salt, scan.next, rest) else {
            // The salt at the very place belongs to the broken group itself; a later one to a group after it.
            let followed = rest[1..].windows(header.salt.len()).any(|window| window == header.salt);
            return if followed { Err(FormatError::Damaged { offset: scan.end }) } else { Ok(scan) };
        };
        decode_records(payload, &mut scan.records).ok_or(FormatError::Damaged { offset: scan.end })?;
        scan.end += GROUP + payload.len();
        scan.next += 1;
    }
    Ok(scan)
}

fn decode_header(bytes: &[u8]) -> Result<Header, FormatError> {
    let mut rest = bytes;
    if take(&mut rest)? != MAGIC {
        return Err(FormatError::Foreign);
    }
    let version = u32::from_le_bytes(take(&mut rest)?);
    if version != VERSION {
        return Err(FormatError::Version(version));
    }
    let chain_id = u64::from_le_bytes(take(&mut rest)?);
    let salt = take(&mut rest)?;
    let check = u64::from_le_bytes(take(&mut rest)?);
    if check != xxh3_64(&bytes[..HEADER - 8]) {
        return Err(FormatError::Damaged { offset: 0 });
    }
    Ok(Header { chain_id, salt })
}

/// The next bytes of a header. One that is cut short is none: headers appear by renaming, whole or not at all.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FormatError> {
    let (head, tail) = rest.split_first_chunk().ok_or(FormatError::Foreign)?;
    *rest = tail;
    Ok(*head)
}

/// The payload of the group that begins here, if it is whole and the one expected.
fn decode_group<'a>(salt: &Salt, number: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(GROUP - 16)?;
    let (check, rest) = rest.split_first_chunk::<16>()?;
    let length = u32::from_le_bytes(*head.last_chunk()?) as usize;
    let payload = rest.get(..length)?;
    let fits =
        head.starts_with(salt) && head[16..24] == number.to_le_bytes() && checksum(head, payload) == *check;
    fits.then_some(payload)
}

fn decode_records(mut payload: &[u8], records: &mut Vec<Record>) -> Option<()> {
    while let Some((kind, rest)) = payload.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        records.push(match *kind {
            KIND_TX => Record::Tx(Bytes::copy_from_slice(body)),
            KIND_REMOVED => Record::Removed(B256::from(<[u8; 32]>::try_from(body).ok()?)),
            _ => return None,
        });
        payload = rest;
    }
    Some(())
}
