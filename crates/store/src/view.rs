//! State at one height, as execution, the trie and RPC read it.

use std::sync::{Arc, OnceLock, atomic::Ordering};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use chlom_primitives::Block;
use chlom_state::{Account, Branch, Child, NodeReader, StateError, StateReader, TrieId};

use crate::{
    cache::state::Compact,
    earlier::{Earlier, Patience},
    error::StoreError,
    layer::hash_slot,
    nodes::NodeKey,
    shared::Shared,
    version::Version,
};

/// State at one height. It answers the same for as long as it lives, whatever is committed or rewound meanwhile, and
/// costs memory for as long: let it go when done.
///
/// It reads the trie as well: quickly for [`crate::Store::head`] and [`crate::Store::tip_view`]; below the head as far
/// back as proofs are made, where the first read works the trie of then out.
#[derive(Clone)]
pub struct StateView {
    pub(crate) shared: Arc<Shared>,
    pub(crate) version: Arc<Version>,
    /// What makes it a view of a height below the version's.
    past: Option<Arc<Past>>,
}

/// An earlier height with its trie, which is worked out when it is first read.
struct Past {
    height: u64,
    trie: OnceLock<Arc<Earlier>>,
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

    /// A view of a height at or below the version's.
    pub(crate) fn at(shared: &Arc<Shared>, version: &Arc<Version>, height: u64) -> Self {
        let past = Past { height, trie: OnceLock::new() };
        let past = (height < version.height()).then(|| Arc::new(past));
        Self { past, ..Self::newest(shared, version) }
    }

    /// The height whose state this is.
    pub fn height(&self) -> u64 {
        self.past.as_ref().map_or_else(|| self.version.height(), |past| past.height)
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
}

impl StateReader for StateView {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        match &self.past {
            None => self.newest_account(address),
            Some(past) => {
                let account = self.version.pinned.account_at(past.height, &keccak256(address))?;
                self.kept(past.height, account)
            }
        }
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        match &self.past {
            None => self.newest_storage(address, slot),
            Some(past) => {
                let value =
                    self.version.pinned.storage_at(past.height, &keccak256(address), &hash_slot(slot))?;
                self.kept(past.height, value)
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
        match &self.past {
            None => self.version.storage_entries(hashed_address),
            Some(past) => {
                let entries = self.version.pinned.storage_entries_at(past.height, hashed_address)?;
                self.kept(past.height, entries)
            }
        }
    }
}

impl StateView {
    /// Reads the trie of an earlier height.
    fn earlier<T>(
        &self,
        past: &Past,
        read: impl FnOnce(&dyn NodeReader) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        if let Some(earlier) = past.trie.get() {
            return read(&earlier.reader(&self.shared, Patience(None)));
        }
        let earlier = self.shared.earlier.at(&self.shared, &self.version, past.height, Patience(None));
        let earlier = earlier.map_err(|error| match error {
            StoreError::State(error) => error,
            other => StateError::Backend(other.to_string()),
        })?;
        read(&past.trie.get_or_init(|| earlier).reader(&self.shared, Patience(None)))
    }

    fn newest_root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        let (cache, at) = (&self.shared.caches.roots, self.version.commit);
        if let Some(root) = cache.get(trie, at) {
            return Ok(root);
        }
        let root = self.version.root(trie)?;
        cache.fill(*trie, &root, at, at);
        Ok(root)
    }

    fn newest_branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        let (cache, at, key) = (&self.shared.caches.branches, self.version.commit, (*trie, *path));
        if let Some(cached) = cache.get(&key, at) {
            return Ok(cached);
        }
        let branch = self.version.branch(trie, path)?;
        cache.fill(key, &branch, at, at);
        Ok(branch)
    }

    fn newest_branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        let (cache, at) = (&self.shared.caches.branches, self.version.commit);
        let keys: Vec<_> = paths.iter().map(|path| (*trie, *path)).collect();
        let found = cache.get_all(&keys, at).into_iter().zip(&keys);
        let read = |(cached, key): (Option<Option<Branch>>, &NodeKey)| {
            if let Some(branch) = cached {
                return Ok(branch);
            }
            let branch = self.version.branch(trie, &key.1)?;
            cache.fill(*key, &branch, at, at);
            Ok(branch)
        };
        found.map(read).collect()
    }
}

impl NodeReader for StateView {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        match &self.past {
            None => self.newest_root(trie),
            Some(past) => self.earlier(past, |reader| reader.root(trie)),
        }
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        match &self.past {
            None => self.newest_branch(trie, path),
            Some(past) => self.earlier(past, |reader| reader.branch(trie, path)),
        }
    }

    fn branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        match &self.past {
            None => self.newest_branches(trie, paths),
            Some(past) => self.earlier(past, |reader| reader.branches(trie, paths)),
        }
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        match &self.past {
            None => self.version.leaf(trie, key),
            Some(past) => self.earlier(past, |reader| reader.leaf(trie, key)),
        }
    }
}
