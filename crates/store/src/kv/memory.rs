//! The engine in memory: ordered maps whose entries keep older values for as long as a snapshot may ask for them.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use super::{Batch, Kv, Snapshot, Table, Value, Visit};
use crate::error::KvError;

/// Values of one key by the batch that wrote them, oldest first; `None` is a deletion.
type Versions = SmallVec<[(u64, Option<Value>); 1]>;

#[derive(Default)]
struct Tables {
    /// Number of the last batch.
    batch: u64,
    tables: [BTreeMap<Value, Versions>; Table::ALL.len()],
    /// Keys with values to drop once no snapshot is older than the batch beside them.
    superseded: VecDeque<(u64, Table, Value)>,
}

#[derive(Default)]
struct Shared {
    tables: RwLock<Tables>,
    /// Snapshots in use, by batch number.
    pinned: Mutex<BTreeMap<u64, usize>>,
}

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct MemoryKv(Arc<Shared>);

struct MemorySnapshot {
    shared: Arc<Shared>,
    batch: u64,
}

fn visible(versions: &Versions, batch: u64) -> Option<&Value> {
    versions.iter().rev().find(|(at, _)| *at <= batch).and_then(|(_, value)| value.as_ref())
}

impl Tables {
    fn write(&mut self, items: Vec<(Table, Value, Option<Value>)>) {
        self.batch = self.batch.saturating_add(1);
        let batch = self.batch;
        for (table, key, value) in items {
            let versions = self.tables[table.index()].entry(key.clone()).or_default();
            versions.push((batch, value.clone()));
            if versions.len() > 1 || value.is_none() {
                self.superseded.push_back((batch, table, key));
            }
        }
    }

    /// Drops what no snapshot at or after `oldest` can see.
    fn collect(&mut self, oldest: u64) {
        while self.superseded.front().is_some_and(|(batch, ..)| *batch <= oldest) {
            let Some((_, table, key)) = self.superseded.pop_front() else { return };
            let map = &mut self.tables[table.index()];
            let Some(versions) = map.get_mut(&key) else { continue };
            if let Some(newest) = versions.iter().rposition(|(at, _)| *at <= oldest) {
                versions.drain(..newest);
            }
            if matches!(versions.as_slice(), [(_, None)]) {
                map.remove(&key);
            }
        }
    }
}

impl Kv for MemoryKv {
    fn snapshot(&self) -> Box<dyn Snapshot> {
        // The read lock is held until the pin is in place, so that no write collects in between.
        let tables = self.0.tables.read();
        *self.0.pinned.lock().entry(tables.batch).or_default() += 1;
        Box::new(MemorySnapshot { shared: self.0.clone(), batch: tables.batch })
    }

    fn write(&self, batch: Batch) -> Result<(), KvError> {
        let mut tables = self.0.tables.write();
        tables.write(batch.items);
        let oldest = self.0.pinned.lock().keys().next().copied().unwrap_or(tables.batch);
        tables.collect(oldest);
        Ok(())
    }

    fn load(&self, table: Table, items: Vec<(Value, Option<Value>)>) -> Result<(), KvError> {
        let items = items.into_iter().map(|(key, value)| (table, key, value)).collect();
        self.write(Batch { items })
    }

    fn disk_bytes(&self) -> Option<u64> {
        None
    }

    fn forget_history(&self, _: u64) -> bool {
        false
    }
}

impl Snapshot for MemorySnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Value>, KvError> {
        let tables = self.shared.tables.read();
        Ok(tables.tables[table.index()].get(key).and_then(|versions| visible(versions, self.batch)).cloned())
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], visit: Visit<'_>) -> Result<(), KvError> {
        let tables = self.shared.tables.read();
        if from > to {
            return Ok(());
        }
        let range = (Bound::Included(from), Bound::Included(to));
        for (key, versions) in tables.tables[table.index()].range::<[u8], _>(range) {
            if let Some(value) = visible(versions, self.batch)
                && !visit(key, value)
            {
                break;
            }
        }
        Ok(())
    }
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let mut pinned = self.shared.pinned.lock();
        if let Some(count) = pinned.get_mut(&self.batch) {
            *count -= 1;
            if *count == 0 {
                pinned.remove(&self.batch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(kv: &MemoryKv, key: &[u8], value: Option<&[u8]>) {
        let mut batch = Batch::default();
        match value {
            Some(value) => batch.put(Table::Meta, key, value),
            None => batch.delete(Table::Meta, key),
        }
        kv.write(batch).unwrap();
    }

    #[test]
    fn a_snapshot_keeps_its_values_and_what_nobody_sees_is_dropped() {
        let kv = MemoryKv::default();
        put(&kv, b"a", Some(b"1"));
        let old = kv.snapshot();
        put(&kv, b"a", Some(b"2"));
        put(&kv, b"b", Some(b"3"));
        put(&kv, b"a", None);
        assert_eq!(old.get(Table::Meta, b"a").unwrap().as_deref(), Some(b"1".as_slice()));
        assert_eq!(old.get(Table::Meta, b"b").unwrap(), None);
        assert_eq!(kv.snapshot().get(Table::Meta, b"a").unwrap(), None);
        drop(old);
        put(&kv, b"c", Some(b"4"));
        let tables = kv.0.tables.read();
        assert_eq!(tables.tables[Table::Meta.index()].len(), 2, "the deleted key left no trace");
        assert!(tables.superseded.is_empty());
        assert!(kv.0.pinned.lock().is_empty());
    }
}
