//! What a watcher keeps, in a directory of its own.
//!
//! - `db/`: the engine's tables: `meta` (the chain, the height followed), `batches` by order, `roots` to orders, and `ids`, the index
//!   of receipts over all right batches ([`ids`]).
//! - `files/`: for each batch its blob with its commitments, and the proof of its fraud ([`files`]).
//!
//! Every write is durable when it returns.

pub mod files;
pub mod ids;
mod record;

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use record::{BatchRecord, Case, Stage};

use crate::WatchError;

/// Layout of the tables that this build reads and writes.
const FORMAT: u32 = 1;
const META: &str = "meta";
const CURSOR: &str = "cursor";
/// Memory for blocks of tables, bytes: lookups of ids that are not there are answered by filters.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// Which chain a store is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainIdentity {
    /// Layout of the tables.
    format: u32,
    /// EIP-155 id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis: B256,
}

impl ChainIdentity {
    /// A chain.
    pub const fn new(chain_id: u64, genesis: B256) -> Self {
        Self { format: FORMAT, chain_id, genesis }
    }
}

/// Up to where the chain was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Height of the last block whose events are known.
    pub height: u64,
    /// Its hash.
    pub hash: B256,
}

/// A watcher's directory, open.
pub struct Store {
    path: PathBuf,
    database: Database,
    meta: Keyspace,
    batches: Keyspace,
    roots: Keyspace,
    ids: Keyspace,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the directory of a watcher of this chain. Upholds [WAT-2].
    ///
    /// # Errors
    /// [`WatchError::Locked`], [`WatchError::Foreign`], [`WatchError::Damaged`], faults of the disk.
    pub fn open(path: &Path, chain: ChainIdentity) -> Result<Self, WatchError> {
        let folder = path.join("files");
        let io = |cause| WatchError::Io { action: "make", path: folder.clone(), cause };
        fs::create_dir_all(&folder).map_err(io)?;
        let failed = |error: fjall::Error| match error {
            fjall::Error::Locked => WatchError::Locked { path: path.into() },
            other => WatchError::Store { path: path.into(), why: other.to_string() },
        };
        let open = Database::builder(path.join("db")).cache_size(CACHE_BYTES).worker_threads(1);
        let database = open.open().map_err(failed)?;
        let table = |name: &str| database.keyspace(name, KeyspaceCreateOptions::default).map_err(failed);
        let (meta, batches, roots, ids) = (table(META)?, table("batches")?, table("roots")?, table("ids")?);
        let store = Self { path: path.into(), database, meta, batches, roots, ids };
        match store.read::<ChainIdentity>(&store.meta, b"chain")? {
            Some(kept) if kept == chain => {}
            Some(kept) if kept.format == FORMAT => {
                return Err(WatchError::Foreign {
                    path: path.into(),
                    kept: kept.genesis,
                    found: chain.genesis,
                });
            }
            Some(kept) => return Err(store.damaged(format!("format {} is not {FORMAT}", kept.format))),
            None => {
                let mut writes = store.writes();
                store.put(&mut writes, &store.meta, b"chain", &chain)?;
                store.commit(writes)?;
            }
        }
        Ok(store)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Up to where the chain was followed; `None` at the very start.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn cursor(&self) -> Result<Option<Cursor>, WatchError> {
        self.read(&self.meta, CURSOR.as_bytes())
    }

    /// Moves on to a block with the batches that its chain had and this store did not: both or neither. Upholds [WAT-2].
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn advance(&self, cursor: Cursor, new: &[BatchRecord]) -> Result<(), WatchError> {
        let mut writes = self.writes();
        self.put(&mut writes, &self.meta, CURSOR.as_bytes(), &cursor)?;
        for record in new {
            self.put(&mut writes, &self.batches, &record.order.to_be_bytes(), record)?;
            writes.insert(&self.roots, record.root.as_slice(), record.order.to_be_bytes());
        }
        self.commit(writes)
    }

    /// Writes a batch down as it is now.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn save(&self, record: &BatchRecord) -> Result<(), WatchError> {
        let mut writes = self.writes();
        self.put(&mut writes, &self.batches, &record.order.to_be_bytes(), record)?;
        self.commit(writes)
    }

    /// A batch by its order.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn batch(&self, order: u64) -> Result<Option<BatchRecord>, WatchError> {
        self.read(&self.batches, &order.to_be_bytes())
    }

    /// A batch's order.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn order_of(&self, root: &B256) -> Result<Option<u64>, WatchError> {
        let found = self.roots.get(root.as_slice()).map_err(|error| self.failed(&error))?;
        let Some(bytes) = found else { return Ok(None) };
        let bytes = <[u8; 8]>::try_from(&bytes[..]).map_err(|_| self.damaged(format!("order of {root}")))?;
        Ok(Some(u64::from_be_bytes(bytes)))
    }

    /// All batches, by order.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn batches(&self) -> impl Iterator<Item = Result<BatchRecord, WatchError>> + '_ {
        self.batches.iter().map(|entry| {
            let value = entry.value().map_err(|error| self.failed(&error))?;
            serde_json::from_slice(&value).map_err(|error| self.damaged(error.to_string()))
        })
    }

    fn read<T: DeserializeOwned>(&self, table: &Keyspace, key: &[u8]) -> Result<Option<T>, WatchError> {
        let found = table.get(key).map_err(|error| self.failed(&error))?;
        let parse = |bytes: fjall::Slice| serde_json::from_slice(&bytes);
        found.map(parse).transpose().map_err(|error| self.damaged(error.to_string()))
    }

    fn writes(&self) -> OwnedWriteBatch {
        OwnedWriteBatch::with_capacity(self.database.clone(), 16).durability(Some(PersistMode::SyncAll))
    }

    fn put<T: Serialize>(
        &self,
        writes: &mut OwnedWriteBatch,
        table: &Keyspace,
        key: &[u8],
        value: &T,
    ) -> Result<(), WatchError> {
        let json = serde_json::to_vec(value).map_err(|error| self.damaged(error.to_string()))?;
        writes.insert(table, key, json);
        Ok(())
    }

    fn commit(&self, writes: OwnedWriteBatch) -> Result<(), WatchError> {
        writes.commit().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &fjall::Error) -> WatchError {
        WatchError::Store { path: self.path.clone(), why: error.to_string() }
    }

    fn damaged(&self, what: String) -> WatchError {
        WatchError::Damaged { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests;
