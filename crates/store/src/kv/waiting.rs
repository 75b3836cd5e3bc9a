//! Writes that are durable and wait in memory for their place in the engine's tables.
//!
//! A write to a table that is keyed by hashes lands anywhere in it, so that each costs the engine a search of its own. Here
//! the writes of one batch are one sorted run, kept in memory and, as one value, in the engine's journal. Many runs
//! together become sorted files of the tables at once. A start reads the runs that wait again.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Table, Value, Visit,
    run::{Merged, Runs},
};
use crate::error::KvError;

/// Tables whose writes wait: those that a block of transfers writes thousands of entries to, anywhere.
pub(crate) const WAITING: [Table; 5] =
    [Table::Accounts, Table::Storage, Table::Txs, Table::AccountHistory, Table::StorageHistory];

/// Runs of a rank that are merged into one of the next: a reader passes them one by one, and an entry is copied once for
/// each rank.
const APART: usize = 8;

/// Writes of consecutive batches.
#[derive(Clone, Debug)]
struct Part {
    /// Number of the last batch.
    number: u64,
    rank: u32,
    runs: Runs,
    weight: usize,
}

/// Everything that waits, oldest first. Cheap to clone; a clone never changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    parts: Vec<Part>,
}

impl Waiting {
    /// Bytes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.parts.iter().map(|part| part.weight).sum()
    }

    /// Adds a batch; `sealed` is the last batch that must stay as it is.
    pub(crate) fn push(&mut self, number: u64, runs: Runs, sealed: u64) -> Result<(), KvError> {
        let weight = runs.weight();
        self.parts.push(Part { number, rank: 0, runs, weight });
        while let Some(merged) = self.merged_tail(sealed)? {
            self.parts.truncate(self.parts.len() - APART);
            self.parts.push(merged);
        }
        Ok(())
    }

    /// The newest parts as one when enough of them have one rank.
    fn merged_tail(&self, sealed: u64) -> Result<Option<Part>, KvError> {
        let Some(from) = self.parts.len().checked_sub(APART) else { return Ok(None) };
        let (tail, last) = (&self.parts[from..], &self.parts[self.parts.len() - 1]);
        if tail.iter().any(|part| part.rank != last.rank || part.number <= sealed) {
            return Ok(None);
        }
        let runs: Vec<Runs> = tail.iter().map(|part| part.runs.clone()).collect();
        let runs = Runs::merge(&runs)?;
        Ok(Some(Part { number: last.number, rank: last.rank + 1, weight: runs.weight(), runs }))
    }

    /// All runs with the number of the last batch in them; `None` when nothing waits.
    pub(crate) fn all(&self) -> Option<(u64, Vec<Runs>)> {
        let last = self.parts.last()?;
        Some((last.number, self.parts.iter().map(|part| part.runs.clone()).collect()))
    }

    /// Without what has reached the tables.
    pub(crate) fn after(&self, number: u64) -> Self {
        Self { parts: self.parts.iter().filter(|part| part.number > number).cloned().collect() }
    }

    /// What waits for a key: `None` when nothing, `Some(None)` when its deletion.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<Option<Value>> {
        let mut newest = self.parts.iter().rev();
        newest.find_map(|part| part.runs.table(table)?.get(key)).map(|value| value.map(Value::from))
    }

    /// What waits for keys from `from` to `to`.
    pub(crate) fn range<'a>(
        &'a self,
        table: Table,
        from: &[u8],
        to: &'a [u8],
    ) -> BTreeMap<&'a [u8], Option<&'a [u8]>> {
        let runs = self.parts.iter().filter_map(|part| part.runs.table(table));
        runs.flat_map(|run| run.range(from, to)).collect()
    }
}

