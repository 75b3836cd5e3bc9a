//! The questions that execution and the trie ask of whoever holds committed state.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::{
    account::Account,
    error::StateError,
    node::{Branch, Child, TrieId},
};
use alloy_trie::Nibbles;

/// Reads of flat state at one height. Answers never change during a reader's life.
pub trait StateReader: Send + Sync {
    /// The account, or `None` when it is not in the state.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError>;

    /// The value of a storage slot; zero when it is not set.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError>;

    /// The code with this hash; empty for the hash of nothing.
    ///
    /// # Errors
    /// Faults of the store, and [`StateError::MissingCode`].
    fn code(&self, hash: &B256) -> Result<Bytes, StateError>;

    /// All non-zero slots of an account as (keccak256(slot), value), in the order of the hashes. Only asked when an
    /// account with storage leaves the state, which EIP-6780 makes rare.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError>;
}

/// Reads of the trie at one height: the same height as the [`StateReader`] beside it.
pub trait NodeReader: Send + Sync {
    /// What the root of a trie is: a leaf, a branch (behind an extension or not), or nothing.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError>;

    /// The branch at a path. `None` means that no branch is there.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError>;

    /// The branches at several paths, in the order of the paths: what [`Self::branch`] gives for each. An update asks for
    /// many at a time, sorted; a store may read them together.
    ///
    /// # Errors
    /// Only for faults of the store.
    fn branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        paths.iter().map(|path| self.branch(trie, path)).collect()
    }

    /// The RLP value of the leaf with this full key (an account's RLP, or a slot value's RLP).
    ///
    /// # Errors
    /// Only for faults of the store.
    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError>;
}

impl<T: StateReader + ?Sized> StateReader for Arc<T> {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        (**self).account(address)
    }
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        (**self).storage(address, slot)
    }
    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        (**self).code(hash)
    }
    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        (**self).storage_entries(hashed_address)
    }
}

impl<T: StateReader + ?Sized> StateReader for &T {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        (**self).account(address)
    }
    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        (**self).storage(address, slot)
    }
    fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        (**self).code(hash)
    }
    fn storage_entries(&self, hashed_address: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        (**self).storage_entries(hashed_address)
    }
}

impl<T: NodeReader + ?Sized> NodeReader for Arc<T> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        (**self).root(trie)
    }
    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        (**self).branch(trie, path)
    }
    fn branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        (**self).branches(trie, paths)
    }
    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        (**self).leaf(trie, key)
    }
}

impl<T: NodeReader + ?Sized> NodeReader for &T {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        (**self).root(trie)
    }
    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        (**self).branch(trie, path)
    }
    fn branches(&self, trie: &TrieId, paths: &[Nibbles]) -> Result<Vec<Option<Branch>>, StateError> {
        (**self).branches(trie, paths)
    }
    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        (**self).leaf(trie, key)
    }
}
