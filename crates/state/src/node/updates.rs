//! What an update of the trie changes.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use super::{
    branch::Branch,
    child::{Child, TrieId},
};
use crate::account::EMPTY_ROOT;

/// Branch records of one trie, sorted by path: a parent comes before its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(Vec<(Nibbles, Option<Branch>)>);

impl Records {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The record of this path.
    pub fn get(&self, path: &Nibbles) -> Option<&Option<Branch>> {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(path)).ok()?;
        Some(&self.0[at].1)
    }

    /// Paths and records, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Nibbles, &Option<Branch>)> {
        self.0.iter().map(|(path, branch)| (path, branch))
    }

    /// Records in the order of their paths.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Option<Branch>> {
        self.0.iter().map(|(_, branch)| branch)
    }
}

impl FromIterator<(Nibbles, Option<Branch>)> for Records {
    /// Sorts. Each path may come once.
    fn from_iter<I: IntoIterator<Item = (Nibbles, Option<Branch>)>>(records: I) -> Self {
        let mut records: Vec<_> = records.into_iter().collect();
        // Stable, because that is quick for what is sorted already.
        records.sort_by_key(|(path, _)| *path);
        Self(records)
    }
}

/// One of [`Records`], borrowed.
type Record<'r> = (&'r Nibbles, &'r Option<Branch>);

impl<'r> IntoIterator for &'r Records {
    type Item = Record<'r>;
    type IntoIter = std::iter::Map<
        std::slice::Iter<'r, (Nibbles, Option<Branch>)>,
        fn(&'r (Nibbles, Option<Branch>)) -> Record<'r>,
    >;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(path, branch)| (path, branch))
    }
}

impl IntoIterator for Records {
    type Item = (Nibbles, Option<Branch>);
    type IntoIter = std::vec::IntoIter<Self::Item>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What an update of the trie leaves to be stored. Nothing here has happened until the block commits: a block that is
/// executed and not decided leaves no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrieUpdates {
    /// Root of the accounts trie after the update.
    pub state_root: B256,
    /// New roots (`None`: the trie is now empty), by trie.
    pub roots: BTreeMap<TrieId, Option<Child>>,
    /// New branch records (`None`: no branch at that path any more), by trie and path.
    pub branches: BTreeMap<TrieId, Records>,
    /// Storage tries all of whose old records go, before `branches` and `roots` apply; sorted.
    pub cleared: Vec<B256>,
}

impl Default for TrieUpdates {
    fn default() -> Self {
        Self {
            state_root: EMPTY_ROOT,
            roots: BTreeMap::new(),
            branches: BTreeMap::new(),
            cleared: Vec::new(),
        }
    }
}

impl TrieUpdates {
    /// Whether all records from before this update are gone.
    pub fn is_cleared(&self, trie: &TrieId) -> bool {
        matches!(trie, TrieId::Storage(hashed) if self.cleared.binary_search(hashed).is_ok())
    }

    /// What this update says of a root: `None` when it leaves the root as it was.
    pub fn root(&self, trie: &TrieId) -> Option<Option<&Child>> {
        match self.roots.get(trie) {
            Some(root) => Some(root.as_ref()),
            None => self.is_cleared(trie).then_some(None),
        }
    }

    /// What this update says of a branch record: `None` when it leaves the record as it was.
    pub fn branch(&self, trie: &TrieId, path: &Nibbles) -> Option<Option<&Branch>> {
        match self.branches.get(trie).and_then(|records| records.get(path)) {
            Some(branch) => Some(branch.as_ref()),
            None => self.is_cleared(trie).then_some(None),
        }
    }
}
