//! Encoding: the builder fills a page until the next record might not fit.
//!
//! Sizes are tracked as the page grows. Dictionaries are sorted, so a name's place is known only when the page is closed; until
//! then a place counts as one byte while the dictionary is small and as two beyond.

use alloy_primitives::{Address, B256};

use super::{
    super::{MOST_RECORDS, PAGE_BYTES, Page, padded, shared},
    RecordPage,
    dictionary::{self, Names, wide},
};
use crate::{
    bytes::{varint_len, write_varint, zigzag},
    receipt::{IdParts, Parts, Receipt, Shape},
};

/// Bytes before the records, beside the running sum and the dictionaries: index, count, sources, shapes.
const HEAD: usize = 5 + 2 + 2 + 1;
/// Places below this take one byte.
const ONE_BYTE: usize = 128;

/// What a record is, borrowed.
#[derive(Clone, Copy)]
struct Item<'a> {
    payer: Address,
    licence: B256,
    source: &'a str,
    id: IdParts<'a>,
    time: u64,
    parts: Parts<'a>,
    signature: Option<&'a [u8; 64]>,
}

/// A page being filled.
pub(crate) struct RecordWriter<'a> {
    first: u32,
    sum_before: u128,
    sum: u128,
    sources: Names<'a>,
    labels: Vec<(Shape, Names<'a>)>,
    forms: usize,
    groups: Vec<Group<'a>>,
    records: usize,
    last: Option<Item<'a>>,
    /// Bytes of groups and records but for places in dictionaries.
    body: usize,
}

struct Group<'a> {
    payer: Address,
    licence: B256,
    source: &'a str,
    records: Vec<Written<'a>>,
}

/// A record's bytes but for its form, which stands in front.
struct Written<'a> {
    shape: Shape,
    label: &'a str,
    bytes: Vec<u8>,
}

impl<'a> RecordWriter<'a> {
    /// An empty page that follows so many records of so much revenue.
    pub(crate) fn new(first: u32, sum_before: u128) -> Self {
        Self {
            first,
            sum_before,
            sum: sum_before,
            sources: Names::default(),
            labels: Vec::new(),
            forms: 0,
            groups: Vec::new(),
            records: 0,
            last: None,
            body: 0,
        }
    }

    /// Records so far.
    pub(crate) const fn len(&self) -> usize {
        self.records
    }

    /// Revenue of earlier pages and of this one.
    pub(crate) const fn sum(&self) -> u128 {
        self.sum
    }

    /// Adds a receipt, which follows all earlier ones in order; false when it does not fit.
    pub(crate) fn push(&mut self, receipt: &'a Receipt) -> bool {
        let parts = receipt.body.parts();
        let signed = receipt.signature.is_some();
        self.push_item(Item {
            payer: receipt.payer,
            licence: receipt.licence,
            source: receipt.source.as_str(),
            id: receipt.id.parts(),
            time: receipt.time,
            parts: Parts { shape: parts.shape.with_signature(signed), ..parts },
            signature: receipt.signature.as_ref(),
        })
    }

    fn push_item(&mut self, item: Item<'a>) -> bool {
        let group = self.groups.last();
        let same_pair = group.is_some_and(|g| g.payer == item.payer && g.licence == item.licence);
        let same = same_pair && group.is_some_and(|g| g.source == item.source);
        let begin = match group {
            _ if same => 0,
            _ if same_pair => 3,
            Some(group) if group.payer == item.payer => 35,
            _ => 55,
        };
        let bytes = self.record_bytes(&item, same);
        let own = bytes.len().saturating_add(begin);
        if self.size_with(&item, own, !same) > PAGE_BYTES || self.records >= most_records() {
            return false;
        }
        self.sources.insert(item.source);
        self.insert_form(item.parts.shape, item.parts.label);
        if !same {
            let (payer, licence, source) = (item.payer, item.licence, item.source);
            self.groups.push(Group { payer, licence, source, records: Vec::new() });
        }
        let record = Written { shape: item.parts.shape, label: item.parts.label, bytes };
        if let Some(group) = self.groups.last_mut() {
            group.records.push(record);
        }
        self.body = self.body.saturating_add(own);
        self.records = self.records.saturating_add(1);
        self.sum = self.sum.saturating_add(item.parts.amounts[0]);
        self.last = Some(item);
        true
    }

