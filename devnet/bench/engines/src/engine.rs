//! What the benchmark asks of an engine, and how to name one.

use crate::workload::{Block, HistoryKey, Key, Record};
use crate::{
    fjall_engine::FjallEngine, lmdb_engine::LmdbEngine, mdbx_engine::MdbxEngine, redb_engine::RedbEngine,
};
use anyhow::{Result, bail};
use std::path::Path;

/// Height and other single values: one record that every batch rewrites, so that atomicity can be seen after a crash.
pub(crate) const HEIGHT: &[u8] = b"height";

/// The tables that are preloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Table {
    /// Account key to account.
    Accounts,
    /// Path to trie record.
    Trie,
}

/// A store under test. A commit is atomic over all tables and durable (fdatasync or stronger) when it returns.
pub(crate) trait Engine: Sync {
    /// Loads sorted, unique records into an empty table, the quickest way that the engine has.
    fn preload(&self, table: Table, records: &[Record]) -> Result<()>;
    /// Commits a block, pruning what it expires.
    fn commit(&self, block: &Block) -> Result<()>;
    /// Commits a batch of trie records.
    fn commit_trie(&self, records: &[Record]) -> Result<()>;
    /// Reads accounts from one snapshot; how many bytes were found.
    fn read_accounts(&self, keys: &[Key]) -> Result<usize>;
    /// For each key the first history row at or after it, from one snapshot; how many belong to the same account.
    fn seek_history(&self, keys: &[HistoryKey]) -> Result<usize>;
    /// One account.
    fn account(&self, key: &Key) -> Result<Option<Vec<u8>>>;
    /// The last committed height.
    fn height(&self) -> Result<u64>;
    /// One line on the engine's own state, for the report.
    fn describe(&self) -> String {
        String::new()
    }
}

/// The engines that a bare run compares.
pub(crate) const ALL: [&str; 5] = ["fjall", "fjall-default", "redb", "lmdb", "mdbx"];

/// Opens the engine called `name` in `path`; `tune` is for fjall alone.
pub(crate) fn open(name: &str, path: &Path, tune: &str) -> Result<Box<dyn Engine>> {
    Ok(match name {
        "fjall" | "fjall-default" => Box::new(FjallEngine::open(path, name == "fjall", tune)?),
        "redb" => Box::new(RedbEngine::open(path)?),
        "lmdb" => Box::new(LmdbEngine::open(path)?),
        "mdbx" => Box::new(MdbxEngine::open(path)?),
        other => bail!("no engine is called {other}; there are {ALL:?}"),
    })
}

/// Reads a height as [`HEIGHT`] holds it.
pub(crate) fn decode_height(bytes: &[u8]) -> Result<u64> {
    Ok(u64::from_be_bytes(bytes.try_into()?))
}
