//! The engine on disk: fjall, a log-structured merge tree in safe Rust (spec/decisions/0001-storage-engine.md).

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};

use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable,
    compaction::filter::Factory,
    config::{BlockSizePolicy, CompressionPolicy, FilterPolicy},
};

use super::{
    Batch, Kv, Snapshot, Table, Value, Visit,
    history_filter::HistoryFilter,
    run::{Runs, first_of},
    settler::{Engine, Settler},
    waiting::{self, WAITING, Waiting},
};
use crate::{directory::Directory, error::KvError, tip_file::TipFile};

/// Bytes of journal before the oldest tables are flushed: reading them again at the start takes 12 ms a MiB. The least
/// that the engine takes.
const MAX_JOURNAL_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes that one table gathers in memory before it is flushed; more would write less but insert more slowly.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes that the table of waiting writes gathers in memory: what waits leaves it again before it is ever flushed.
const KEPT_MEMTABLE_BYTES: u64 = 256 * 1024 * 1024;

/// A batch of more entries than this does not wait.
const MOST_WAITING: usize = 250_000;

/// Threads below. Of two, the engine keeps one for flushes, and while the other compacts that one spins on what it will not
/// do. Commits need few flushes now: most of what they write waits (spec/decisions/0015-waiting-writes.md).
const WORKERS: usize = 1;

/// Name of the table of waiting writes.
const KEPT: &str = "waiting";

/// Values from this size are kept apart, so that compactions do not copy them.
const SEPARATE_BYTES: u32 = 16 * 1024;

/// Bytes of sorted writes from which a table of their own is made; fewer go through the journal.
const LOAD_BYTES: usize = 1024 * 1024;

/// See the module's documentation.
pub(crate) struct DiskKv {
    engine: Arc<Engine>,
    settler: Arc<Settler>,
    thread: Option<JoinHandle<()>>,
    filter: HistoryFilter,
    path: PathBuf,
    /// Dropped last, when the engine's threads have ended.
    _lock: File,
}

struct DiskSnapshot {
    snapshot: fjall::Snapshot,
    waiting: Arc<Waiting>,
    engine: Arc<Engine>,
}

impl From<fjall::Error> for KvError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => Self::Io(error),
            fjall::Error::Locked => Self::Locked,
            other => Self::Engine(other.to_string()),
        }
    }
}

impl DiskKv {
    /// Opens or creates the engine's files in its directory. `cache_bytes` bounds its cache of disk blocks;
    /// `waiting_bytes` is how much waits in memory before it goes into the tables. Hands the directory's tip file on.
    pub(crate) fn open(
        directory: Directory,
        cache_bytes: u64,
        waiting_bytes: usize,
    ) -> Result<(Self, TipFile), KvError> {
        let Directory { engine: path, lock, tip_file, .. } = directory;
        let filter = HistoryFilter::default();
        let factory: Arc<dyn Factory> = Arc::new(filter.clone());
        let history = [Table::AccountHistory.name(), Table::StorageHistory.name()];
        let database = Database::builder(&path)
            .cache_size(cache_bytes)
            .max_journaling_size(MAX_JOURNAL_BYTES)
            .manual_journal_persist(true)
            // What goes through it is hashes mostly, and is deleted soon.
            .journal_compression(fjall::CompressionType::None)
            .worker_threads(WORKERS)
            .with_compaction_filter_factories(Arc::new(move |name| {
                history.contains(&name).then(|| factory.clone())
            }))
            .open()?;
        let tables = Table::ALL
            .iter()
            .map(|table| database.keyspace(table.name(), || options(*table)))
            .collect::<Result<Vec<_>, _>>()?;
        let tables = <[Keyspace; Table::ALL.len()]>::try_from(tables)
            .unwrap_or_else(|_| unreachable!("one keyspace a table, both counted by Table::ALL"));
        let kept = database.keyspace(KEPT, || {
            let options = KeyspaceCreateOptions::default().manual_journal_persist(true);
            let options =
                options.max_memtable_size(KEPT_MEMTABLE_BYTES).filter_policy(FilterPolicy::disabled());
            options.data_block_compression_policy(CompressionPolicy::disabled())
        })?;
        let restored = waiting::restore(kept.iter().map(|entry| Ok(entry.into_inner()?)))?;
        let engine = Arc::new(Engine { database, tables, kept });
        let (settler, thread) = Settler::start(engine.clone(), restored, waiting_bytes)?;
        let thread = Some(thread);
        Ok((Self { engine, settler, thread, filter, path, _lock: lock }, tip_file))
    }

