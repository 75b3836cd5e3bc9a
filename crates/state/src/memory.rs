//! A state in memory: the model that tests compare with, and the state that genesis is built on.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::Nibbles;

use crate::{
    account::{Account, EMPTY_ROOT},
    diff::StateDiff,
    error::StateError,
    hashed::HashedChanges,
    node::{Branch, Child, TrieId, TrieUpdates},
    reader::{NodeReader, StateReader},
};

/// Flat state and trie in ordered maps.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    /// Accounts by hashed address.
    pub accounts: BTreeMap<B256, Account>,
    /// Slot values by hashed address and hashed slot; zero is never stored.
    pub storage: BTreeMap<(B256, B256), U256>,
    /// Code by hash.
    pub codes: BTreeMap<B256, Bytes>,
    /// Trie roots.
    pub roots: BTreeMap<TrieId, Child>,
    /// Branch records.
    pub branches: BTreeMap<TrieId, BTreeMap<Nibbles, Branch>>,
    /// Root of the accounts trie; `None` until something was committed.
    pub state_root: Option<B256>,
}

impl MemoryState {
    /// Root of the accounts trie.
    pub fn state_root(&self) -> B256 {
        self.state_root.unwrap_or(EMPTY_ROOT)
    }

    /// Takes over a block's changes, flat and trie.
    pub fn commit(&mut self, diff: &StateDiff, updates: &TrieUpdates) {
        self.codes.extend(diff.codes.iter().map(|(hash, code)| (*hash, code.clone())));
        self.commit_hashed(&HashedChanges::from(diff), updates);
    }

    /// Takes over changes by hashed key, with what they made of the trie.
    pub fn commit_hashed(&mut self, changes: &HashedChanges, updates: &TrieUpdates) {
        for hashed in &updates.cleared {
            self.clear_storage(hashed);
        }
        for (hashed, account) in &changes.accounts {
            match account {
                Some(account) => self.accounts.insert(*hashed, *account),
                None => self.accounts.remove(hashed),
            };
        }
        for (hashed, change) in &changes.storage {
            for (slot, value) in &change.slots {
                if value.is_zero() || !self.accounts.contains_key(hashed) {
                    self.storage.remove(&(*hashed, *slot));
                } else {
                    self.storage.insert((*hashed, *slot), *value);
                }
            }
        }
        self.commit_trie(updates);
        for hashed in changes.storage.keys() {
            if let Some(account) = self.accounts.get_mut(hashed) {
                account.storage_root =
                    self.roots.get(&TrieId::Storage(*hashed)).map_or(EMPTY_ROOT, Child::root_hash);
            }
        }
    }

    fn clear_storage(&mut self, hashed: &B256) {
        let range = (*hashed, B256::ZERO)..=(*hashed, B256::repeat_byte(0xff));
        let keys: Vec<_> = self.storage.range(range).map(|(key, _)| *key).collect();
        for key in keys {
            self.storage.remove(&key);
        }
    }

    fn commit_trie(&mut self, updates: &TrieUpdates) {
        for hashed in &updates.cleared {
            self.branches.remove(&TrieId::Storage(*hashed));
            self.roots.remove(&TrieId::Storage(*hashed));
        }
        for (trie, root) in &updates.roots {
            match root {
                Some(child) => self.roots.insert(*trie, child.clone()),
                None => self.roots.remove(trie),
            };
        }
        for (trie, branches) in &updates.branches {
            let table = self.branches.entry(*trie).or_default();
            for (path, branch) in branches {
                match branch {
                    Some(branch) => table.insert(*path, branch.clone()),
                    None => table.remove(path),
                };
            }
            if table.is_empty() {
                self.branches.remove(trie);
            }
        }
        self.state_root = Some(updates.state_root);
    }
}

impl StateReader for MemoryState {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(&keccak256(address)).copied())
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        let key = (keccak256(address), keccak256(slot.to_be_bytes::<32>()));
        Ok(self.storage.get(&key).copied().unwrap_or_default())
    }

    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        if *hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.codes.get(hash).cloned().ok_or(StateError::MissingCode(*hash))
    }

    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        let range = (*hashed_address, B256::ZERO)..=(*hashed_address, B256::repeat_byte(0xff));
        Ok(self.storage.range(range).map(|((_, slot), value)| (*slot, *value)).collect())
    }
}

impl NodeReader for MemoryState {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        Ok(self.roots.get(trie).cloned())
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        Ok(self.branches.get(trie).and_then(|table| table.get(path)).cloned())
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        Ok(match trie {
            TrieId::Accounts => self.accounts.get(key).map(alloy_rlp::encode),
            TrieId::Storage(hashed) => self.storage.get(&(*hashed, *key)).map(alloy_rlp::encode),
        })
    }
}
