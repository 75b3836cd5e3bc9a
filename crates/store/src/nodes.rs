//! Trie records that are not in the engine's trie table yet.
//!
//! A block of random transfers rewrites some ten megabytes of records, most of them again in the next block. So the
//! blocks' updates gather in memory, those of the last few blocks as they came and older ones merged, the older the more,
//! and reach the table now and then. What a crash loses follows from the flat tables and the lists of changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use chlom_state::{Branch, Child, StateError, TrieId, TrieUpdates};
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

/// Bytes that a record takes in a list, with its path.
fn record_bytes(branch: &Option<Branch>) -> usize {
    size_of::<(Nibbles, Option<Branch>)>() + branch.as_ref().map_or(0, branch_bytes)
}

/// Everything in an update as records of the trie table, sorted, with the height that it completes. `stale` are the stored
/// keys of cleared tries, which go unless they are written anew.
pub(crate) fn records(
    updates: &TrieUpdates,
    stale: BTreeSet<Vec<u8>>,
    height: u64,
) -> Vec<(Value, Option<Value>)> {
    let roots = updates.roots.iter().map(|(trie, root)| {
        let value = root.as_ref().map(|root| root.encode().into());
        (Value::from(trie.root_key()), value)
    });
    let mut records: Vec<_> = roots.collect();
    for (trie, branches) in &updates.branches {
        let branches: Vec<_> = branches.iter().collect();
        records.par_extend(branches.into_par_iter().with_min_len(256).map(|(path, branch)| {
            let value = branch.as_ref().map(|branch| branch.as_bytes().into());
            (Value::from(trie.record_key(path)), value)
        }));
    }
    records.push((key::TRIE_HEIGHT.into(), Some(key::height(height).into())));
    // Stale keys come after, so that the stable sort leaves the new record of a key first.
    records.extend(stale.into_iter().map(|key| (Value::from(key), None)));
    records.par_sort_by(|(a, _), (b, _)| a.cmp(b));
    records.dedup_by(|later, first| later.0 == first.0);
    records
}

/// The updates of consecutive blocks, oldest first, as one.
fn merge(parts: &[&TrieUpdates]) -> TrieUpdates {
    let mut all = TrieUpdates::default();
    let mut branches: BTreeMap<TrieId, Vec<(&Nibbles, &Option<Branch>)>> = BTreeMap::new();
    let mut cleared = BTreeSet::new();
    for part in parts {
        let is_kept = |trie: &TrieId| !part.is_cleared(trie);
        if !part.cleared.is_empty() {
            all.roots.retain(|trie, _| is_kept(trie));
            branches.retain(|trie, _| is_kept(trie));
            cleared.extend(&part.cleared);
        }
        all.roots.extend(part.roots.iter().map(|(trie, root)| (*trie, root.clone())));
        for (trie, records) in &part.branches {
            branches.entry(*trie).or_default().extend(records);
        }
        all.state_root = part.state_root;
    }
    all.cleared = cleared.into_iter().collect();
    for (trie, mut records) in branches {
        // Sorted runs one after the other, which a stable sort merges: of one path the newest comes last.
        records.sort_by_key(|(path, _)| *path);
        let newest = records
            .iter()
            .enumerate()
            .filter(|(at, (path, _))| records.get(at + 1).is_none_or(|(next, _)| next != path))
            .map(|(_, (path, branch))| (**path, (*branch).clone()));
        all.branches.insert(trie, newest.collect());
    }
    all
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
        let bytes = records.map(record_bytes).sum();
        Self { updates, bytes }
    }
}

/// Updates of one block, or of several as one.
#[derive(Clone, Debug)]
struct Run {
    /// Of the last block.
    height: u64,
    /// How many times it was merged.
    rank: u32,
    weighed: Arc<Weighed>,
}

/// Everything since the stored trie, up to one block. Cheap to clone; a clone never changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unstored {
    /// Oldest first.
    runs: Vec<Run>,
}

impl Unstored {
    /// Runs of a rank that are merged into one of the next: a reader passes them one by one, and a record is copied once
    /// for each rank.
    const APART: usize = 8;

    fn newest_first(&self) -> impl Iterator<Item = &TrieUpdates> {
        self.runs.iter().rev().map(|run| &run.weighed.updates)
    }

    pub(crate) fn root(&self, trie: &TrieId) -> Known<Child> {
        self.newest_first().find_map(|updates| updates.root(trie)).map(|root| root.cloned())
    }

    pub(crate) fn branch(&self, trie: &TrieId, path: &Nibbles) -> Known<Branch> {
        self.newest_first().find_map(|updates| updates.branch(trie, path)).map(|branch| branch.cloned())
    }

    /// With the next block on top.
    pub(crate) fn push(&mut self, height: u64, weighed: Arc<Weighed>) {
        self.runs.push(Run { height, rank: 0, weighed });
    }