    /// Writes straight into the tables.
    fn write_through(&self, items: Vec<(Table, Value, Option<Value>)>) -> Result<(), KvError> {
        let mut writes = self.batch(items.len());
        self.add(&mut writes, items);
        Ok(writes.commit()?)
    }

    fn batch(&self, capacity: usize) -> fjall::OwnedWriteBatch {
        fjall::OwnedWriteBatch::with_capacity(self.engine.database.clone(), capacity)
            .durability(Some(PersistMode::SyncData))
    }

    fn add(&self, writes: &mut fjall::OwnedWriteBatch, items: Vec<(Table, Value, Option<Value>)>) {
        for (table, key, value) in near_each_other(items) {
            self.engine.add(writes, table, key, value);
        }
    }
}

impl Drop for DiskKv {
    fn drop(&mut self) {
        self.settler.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that stores waiting writes panicked");
        }
    }
}

/// Settings by what a table holds and how it is read (spec/decisions/0001-storage-engine.md).
fn options(table: Table) -> KeyspaceCreateOptions {
    let options =
        KeyspaceCreateOptions::default().manual_journal_persist(true).max_memtable_size(MEMTABLE_BYTES);
    match table {
        // Asked for what is there, and hashes do not compress.
        Table::Trie => {
            options.expect_point_read_hits(true).data_block_compression_policy(CompressionPolicy::disabled())
        }
        // Only ever searched by range, for which filters are no help.
        Table::AccountHistory | Table::StorageHistory => {
            let blocks = BlockSizePolicy::all(16 * 1024);
            options.data_block_size_policy(blocks).filter_policy(FilterPolicy::disabled())
        }
        Table::Bodies | Table::Receipts => {
            let apart = KvSeparationOptions::default().separation_threshold(SEPARATE_BYTES);
            options.with_kv_separation(Some(apart)).filter_policy(FilterPolicy::disabled())
        }
        _ => options,
    }
}

impl Kv for DiskKv {
    fn snapshot(&self) -> Box<dyn Snapshot> {
        // Together, so that neither is newer than the other.
        let state = self.settler.state.lock();
        let (snapshot, waiting) = (self.engine.database.snapshot(), state.waiting.clone());
        Box::new(DiskSnapshot { snapshot, waiting, engine: self.engine.clone() })
    }

    fn write(&self, batch: Batch) -> Result<(), KvError> {
        let (waits, direct): (Vec<_>, Vec<_>) =
            batch.items.into_iter().partition(|(table, ..)| WAITING.contains(table));
        if waits.len() > MOST_WAITING {
            // Nothing that waits may hide what is written now.
            let _nothing_waits = self.settler.drained()?;
            return self.write_through(waits.into_iter().chain(direct).collect());
        }
        let runs = Runs::of(&waits)?;
        let mut writes = self.batch(direct.len() + 1);
        self.add(&mut writes, direct);
        let mut state = self.settler.room()?;
        if !waits.is_empty() {
            state.newest = state.newest.saturating_add(1);
            writes.insert(&self.engine.kept, state.newest.to_be_bytes(), runs.encoded().clone());
        }
        writes.commit()?;
        if !waits.is_empty() {
            let (number, sealed) = (state.newest, state.sealed);
            Arc::make_mut(&mut state.waiting).push(number, runs, sealed)?;
            self.settler.pushed(&state);
        }
        Ok(())
    }

    fn load(&self, table: Table, items: Vec<(Value, Option<Value>)>) -> Result<(), KvError> {
        let bytes =
            |(key, value): &(Value, Option<Value>)| key.len() + value.as_ref().map_or(0, |value| value.len());
        if items.iter().map(bytes).sum::<usize>() < LOAD_BYTES {
            let items = items.into_iter().map(|(key, value)| (table, key, value)).collect();
            return self.write(Batch { items });
        }
        if WAITING.contains(&table) {
            return Err(KvError::Engine(format!("{} is not loaded", table.name())));
        }
        self.engine.load(table, items.into_iter())
    }

    fn disk_bytes(&self) -> Option<u64> {
        Some(allocated(&self.path))
    }

    fn forget_history(&self, floor: u64) -> bool {
        self.filter.floor.fetch_max(floor, Ordering::AcqRel);
        true
    }
}

