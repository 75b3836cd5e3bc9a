//! Decoding: strict, bounded by the page, and nothing but what the encoder writes.

use alloy_primitives::{Address, B256};

use super::{
    super::{MOST_RECORDS, Page, PageError, ensure_zero, shared},
    Form, Group, Record, RecordPage, dictionary,
};
use crate::{
    bytes::{Reader, unzigzag},
    receipt::{MAX_AMOUNT, MAX_TIME, MOST_DIGITS, MOST_ID_BYTES, Shape},
};

/// Entries of a dictionary, at most: each takes three bytes at least.
const MOST_ENTRIES: usize = 661;

impl RecordPage {
    /// Decodes a page; only what the encoder writes is accepted. Upholds [LAN-40].
    ///
    /// # Errors
    /// See [`PageError`]; [`PageError::Order`] alone is a fault of order, found when there is no other.
    pub fn decode(page: &Page) -> Result<Self, PageError> {
        let mut reader = Reader::new(page);
        let first = reader.varint32(u32::MAX)?;
        let sum_before = reader.varint(u128::MAX)?;
        let count = reader.varint32(MOST_RECORDS)?;
        if count == 0 || first.checked_add(count).is_none() {
            return Err(PageError::Index);
        }
        let sources = reader.small(MOST_ENTRIES)?;
        let sources = dictionary::read(&mut reader, sources)?;
        let forms = read_forms(&mut reader)?;
        let page = Self {
            first,
            sum_before,
            sum_after: sum_before,
            groups: Vec::new(),
            records: Vec::new(),
            stems: Vec::new(),
            signatures: Vec::new(),
            sources,
            forms,
        };
        let used = Used { sources: vec![false; page.sources.len()], forms: vec![false; page.forms.len()] };
        Decoder { reader, page, used, in_order: true, left: count }.finish()
    }
}

/// Shapes in ascending order, each with its labels, or without any where its kind has none. Upholds [LAN-42].
fn read_forms(reader: &mut Reader<'_>) -> Result<Vec<Form>, PageError> {
    let mut forms: Vec<Form> = Vec::new();
    for _ in 0..reader.small(12)? {
        let byte = reader.byte()?;
        let shape = Shape::from_byte(byte).ok_or(PageError::Shape(byte))?;
        if forms.last().is_some_and(|last| last.shape >= shape) {
            return Err(PageError::Dictionary);
        }
        if shape.has_label() {
            let count = reader.small(MOST_ENTRIES)?;
            let labels = dictionary::read(reader, count)?;
            if labels.is_empty() {
                return Err(PageError::Dictionary);
            }
            forms.extend(labels.into_iter().map(|label| Form { shape, label: Some(label) }));
        } else {
            forms.push(Form { shape, label: None });
        }
    }
    Ok(forms)
}

struct Used {
    sources: Vec<bool>,
    forms: Vec<bool>,
}

struct Decoder<'a> {
    reader: Reader<'a>,
    page: RecordPage,
    used: Used,
    in_order: bool,
    left: u32,
}

