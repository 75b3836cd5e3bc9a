//! Giving up history that is older than the node wants to keep.

use std::sync::atomic::Ordering;

use alloy_primitives::keccak256;
use chlom_state::StateError;

use crate::{
    encoding::{changes, key},
    kv::{Batch, Table},
    shared::Shared,
    version::Pinned,
};

/// Blocks pruned with one commit, at most: a lower `--history` catches up without a long pause.
const MOST: u64 = 64;

/// Blocks that gather before an engine which drops history by itself is told to: each time costs it a rewrite of lists.
const BUNCH: u64 = 256;

impl Shared {
    /// Adds the deletions that are due at `head` to a batch. `stored_trie` is the height of the stored trie, whose way to
    /// the head must stay known. Returns the new floor, for [`Shared::pruned`] once the batch is written.
    pub(crate) fn prune(
        &self,
        batch: &mut Batch,
        pinned: &Pinned,
        head: u64,
        stored_trie: u64,
    ) -> Result<Option<u64>, StateError> {
        let floor = self.floor.load(Ordering::Acquire);
        let wanted = self.history.oldest(head).min(stored_trie);
        let by_itself = self.kv.forget_history(floor);
        let due = if by_itself { BUNCH } else { 1 };
        if wanted < floor.saturating_add(due) {
            return Ok(None);
        }
        let most = if by_itself { MOST * BUNCH } else { MOST };
        let wanted = wanted.min(floor.saturating_add(most));
        for height in floor.saturating_add(1)..=wanted {
            if !by_itself {
                delete_history(batch, pinned, height)?;
            }
            batch.delete(Table::Changes, key::height(height));
        }
        batch.put(Table::Meta, key::META_FLOOR, key::height(wanted));
        // From here on views of what goes refuse to answer; nothing goes before the batch is written.
        self.floor.store(wanted, Ordering::Release);
        Ok(Some(wanted))
    }

    /// Lets the engine drop what the written batch gave up.
    pub(crate) fn pruned(&self, floor: u64) {
        self.kv.forget_history(floor);
    }
}

/// Deletes the history entries of one height.
pub(crate) fn delete_history(batch: &mut Batch, pinned: &Pinned, height: u64) -> Result<(), StateError> {
    let Some(list) = pinned.get(Table::Changes, &key::height(height))? else {
        return Err(StateError::Corrupt(format!("no list of changes at height {height}")));
    };
    for change in changes::decode(&list)? {
        let hashed = keccak256(change.address);
        batch.delete(Table::AccountHistory, key::account_history(&hashed, height));
        for slot in &change.hashed_slots {
            batch.delete(Table::StorageHistory, key::storage_history(&hashed, slot, height));
        }
    }
    Ok(())
}