    /// The page's size at most, with one more record of `own` bytes.
    fn size_with(&self, item: &Item<'_>, own: usize, new_group: bool) -> usize {
        let (shape, label) = (item.parts.shape, item.parts.label);
        let known = self.labels.iter().find(|(known, _)| *known == shape);
        let (form_bytes, new_form) = match known {
            Some((_, labels)) if shape.has_label() => {
                (labels.growth(label), labels.sorted.binary_search(&label).is_err())
            }
            Some(_) => (0, false),
            // The shape, the number of its labels, the first of them.
            None if shape.has_label() => (dictionary::cost("", label).saturating_add(3), true),
            None => (1, true),
        };
        let sources = self.sources.sorted.len().saturating_add(1);
        let forms = self.forms.saturating_add(new_form.into());
        let groups = self.groups.len().saturating_add(new_group.into());
        let records = self.records.saturating_add(1);
        // Beyond 128 forms, or codes, a place may take two bytes.
        let places = records.saturating_mul(if forms > ONE_BYTE { 2 } else { 1 });
        let codes = if sources.saturating_mul(3) > ONE_BYTE { groups } else { 0 };
        let labels = self
            .labels
            .iter()
            .fold(0usize, |sum, (_, names)| sum.saturating_add(names.bytes).saturating_add(3));
        [
            HEAD,
            varint_len(self.sum_before),
            self.sources.bytes,
            self.sources.growth(item.source),
            labels,
            form_bytes,
            places,
            codes,
            self.body,
            own,
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    fn insert_form(&mut self, shape: Shape, label: &'a str) {
        let at = match self.labels.binary_search_by_key(&shape, |(shape, _)| *shape) {
            Ok(at) => at,
            Err(at) => {
                self.labels.insert(at, (shape, Names::default()));
                if !shape.has_label() {
                    self.forms = self.forms.saturating_add(1);
                }
                at
            }
        };
        let Some((_, names)) = self.labels.get_mut(at) else { return };
        if shape.has_label() && names.sorted.binary_search(&label).is_err() {
            names.insert(label);
            self.forms = self.forms.saturating_add(1);
        }
    }

    fn record_bytes(&self, item: &Item<'_>, same: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        let before = self.last.as_ref();
        write_id(&mut out, &item.id, before.map(|last| &last.id), same);
        let before = before.map_or(0, |last| last.time);
        // Times have 40 bits.
        let signed = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        write_varint(&mut out, zigzag(signed(item.time).saturating_sub(signed(before))).into());
        for amount in item.parts.amounts.iter().take(item.parts.shape.amounts()) {
            write_varint(&mut out, *amount);
        }
        if let Some(signature) = item.signature {
            out.extend_from_slice(signature);
        }
        out
    }

    /// The page's bytes.
    pub(crate) fn finish(&self) -> Page {
        let mut out = Vec::with_capacity(PAGE_BYTES);
        write_varint(&mut out, self.first.into());
        write_varint(&mut out, self.sum_before);
        write_varint(&mut out, wide(self.records));
        write_varint(&mut out, wide(self.sources.sorted.len()));
        self.sources.write(&mut out);
        self.write_forms(&mut out);
        let mut last: Option<&Group<'_>> = None;
        for group in &self.groups {
            let new = match last {
                Some(last) if last.payer == group.payer => usize::from(last.licence != group.licence),
                _ => 2,
            };
            let place = self.sources.place(group.source);
            write_varint(&mut out, wide(place.saturating_mul(3).saturating_add(new)));
            if new == 2 {
                out.extend_from_slice(group.payer.as_slice());
            }
            if new > 0 {
                out.extend_from_slice(group.licence.as_slice());
            }
            write_varint(&mut out, wide(group.records.len()));
            for record in &group.records {
                write_varint(&mut out, wide(self.form_place(record.shape, record.label)));
                out.extend_from_slice(&record.bytes);
            }
            last = Some(group);
        }
        padded(&out)
    }

    fn write_forms(&self, out: &mut Vec<u8>) {
        write_varint(out, wide(self.labels.len()));
        for (shape, labels) in &self.labels {
            out.push(shape.byte());
            if shape.has_label() {
                write_varint(out, wide(labels.sorted.len()));
                labels.write(out);
            }
        }
    }

    fn form_place(&self, shape: Shape, label: &str) -> usize {
        let mut before = 0usize;
        for (other, labels) in &self.labels {
            if *other == shape {
                return before.saturating_add(if shape.has_label() { labels.place(label) } else { 0 });
            }
            before = before.saturating_add(if other.has_label() { labels.sorted.len() } else { 1 });
        }
        before
    }
}

const fn most_records() -> usize {
    MOST_RECORDS as usize
}

fn write_id(out: &mut Vec<u8>, id: &IdParts<'_>, before: Option<&IdParts<'_>>, same: bool) {
    if let Some(before) = before.filter(|_| same)
        && before.stem == id.stem
        && before.width == id.width
        && let Some(difference) = id.number.checked_sub(before.number).and_then(|d| d.checked_sub(1))
    {
        write_varint(out, u128::from(difference) << 1);
        return;
    }
    let keep = shared(before.map_or(&[], |before| before.stem), id.stem);
    let rest = id.stem.get(keep..).unwrap_or_default();
    write_varint(out, wide(keep) << 1 | 1);
    write_varint(out, wide(rest.len()));
    out.extend_from_slice(rest);
    out.push(id.width);
    if id.width > 0 {
        write_varint(out, id.number.into());
    }
}

impl RecordPage {
    /// The page's bytes: those that were decoded.
    pub fn encode(&self) -> Page {
        let mut writer = RecordWriter::new(self.first, self.sum_before);
        for view in self.records() {
            let (payer, licence, source) = (view.payer, view.licence, view.source.as_str());
            let (id, time, parts, signature) = (view.id, view.time, view.parts, view.signature);
            if !writer.push_item(Item { payer, licence, source, id, time, parts, signature }) {
                break;
            }
        }
        writer.finish()
    }
}
