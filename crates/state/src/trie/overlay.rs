//! The trie with changes that its store does not hold: blocks executed but not stored, or stored blocks taken back.

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use super::update_hashed::{apply_hashed, decode_account};
use crate::{
    account::EMPTY_ROOT,
    error::StateError,
    hashed::HashedChanges,
    node::{Branch, Child, TrieId, TrieUpdates},
    reader::NodeReader,
};

/// The trie of `base` after `changes`, with the `updates` that they made.
#[derive(Debug)]
pub struct Layered<'a, R: ?Sized> {
    base: &'a R,
    changes: &'a HashedChanges,
    updates: &'a TrieUpdates,
}

impl<R: ?Sized> Clone for Layered<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: ?Sized> Copy for Layered<'_, R> {}

impl<'a, R: NodeReader + ?Sized> Layered<'a, R> {
    /// Puts changes over a trie. `updates` is what [`super::apply`] or [`apply_hashed`] made of them over `base`.
    pub const fn new(base: &'a R, changes: &'a HashedChanges, updates: &'a TrieUpdates) -> Self {
        Self { base, changes, updates }
    }

    fn account_leaf(&self, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        let has_storage = self.changes.storage.contains_key(key);
        let account = match self.changes.accounts.get(key) {
            Some(account) => *account,
            None if has_storage => {
                self.base.leaf(&TrieId::Accounts, key)?.map(|leaf| decode_account(&leaf)).transpose()?
            }
            None => return self.base.leaf(&TrieId::Accounts, key),
        };
        let Some(mut account) = account else { return Ok(None) };
        if has_storage {
            account.storage_root =
                self.root(&TrieId::Storage(*key))?.map_or(EMPTY_ROOT, |root| root.root_hash());
        }
        Ok(Some(alloy_rlp::encode(account)))
    }
}

impl<R: NodeReader + ?Sized> NodeReader for Layered<'_, R> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        self.updates.root(trie).map_or_else(|| self.base.root(trie), |root| Ok(root.cloned()))
    }

    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        self.updates
            .branch(trie, path)
            .map_or_else(|| self.base.branch(trie, path), |branch| Ok(branch.cloned()))
    }

    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        let TrieId::Storage(hashed) = trie else { return self.account_leaf(key) };
        let change = self.changes.storage.get(hashed);
        if let Some(value) = change.and_then(|change| change.slots.get(key)) {
            return Ok((!value.is_zero()).then(|| alloy_rlp::encode(value)));
        }
        if self.updates.is_cleared(trie) { Ok(None) } else { self.base.leaf(trie, key) }
    }
}

/// The trie at an older height: the values of then over the trie of now. It computes once what differs, and then answers
/// as a [`NodeReader`], for [`super::prove`].
///
/// A proof of one account and its slots needs all accounts that changed since, but only that account's storage: other
/// accounts' storage roots are in their old values.
#[derive(Debug)]
pub struct Reverted<'a, R: ?Sized> {
    base: &'a R,
    changes: HashedChanges,
    updates: TrieUpdates,
}

impl<'a, R: NodeReader + ?Sized> Reverted<'a, R> {
    /// Takes `base` back to the values in `changes`.
    ///
    /// # Errors
    /// Those of [`apply_hashed`].
    pub fn new(base: &'a R, changes: HashedChanges) -> Result<Self, StateError> {
        let updates = apply_hashed(base, &changes)?;
        Ok(Self { base, changes, updates })
    }

    /// State root of the older height; whoever trusts a proof compares it with the header's.
    pub const fn state_root(&self) -> B256 {
        self.updates.state_root
    }

    /// How the trie of the older height differs from the base's.
    pub const fn updates(&self) -> &TrieUpdates {
        &self.updates
    }

    const fn layer(&self) -> Layered<'_, R> {
        Layered { base: self.base, changes: &self.changes, updates: &self.updates }
    }
}

impl<R: NodeReader + ?Sized> NodeReader for Reverted<'_, R> {
    fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        self.layer().root(trie)
    }
    fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        self.layer().branch(trie, path)
    }
    fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        self.layer().leaf(trie, key)
    }
}
