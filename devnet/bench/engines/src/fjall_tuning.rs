//! The settings of fjall that the benchmark varies: defaults, what was found best, and `key=value` changes to either.

use anyhow::{Context, Result, bail};
use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
    HashRatioPolicy, RestartIntervalPolicy,
};
use fjall::{CompressionType, KeyspaceCreateOptions, KvSeparationOptions, compaction::Leveled};
use std::sync::Arc;

/// One keyspace's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Memtable bytes at which it is sealed and flushed.
    memtable_mb: u64,
    /// Data block size in bytes.
    block: u32,
    /// Compress data blocks below the first two levels.
    lz4: bool,
    /// Bits per key of the bloom filters; 0 for none.
    bloom: u32,
    /// Tables in level 0 that start a compaction.
    l0: u8,
    /// Target size of a table.
    table_mb: u64,
    /// Values from this size live in blob files; 0 for never.
    separate: u32,
    /// Restart interval inside data blocks.
    restart: u8,
    /// Hash index entries per item, in hundredths.
    hash: u32,
    /// Point reads mostly hit: no filter in the last level.
    hits: bool,
}

/// Everything that a run of fjall can vary.
#[derive(Clone, Debug)]
pub(crate) struct Tuning {
    /// Block cache, MiB.
    pub(crate) cache_mb: u64,
    /// All journals together, MiB.
    pub(crate) journal_mb: u64,
    /// LZ4 for values from 4 KiB in the journal.
    pub(crate) journal_lz4: bool,
    /// Threads for flushes and compactions.
    pub(crate) workers: usize,
    /// Prune by compaction filter, not by deletes.
    pub(crate) filter: bool,
    /// Load trie batches as tables (not atomic with the block), not through the journal.
    pub(crate) trie_ingest: bool,
    pub(crate) accounts: Shape,
    pub(crate) history: Shape,
    pub(crate) txs: Shape,
    pub(crate) large: Shape,
    pub(crate) trie: Shape,
}

const DEFAULT: Shape = Shape {
    memtable_mb: 64,
    block: 4096,
    lz4: true,
    bloom: 10,
    l0: 4,
    table_mb: 64,
    separate: 0,
    restart: 16,
    hash: 0,
    hits: false,
};

impl Tuning {
    /// fjall as it comes.
    pub(crate) fn stock() -> Self {
        Self {
            cache_mb: 32,
            journal_mb: 512,
            journal_lz4: true,
            workers: 2,
            filter: false,
            trie_ingest: false,
            accounts: DEFAULT,
            history: DEFAULT,
            txs: DEFAULT,
            large: DEFAULT,
            trie: DEFAULT,
        }
    }

    /// What this benchmark found best (spec/decisions/0001-storage-engine.md, section "Settings").
    pub(crate) fn best() -> Self {
        let small = Shape { memtable_mb: 16, ..DEFAULT };
        Self {
            cache_mb: 256,
            journal_mb: 64,
            filter: true,
            accounts: Shape { hits: true, ..small },
            history: Shape { bloom: 0, block: 16_384, ..small },
            txs: small,
            large: Shape { separate: 16_384, bloom: 0, ..small },
            trie: Shape { lz4: false, hits: true, ..small },
            ..Self::stock()
        }
    }

    /// Applies `key=value` pairs separated by commas, such as `workers=1,trie.memtable=128`.
    pub(crate) fn apply(mut self, changes: &str) -> Result<Self> {
        for change in changes.split(',').filter(|change| !change.is_empty()) {
            let (key, value) = change.split_once('=').context("a change is key=value")?;
            let number: u64 = value.parse().with_context(|| format!("{key} takes a number"))?;
            match key {
                "cache" => self.cache_mb = number,
                "journal" => self.journal_mb = number,
                "journal_lz4" => self.journal_lz4 = number != 0,
                "workers" => self.workers = number as usize,
                "filter" => self.filter = number != 0,
                "trie_ingest" => self.trie_ingest = number != 0,
                _ => self.apply_shape(key, number)?,
            }
        }
        Ok(self)
    }

    fn apply_shape(&mut self, key: &str, number: u64) -> Result<()> {
        let (table, field) = key.split_once('.').with_context(|| format!("{key} is no setting"))?;
        let shapes: Vec<&mut Shape> = match table {
            "accounts" => vec![&mut self.accounts],
            "history" => vec![&mut self.history],
            "txs" => vec![&mut self.txs],
            "large" => vec![&mut self.large],
            "trie" => vec![&mut self.trie],
            "all" => {
                vec![&mut self.accounts, &mut self.history, &mut self.txs, &mut self.large, &mut self.trie]
            }
            other => bail!("{other} is no table"),
        };
        for shape in shapes {
            match field {
                "memtable" => shape.memtable_mb = number,
                "block" => shape.block = number as u32,
                "lz4" => shape.lz4 = number != 0,
                "bloom" => shape.bloom = number as u32,
                "l0" => shape.l0 = number as u8,
                "table" => shape.table_mb = number,
                "separate" => shape.separate = number as u32,
                "restart" => shape.restart = number as u8,
                "hash" => shape.hash = number as u32,
                "hits" => shape.hits = number != 0,
                other => bail!("{other} is no setting of a table"),
            }
        }
        Ok(())
    }
}

impl Shape {
    /// The options that make a keyspace so.
    pub(crate) fn options(self) -> KeyspaceCreateOptions {
        use CompressionType::{Lz4, None as Plain};
        let filter = match self.bloom {
            0 => FilterPolicy::disabled(),
            bits => FilterPolicy::new([
                FilterPolicyEntry::Bloom(BloomConstructionPolicy::FalsePositiveRate(0.0001)),
                FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(bits as f32)),
            ]),
        };
        KeyspaceCreateOptions::default()
            .manual_journal_persist(true)
            .max_memtable_size(self.memtable_mb << 20)
            .data_block_size_policy(BlockSizePolicy::all(self.block))
            .data_block_compression_policy(if self.lz4 {
                CompressionPolicy::new([Plain, Plain, Lz4])
            } else {
                CompressionPolicy::disabled()
            })
            .filter_policy(filter)
            .expect_point_read_hits(self.hits)
            .data_block_restart_interval_policy(RestartIntervalPolicy::all(self.restart))
            .data_block_hash_ratio_policy(HashRatioPolicy::all(self.hash as f32 / 100.0))
            .compaction_strategy(Arc::new(
                Leveled::default().with_l0_threshold(self.l0).with_table_target_size(self.table_mb << 20),
            ))
            .with_kv_separation(
                (self.separate > 0)
                    .then(|| KvSeparationOptions::default().separation_threshold(self.separate)),
            )
    }
}
