//! A block with everything that it changes, from the moment it is staged until nobody needs it in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chlom_primitives::{Block, Receipt};
use chlom_state::{Account, AccountChange, SlotChange, StateDiff, TrieUpdates};
use foldhash::fast::RandomState;

use crate::nodes::Weighed;

/// What is committed together: a block, its receipts and what it did to the state.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The block.
    pub block: Arc<Block>,
    /// One receipt for each of its transactions.
    pub receipts: Arc<Vec<Receipt>>,
    /// What it changes, with the storage roots that `chlom_state::trie::apply` entered.
    pub diff: StateDiff,
    /// What it makes of the trie.
    pub trie: TrieUpdates,
}

/// An account that a block changed, with the hashes that name it in the tables.
#[derive(Debug)]
pub(crate) struct HashedAccount {
    pub(crate) address: Address,
    pub(crate) hashed: B256,
    /// Changed slots by hash.
    pub(crate) slots: BTreeMap<B256, SlotChange>,
}

/// The keys of a layer by hash.
#[derive(Debug)]
pub(crate) struct HashedKeys {
    /// In the order of the addresses.
    pub(crate) accounts: Vec<HashedAccount>,
    by_hash: HashMap<B256, usize, RandomState>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Number of the commit, see [`crate::cache::tip`].
    pub(crate) commit: u64,
    pub(crate) block: Arc<Block>,
    pub(crate) receipts: Arc<Vec<Receipt>>,
    pub(crate) diff: StateDiff,
    pub(crate) trie: Arc<Weighed>,
    keys: OnceLock<HashedKeys>,
}

/// What a layer says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says<T> {
    /// The block left it as it was.
    Nothing,
    /// The value after the block.
    Value(T),
}

/// keccak256 of a slot as the storage trie keys it.
pub(crate) fn hash_slot(slot: &U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}

/// True when all storage of before is gone.
pub(crate) fn is_wiped(change: &AccountChange) -> bool {
    change.wiped || change.after.is_none()
}

fn slot_of(change: &AccountChange, found: Option<U256>) -> Says<U256> {
    match found {
        Some(value) if change.after.is_some() => Says::Value(value),
        None if !is_wiped(change) => Says::Nothing,
        _ => Says::Value(U256::ZERO),
    }
}

impl Layer {
    pub(crate) fn new(commit: u64, c: Commit) -> Self {
        let Commit { block, receipts, diff, trie } = c;
        Self { commit, block, receipts, diff, trie: Arc::new(trie.into()), keys: OnceLock::new() }
    }

    pub(crate) fn height(&self) -> u64 {
        self.block.height()
    }

    /// The keys by hash, made on first use: by the writer, or by a reader that cannot wait for it.
    pub(crate) fn keys(&self) -> &HashedKeys {
        self.keys.get_or_init(|| HashedKeys::new(&self.diff))
    }

    pub(crate) fn account(&self, address: &Address) -> Says<Option<Account>> {
        self.diff.accounts.get(address).map_or(Says::Nothing, |change| Says::Value(change.after))
    }

    pub(crate) fn storage(&self, address: &Address, slot: &U256) -> Says<U256> {
        let Some(change) = self.diff.accounts.get(address) else { return Says::Nothing };
        slot_of(change, change.storage.get(slot).map(|slot| slot.after))
    }

    pub(crate) fn code(&self, hash: &B256) -> Option<Bytes> {
        self.diff.codes.get(hash).cloned()
    }

    pub(crate) fn account_hashed(&self, hashed: &B256) -> Says<Option<Account>> {
        self.change_hashed(hashed).map_or(Says::Nothing, |(_, change)| Says::Value(change.after))
    }

    pub(crate) fn storage_hashed(&self, hashed: &B256, slot: &B256) -> Says<U256> {
        let Some((keys, change)) = self.change_hashed(hashed) else { return Says::Nothing };
        slot_of(change, keys.slots.get(slot).map(|slot| slot.after))
    }

    /// Applies this block's changes to all slots of an account.
    pub(crate) fn overlay_storage(&self, hashed: &B256, slots: &mut BTreeMap<B256, U256>) {
        let Some((keys, change)) = self.change_hashed(hashed) else { return };
        if is_wiped(change) {
            slots.clear();
        }
        if change.after.is_some() {
            slots.extend(keys.slots.iter().map(|(slot, value)| (*slot, value.after)));
            slots.retain(|_, value| !value.is_zero());
        }
    }

    fn change_hashed(&self, hashed: &B256) -> Option<(&HashedAccount, &AccountChange)> {
        let keys = self.keys();
        let account = keys.accounts.get(*keys.by_hash.get(hashed)?)?;
        Some((account, self.diff.accounts.get(&account.address)?))
    }
}

impl HashedKeys {
    fn new(diff: &StateDiff) -> Self {
        let hash = |address: &Address| keccak256(address);
        let hashed: Vec<B256> = if diff.hashed.len() == diff.accounts.len() {
            diff.hashed.clone()
        } else {
            diff.accounts.keys().map(hash).collect()
        };
        debug_assert!(diff.accounts.keys().map(hash).eq(hashed.iter().copied()), "hashes of other accounts");
        let account = |((address, change), hashed): ((&Address, &AccountChange), B256)| HashedAccount {
            address: *address,
            hashed,
            slots: change.storage.iter().map(|(slot, value)| (hash_slot(slot), *value)).collect(),
        };
        let accounts: Vec<_> = diff.accounts.iter().zip(hashed).map(account).collect();
        let by_hash = accounts.iter().enumerate().map(|(at, account)| (account.hashed, at)).collect();
        Self { accounts, by_hash }
    }
}