    /// The blocks above a height only, on top of what `base` holds. None of them is merged with others yet.
    pub(crate) fn rebase(&self, base: &Self, height: u64) -> Self {
        let mut runs = base.runs.clone();
        runs.extend(self.runs.iter().filter(|run| run.height > height).cloned());
        Self { runs }
    }

    /// Merges runs where there are many.
    pub(crate) fn tidy(&mut self) {
        while let Some(start) = self.runs.len().checked_sub(Self::APART)
            && self.runs[start].rank == self.runs[self.runs.len() - 1].rank
        {
            let merged = self.runs.split_off(start);
            let parts: Vec<_> = merged.iter().map(|run| &run.weighed.updates).collect();
            let weighed = Arc::new(merge(&parts).into());
            if let Some(newest) = merged.last() {
                self.runs.push(Run { height: newest.height, rank: newest.rank + 1, weighed });
            }
        }
    }

    /// Everything as one.
    pub(crate) fn merge(&self) -> TrieUpdates {
        merge(&self.runs.iter().map(|run| &run.weighed.updates).collect::<Vec<_>>())
    }

    /// Bytes in memory, records that several blocks rewrote counted for each that is kept apart.
    pub(crate) fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.weighed.bytes).sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, keccak256};
    use chlom_state::{Account, HashedChanges, MemoryState, StorageChange, trie::apply_hashed};

    /// Numbers from a seed (a linear congruential generator).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % bound
        }

        /// Accounts that come, change and go, some with storage.
        fn block(&mut self) -> HashedChanges {
            let mut changes = HashedChanges::default();
            for _ in 0..6 {
                let hashed = keccak256(self.below(60).to_be_bytes());
                if self.below(6) == 0 {
                    changes.accounts.insert(hashed, None);
                    changes.storage.remove(&hashed);
                    continue;
                }
                let nonce = self.below(1_000);
                changes.accounts.insert(hashed, Some(Account { nonce, ..Account::default() }));
                let storage = StorageChange { wiped: self.below(4) == 0, ..StorageChange::default() };
                let slots = (0..self.below(8))
                    .map(|_| (keccak256(self.below(40).to_be_bytes()), U256::from(self.below(3))));
                let storage = StorageChange { slots: slots.collect(), ..storage };
                changes.storage.insert(hashed, storage);
            }
            changes
        }
    }

    fn assert_knows(unstored: &Unstored, state: &MemoryState, all: &BTreeSet<NodeKey>) {
        for (trie, path) in all {
            let want = state.branches.get(trie).and_then(|table| table.get(path)).cloned();
            assert_eq!(unstored.branch(trie, path), Some(want), "{path:?} of {trie:?}");
            let known = unstored.root(trie);
            assert!(known.is_none() || known == Some(state.roots.get(trie).cloned()), "{trie:?}");
        }
    }

    #[test]
    fn many_blocks_read_as_the_last_one_left_the_trie_however_they_are_merged() {
        let (mut numbers, mut state) = (Numbers(5), MemoryState::default());
        let (mut unstored, mut all) = (Unstored::default(), BTreeSet::new());
        for height in 0..150 {
            let changes = numbers.block();
            let updates = apply_hashed(&state, &changes).unwrap();
            for (trie, branches) in &updates.branches {
                all.extend(branches.iter().map(|(path, _)| (*trie, *path)));
            }
            state.commit_hashed(&changes, &updates);
            unstored.push(height, Arc::new(updates.into()));
            unstored.tidy();
            assert!(unstored.runs.len() < 3 * Unstored::APART, "{} runs", unstored.runs.len());
            if height % 10 == 9 {
                assert_knows(&unstored, &state, &all);
            }
        }
        let whole = unstored.merge();
        assert_eq!(whole.state_root, state.state_root());
        let as_one = Unstored { runs: vec![Run { height: 149, rank: 0, weighed: Arc::new(whole.into()) }] };
        assert_knows(&as_one, &state, &all);
    }

    #[test]
    fn a_rebase_keeps_the_blocks_above_a_height_over_another_base() {
        let (mut numbers, state) = (Numbers(9), MemoryState::default());
        let mut blocks = |heights: std::ops::Range<u64>| {
            let mut unstored = Unstored::default();
            for height in heights {
                let updates = apply_hashed(&state, &numbers.block()).unwrap();
                unstored.push(height, Arc::new(updates.into()));
            }
            unstored
        };
        let heights = |unstored: &Unstored| unstored.runs.iter().map(|run| run.height).collect::<Vec<_>>();
        let (tip, mut head) = (blocks(0..11), blocks(0..8));
        head.tidy();
        assert_eq!(heights(&head), [7], "eight blocks became one run");
        assert_eq!(heights(&tip.rebase(&head, 7)), [7, 8, 9, 10]);
        assert_eq!(heights(&tip.rebase(&Unstored::default(), 8)), [9, 10]);
        assert_eq!(heights(&tip.rebase(&blocks(0..2), 8)), [0, 1, 9, 10]);
    }
}
