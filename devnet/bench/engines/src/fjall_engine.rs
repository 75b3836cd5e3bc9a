//! fjall: a log-structured merge tree in pure Rust.

use crate::engine::{Engine, HEIGHT, Table, decode_height};
use crate::fjall_tuning::Tuning;
use crate::workload::{Block, HISTORY, HistoryKey, Key, Record};
use anyhow::{Context, Result};
use fjall::compaction::filter::{CompactionFilter, CompactionFilterResult, Factory, ItemAccessor, Verdict};
use fjall::{CompressionType, Database, Keyspace, PersistMode, Readable};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A fjall database; a block is one write batch, persisted with fdatasync.
pub(crate) struct FjallEngine {
    db: Database,
    accounts: Keyspace,
    history: Keyspace,
    txs: Keyspace,
    large: Keyspace,
    trie: Keyspace,
    meta: Keyspace,
    /// Rows below this height may be dropped by compactions.
    horizon: Arc<AtomicU64>,
    tuning: Tuning,
}

/// Drops history rows below a horizon while tables are merged anyway: pruning without deletes.
struct Horizon(Arc<AtomicU64>);

impl Factory for Horizon {
    fn name(&self) -> &str {
        "history horizon"
    }

    fn make_filter(&self, _: &fjall::compaction::filter::Context) -> Box<dyn CompactionFilter> {
        Box::new(BelowHorizon(self.0.load(Ordering::Acquire)))
    }
}

struct BelowHorizon(u64);

impl CompactionFilter for BelowHorizon {
    fn filter_item(
        &mut self,
        item: ItemAccessor<'_>,
        _: &fjall::compaction::filter::Context,
    ) -> CompactionFilterResult {
        let height = item.key().get(32..40).map_or(u64::MAX, |tail| {
            u64::from_be_bytes(tail.try_into().expect("the range is eight bytes long"))
        });
        // A row is written once and never again, so nothing older can come back when it goes.
        Ok(if height < self.0 { Verdict::Destroy } else { Verdict::Keep })
    }
}

impl FjallEngine {
    /// Opens or creates the database in `path`, tuned or stock, with changes.
    pub(crate) fn open(path: &Path, tuned: bool, changes: &str) -> Result<Self> {
        let tuning = if tuned { Tuning::best() } else { Tuning::stock() }.apply(changes)?;
        let horizon = Arc::new(AtomicU64::new(0));
        let mut builder = Database::builder(path)
            .cache_size(tuning.cache_mb << 20)
            .max_journaling_size(tuning.journal_mb << 20)
            .worker_threads(tuning.workers)
            .manual_journal_persist(true)
            .journal_compression(if tuning.journal_lz4 {
                CompressionType::Lz4
            } else {
                CompressionType::None
            });
        if tuning.filter {
            let factory: Arc<dyn Factory> = Arc::new(Horizon(horizon.clone()));
            builder = builder.with_compaction_filter_factories(Arc::new(move |keyspace| {
                (keyspace == "history").then(|| factory.clone())
            }));
        }
        let db = builder.open()?;
        Ok(Self {
            accounts: db.keyspace("accounts", || tuning.accounts.options())?,
            history: db.keyspace("history", || tuning.history.options())?,
            txs: db.keyspace("txs", || tuning.txs.options())?,
            large: db.keyspace("large", || tuning.large.options())?,
            trie: db.keyspace("trie", || tuning.trie.options())?,
            meta: db.keyspace("meta", || tuning.txs.options())?,
            db,
            horizon,
            tuning,
        })
    }

    fn ingest(&self, keyspace: &Keyspace, records: &[Record]) -> Result<()> {
        let mut ingestion = keyspace.start_ingestion()?;
        for (key, value) in records {
            ingestion.write(key.as_slice(), value.as_slice())?;
        }
        Ok(ingestion.finish()?)
    }
}

impl Engine for FjallEngine {
    fn preload(&self, table: Table, records: &[Record]) -> Result<()> {
        self.ingest(
            match table {
                Table::Accounts => &self.accounts,
                Table::Trie => &self.trie,
            },
            records,
        )
    }

    fn commit(&self, block: &Block) -> Result<()> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in &block.accounts {
            batch.insert(&self.accounts, key, value);
        }
        for (key, value) in &block.history {
            batch.insert(&self.history, key, value);
        }
        for (key, value) in &block.txs {
            batch.insert(&self.txs, key, value);
        }
        for (key, value) in &block.large {
            batch.insert(&self.large, key, value.as_slice());
        }
        if self.tuning.filter {
            self.horizon.store((block.height + 1).saturating_sub(HISTORY), Ordering::Release);
        } else {
            for key in &block.expired {
                batch.remove(&self.history, key);
            }
        }
        batch.insert(&self.meta, HEIGHT, block.height.to_be_bytes());
        Ok(batch.commit()?)
    }

    fn commit_trie(&self, records: &[Record]) -> Result<()> {
        if self.tuning.trie_ingest {
            return self.ingest(&self.trie, records);
        }
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in records {
            batch.insert(&self.trie, key.as_slice(), value.as_slice());
        }
        Ok(batch.commit()?)
    }

    fn read_accounts(&self, keys: &[Key]) -> Result<usize> {
        let snapshot = self.db.snapshot();
        let mut bytes = 0;
        for key in keys {
            bytes += snapshot.get(&self.accounts, key)?.map_or(0, |value| value.len());
        }
        Ok(bytes)
    }

    fn seek_history(&self, keys: &[HistoryKey]) -> Result<usize> {
        let snapshot = self.db.snapshot();
        let mut found = 0;
        for key in keys {
            if let Some(row) = snapshot.range(&self.history, key.as_slice()..).next() {
                found += usize::from(row.key()?[..32] == key[..32]);
            }
        }
        Ok(found)
    }

    fn account(&self, key: &Key) -> Result<Option<Vec<u8>>> {
        Ok(self.accounts.get(key)?.map(|value| value.to_vec()))
    }

    fn height(&self) -> Result<u64> {
        decode_height(&self.meta.get(HEIGHT)?.context("no height committed")?)
    }

    fn describe(&self) -> String {
        let tables: Vec<String> = [&self.accounts, &self.history, &self.txs, &self.large, &self.trie]
            .iter()
            .map(|k| format!("{} {} tables {} MB", k.name(), k.table_count(), k.disk_space() >> 20))
            .collect();
        format!(
            "{}; journals {} of {} MB; compacting {:.1} s in {} runs",
            tables.join(", "),
            self.db.journal_count(),
            self.db.journal_disk_space().unwrap_or(0) >> 20,
            self.db.time_compacting().as_secs_f64(),
            self.db.compactions_completed(),
        )
    }
}
