//! Sorted writes in memory, with the bytes that bring them back after a crash.

use std::{ops::Range, sync::Arc};

use super::{Table, Value};
use crate::error::KvError;

/// Stands for the length of a value that is deleted.
const DELETED: u32 = u32::MAX;

/// Most bytes of one list of runs: positions in it are 32 bits.
const MOST_BYTES: usize = 1 << 30;

/// Where an entry's bytes are: its key, then its value.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The key's first bytes as a number, zeros where it is shorter: most comparisons need no more.
    first: u64,
    at: u32,
    key: u16,
    value: u32,
}

/// Bytes before an entry's key: the lengths of key and value.
const LENGTHS: usize = 2 + 4;

/// Bytes before a table's entries: its number and their count.
const TABLE_HEAD: usize = 1 + 4;

/// Writes to one table: each key once, in order. Never changes.
#[derive(Debug)]
pub(crate) struct Run {
    /// Of all tables that were written together, see [`Runs::encoded`].
    bytes: Value,
    entries: Vec<Entry>,
}

/// A key with its value, or `None` where it is deleted.
pub(crate) type Item<'a> = (&'a [u8], Option<&'a [u8]>);

/// The first bytes as a number, zeros where there are fewer.
pub(crate) fn first_of(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let known = key.len().min(8);
    bytes[..known].copy_from_slice(&key[..known]);
    u64::from_be_bytes(bytes)
}

impl Run {
    fn item(&self, entry: &Entry) -> Item<'_> {
        let from = entry.at as usize;
        let middle = from + usize::from(entry.key);
        let value = (entry.value != DELETED).then(|| &self.bytes[middle..middle + entry.value as usize]);
        (&self.bytes[from..middle], value)
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        self.item(entry).0
    }

    /// What it says of a key: `None` when nothing, `Some(None)` when it is deleted.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let entry = self.entries.get(self.lower(key))?;
        let (found, value) = self.item(entry);
        (found == key).then_some(value)
    }

    /// Position of the first entry whose key is not below `key`.
    fn lower(&self, key: &[u8]) -> usize {
        let first = first_of(key);
        let mut known = self.guess(first);
        while known.start < known.end {
            let middle = known.start + (known.end - known.start) / 2;
            let entry = &self.entries[middle];
            if entry.first < first || entry.first == first && self.key(entry) < key {
                known.start = middle + 1;
            } else {
                known.end = middle;
            }
        }
        known.start
    }

    /// A part that holds the position of keys that begin so. Keys are hashes: they lie where their value says, give or take
    /// some spread; where they do not, the whole run is the answer.
    fn guess(&self, first: u64) -> Range<usize> {
        let all = 0..self.entries.len();
        let reach = all.len().isqrt();
        let near = ((u128::from(first) * all.len() as u128) >> 64) as usize;
        let (low, high) = (near.saturating_sub(reach), near.saturating_add(reach));
        let is_below = |at: usize| self.entries.get(at).is_some_and(|entry| entry.first < first);
        let is_above = |at: usize| self.entries.get(at).is_some_and(|entry| entry.first > first);
        let start = if low > 0 && is_below(low) { low } else { 0 };
        let end = if is_above(high) { high } else { all.end };
        start..end
    }

    /// Entries with `from <= key <= to` in order.
    pub(crate) fn range<'a>(&'a self, from: &[u8], to: &'a [u8]) -> impl Iterator<Item = Item<'a>> {
        let rest = self.entries.get(self.lower(from)..).unwrap_or_default();
        rest.iter().map(|entry| self.item(entry)).take_while(move |(key, _)| *key <= to)
    }
}

/// Writes to several tables, at most one run for each.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    bytes: Value,
    runs: Vec<(Table, Arc<Run>)>,
}

