//! LMDB through heed: a memory-mapped copy-on-write B-tree in C.

use crate::engine::{Engine, HEIGHT, Table, decode_height};
use crate::workload::{Block, HistoryKey, Key, Record};
use anyhow::{Context, Result};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, PutFlags, WithoutTls};
use std::path::Path;

type Tree = Database<'static, Bytes, Bytes>;

/// An LMDB environment with a 16 GiB map; durability is the default (fdatasync per commit).
pub(crate) struct LmdbEngine {
    env: Env<WithoutTls>,
    accounts: Tree,
    history: Tree,
    txs: Tree,
    large: Tree,
    trie: Tree,
    meta: Tree,
}

impl LmdbEngine {
    /// Opens or creates the environment in `path`.
    #[allow(unsafe_code)]
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(16 << 30).max_dbs(8);
        // SAFETY: the map is only changed through LMDB, which locks it against other processes' writers; this program
        // opens each environment once per process.
        let env = unsafe { options.open(path)? };
        let names = ["accounts", "history", "txs", "large", "trie", "meta"];
        let [accounts, history, txs, large, trie, meta] = env
            .create_databases_and_commit(env.write_txn()?, |opener, txn| -> Result<_> {
                let mut trees = Vec::new();
                for name in names {
                    trees.push(opener.create_database::<Bytes, Bytes>(txn, Some(name))?);
                }
                let trees: [_; 6] = trees.try_into().ok().context("six names give six trees")?;
                Ok(CommitOrAbort::<_, ()>::Commit(trees))
            })?
            .commit()
            .context("the closure commits")?;
        Ok(Self { env, accounts, history, txs, large, trie, meta })
    }
}

impl Engine for LmdbEngine {
    fn preload(&self, table: Table, records: &[Record]) -> Result<()> {
        let tree = match table {
            Table::Accounts => self.accounts,
            Table::Trie => self.trie,
        };
        for chunk in records.chunks(100_000) {
            let mut txn = self.env.write_txn()?;
            for (key, value) in chunk {
                tree.put_with_flags(&mut txn, PutFlags::APPEND, key, value)?;
            }
            txn.commit()?;
        }
        Ok(())
    }

    fn commit(&self, block: &Block) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (key, value) in &block.accounts {
            self.accounts.put(&mut txn, key, value)?;
        }
        for (key, value) in &block.history {
            self.history.put(&mut txn, key, value)?;
        }
        for key in &block.expired {
            self.history.delete(&mut txn, key)?;
        }
        for (key, value) in &block.txs {
            self.txs.put(&mut txn, key, value)?;
        }
        for (key, value) in &block.large {
            self.large.put(&mut txn, key, value)?;
        }
        self.meta.put(&mut txn, HEIGHT, &block.height.to_be_bytes())?;
        Ok(txn.commit()?)
    }

    fn commit_trie(&self, records: &[Record]) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (key, value) in records {
            self.trie.put(&mut txn, key, value)?;
        }
        Ok(txn.commit()?)
    }

    fn read_accounts(&self, keys: &[Key]) -> Result<usize> {
        let txn = self.env.read_txn()?;
        let mut bytes = 0;
        for key in keys {
            bytes += self.accounts.get(&txn, key)?.map_or(0, <[u8]>::len);
        }
        Ok(bytes)
    }

    fn seek_history(&self, keys: &[HistoryKey]) -> Result<usize> {
        let txn = self.env.read_txn()?;
        let mut found = 0;
        for key in keys {
            let row = self.history.get_greater_than_or_equal_to(&txn, key)?;
            found += usize::from(row.is_some_and(|(at, _)| at[..32] == key[..32]));
        }
        Ok(found)
    }

    fn account(&self, key: &Key) -> Result<Option<Vec<u8>>> {
        let txn = self.env.read_txn()?;
        Ok(self.accounts.get(&txn, key)?.map(<[u8]>::to_vec))
    }

    fn height(&self) -> Result<u64> {
        let txn = self.env.read_txn()?;
        decode_height(self.meta.get(&txn, HEIGHT)?.context("no height committed")?)
    }
}
