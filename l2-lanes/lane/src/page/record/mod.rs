//! Record pages: receipts sorted by (payer, licence, source, id).
//!
//! In varints where nothing else is said:
//! - index of the first record; the revenue of all records before; number of records;
//! - the sources, as a dictionary; the forms, shape by shape, each with a dictionary of labels where its kind has labels;
//! - groups of records of one (payer, licence, source): a code of the source's place · 3 plus what is new (0: the source alone,
//!   1: the licence, 2: payer and licence), then payer and licence as far as they are new, the number of records, the records.
//!
//! A record is: its form's place; its id; the difference of its time to that of the record before (0 for the first), zigzag;
//! its amounts; its signature, where its shape has one. An id with the stem and width of the record before in its group is written
//! as twice the difference of their numbers less one. Any other id is written as twice the bytes that its stem shares with the
//! one before on the page, plus 1; the length of the rest and the rest; the width; the number, where there is a width.

mod decode;
mod dictionary;
mod encode;

use alloy_primitives::{Address, B256};

pub(crate) use encode::RecordWriter;

use crate::{
    LaneId,
    receipt::{IdParts, MOST_ID_BYTES, Name, Parts, Receipt, ReceiptId, Shape, digest},
};

/// A decoded record page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    /// Index of its first record.
    pub first: u32,
    /// Revenue of the records of earlier pages.
    pub sum_before: u128,
    /// Revenue of the records of earlier pages and of this one.
    pub sum_after: u128,
    sources: Vec<Name>,
    forms: Vec<Form>,
    groups: Vec<Group>,
    records: Vec<Record>,
    stems: Vec<u8>,
    signatures: Vec<[u8; 64]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    shape: Shape,
    label: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    payer: Address,
    licence: B256,
    source: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    group: u16,
    form: u16,
    stem: (u16, u16),
    width: u8,
    signature: Option<u16>,
    number: u64,
    time: u64,
    amounts: [u128; 3],
}

/// A record of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Whoever owes.
    pub payer: Address,
    /// The licence.
    pub licence: B256,
    /// Name of the source.
    pub source: &'a Name,
    /// The id.
    pub id: IdParts<'a>,
    /// Seconds.
    pub time: u64,
    /// Shape, label and amounts.
    pub parts: Parts<'a>,
    /// The source's signature.
    pub signature: Option<&'a [u8; 64]>,
}

/// What records are sorted by.
pub type RecordKey<'a> = (Address, B256, &'a Name, IdParts<'a>);

impl RecordPage {
    /// Records of the page.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// False: a page holds at least one record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Index past the last record.
    pub fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.records.len()).unwrap_or(u32::MAX))
    }

    /// The record at a place of the page.
    pub fn record(&self, at: usize) -> Option<RecordView<'_>> {
        self.view(self.records.get(at)?)
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.records.iter().filter_map(|record| self.view(record))
    }

    fn view<'a>(&'a self, record: &'a Record) -> Option<RecordView<'a>> {
        let group = self.groups.get(usize::from(record.group))?;
        let form = self.forms.get(usize::from(record.form))?;
        let signature = record.signature.and_then(|at| self.signatures.get(usize::from(at)));
        Some(RecordView {
            payer: group.payer,
            licence: group.licence,
            source: self.sources.get(group.source)?,
            id: self.id(record),
            time: record.time,
            parts: Parts {
                shape: form.shape,
                label: form.label.as_ref().map_or("", Name::as_str),
                amounts: record.amounts,
            },
            signature,
        })
    }

    fn id<'a>(&'a self, record: &Record) -> IdParts<'a> {
        let (from, to) = record.stem;
        let stem = self.stems.get(from.into()..to.into()).unwrap_or_default();
        IdParts { stem, width: record.width, number: record.number }
    }

    /// Revenue of the first `count` records of the page and of all earlier pages.
    pub fn sum_until(&self, count: usize) -> Option<u128> {
        let records = self.records.get(..count)?;
        records.iter().try_fold(self.sum_before, |sum, record| sum.checked_add(record.amounts[0]))
    }
}

impl<'a> RecordView<'a> {
    /// What it says, in minor units.
    pub const fn revenue(&self) -> u128 {
        self.parts.amounts[0]
    }

    /// What records are sorted by.
    pub const fn key(&self) -> RecordKey<'a> {
        (self.payer, self.licence, self.source, self.id)
    }

    /// What its source signs.
    pub fn digest(&self, lane: &LaneId) -> B256 {
        digest(lane, &self.payer, &self.licence, self.source.as_str(), &self.id, self.time, &self.parts)
    }

    /// Its id as a receipt has it; `None` never, of a decoded page.
    pub fn receipt_id(&self) -> Option<ReceiptId> {
        let mut id = Vec::with_capacity(MOST_ID_BYTES);
        self.id.write(&mut id);
        ReceiptId::new(std::str::from_utf8(&id).ok()?).ok()
    }

    /// The receipt; `None` never, of a decoded page.
    pub fn to_receipt(&self) -> Option<Receipt> {
        Some(Receipt {
            payer: self.payer,
            licence: self.licence,
            source: self.source.clone(),
            id: self.receipt_id()?,
            time: self.time,
            body: self.parts.body()?,
            signature: self.signature.copied(),
        })
    }
}

#[cfg(test)]
mod tests;
