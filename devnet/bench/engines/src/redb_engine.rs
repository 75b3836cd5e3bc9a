//! redb: a copy-on-write B-tree in pure Rust.

use crate::engine::{Engine, HEIGHT, Table, decode_height};
use crate::workload::{Block, HistoryKey, Key, Record};
use anyhow::{Context, Result};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::Path;

type Bytes = &'static [u8];
const ACCOUNTS: TableDefinition<Bytes, Bytes> = TableDefinition::new("accounts");
const HISTORY: TableDefinition<Bytes, Bytes> = TableDefinition::new("history");
const TXS: TableDefinition<Bytes, Bytes> = TableDefinition::new("txs");
const LARGE: TableDefinition<Bytes, Bytes> = TableDefinition::new("large");
const TRIE: TableDefinition<Bytes, Bytes> = TableDefinition::new("trie");
const META: TableDefinition<Bytes, Bytes> = TableDefinition::new("meta");

/// A redb database with a 256 MiB cache; durability is the default (`Immediate`).
pub(crate) struct RedbEngine {
    db: Database,
}

impl RedbEngine {
    /// Opens or creates `path/redb`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let db = Database::builder().set_cache_size(256 << 20).create(path.join("redb"))?;
        let txn = db.begin_write()?;
        for table in [ACCOUNTS, HISTORY, TXS, LARGE, TRIE, META] {
            txn.open_table(table)?;
        }
        txn.commit()?;
        Ok(Self { db })
    }

    fn insert_all(&self, table: TableDefinition<Bytes, Bytes>, records: &[Record]) -> Result<()> {
        let txn = self.db.begin_write()?;
        {
            let mut table = txn.open_table(table)?;
            for (key, value) in records {
                table.insert(key.as_slice(), value.as_slice())?;
            }
        }
        Ok(txn.commit()?)
    }
}

impl Engine for RedbEngine {
    fn preload(&self, table: Table, records: &[Record]) -> Result<()> {
        let table = match table {
            Table::Accounts => ACCOUNTS,
            Table::Trie => TRIE,
        };
        records.chunks(100_000).try_for_each(|chunk| self.insert_all(table, chunk))
    }

    fn commit(&self, block: &Block) -> Result<()> {
        let txn = self.db.begin_write()?;
        {
            let mut table = txn.open_table(ACCOUNTS)?;
            for (key, value) in &block.accounts {
                table.insert(key.as_slice(), value.as_slice())?;
            }
            let mut table = txn.open_table(HISTORY)?;
            for (key, value) in &block.history {
                table.insert(key.as_slice(), value.as_slice())?;
            }
            for key in &block.expired {
                table.remove(key.as_slice())?;
            }
            let mut table = txn.open_table(TXS)?;
            for (key, value) in &block.txs {
                table.insert(key.as_slice(), value.as_slice())?;
            }
            let mut table = txn.open_table(LARGE)?;
            for (key, value) in &block.large {
                table.insert(key.as_slice(), value.as_slice())?;
            }
            txn.open_table(META)?.insert(HEIGHT, block.height.to_be_bytes().as_slice())?;
        }
        Ok(txn.commit()?)
    }

    fn commit_trie(&self, records: &[Record]) -> Result<()> {
        self.insert_all(TRIE, records)
    }

    fn read_accounts(&self, keys: &[Key]) -> Result<usize> {
        let table = self.db.begin_read()?.open_table(ACCOUNTS)?;
        let mut bytes = 0;
        for key in keys {
            bytes += table.get(key.as_slice())?.map_or(0, |value| value.value().len());
        }
        Ok(bytes)
    }

    fn seek_history(&self, keys: &[HistoryKey]) -> Result<usize> {
        let table = self.db.begin_read()?.open_table(HISTORY)?;
        let mut found = 0;
        for key in keys {
            if let Some(row) = table.range(key.as_slice()..)?.next() {
                found += usize::from(row?.0.value()[..32] == key[..32]);
            }
        }
        Ok(found)
    }

    fn account(&self, key: &Key) -> Result<Option<Vec<u8>>> {
        Ok(self.db.begin_read()?.open_table(ACCOUNTS)?.get(key.as_slice())?.map(|v| v.value().to_vec()))
    }

    fn height(&self) -> Result<u64> {
        let table = self.db.begin_read()?.open_table(META)?;
        decode_height(table.get(HEIGHT)?.context("no height committed")?.value())
    }
}
