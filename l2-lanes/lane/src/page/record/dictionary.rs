//! Dictionaries: strictly sorted texts, each written as what it shares with the one before and the rest.

use super::super::{PageError, shared};
use crate::{
    bytes::{Reader, varint_len, write_varint},
    receipt::{MOST_NAME_BYTES, Name},
};

/// Reads `count` names. Upholds [LAN-41].
pub(super) fn read(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Name>, PageError> {
    let mut names: Vec<Name> = Vec::new();
    let mut text: Vec<u8> = Vec::with_capacity(MOST_NAME_BYTES);
    for _ in 0..count {
        let keep = reader.small(text.len()).map_err(|_| PageError::Dictionary)?;
        let length = reader.small(MOST_NAME_BYTES)?;
        let rest = reader.slice(length)?;
        // Above the text before: longer where it shares all of it, else with a greater byte at the first that differs.
        let ascends = match (text.get(keep), rest.first()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(here)) => before < here,
        };
        if !ascends {
            return Err(PageError::Dictionary);
        }
        text.truncate(keep);
        text.extend_from_slice(rest);
        names.push(Name::from_bytes(&text).map_err(|_| PageError::Name)?);
    }
    Ok(names)
}

/// Writes a name behind the one before.
fn write(out: &mut Vec<u8>, before: &str, name: &str) {
    let keep = shared(before.as_bytes(), name.as_bytes());
    let rest = name.as_bytes().get(keep..).unwrap_or_default();
    write_varint(out, wide(keep));
    write_varint(out, wide(rest.len()));
    out.extend_from_slice(rest);
}

/// Bytes of a name behind the one before.
pub(super) fn cost(before: &str, name: &str) -> usize {
    let keep = shared(before.as_bytes(), name.as_bytes());
    let rest = name.len().saturating_sub(keep);
    varint_len(wide(keep)).saturating_add(varint_len(wide(rest))).saturating_add(rest)
}

/// A dictionary in the making, and the bytes that it takes.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) sorted: Vec<&'a str>,
    pub(super) bytes: usize,
}

impl<'a> Names<'a> {
    /// What adding a name would add.
    pub(super) fn growth(&self, name: &str) -> usize {
        let Err(at) = self.sorted.binary_search(&name) else { return 0 };
        let before = at.checked_sub(1).and_then(|at| self.sorted.get(at)).copied().unwrap_or("");
        let own = cost(before, name);
        let Some(after) = self.sorted.get(at) else { return own };
        // What the next one shares with the new one is at least what it shared before.
        let saved = cost(before, after).saturating_sub(cost(name, after));
        own.saturating_sub(saved)
    }

    /// Adds a name, if it is new.
    pub(super) fn insert(&mut self, name: &'a str) {
        if let Err(at) = self.sorted.binary_search(&name) {
            self.bytes = self.bytes.saturating_add(self.growth(name));
            self.sorted.insert(at, name);
        }
    }

    /// Writes all names.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut before = "";
        for name in &self.sorted {
            write(out, before, name);
            before = name;
        }
    }

    /// A known name's place.
    pub(super) fn place(&self, name: &str) -> usize {
        self.sorted.binary_search(&name).unwrap_or_default()
    }
}

pub(super) fn wide(number: usize) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}
