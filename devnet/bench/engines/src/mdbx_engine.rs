//! MDBX through signet-libmdbx: LMDB's descendant, in C.

use crate::engine::{Engine, HEIGHT, Table, decode_height};
use crate::workload::{Block, HistoryKey, Key, Record};
use anyhow::{Context, Result};
use signet_libmdbx::{
    Database, DatabaseFlags, Environment, EnvironmentFlags, Geometry, Mode, SyncMode, WriteFlags,
};
use std::borrow::Cow;
use std::path::Path;

type Value<'txn> = Cow<'txn, [u8]>;

/// An MDBX environment of up to 16 GiB; every commit is durable.
pub(crate) struct MdbxEngine {
    env: Environment,
    accounts: Database,
    history: Database,
    txs: Database,
    large: Database,
    trie: Database,
    meta: Database,
}

impl MdbxEngine {
    /// Opens or creates the environment in `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let env = Environment::builder()
            .set_geometry(Geometry {
                size: Some(0..(16 << 30)),
                growth_step: Some(64 << 20),
                ..Geometry::default()
            })
            .set_flags(EnvironmentFlags {
                mode: Mode::ReadWrite { sync_mode: SyncMode::Durable },
                no_rdahead: true,
                coalesce: true,
                // MDBX maps the file for all processes unless told otherwise; a node's data has one owner.
                exclusive: true,
                ..EnvironmentFlags::default()
            })
            .set_max_dbs(8)
            .open(path)?;
        let txn = env.begin_rw_unsync()?;
        let tree = |name| txn.create_db(Some(name), DatabaseFlags::empty());
        let (accounts, history, txs) = (tree("accounts")?, tree("history")?, tree("txs")?);
        let (large, trie, meta) = (tree("large")?, tree("trie")?, tree("meta")?);
        txn.commit()?;
        Ok(Self { env, accounts, history, txs, large, trie, meta })
    }
}

impl Engine for MdbxEngine {
    fn preload(&self, table: Table, records: &[Record]) -> Result<()> {
        let tree = match table {
            Table::Accounts => self.accounts,
            Table::Trie => self.trie,
        };
        for chunk in records.chunks(100_000) {
            let txn = self.env.begin_rw_unsync()?;
            for (key, value) in chunk {
                txn.put(tree, key, value, WriteFlags::APPEND)?;
            }
            txn.commit()?;
        }
        Ok(())
    }

    fn commit(&self, block: &Block) -> Result<()> {
        let txn = self.env.begin_rw_unsync()?;
        for (key, value) in &block.accounts {
            txn.put(self.accounts, key, value, WriteFlags::UPSERT)?;
        }
        for (key, value) in &block.history {
            txn.put(self.history, key, value, WriteFlags::UPSERT)?;
        }
        for key in &block.expired {
            txn.del(self.history, key, None)?;
        }
        for (key, value) in &block.txs {
            txn.put(self.txs, key, value, WriteFlags::UPSERT)?;
        }
        for (key, value) in &block.large {
            txn.put(self.large, key, value, WriteFlags::UPSERT)?;
        }
        txn.put(self.meta, HEIGHT, block.height.to_be_bytes(), WriteFlags::UPSERT)?;
        Ok(txn.commit()?)
    }

    fn commit_trie(&self, records: &[Record]) -> Result<()> {
        let txn = self.env.begin_rw_unsync()?;
        for (key, value) in records {
            txn.put(self.trie, key, value, WriteFlags::UPSERT)?;
        }
        Ok(txn.commit()?)
    }

    fn read_accounts(&self, keys: &[Key]) -> Result<usize> {
        let txn = self.env.begin_ro_unsync()?;
        let mut bytes = 0;
        for key in keys {
            let value: Option<Value<'_>> = txn.get(self.accounts.dbi(), key)?;
            bytes += value.map_or(0, |value| value.len());
        }
        Ok(bytes)
    }

    fn seek_history(&self, keys: &[HistoryKey]) -> Result<usize> {
        let txn = self.env.begin_ro_unsync()?;
        let mut cursor = txn.cursor(self.history)?;
        let mut found = 0;
        for key in keys {
            let row: Option<(Value<'_>, Value<'_>)> = cursor.set_range(key)?;
            found += usize::from(row.is_some_and(|(at, _)| at[..32] == key[..32]));
        }
        Ok(found)
    }

    fn account(&self, key: &Key) -> Result<Option<Vec<u8>>> {
        let txn = self.env.begin_ro_unsync()?;
        Ok(txn.get(self.accounts.dbi(), key)?)
    }

    fn height(&self) -> Result<u64> {
        let txn = self.env.begin_ro_unsync()?;
        let value: Option<Vec<u8>> = txn.get(self.meta.dbi(), HEIGHT)?;
        decode_height(&value.context("no height committed")?)
    }
}
