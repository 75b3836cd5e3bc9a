//! Receipts of one lane and period that came together, as one value of the database (decision 0016).
//!
//! ```text
//! 1 (format) ‖ number of licences ‖ licences (32 each) ‖ number of places ‖ for each place: length ‖ entry
//! entry: source ‖ licence's number ‖ shape (1) ‖ length of the id (1) ‖ id ‖ time ‖ [length of the label (1) ‖ label] ‖ amounts ‖ [signature (64)]
//! ```
//!
//! Numbers are varints unless a size stands behind them. An entry of length 0 is a place where nothing is: the receipt had been there
//! before.

use std::collections::HashMap;

use alloy_primitives::B256;
use chlom_lane::{
    Receipt,
    bytes::{BytesError, Reader, write_varint},
    receipt::{MAX_AMOUNT, MAX_TIME, MOST_NAME_BYTES, Parts, ReceiptId, Shape},
};

use super::{StoreError, sources::Source};

/// Most receipts of a chunk.
pub(super) const MOST: usize = 4_096;
const FORMAT: u8 = 1;
const SIGNATURE: usize = 64;

/// A chunk that is being written.
#[derive(Default)]
pub(super) struct ChunkWriter {
    licences: Vec<B256>,
    numbers: HashMap<B256, usize>,
    entries: Vec<u8>,
    places: u32,
}

impl ChunkWriter {
    /// Adds a receipt at the next place.
    pub(super) fn push(&mut self, source: i64, receipt: &Receipt) {
        let next = self.licences.len();
        let licence = *self.numbers.entry(receipt.licence).or_insert(next);
        if licence == next {
            self.licences.push(receipt.licence);
        }
        let mut entry = Vec::with_capacity(96);
        write_varint(&mut entry, u128::try_from(source).unwrap_or_default());
        write_varint(&mut entry, licence as u128);
        let parts = receipt.body.parts();
        let shape = parts.shape.with_signature(receipt.signature.is_some());
        entry.push(shape.byte());
        push_text(&mut entry, receipt.id.as_str());
        write_varint(&mut entry, receipt.time.into());
        if shape.has_label() {
            push_text(&mut entry, parts.label);
        }
        for amount in parts.amounts.iter().take(shape.amounts()) {
            write_varint(&mut entry, *amount);
        }
        if let Some(signature) = &receipt.signature {
            entry.extend_from_slice(signature);
        }
        write_varint(&mut self.entries, entry.len() as u128);
        self.entries.append(&mut entry);
        self.places += 1;
    }

    /// Leaves the next place empty.
    pub(super) fn skip(&mut self) {
        self.entries.push(0);
        self.places += 1;
    }

    /// The bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.entries.len() + self.licences.len() * 32 + 16);
        out.push(FORMAT);
        write_varint(&mut out, self.licences.len() as u128);
        self.licences.iter().for_each(|licence| out.extend_from_slice(licence.as_slice()));
        write_varint(&mut out, self.places.into());
        out.extend_from_slice(&self.entries);
        out
    }
}

/// At most 64 bytes, which names and ids see to.
fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).unwrap_or_default());
    out.extend_from_slice(text.as_bytes());
}

/// A chunk that is read: where each entry is, undecoded.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    licences: Vec<B256>,
    entries: Vec<std::ops::Range<usize>>,
}

impl Chunk {
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, StoreError> {
        match Self::split(&bytes) {
            Ok((licences, entries)) => Ok(Self { bytes, licences, entries }),
            Err(error) => Err(StoreError::damaged(format!("a chunk of receipts: {error}"))),
        }
    }

