//! Trie records that are not in the engine's trie table yet.
//!
//! A block of random transfers rewrites some ten megabytes of records, most of them again in the next block. So the
//! blocks' updates gather in memory, those of the last few blocks as they came and older ones merged into one map, and
//! reach the table now and then. What a crash loses follows from the flat tables and the lists of changes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use chlom_state::{Branch, Child, StateError, TrieId, TrieUpdates};
use foldhash::fast::RandomState;
use rayon::prelude::*;

use crate::{
    encoding::key,
    kv::{Table, Value},
    version::Pinned,
};

/// Names a branch record.
pub(crate) type NodeKey = (TrieId, Nibbles);

/// What is known of a record or root: `None` when it is elsewhere, `Some(None)` when there is none.
pub(crate) type Known<T> = Option<Option<T>>;

/// Bytes that a branch takes in memory, with its counters.
pub(crate) fn branch_bytes(branch: &Branch) -> usize {
    16 + branch.as_bytes().len()
}

/// A branch with what it weighs, counted when the branch is new: later it would have to be fetched into the processor's
/// caches again.
#[derive(Clone, Debug, Default)]
pub(crate) struct WeighedBranch {
    pub(crate) branch: Option<Branch>,
    pub(crate) bytes: u32,
}

impl From<Option<Branch>> for WeighedBranch {
    fn from(branch: Option<Branch>) -> Self {
        let bytes = branch.as_ref().map_or(0, branch_bytes);
        Self { branch, bytes: bytes.try_into().unwrap_or(u32::MAX) }
    }
}

impl WeighedBranch {
    /// Bytes that it takes in a map, with its key.
    fn in_map(&self) -> usize {
        size_of::<NodeKey>() + size_of::<Self>() + self.bytes as usize
    }
}

/// The updates of several blocks as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merged {
    roots: HashMap<TrieId, Option<Child>, RandomState>,
    branches: HashMap<NodeKey, WeighedBranch, RandomState>,
    /// Storage tries of whose stored records none counts any more.
    cleared: BTreeSet<B256>,
    bytes: usize,
}

impl Merged {
    fn is_cleared(&self, trie: &TrieId) -> bool {
        matches!(trie, TrieId::Storage(hashed) if self.cleared.contains(hashed))
    }

    fn root(&self, trie: &TrieId) -> Known<Child> {
        self.roots.get(trie).cloned().or_else(|| self.is_cleared(trie).then_some(None))
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Known<Branch> {
        if self.branches.is_empty() {
            return None;
        }
        self.branches
            .get(&(*trie, *path))
            .map(|known| known.branch.clone())
            .or_else(|| self.is_cleared(trie).then_some(None))
    }

    /// Adds the updates of the next block.
    pub(crate) fn absorb(&mut self, updates: &TrieUpdates) {
        if !updates.cleared.is_empty() {
            self.forget(&updates.cleared);
        }
        self.roots.extend(updates.roots.iter().map(|(trie, root)| (*trie, root.clone())));
        for (trie, branches) in &updates.branches {
            for (path, branch) in branches {
                let branch = WeighedBranch::from(branch.clone());
                self.bytes += branch.in_map();
                if let Some(old) = self.branches.insert((*trie, *path), branch) {
                    self.bytes -= old.in_map();
                }
            }
        }
    }

    fn forget(&mut self, cleared: &[B256]) {
        self.cleared.extend(cleared);
        let gone = |trie: &TrieId| matches!(trie, TrieId::Storage(hashed) if cleared.contains(hashed));
        self.roots.retain(|trie, _| !gone(trie));
        self.branches.retain(|(trie, _), _| !gone(trie));
        self.bytes = self.branches.values().map(WeighedBranch::in_map).sum();
    }

    /// Storage tries whose stored records all go.
    pub(crate) fn cleared(&self) -> impl Iterator<Item = &B256> {
        self.cleared.iter()
    }

    /// Everything as records of the trie table, sorted, with the height that they complete. `stale` are the stored keys
    /// of cleared tries, which go unless they are written anew.
    pub(crate) fn records(&self, stale: BTreeSet<Vec<u8>>, height: u64) -> Vec<(Value, Option<Value>)> {
        let roots = self.roots.iter().map(|(trie, root)| {
            let value = root.as_ref().map(|root| root.encode().into());
            (Value::from(trie.root_key()), value)
        });
        let branches = self.branches.par_iter().map(|((trie, path), branch)| {
            let value = branch.branch.as_ref().map(|branch| branch.as_bytes().into());
            (Value::from(trie.record_key(path)), value)
        });
        let mut records: Vec<_> = branches.collect();
        records.extend(roots);
        records.push((key::TRIE_HEIGHT.into(), Some(key::height(height).into())));
        // Stale keys come after, so that the stable sort leaves the new record of a key first.
        records.extend(stale.into_iter().map(|key| (Value::from(key), None)));
        records.par_sort_by(|(a, _), (b, _)| a.cmp(b));
        records.dedup_by(|later, first| later.0 == first.0);
        records
    }
}

/// Updates with the bytes that their records take.
#[derive(Debug)]
pub(crate) struct Weighed {
    pub(crate) updates: TrieUpdates,
    bytes: usize,
}

impl From<TrieUpdates> for Weighed {
    fn from(updates: TrieUpdates) -> Self {
        let records = updates.branches.values().flat_map(|table| table.values());
        let bytes = records.map(|branch| WeighedBranch::from(branch.clone()).in_map()).sum();
        Self { updates, bytes }
    }
}

/// Updates of one block.
#[derive(Clone, Debug)]
struct Block {
    height: u64,
    weighed: Arc<Weighed>,
}

/// Everything since the stored trie, up to one block. Cheap to clone; a clone never changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unstored {
    merged: Arc<Merged>,
    /// Newer than `merged`, oldest first.
    blocks: Vec<Block>,
}

