//! The engine below: ordered tables of bytes, pinned snapshots across all of them, and atomic batches.
//!
//! Two engines do it, [`memory`] and [`disk`]; `run`, `waiting` and `settler` are how the latter takes writes to keys that are
//! hashes (spec/decisions/0015-waiting-writes.md). Everything above is written once, against snapshots: whoever reads holds
//! one, so that what it sees never changes while blocks are committed.

pub(crate) mod disk;
mod history_filter;
pub(crate) mod memory;
mod run;
mod settler;
mod waiting;

use crate::error::KvError;

/// A value or key as both engines hold it: short ones inline, long ones shared.
pub(crate) type Value = fjall::Slice;

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// keccak(address)\[..20\] → account.
    Accounts,
    /// keccak(address) ‖ keccak(slot) → value.
    Storage,
    /// keccak(code) → code.
    Codes,
    /// height → header and additions.
    Headers,
    /// height → transactions and senders.
    Bodies,
    /// height → receipts.
    Receipts,
    /// block hash → height.
    Hashes,
    /// transaction hash\[..20\] → height and index.
    Txs,
    /// height → keys that the block changed.
    Changes,
    /// keccak(address)\[..20\] ‖ height → account before that height.
    AccountHistory,
    /// keccak(address)\[..20\] ‖ keccak(slot) ‖ height → value before that height.
    StorageHistory,
    /// trie and path → branch record or root.
    Trie,
    /// What the store knows of itself.
    Meta,
}

impl Table {
    pub(crate) const ALL: [Self; 13] = [
        Self::Accounts,
        Self::Storage,
        Self::Codes,
        Self::Headers,
        Self::Bodies,
        Self::Receipts,
        Self::Hashes,
        Self::Txs,
        Self::Changes,
        Self::AccountHistory,
        Self::StorageHistory,
        Self::Trie,
        Self::Meta,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Storage => "storage",
            Self::Codes => "codes",
            Self::Headers => "headers",
            Self::Bodies => "bodies",
            Self::Receipts => "receipts",
            Self::Hashes => "hashes",
            Self::Txs => "txs",
            Self::Changes => "changes",
            Self::AccountHistory => "account_history",
            Self::StorageHistory => "storage_history",
            Self::Trie => "trie",
            Self::Meta => "meta",
        }
    }

    /// Position in [`Table::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// Writes that happen together or not at all. A key may be named once only.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) items: Vec<(Table, Value, Option<Value>)>,
}

impl Batch {
    pub(crate) fn put(&mut self, table: Table, key: impl Into<Value>, value: impl Into<Value>) {
        self.items.push((table, key.into(), Some(value.into())));
    }

    pub(crate) fn delete(&mut self, table: Table, key: impl Into<Value>) {
        self.items.push((table, key.into(), None));
    }
}

/// Ordered tables of bytes.
pub(crate) trait Kv: Send + Sync {
    /// Everything as it is now, for as long as the snapshot lives.
    fn snapshot(&self) -> Box<dyn Snapshot>;

    /// Applies a batch atomically; on disk (fdatasync) when it returns.
    fn write(&self, batch: Batch) -> Result<(), KvError>;

    /// Applies many writes to one table atomically and durably, on disk without the detour of the journal. The keys are
    /// sorted and without repetition. All batches before are durable before this is.
    fn load(&self, table: Table, items: Vec<(Value, Option<Value>)>) -> Result<(), KvError>;

    /// Bytes that the files take; `None` in memory.
    fn disk_bytes(&self) -> Option<u64>;

    /// Tells the engine that history at or below this height is dead. True when it will drop such entries by itself,
    /// false when the caller must delete them.
    fn forget_history(&self, floor: u64) -> bool;
}

/// A visitor of entries in key order; false stops the scan.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &Value) -> bool;

/// All tables at one moment.
pub(crate) trait Snapshot: Send + Sync {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Value>, KvError>;

    /// Visits entries with `from <= key <= to` in order.
    fn scan(&self, table: Table, from: &[u8], to: &[u8], visit: Visit<'_>) -> Result<(), KvError>;

    /// The first entry with `from <= key <= to`.
    fn first(&self, table: Table, from: &[u8], to: &[u8]) -> Result<Option<Value>, KvError> {
        let mut found = None;
        self.scan(table, from, to, &mut |_, value| {
            found = Some(value.clone());
            false
        })?;
        Ok(found)
    }
}