impl Decoder<'_> {
    fn finish(mut self) -> Result<RecordPage, PageError> {
        let mut last: Option<Record> = None;
        while self.left > 0 {
            let group = self.group()?;
            let count = self.reader.varint32(self.left).map_err(|_| PageError::Group)?;
            if count == 0 {
                return Err(PageError::Group);
            }
            self.left = self.left.saturating_sub(count);
            for place in 0..count {
                let record = self.record(group, last.as_ref(), place > 0)?;
                self.page.records.push(record);
                last = Some(record);
            }
        }
        ensure_zero(self.reader.rest())?;
        if self.used.sources.contains(&false) || self.used.forms.contains(&false) {
            return Err(PageError::Unused);
        }
        if self.in_order { Ok(self.page) } else { Err(PageError::Order) }
    }

    /// Reads a group's beginning. Upholds [LAN-43].
    fn group(&mut self) -> Result<u16, PageError> {
        let most = self.page.sources.len().saturating_mul(3).saturating_sub(1);
        let code = self.reader.small(most).map_err(|_| PageError::Entry)?;
        let (source, new) = (code / 3, code % 3);
        let last = self.page.groups.last().copied();
        let mut group = match (last, new) {
            (Some(last), 0 | 1) => Group { source, ..last },
            (_, 2) => {
                let payer = Address::from(*self.reader.array()?);
                match last {
                    Some(last) if last.payer == payer => return Err(PageError::Group),
                    Some(last) if last.payer > payer => self.in_order = false,
                    _ => {}
                }
                Group { payer, licence: B256::ZERO, source }
            }
            _ => return Err(PageError::Group),
        };
        if new > 0 {
            group.licence = B256::from(*self.reader.array()?);
        }
        match last {
            Some(last) if new == 0 && last.source >= source => self.in_order = false,
            Some(last) if new == 1 && last.licence == group.licence => return Err(PageError::Group),
            Some(last) if new == 1 && last.licence > group.licence => self.in_order = false,
            _ => {}
        }
        mark(&mut self.used.sources, source)?;
        let index = u16::try_from(self.page.groups.len()).map_err(|_| PageError::Group)?;
        self.page.groups.push(group);
        Ok(index)
    }

    /// Reads a record. Upholds [LAN-44].
    fn record(&mut self, group: u16, last: Option<&Record>, same: bool) -> Result<Record, PageError> {
        let form =
            self.reader.small(self.page.forms.len().saturating_sub(1)).map_err(|_| PageError::Entry)?;
        mark(&mut self.used.forms, form)?;
        let shape = self.page.forms.get(form).ok_or(PageError::Entry)?.shape;
        let (stem, width, number) = self.id(last, same)?;
        let time = self.time(last)?;
        let mut amounts = [0; 3];
        for amount in amounts.iter_mut().take(shape.amounts()) {
            *amount = self.reader.varint(MAX_AMOUNT)?;
        }
        if !shape.admits(&amounts) {
            return Err(PageError::Amounts);
        }
        self.page.sum_after = self.page.sum_after.checked_add(amounts[0]).ok_or(PageError::Sum)?;
        let signature = if shape.is_signed() { Some(self.signature()?) } else { None };
        let form = u16::try_from(form).map_err(|_| PageError::Entry)?;
        Ok(Record { group, form, stem, width, signature, number, time, amounts })
    }

    fn signature(&mut self) -> Result<u16, PageError> {
        let at = u16::try_from(self.page.signatures.len()).map_err(|_| PageError::Index)?;
        self.page.signatures.push(*self.reader.array()?);
        Ok(at)
    }

    fn time(&mut self, last: Option<&Record>) -> Result<u64, PageError> {
        let difference = unzigzag(self.reader.varint64(u64::MAX)?);
        let before = last.map_or(0, |last| last.time);
        let time = before.checked_add_signed(difference).ok_or(PageError::Time)?;
        if time > MAX_TIME { Err(PageError::Time) } else { Ok(time) }
    }

    /// Reads an id. Upholds [LAN-45].
    fn id(&mut self, last: Option<&Record>, same: bool) -> Result<((u16, u16), u8, u64), PageError> {
        let code = self.reader.varint64(u64::MAX)?;
        let before = last.filter(|_| same);
        if code & 1 == 0 {
            let before = before.ok_or(PageError::Id)?;
            let number = before.number.checked_add(code >> 1).and_then(|number| number.checked_add(1));
            let number = number.filter(|number| fits(*number, before.width)).ok_or(PageError::Id)?;
            return Ok((before.stem, before.width, number));
        }
        let stem = self.stem(last, code >> 1)?;
        let width = self.reader.byte()?;
        let number = if width == 0 { 0 } else { self.reader.varint64(u64::MAX)? };
        let text = self.page.stems.get(stem.0.into()..stem.1.into()).unwrap_or_default();
        let long = text.len().saturating_add(width.into());
        let whole = width == MOST_DIGITS || !text.last().is_some_and(u8::is_ascii_digit);
        if width > MOST_DIGITS || !fits(number, width) || !whole || long == 0 || long > MOST_ID_BYTES {
            return Err(PageError::Id);
        }
        if let Some(before) = before {
            let other = self.page.stems.get(before.stem.0.into()..before.stem.1.into()).unwrap_or_default();
            if other == text && before.width == width {
                // Could have been written as a difference, if it ascended.
                if number > before.number {
                    return Err(PageError::Id);
                }
                self.in_order = false;
            } else if (other, before.width) > (text, width) {
                self.in_order = false;
            }
        }
        Ok((stem, width, number))
    }

    fn stem(&mut self, last: Option<&Record>, keep: u64) -> Result<(u16, u16), PageError> {
        let (from, to) = last.map_or((0, 0), |last| last.stem);
        let keep = u16::try_from(keep).map_err(|_| PageError::Id)?;
        let end = from.checked_add(keep).filter(|end| *end <= to).ok_or(PageError::Id)?;
        let length = self.reader.small(MOST_ID_BYTES)?;
        let rest = self.reader.slice(length)?;
        if !rest.iter().all(u8::is_ascii_graphic) {
            return Err(PageError::Id);
        }
        if rest.is_empty() && end == to {
            return Ok((from, to));
        }
        let before: Vec<u8> = self.page.stems.get(from.into()..to.into()).unwrap_or_default().to_vec();
        let tail = before.get(usize::from(keep)..).unwrap_or_default();
        if shared(tail, rest) > 0 {
            return Err(PageError::Id);
        }
        let start = u16::try_from(self.page.stems.len()).map_err(|_| PageError::Id)?;
        self.page.stems.extend_from_slice(before.get(..usize::from(keep)).unwrap_or_default());
        self.page.stems.extend_from_slice(rest);
        Ok((start, u16::try_from(self.page.stems.len()).map_err(|_| PageError::Id)?))
    }
}

fn fits(number: u64, width: u8) -> bool {
    10u64.checked_pow(width.into()).is_some_and(|end| number < end)
}

fn mark(used: &mut [bool], at: usize) -> Result<(), PageError> {
    *used.get_mut(at).ok_or(PageError::Entry)? = true;
    Ok(())
}
