//! The chain up to one block as one consistent picture that never changes: a snapshot of the engine, and above it the
//! staged blocks and trie records that the snapshot does not hold.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::Nibbles;
use chlom_primitives::Block;
use chlom_state::{Account, Branch, Child, StateError, TrieId};

use crate::{
    encoding::{account, key},
    kv::{Snapshot, Table},
    layer::{Layer, Says, hash_slot},
    nodes::Unstored,
};

/// A snapshot of the engine, with the commit whose block is the newest in it.
pub(crate) struct Pinned {
    pub(crate) snapshot: Box<dyn Snapshot>,
    pub(crate) commit: u64,
}

/// See the module's documentation.
#[derive(Clone)]
pub(crate) struct Version {
    /// Number of the commit that made it.
    pub(crate) commit: u64,
    /// Rewinds before it: a height means another block after each.
    pub(crate) fork: u64,
    pub(crate) block: Arc<Block>,
    pub(crate) pinned: Arc<Pinned>,
    /// Blocks newer than the snapshot, oldest first.
    pub(crate) layers: Vec<Arc<Layer>>,
    /// Trie records newer than the snapshot's trie table.
    pub(crate) unstored: Unstored,
}

/// A value and the commit since which it has been the same, as far as is known.
pub(crate) type Dated<T> = (T, u64);

impl Pinned {
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<crate::kv::Value>, StateError> {
        Ok(self.snapshot.get(table, key)?)
    }

    pub(crate) fn account(&self, hashed: &B256) -> Result<Option<Account>, StateError> {
        self.get(Table::Accounts, key::owner(hashed))?.map(|bytes| account::decode(&bytes)).transpose()
    }

    pub(crate) fn storage(&self, hashed: &B256, slot: &B256) -> Result<U256, StateError> {
        let value = self.get(Table::Storage, &key::slot(hashed, slot))?;
        value.map_or(Ok(U256::ZERO), |bytes| account::decode_slot(&bytes))
    }

    /// All slots of an account that are set.
    pub(crate) fn storage_entries(&self, hashed: &B256) -> Result<BTreeMap<B256, U256>, StateError> {
        let (from, to) = (key::slot(hashed, &B256::ZERO), key::slot(hashed, &B256::repeat_byte(0xff)));
        let mut entries = BTreeMap::new();
        let mut fault = None;
        self.snapshot.scan(Table::Storage, &from, &to, &mut |key, value| {
            match account::decode_slot(value) {
                Ok(value) => entries.insert(B256::from_slice(&key[32..]), value),
                Err(error) => {
                    fault = Some(error);
                    return false;
                }
            };
            true
        })?;
        fault.map_or(Ok(entries), Err)
    }

    pub(crate) fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.get(Table::Codes, hash.as_slice())?.map(|bytes| Bytes::copy_from_slice(&bytes)))
    }
}

impl Version {
    pub(crate) fn height(&self) -> u64 {
        self.block.height()
    }

    fn layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.layers.iter().rev()
    }

    pub(crate) fn account(&self, address: &Address) -> Result<Dated<Option<Account>>, StateError> {
        for layer in self.layers() {
            if let Says::Value(account) = layer.account(address) {
                return Ok((account, layer.commit));
            }
        }
        Ok((self.pinned.account(&keccak256(address))?, self.pinned.commit))
    }

    pub(crate) fn storage(&self, address: &Address, slot: &U256) -> Result<Dated<U256>, StateError> {
        for layer in self.layers() {
            if let Says::Value(value) = layer.storage(address, slot) {
                return Ok((value, layer.commit));
            }
        }
        Ok((self.pinned.storage(&keccak256(address), &hash_slot(slot))?, self.pinned.commit))
    }

    pub(crate) fn code(&self, hash: &B256) -> Result<Bytes, StateError> {
        if *hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let staged = self.layers().find_map(|layer| layer.code(hash));
        let code = staged.map_or_else(|| self.pinned.code(hash), |code| Ok(Some(code)))?;
        code.ok_or(StateError::MissingCode(*hash))
    }

    pub(crate) fn storage_entries(&self, hashed: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        let mut entries = self.pinned.storage_entries(hashed)?;
        for layer in &self.layers {
            layer.overlay_storage(hashed, &mut entries);
        }
        Ok(entries.into_iter().collect())
    }

    pub(crate) fn account_hashed(&self, hashed: &B256) -> Result<Option<Account>, StateError> {
        for layer in self.layers() {
            if let Says::Value(account) = layer.account_hashed(hashed) {
                return Ok(account);
            }
        }
        self.pinned.account(hashed)
    }

    pub(crate) fn storage_hashed(&self, hashed: &B256, slot: &B256) -> Result<U256, StateError> {
        for layer in self.layers() {
            if let Says::Value(value) = layer.storage_hashed(hashed, slot) {
                return Ok(value);
            }
        }
        self.pinned.storage(hashed, slot)
    }

    pub(crate) fn root(&self, trie: &TrieId) -> Result<Option<Child>, StateError> {
        if let Some(known) = self.unstored.root(trie) {
            return Ok(known);
        }
        self.pinned.get(Table::Trie, &trie.root_key())?.map(|bytes| Child::decode(&bytes)).transpose()
    }

    pub(crate) fn branch(&self, trie: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        if let Some(known) = self.unstored.branch(trie, path) {
            return Ok(known);
        }
        let stored = self.pinned.get(Table::Trie, &trie.record_key(path))?;
        stored.map(|bytes| Branch::decode(path, &bytes)).transpose()
    }

    pub(crate) fn leaf(&self, trie: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        Ok(match trie {
            TrieId::Accounts => self.account_hashed(key)?.map(alloy_rlp::encode),
            TrieId::Storage(hashed) => {
                let value = self.storage_hashed(hashed, key)?;
                (!value.is_zero()).then(|| alloy_rlp::encode(value))
            }
        })
    }
}
