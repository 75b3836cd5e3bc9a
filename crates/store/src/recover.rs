//! Bringing the stored trie up to the newest block, after a crash or a kill: whoever starts a node trusts no root that it
//! has not seen come out. Upholds [STA-6].

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use alloy_trie::Nibbles;
use chlom_state::{Branch, Child, NodeReader, StateError, TrieId, TrieUpdates, account::EMPTY_ROOT, trie};

use crate::{
    config::WriteStep, error::StoreError, kv::Table, nodes::records, shared::Shared, version::Pinned,
    writer::pin,
};

/// The trie as stored, with the leaves of its height.
struct StoredTrie<'a> {
    pinned: &'a Pinned,
    height: u64,
}

impl NodeReader for StoredTrie<'_> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        let stored = self.pinned.get(Table::Trie, &trie.root_key())?;
        stored.map(|bytes| Child::decode(&bytes)).transpose()
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        let stored = self.pinned.get(Table::Trie, &trie.record_key(path))?;
        stored.map(|bytes| Branch::decode(path, &bytes)).transpose()
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        Ok(match trie {
            TrieId::Accounts => self.pinned.account_at(self.height, key)?.map(alloy_rlp::encode),
            TrieId::Storage(hashed) => {
                let value = self.pinned.storage_at(self.height, hashed, key)?;
                (!value.is_zero()).then(|| alloy_rlp::encode(value))
            }
        })
    }
}

impl Shared {
    /// Brings the trie from height `stored` to the newest block and compares the root. Returns the engine as it is then.
    pub(crate) fn recover(
        &self,
        pinned: Arc<Pinned>,
        newest: &Header,
        stored: u64,
    ) -> Result<Arc<Pinned>, StoreError> {
        let reader = StoredTrie { pinned: &pinned, height: stored };
        if stored >= newest.number {
            let root = reader.root(&TrieId::Accounts)?.map_or(EMPTY_ROOT, |root| root.root_hash());
            self.compare(stored, root, newest)?;
            return Ok(pinned);
        }
        tracing::info!(from = stored, to = newest.number, "bringing the trie up to the newest block");
        let touched = pinned.touched(stored, newest.number)?;
        let values = pinned.values_at(newest.number, &touched)?;
        let updates = trie::apply_hashed(&reader, &values)?;
        self.compare(newest.number, updates.state_root, newest)?;
        self.store_trie(&pinned, &updates, newest.number)?;
        Ok(pin(self, pinned.commit))
    }

    fn compare(&self, height: u64, root: B256, newest: &Header) -> Result<(), StoreError> {
        if height == newest.number && root == newest.state_root {
            return Ok(());
        }
        let (number, want) = (newest.number, newest.state_root);
        Err(self.damaged(format!(
            "the trie at height {height} has state root {root}, block {number} says {want}"
        )))
    }

    fn store_trie(&self, pinned: &Pinned, updates: &TrieUpdates, height: u64) -> Result<(), StoreError> {
        let records = records(updates, pinned.trie_keys(updates.cleared.iter())?, height);
        self.load(Table::Trie, records, WriteStep::Trie { height })
    }
}
