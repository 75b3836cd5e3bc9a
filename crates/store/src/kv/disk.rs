//! The engine on disk: fjall, a log-structured merge tree in safe Rust (spec/decisions/0001-storage-engine.md).

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, compaction::filter::Factory};

use super::{Batch, Durability, Kv, Snapshot, Table, Value, Visit, history_filter::HistoryFilter};
use crate::{directory::Directory, error::KvError};

/// Bytes of journal before the oldest tables are flushed: bounds both start-up time and disk overhead.
const MAX_JOURNAL_BYTES: u64 = 128 * 1024 * 1024;

/// Bytes that one table gathers in memory before it is flushed.
const MEMTABLE_BYTES: u64 = 32 * 1024 * 1024;

/// See the module's documentation.
pub(crate) struct DiskKv {
    database: Database,
    tables: Arc<[Keyspace; Table::ALL.len()]>,
    filter: HistoryFilter,
    path: PathBuf,
    /// Dropped last, when the engine's threads have ended.
    _lock: File,
}

struct DiskSnapshot {
    snapshot: fjall::Snapshot,
    tables: Arc<[Keyspace; Table::ALL.len()]>,
}

impl From<fjall::Error> for KvError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => Self::Io(error),
            other => Self::Engine(other.to_string()),
        }
    }
}

impl DiskKv {
    /// Opens or creates the engine's files in its directory. `cache_bytes` bounds its cache of disk blocks.
    pub(crate) fn open(directory: Directory, cache_bytes: u64) -> Result<Self, fjall::Error> {
        let Directory { engine: path, lock } = directory;
        let filter = HistoryFilter::default();
        let factory: Arc<dyn Factory> = Arc::new(filter.clone());
        let history = [Table::AccountHistory.name(), Table::StorageHistory.name()];
        let database = Database::builder(&path)
            .cache_size(cache_bytes)
            .max_journaling_size(MAX_JOURNAL_BYTES)
            .manual_journal_persist(true)
            .with_compaction_filter_factories(Arc::new(move |name| {
                history.contains(&name).then(|| factory.clone())
            }))
            .open()?;
        let tables = Table::ALL
            .iter()
            .map(|table| database.keyspace(table.name(), options))
            .collect::<Result<Vec<_>, _>>()?;
        let tables = <[Keyspace; Table::ALL.len()]>::try_from(tables)
            .unwrap_or_else(|_| unreachable!("one keyspace a table, both counted by Table::ALL"));
        Ok(Self { database, tables: Arc::new(tables), filter, path, _lock: lock })
    }
}

fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().manual_journal_persist(true).max_memtable_size(MEMTABLE_BYTES)
}

impl Kv for DiskKv {
    fn snapshot(&self) -> Box<dyn Snapshot> {
        Box::new(DiskSnapshot { snapshot: self.database.snapshot(), tables: self.tables.clone() })
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), KvError> {
        let mode = match durability {
            Durability::Synced => PersistMode::SyncData,
            Durability::Ordered => PersistMode::Buffer,
        };
        let mut writes = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), batch.items.len())
            .durability(Some(mode));
        for (table, key, value) in batch.items {
            let table = &self.tables[table.index()];
            match value {
                Some(value) => writes.insert(table, key, value),
                None => writes.remove(table, key),
            }
        }
        Ok(writes.commit()?)
    }

    fn disk_bytes(&self) -> Option<u64> {
        Some(allocated(&self.path))
    }

    fn forget_history(&self, floor: u64) -> bool {
        self.filter.floor.fetch_max(floor, Ordering::AcqRel);
        true
    }
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
        Ok(self.snapshot.get(&self.tables[table.index()], key)?)
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], visit: Visit<'_>) -> Result<(), KvError> {
        if from > to {
            return Ok(());
        }
        for entry in self.snapshot.range(&self.tables[table.index()], from..=to) {
            let (key, value) = entry.into_inner()?;
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}
