//! What an update makes of one trie, and of all together.

use alloy_primitives::B256;

use super::{
    changes::{Changes, LeafValue},
    grow::{Fates, Worker},
};
use crate::{
    account::{Account, EMPTY_ROOT},
    error::StateError,
    node::{Child, Records, TrieId, TrieUpdates},
    reader::NodeReader,
};

/// The accounts trie over storage tries that are done.
pub(super) fn finish<R: NodeReader + ?Sized>(
    reader: &R,
    mut updates: TrieUpdates,
    accounts: Changes<'_, &Option<Account>>,
) -> Result<TrieUpdates, StateError> {
    let old = reader.root(&TrieId::Accounts)?;
    let outcome = update_trie(reader, TrieId::Accounts, old, accounts)?;
    updates.state_root = outcome.root_hash();
    outcome.enter(&mut updates, TrieId::Accounts);
    Ok(updates)
}

/// What became of one trie.
#[derive(Default)]
pub(super) struct Outcome {
    /// Records of before are all gone.
    cleared: bool,
    root: Option<Child>,
    /// Whether the root is another than before, or than nothing after a wipe.
    changed: bool,
    fates: Fates,
}

impl Outcome {
    /// Says whether the trie's records of before are all gone.
    pub(super) fn clearing(self, cleared: bool) -> Self {
        Self { cleared, ..self }
    }

    pub(super) fn root_hash(&self) -> B256 {
        self.root.as_ref().map_or(EMPTY_ROOT, Child::root_hash)
    }

    pub(super) fn enter(self, updates: &mut TrieUpdates, trie: TrieId) {
        if let (true, TrieId::Storage(hashed)) = (self.cleared, trie) {
            updates.cleared.push(hashed);
        }
        if self.changed {
            updates.roots.insert(trie, self.root);
        }
        let branches: Records =
            self.fates.into_iter().filter_map(|(path, fate)| Some((path, fate?))).collect();
        if !branches.is_empty() {
            updates.branches.insert(trie, branches);
        }
    }
}

pub(super) fn update_trie<R: NodeReader + ?Sized, V: LeafValue>(
    reader: &R,
    trie: TrieId,
    old: Option<Child>,
    changes: Changes<'_, V>,
) -> Result<Outcome, StateError> {
    let mut worker = Worker::new(reader, trie, changes.len());
    let loose = worker.grow(old.as_ref(), 0, changes, None)?;
    let root = worker.hang(loose, 0)?;
    Ok(Outcome { cleared: false, changed: root != old, root, fates: worker.fates })
}