/// The writes in an order in which each finds its place near the one before: a table in memory is a skip list, whose way to
/// a random key leads through memory that no cache holds. Within a batch the order means nothing.
fn near_each_other(
    items: Vec<(Table, Value, Option<Value>)>,
) -> impl Iterator<Item = (Table, Value, Option<Value>)> {
    let mut order: Vec<(Table, u64, usize)> =
        items.iter().enumerate().map(|(at, (table, key, _))| (*table, first_of(key), at)).collect();
    order.sort_unstable();
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(move |(_, _, at)| items.get_mut(at)?.take())
}

/// Bytes that files below `path` take, as the file system counts them: the journal is a sparse file.
fn allocated(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => allocated(&entry.path()),
        Ok(meta) => file_bytes(&meta),
        // A file that compaction removed meanwhile.
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

#[cfg(unix)]
fn file_bytes(meta: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(meta) * 512
}

#[cfg(not(unix))]
fn file_bytes(meta: &std::fs::Metadata) -> u64 {
    meta.len()
}

impl Snapshot for DiskSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Value>, KvError> {
        if let Some(waits) = self.waiting.get(table, key) {
            return Ok(waits);
        }
        Ok(self.snapshot.get(&self.engine.tables[table.index()], key)?)
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], visit: Visit<'_>) -> Result<(), KvError> {
        if from > to {
            return Ok(());
        }
        let stored = self.snapshot.range(&self.engine.tables[table.index()], from..=to);
        let stored = stored.map(|entry| Ok(entry.into_inner()?));
        waiting::visit_both(self.waiting.range(table, from, to), stored, visit)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn open(path: &Path) -> DiskKv {
        DiskKv::open(crate::directory::claim(path).unwrap(), 1 << 20, 64 * 1024).unwrap().0
    }

    fn key(n: u32) -> Value {
        n.to_be_bytes().into()
    }

    #[test]
    fn a_load_replaces_what_was_written_and_is_replaced_by_what_follows() {
        let directory = tempfile::tempdir().unwrap();
        let kv = open(directory.path());
        let write = |n: u32, value: Option<Value>| {
            kv.write(Batch { items: vec![(Table::Trie, key(n), value)] }).unwrap();
        };
        write(1, Some(b"written".into()));
        write(2, Some(b"written".into()));
        let before = kv.snapshot();
        let large = Value::from(vec![7; 100]);
        let loaded = (0..20_000).map(|n| (key(n), (n != 2).then(|| large.clone()))).collect();
        kv.load(Table::Trie, loaded).unwrap();
        write(3, Some(b"after".into()));
        assert_eq!(before.get(Table::Trie, &key(1)).unwrap().as_deref(), Some(b"written".as_slice()));
        assert_eq!(before.get(Table::Trie, &key(9)).unwrap(), None);
        let check = |kv: &DiskKv| {
            let now = kv.snapshot();
            assert_eq!(now.get(Table::Trie, &key(1)).unwrap(), Some(large.clone()));
            assert_eq!(now.get(Table::Trie, &key(2)).unwrap(), None);
            assert_eq!(now.get(Table::Trie, &key(3)).unwrap().as_deref(), Some(b"after".as_slice()));
            assert_eq!(now.get(Table::Trie, &key(19_999)).unwrap(), Some(large.clone()));
        };
        check(&kv);
        drop(before);
        drop(kv);
        check(&open(directory.path()));
    }

    #[test]
    fn compaction_drops_history_up_to_the_floor_and_nothing_else() {
        use crate::encoding::key::account_history;
        use alloy_primitives::B256;

        let directory = tempfile::tempdir().unwrap();
        let kv = open(directory.path());
        let owners = [B256::repeat_byte(1), B256::repeat_byte(2)];
        let put_all = |table: Table| {
            let mut batch = Batch::default();
            for (owner, height) in
                owners.iter().flat_map(|owner| (1..=100).map(move |height| (owner, height)))
            {
                batch.put(table, account_history(owner, height), height.to_be_bytes());
            }
            kv.write(batch).unwrap();
            drop(kv.settler.drained().unwrap());
            kv.engine.tables[table.index()].rotate_memtable_and_wait().unwrap();
        };
        put_all(Table::AccountHistory);
        put_all(Table::Accounts);
        assert!(kv.forget_history(40));
        assert!(kv.forget_history(30), "a floor never falls");
        let heights = |table: Table| {
            kv.engine.tables[table.index()].major_compact().unwrap();
            let mut heights = Vec::new();
            let (from, to) = ([0; 28], [0xff; 28]);
            let mut visit = |_: &[u8], value: &Value| {
                heights.push(u64::from_be_bytes(value.as_ref().try_into().unwrap()));
                true
            };
            kv.snapshot().scan(table, &from, &to, &mut visit).unwrap();
            heights
        };
        assert_eq!(heights(Table::AccountHistory), (41..=100).chain(41..=100).collect::<Vec<_>>());
        assert_eq!(heights(Table::Accounts).len(), 200, "only history is filtered");
    }

    /// Writes of which each round replaces and deletes some of the ones before.
    fn round(kv: &DiskKv, round: u32) {
        let mut batch = Batch::default();
        for n in (0..400).filter(|n| n % (round % 7 + 1) == 0) {
            match (n + round) % 5 {
                0 => batch.delete(Table::Accounts, key(n)),
                _ => batch.put(Table::Accounts, key(n), [round.to_be_bytes(), n.to_be_bytes()].concat()),
            }
        }
        batch.put(Table::Meta, key(0), round.to_be_bytes());
        kv.write(batch).unwrap();
    }

    fn expected(rounds: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut known = std::collections::BTreeMap::new();
        for round in 0..rounds {
            for n in (0..400).filter(|n| n % (round % 7 + 1) == 0) {
                match (n + round) % 5 {
                    0 => drop(known.remove(key(n).as_ref())),
                    _ => {
                        let value = [round.to_be_bytes(), n.to_be_bytes()].concat();
                        drop(known.insert(key(n).to_vec(), value));
                    }
                }
            }
        }
        known.into_iter().collect()
    }

    fn content(snapshot: &dyn Snapshot) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = Vec::new();
        let mut visit = |key: &[u8], value: &Value| {
            entries.push((key.to_vec(), value.to_vec()));
            true
        };
        snapshot.scan(Table::Accounts, &[], &[0xff; 8], &mut visit).unwrap();
        entries
    }

    #[test]
    fn what_waits_and_what_is_stored_are_one_table_before_while_and_after_it_moves() {
        let directory = tempfile::tempdir().unwrap();
        let mut kv = open(directory.path());
        let mut snapshots = Vec::new();
        for at in 0..60 {
            round(&kv, at);
            snapshots.push((at + 1, kv.snapshot()));
            if at % 9 == 8 {
                drop(kv.settler.drained().unwrap());
                assert!(kv.engine.kept.is_empty().unwrap(), "nothing waits any more");
            }
            if at % 13 == 12 {
                snapshots.clear();
                drop(kv);
                kv = open(directory.path());
            }
        }
        for (rounds, snapshot) in &snapshots {
            assert_eq!(content(snapshot.as_ref()), expected(*rounds), "a snapshot never changes");
            let meta = snapshot.get(Table::Meta, &key(0)).unwrap().unwrap();
            assert_eq!(meta.as_ref(), (rounds - 1).to_be_bytes());
        }
        assert_eq!(content(kv.snapshot().as_ref()), expected(60));
    }

    #[test]
    fn a_crash_after_the_move_and_before_it_is_noted_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let kv = open(directory.path());
        (0..20).for_each(|at| round(&kv, at));
        let (_, runs) = kv.settler.state.lock().waiting.all().unwrap();
        // Moved as if the thread had died before it deleted what it kept.
        kv.engine.settle(0, &runs, 1).unwrap();
        (20..25).for_each(|at| round(&kv, at));
        drop(kv);
        let kv = open(directory.path());
        assert_eq!(content(kv.snapshot().as_ref()), expected(25));
        drop(kv.settler.drained().unwrap());
        assert_eq!(content(kv.snapshot().as_ref()), expected(25));
    }

    #[test]
    fn a_batch_too_large_to_wait_is_written_after_what_waits() {
        let directory = tempfile::tempdir().unwrap();
        let kv = open(directory.path());
        kv.write(Batch { items: vec![(Table::Accounts, key(7), Some(b"small".into()))] }).unwrap();
        let mut large = Batch::default();
        for n in 0..=MOST_WAITING as u32 {
            large.put(Table::Accounts, key(n), b"large".as_slice());
        }
        kv.write(large).unwrap();
        assert_eq!(
            kv.snapshot().get(Table::Accounts, &key(7)).unwrap().as_deref(),
            Some(b"large".as_slice())
        );
    }
}