/// Visits what waits together with what the engine has, both in order: of a key in both, what waits counts.
pub(crate) fn visit_both(
    waiting: BTreeMap<&[u8], Option<&[u8]>>,
    stored: impl Iterator<Item = Result<(Value, Value), KvError>>,
    visit: Visit<'_>,
) -> Result<(), KvError> {
    let mut waiting = waiting.into_iter().peekable();
    for entry in stored {
        let (key, value) = entry?;
        while let Some((before, change)) = waiting.next_if(|(waits, _)| *waits < key.as_ref()) {
            if !shown(before, change, visit) {
                return Ok(());
            }
        }
        let goes_on = match waiting.next_if(|(waits, _)| *waits == key.as_ref()) {
            Some((_, change)) => shown(&key, change, visit),
            None => visit(&key, &value),
        };
        if !goes_on {
            return Ok(());
        }
    }
    for (key, change) in waiting {
        if !shown(key, change, visit) {
            break;
        }
    }
    Ok(())
}

fn shown(key: &[u8], change: Option<&[u8]>, visit: Visit<'_>) -> bool {
    change.is_none_or(|value| visit(key, &Value::from(value)))
}

/// All writes to each waiting table, merged.
pub(crate) fn by_table(runs: &[Runs]) -> impl Iterator<Item = (Table, Merged<'_>)> {
    WAITING.into_iter().map(|table| (table, Merged::of(runs, table)))
}