impl Runs {
    /// Of writes in any order that name no key twice.
    pub(crate) fn of(items: &[(Table, Value, Option<Value>)]) -> Result<Self, KvError> {
        let mut order: Vec<(Table, u64, u32)> =
            (0u32..).zip(items).map(|(at, (table, key, _))| (*table, first_of(key), at)).collect();
        let key = |at: u32| &items[at as usize].1;
        order.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| key(a.2).cmp(key(b.2))));
        let length = |(_, key, value): &(Table, Value, Option<Value>)| {
            LENGTHS + key.len() + value.as_ref().map_or(0, |value| value.len())
        };
        let capacity = Table::ALL.len() * TABLE_HEAD + items.iter().map(length).sum::<usize>();
        let items = order.iter().map(|(table, _, at)| {
            let (_, key, value) = &items[*at as usize];
            (*table, (key.as_ref(), value.as_deref()))
        });
        Self::sorted(items, capacity)
    }

    /// Of writes in order of table and key, whose encoding takes about `capacity` bytes.
    fn sorted<'a>(items: impl Iterator<Item = (Table, Item<'a>)>, capacity: usize) -> Result<Self, KvError> {
        let mut bytes = Vec::with_capacity(capacity);
        // Of each table: where its count stands, and its entries.
        let mut lists: Vec<(Table, usize, Vec<Entry>)> = Vec::new();
        for (table, (key, value)) in items {
            let too_long = || KvError::Engine(format!("an entry of {} is too long to wait", table.name()));
            if lists.last().is_none_or(|(last, ..)| *last != table) {
                bytes.push(table.index() as u8);
                lists.push((table, bytes.len(), Vec::new()));
                bytes.extend([0; 4]);
            }
            let entry = Entry {
                first: first_of(key),
                at: u32::try_from(bytes.len() + LENGTHS)
                    .ok()
                    .filter(|_| bytes.len() < MOST_BYTES)
                    .ok_or_else(too_long)?,
                key: u16::try_from(key.len()).map_err(|_| too_long())?,
                value: value
                    .map_or(Ok(DELETED), |value| u32::try_from(value.len()))
                    .map_err(|_| too_long())?,
            };
            bytes.extend(entry.key.to_be_bytes());
            bytes.extend(entry.value.to_be_bytes());
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(value.unwrap_or_default());
            if let Some((_, _, entries)) = lists.last_mut() {
                entries.push(entry);
            }
        }
        for (_, at, entries) in &lists {
            bytes[*at..at + 4].copy_from_slice(&(entries.len() as u32).to_be_bytes());
        }
        let bytes = Value::from(bytes);
        let run = |(table, _, entries)| (table, Arc::new(Run { bytes: bytes.clone(), entries }));
        let runs = lists.into_iter().map(run).collect();
        Ok(Self { bytes, runs })
    }

    /// Several as one, oldest first: of a key the newest write counts.
    pub(crate) fn merge(parts: &[Self]) -> Result<Self, KvError> {
        let merged: Vec<(Table, Merged<'_>)> =
            Table::ALL.into_iter().map(|table| (table, Merged::of(parts, table))).collect();
        let items = merged.iter().flat_map(|(table, merged)| merged.items().map(|item| (*table, item)));
        Self::sorted(items, parts.iter().map(|part| part.bytes.len()).sum())
    }

    pub(crate) fn table(&self, table: Table) -> Option<&Run> {
        self.runs.iter().find(|(known, _)| *known == table).map(|(_, run)| run.as_ref())
    }

    /// Bytes in memory, with what finding entries takes.
    pub(crate) fn weight(&self) -> usize {
        let entries: usize = self.runs.iter().map(|(_, run)| run.entries.len()).sum();
        self.bytes.len() + entries * size_of::<Entry>()
    }
}

/// All writes to one table in several lists, each key once.
pub(crate) struct Merged<'a> {
    order: Vec<(u64, &'a Run, &'a Entry)>,
}

impl<'a> Merged<'a> {
    pub(crate) fn of(parts: &'a [Runs], table: Table) -> Self {
        let runs = parts.iter().filter_map(|part| part.table(table));
        let entries = runs.flat_map(|run| run.entries.iter().map(move |entry| (entry.first, run, entry)));
        let mut order: Vec<_> = entries.collect();
        // Sorted runs one after the other, which a stable sort merges: of one key the newest comes last.
        order.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key(a.2).cmp(b.1.key(b.2))));
        Self { order }
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'a>> + '_ {
        self.order.iter().enumerate().filter_map(|(at, (first, run, entry))| {
            let item = run.item(entry);
            let newer = self.order.get(at + 1).filter(|(next, ..)| next == first);
            newer.is_none_or(|(_, run, entry)| run.key(entry) != item.0).then_some(item)
        })
    }

    /// Bytes of keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.items().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum()
    }
}

/// As one value of the engine: for each table its number, the count of its entries and each one's lengths and bytes.
impl Runs {
    pub(crate) fn encoded(&self) -> &Value {
        &self.bytes
    }

    /// Reads what [`Runs::encoded`] gave.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, KvError> {
        let damaged = || KvError::Engine("writes that wait are damaged".into());
        let mut rest = bytes;
        let mut items = Vec::new();
        while !rest.is_empty() {
            let table = usize::from(take::<1>(&mut rest).ok_or_else(damaged)?[0]);
            let table = *Table::ALL.get(table).ok_or_else(damaged)?;
            let count = u32::from_be_bytes(*take(&mut rest).ok_or_else(damaged)?);
            for _ in 0..count {
                let key = u16::from_be_bytes(*take(&mut rest).ok_or_else(damaged)?);
                let value = u32::from_be_bytes(*take(&mut rest).ok_or_else(damaged)?);
                let (key, after) = rest.split_at_checked(usize::from(key)).ok_or_else(damaged)?;
                let length = if value == DELETED { 0 } else { value as usize };
                let (bytes, after) = after.split_at_checked(length).ok_or_else(damaged)?;
                items.push((table, (key, (value != DELETED).then_some(bytes))));
                rest = after;
            }
        }
        let follows = |pair: &[(Table, Item<'_>)]| (pair[0].0, pair[0].1.0) < (pair[1].0, pair[1].1.0);
        if !items.windows(2).all(follows) {
            return Err(damaged());
        }
        Self::sorted(items.into_iter(), bytes.len())
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(head)
}
