//! State at one height, as execution, the trie and RPC read it.

use std::sync::{Arc, atomic::Ordering};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use chlom_primitives::Block;
use chlom_state::{Account, Branch, Child, NodeReader, StateError, StateReader, TrieId};

use crate::{cache::state::Compact, layer::hash_slot, shared::Shared, version::Version};

/// State at one height. It answers the same for as long as it lives, whatever is committed or rewound meanwhile, and
/// costs memory for as long: let it go when done.
///
/// Views of [`crate::Store::head`] and [`crate::Store::tip_view`] also read the trie; those of
/// [`crate::Store::state_at`] below the head do not, which [`NodeReader`] then says in an error.
#[derive(Clone)]
pub struct StateView {
    pub(crate) shared: Arc<Shared>,
    pub(crate) version: Arc<Version>,
    /// The height, where it is below the version's.
    pub(crate) past: Option<u64>,
}

/// The newest block and its state.
#[derive(Clone, Debug)]
pub struct Head {
    /// The block.
    pub block: Arc<Block>,
    /// State after it.
    pub state: StateView,
}

impl std::fmt::Debug for StateView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateView").field("height", &self.height()).finish_non_exhaustive()
    }
}

impl StateView {
    pub(crate) fn newest(shared: &Arc<Shared>, version: &Arc<Version>) -> Self {
        Self { shared: shared.clone(), version: version.clone(), past: None }
    }

    /// The height whose state this is.
    pub fn height(&self) -> u64 {
        self.past.unwrap_or_else(|| self.version.height())
    }

    /// Hands out what was read of the past, unless its history was pruned while it was read.
    fn kept<T>(&self, height: u64, value: T) -> Result<T, StateError> {
        if height < self.shared.floor.load(Ordering::Acquire) {
            return Err(StateError::Backend(format!(
                "state at height {height} was pruned while it was read"
            )));
        }
        Ok(value)
    }

    fn newest_account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        let (cache, at) = (&self.shared.caches.accounts, self.version.commit);
        if let Some(account) = cache.get(address, at) {
            return Ok(account.into());
        }
        let (account, since) = self.version.account(address)?;
        cache.fill(*address, &Compact::from(account), since, at);
        Ok(account)
    }

    fn newest_storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        let (cache, at, key) = (&self.shared.caches.slots, self.version.commit, (*address, *slot));
        if let Some(value) = cache.get(&key, at) {
            return Ok(value);
        }
        let (value, since) = self.version.storage(address, slot)?;
        cache.fill(key, &value, since, at);
        Ok(value)
    }

    fn newest_only(&self) -> Result<(), StateError> {
        match self.past {
            None => Ok(()),
            Some(height) => Err(StateError::Backend(format!(
                "the trie at height {height} is not kept, only the newest; Store::proof proves older heights"
            ))),
        }
    }
}

impl StateReader for StateView {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        match self.past {
            None => self.newest_account(address),
            Some(height) => {
                let account = self.version.pinned.account_at(height, &keccak256(address))?;
                self.kept(height, account)
            }
        }
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        match self.past {
            None => self.newest_storage(address, slot),
            Some(height) => {
                let value = self.version.pinned.storage_at(height, &keccak256(address), &hash_slot(slot))?;
                self.kept(height, value)
            }
        }
    }

    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        if let Some(code) = self.shared.caches.codes.get(hash) {
            return Ok(code);
        }
        let code = self.version.code(hash)?;
        self.shared.caches.codes.put(*hash, code.clone(), code.len() + 64);
        Ok(code)
    }

    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        match self.past {
            None => self.version.storage_entries(hashed_address),
            Some(height) => {
                let entries = self.version.pinned.storage_entries_at(height, hashed_address)?;
                self.kept(height, entries)
            }
        }
    }
}

impl NodeReader for StateView {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        self.newest_only()?;
        let (cache, at) = (&self.shared.caches.roots, self.version.commit);
        if let Some(root) = cache.get(trie, at) {
            return Ok(root);
        }
        let root = self.version.root(trie)?;
        cache.fill(*trie, &root, at, at);
        Ok(root)
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Arc<Branch>>, StateError> {
        self.newest_only()?;
        let (cache, at, key) = (&self.shared.caches.branches, self.version.commit, (*trie, *path));
        if let Some(cached) = cache.get(&key, at) {
            return Ok(cached.branch);
        }
        let branch = self.version.branch(trie, path)?;
        cache.fill(key, &branch.clone().into(), at, at);
        Ok(branch)
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        self.newest_only()?;
        self.version.leaf(trie, key)
    }
}