/// The waiting writes that are kept under their numbers, read again at the start.
pub(crate) fn restore(
    kept: impl Iterator<Item = Result<(Value, Value), KvError>>,
) -> Result<(Arc<Waiting>, u64), KvError> {
    let (mut waiting, mut last) = (Waiting::default(), 0);
    for entry in kept {
        let (key, value) = entry?;
        let number = key.as_ref().try_into().map(u64::from_be_bytes);
        last = number.map_err(|_| KvError::Engine("a waiting write has no number".into()))?;
        waiting.push(last, Runs::decode(&value)?, 0)?;
    }
    Ok((Arc::new(waiting), last))
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;
    type Write = (Table, Vec<u8>, Option<Vec<u8>>);

    /// Keys that repeat across batches: some near each other, some of other lengths.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte; 20]),
            (any::<u8>(), any::<u8>()).prop_map(|(a, b)| [vec![a; 9], vec![b % 4; 19]].concat()),
            prop::collection::vec(0u8..3, 0..12),
        ]
    }

    fn batches() -> impl Strategy<Value = Vec<Vec<Write>>> {
        let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
        let write = (prop::sample::select(WAITING.to_vec()), key(), value);
        prop::collection::vec(prop::collection::vec(write, 0..30), 1..30)
    }

    /// Of a key named twice in a batch the last.
    fn runs_of(batch: &[Write]) -> Runs {
        let last: Model =
            batch.iter().map(|(table, key, value)| ((*table, key.clone()), value.clone())).collect();
        let items: Vec<_> = last
            .into_iter()
            .rev()
            .map(|((table, key), value)| (table, Value::from(key), value.map(Value::from)))
            .collect();
        Runs::of(&items).unwrap()
    }

    fn is_same(waiting: &Waiting, model: &Model, probes: &[Vec<u8>]) -> Result<(), TestCaseError> {
        for table in WAITING {
            for probe in probes.iter().chain(model.keys().map(|(_, key)| key)) {
                let got = waiting.get(table, probe).map(|value| value.map(|value| value.to_vec()));
                prop_assert_eq!(&got, &model.get(&(table, probe.clone())).cloned());
            }
            for pair in probes.windows(2) {
                let (from, to) = (&pair[0], &pair[1]);
                let got: Vec<_> = waiting.range(table, from, to).into_iter().collect();
                let known = model.iter().filter(|((of, key), _)| *of == table && from <= key && key <= to);
                let known: Vec<_> =
                    known.map(|((_, key), value)| (key.as_slice(), value.as_deref())).collect();
                prop_assert_eq!(got, known);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_waits_answers_like_a_map_of_the_newest_writes(
            batches in batches(),
            probes in prop::collection::vec(key(), 6),
            sealed in 0u64..30,
        ) {
            let (mut waiting, mut model) = (Waiting::default(), Model::new());
            let mut kept = Vec::new();
            for (number, batch) in (1u64..).zip(&batches) {
                let runs = runs_of(batch);
                kept.push((Value::from(number.to_be_bytes()), runs.encoded().clone()));
                waiting.push(number, runs, sealed).unwrap();
                model.extend(batch.iter().map(|(table, key, value)| ((*table, key.clone()), value.clone())));
            }
            is_same(&waiting, &model, &probes)?;
            // A start that reads the kept batches knows the same.
            let (restored, last) = restore(kept.into_iter().map(Ok)).unwrap();
            prop_assert_eq!(last, batches.len() as u64);
            is_same(&restored, &model, &probes)?;
            // What goes into the tables is all of it, once, in order.
            let (number, runs) = waiting.all().unwrap();
            prop_assert_eq!(number, last);
            let merged: Vec<_> = by_table(&runs).map(|(table, merged)| {
                let items: Vec<_> = merged.items().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
                (table, items)
            }).collect();
            for (table, items) in merged {
                let known = model.iter().filter(|((of, _), _)| *of == table);
                let known: Vec<_> = known.map(|((_, key), value)| (key.clone(), value.clone())).collect();
                prop_assert_eq!(items, known);
            }
        }

        #[test]
        fn a_sealed_batch_stays_apart_and_goes_alone(batches in batches(), sealed in 0u64..30) {
            let mut waiting = Waiting::default();
            let mut later = Model::new();
            for (number, batch) in (1u64..).zip(&batches) {
                waiting.push(number, runs_of(batch), sealed.min(number)).unwrap();
                if number > sealed {
                    later.extend(batch.iter().map(|(table, key, value)| ((*table, key.clone()), value.clone())));
                }
            }
            is_same(&waiting.after(sealed), &later, &[])?;
        }

        #[test]
        fn waiting_and_stored_entries_are_visited_as_one_table(
            stored in prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..4), 0..20),
            batch in prop::collection::vec((Just(Table::Accounts), key(), prop::option::of(Just(vec![7]))), 0..20),
            from in key(),
            to in key(),
            most in 0usize..12,
        ) {
            let mut waiting = Waiting::default();
            waiting.push(1, runs_of(&batch), 0).unwrap();
            let mut model = stored.clone();
            for (_, key, value) in &batch {
                match value {
                    Some(value) => drop(model.insert(key.clone(), value.clone())),
                    None => drop(model.remove(key)),
                }
            }
            prop_assume!(from <= to);
            let range = (Bound::Included(from.clone()), Bound::Included(to.clone()));
            let known: Vec<_> = model.range(range.clone()).take(most + 1).map(|(k, v)| (k.clone(), v.clone())).collect();
            let mut seen = Vec::new();
            let entries = stored.range(range).map(|(k, v)| Ok((Value::from(k.clone()), Value::from(v.clone()))));
            visit_both(waiting.range(Table::Accounts, &from, &to), entries, &mut |key, value| {
                seen.push((key.to_vec(), value.to_vec()));
                seen.len() <= most
            }).unwrap();
            prop_assert_eq!(seen, known);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_no_panic(batch in batches(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = runs_of(&batch[0]).encoded().to_vec();
            prop_assume!(!bytes.is_empty());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            drop(Runs::decode(&bytes));
            drop(Runs::decode(&bytes[..at]));
        }
    }

    #[test]
    fn many_keys_that_are_hashes_are_all_found() {
        let key = |n: u32| alloy_primitives::keccak256(n.to_be_bytes());
        let items: Vec<_> = (0..20_000u32)
            .map(|n| (Table::Accounts, Value::from(&key(n)[..20]), Some(Value::from(n.to_be_bytes()))))
            .collect();
        let mut waiting = Waiting::default();
        for (number, part) in (1u64..).zip(items.chunks(1_000)) {
            waiting.push(number, Runs::of(part).unwrap(), 0).unwrap();
        }
        for n in 0..20_000 {
            let found = waiting.get(Table::Accounts, &key(n)[..20]).unwrap().unwrap();
            assert_eq!(found.as_ref(), n.to_be_bytes());
            assert!(waiting.get(Table::Accounts, &key(n)[..19]).is_none());
        }
    }
}