impl Unstored {
    /// Blocks kept apart before they are merged: a reader passes them one by one.
    const APART: usize = 8;

    pub(crate) fn root(&self, trie: &TrieId) -> Known<Child> {
        let newest = self.blocks.iter().rev().find_map(|block| block.weighed.updates.root(trie));
        newest.map(|root| root.cloned()).or_else(|| self.merged.root(trie))
    }

    pub(crate) fn branch(&self, trie: &TrieId, path: &Nibbles) -> Known<Branch> {
        let newest = self.blocks.iter().rev().find_map(|block| block.weighed.updates.branch(trie, path));
        newest.map(|branch| branch.cloned()).or_else(|| self.merged.branch(trie, path))
    }

    /// With the next block on top.
    pub(crate) fn push(&mut self, height: u64, weighed: Arc<Weighed>) {
        self.blocks.push(Block { height, weighed });
    }

    /// The blocks above a height only, on top of what `base` holds.
    pub(crate) fn rebase(&self, base: &Self, height: u64) -> Self {
        let mut blocks = base.blocks.clone();
        blocks.extend(self.blocks.iter().filter(|block| block.height > height).cloned());
        Self { merged: base.merged.clone(), blocks }
    }

    /// Merges the blocks when there are many.
    pub(crate) fn tidy(&mut self) {
        if self.blocks.len() >= Self::APART {
            *self = Self { merged: Arc::new(self.merge()), blocks: Vec::new() };
        }
    }

    /// Everything as one.
    pub(crate) fn merge(&self) -> Merged {
        let mut merged = Merged::clone(&self.merged);
        for block in &self.blocks {
            merged.absorb(&block.weighed.updates);
        }
        merged
    }

    /// Bytes in memory, records that several blocks rewrote counted for each that is kept apart.
    pub(crate) fn bytes(&self) -> usize {
        self.merged.bytes + self.blocks.iter().map(|block| block.weighed.bytes).sum::<usize>()
    }
}

impl Pinned {
    /// Keys of all stored records of these storage tries.
    pub(crate) fn trie_keys<'a>(
        &self,
        tries: impl Iterator<Item = &'a B256>,
    ) -> Result<BTreeSet<Vec<u8>>, StateError> {
        let mut keys = BTreeSet::new();
        for hashed in tries {
            let from = TrieId::Storage(*hashed).root_key();
            // Longer than any key of this trie: the root's key, a packed path and its length.
            let to = [from.as_slice(), &[0xff; 40]].concat();
            self.snapshot.scan(Table::Trie, &from, &to, &mut |key, _| keys.insert(key.to_vec()))?;
        }
        Ok(keys)
    }
}