    #[allow(clippy::type_complexity)]
    fn split(bytes: &[u8]) -> Result<(Vec<B256>, Vec<std::ops::Range<usize>>), BytesError> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != FORMAT {
            return Err(BytesError::Bound(FORMAT.into()));
        }
        let licences =
            (0..reader.small(MOST)?).map(|_| reader.array().map(B256::from)).collect::<Result<_, _>>()?;
        let mut entries = Vec::new();
        for _ in 0..reader.small(MOST)? {
            let length = reader.small(bytes.len())?;
            let start = bytes.len() - reader.rest().len();
            reader.slice(length)?;
            entries.push(start..start + length);
        }
        Ok((licences, entries))
    }

    /// How many places there are.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Whether a receipt is at a place.
    pub(super) fn holds(&self, place: u32) -> bool {
        self.entry(place).is_some()
    }

    fn entry(&self, place: u32) -> Option<&[u8]> {
        let entry = self.entries.get(usize::try_from(place).ok()?)?;
        self.bytes.get(entry.clone()).filter(|entry| !entry.is_empty())
    }

    /// The receipt at a place, with the help of whoever knows the sources.
    pub(super) fn receipt(
        &self,
        place: u32,
        source: &mut impl FnMut(i64) -> Result<Source, StoreError>,
    ) -> Result<Receipt, StoreError> {
        let damaged = |what: &dyn std::fmt::Display| StoreError::damaged(format!("a receipt: {what}"));
        let entry = self.entry(place).ok_or_else(|| damaged(&"nothing is at its place"))?;
        let mut reader = Reader::new(entry);
        let raw = self.raw(&mut reader).map_err(|error| damaged(&error))?;
        if !reader.rest().is_empty() {
            return Err(damaged(&"something follows it"));
        }
        let Source { payer, name, .. } = source(raw.source)?;
        let text = |bytes| std::str::from_utf8(bytes).map_err(|error| damaged(&error));
        let parts = Parts { shape: raw.shape, label: text(raw.label)?, amounts: raw.amounts };
        Ok(Receipt {
            payer,
            licence: raw.licence,
            source: name,
            id: ReceiptId::new(text(raw.id)?).map_err(|error| damaged(&error))?,
            time: raw.time,
            body: parts.body().ok_or_else(|| damaged(&"its amounts cannot be"))?,
            signature: raw.signature.copied(),
        })
    }

    fn raw<'a>(&self, reader: &mut Reader<'a>) -> Result<Raw<'a>, BytesError> {
        let most = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
        let source = i64::try_from(reader.varint64(most)?).unwrap_or_default();
        let licence = reader.small(MOST)?;
        let licence = self.licences.get(licence).ok_or(BytesError::Bound(self.licences.len() as u128))?;
        let shape = Shape::from_byte(reader.byte()?).ok_or(BytesError::Bound(0))?;
        let id = text(reader)?;
        let time = reader.varint64(MAX_TIME)?;
        let label = if shape.has_label() { text(reader)? } else { &[] };
        let mut amounts = [0; 3];
        for amount in amounts.iter_mut().take(shape.amounts()) {
            *amount = reader.varint(MAX_AMOUNT)?;
        }
        let signature = if shape.is_signed() { Some(reader.array::<SIGNATURE>()?) } else { None };
        Ok(Raw { source, licence: *licence, shape, id, time, label, amounts, signature })
    }
}

struct Raw<'a> {
    source: i64,
    licence: B256,
    shape: Shape,
    id: &'a [u8],
    time: u64,
    label: &'a [u8],
    amounts: [u128; 3],
    signature: Option<&'a [u8; SIGNATURE]>,
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], BytesError> {
    let length = reader.byte()?;
    if usize::from(length) > MOST_NAME_BYTES {
        return Err(BytesError::Bound(MOST_NAME_BYTES as u128));
    }
    reader.slice(length.into())
}

/// A set of places of a chunk, one bit each, the lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(pub(super) Vec<u8>);

impl Places {
    pub(super) fn holds(&self, place: u32) -> bool {
        let byte = usize::try_from(place / 8).ok().and_then(|at| self.0.get(at)).copied().unwrap_or_default();
        byte & (1 << (place % 8)) != 0
    }

    /// Adds a place; whether it is new.
    pub(super) fn insert(&mut self, place: u32) -> bool {
        let at = usize::try_from(place / 8).unwrap_or(usize::MAX);
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        let bit = 1 << (place % 8);
        let new = self.0[at] & bit == 0;
        self.0[at] |= bit;
        new
    }

    pub(super) fn add(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to |= from);
    }
}
