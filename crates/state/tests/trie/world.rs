//! A model of the state by hashed key, its random histories, and what must hold after each step.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};
use alloy_trie::{HashBuilder, Nibbles};
use chlom_state::{
    Account, HashedChanges, MemoryState, StorageChange, TrieId, TrieUpdates, trie::apply_hashed,
};
use proptest::{collection, prelude::*};

use crate::{keys, naive};

/// Accounts with their slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World(pub BTreeMap<B256, (Account, BTreeMap<B256, U256>)>);

/// Raw changes: what a step wants of accounts and of storage.
pub type Step = (BTreeMap<B256, Option<Account>>, BTreeMap<B256, StorageChange>);

pub fn step() -> impl Strategy<Value = Step> {
    let slots = collection::btree_map(keys::key(), keys::value(), 0..12);
    let storage =
        (prop::bool::weighted(0.1), slots).prop_map(|(wiped, slots)| StorageChange { wiped, slots });
    (
        collection::btree_map(keys::key(), keys::account(), 0..12),
        collection::btree_map(keys::key(), storage, 0..4),
    )
}

pub fn history() -> impl Strategy<Value = Vec<Step>> {
    collection::vec(step(), 1..7)
}

impl World {
    /// The step as changes that this world can take: storage only of accounts that are there afterwards.
    pub fn changes(&self, (accounts, storage): &Step) -> HashedChanges {
        let mut changes = HashedChanges { accounts: accounts.clone(), storage: BTreeMap::new() };
        for (key, account) in &mut changes.accounts {
            if let (Some(account), Some((old, _))) = (account, self.0.get(key)) {
                account.storage_root = old.storage_root;
            }
        }
        // Most random addresses are nobody's: storage goes to those that live instead.
        let living: Vec<B256> =
            self.0.keys().chain(accounts.keys()).filter(|key| self.lives(key, accounts)).copied().collect();
        for (at, (key, change)) in storage.iter().enumerate() {
            let wish =
                if self.lives(key, accounts) { Some(key) } else { living.get(at * 3 % living.len().max(1)) };
            if let Some(key) = wish {
                changes.storage.insert(*key, change.clone());
            }
        }
        changes
    }

    fn lives(&self, key: &B256, accounts: &BTreeMap<B256, Option<Account>>) -> bool {
        accounts.get(key).map_or(self.0.contains_key(key), Option::is_some)
    }

    pub fn apply(&mut self, changes: &HashedChanges) {
        for (key, account) in &changes.accounts {
            match account {
                None => drop(self.0.remove(key)),
                Some(account) => self.0.entry(*key).or_default().0 = *account,
            }
        }
        for (key, change) in &changes.storage {
            let Some((_, slots)) = self.0.get_mut(key) else { continue };
            if change.wiped {
                slots.clear();
            }
            slots.extend(&change.slots);
            slots.retain(|_, value| !value.is_zero());
        }
        for (account, slots) in self.0.values_mut() {
            account.storage_root = naive::root(&leaves(slots));
        }
    }

    /// What takes this world, after `changes` made it of `old`, back to `old`.
    pub fn reverse(&self, old: &Self, changes: &HashedChanges) -> HashedChanges {
        let mut reverse = HashedChanges::default();
        let touched: BTreeSet<_> = changes.accounts.keys().chain(changes.storage.keys()).collect();
        for key in touched {
            reverse.accounts.insert(*key, old.0.get(key).map(|(account, _)| *account));
            let empty = BTreeMap::new();
            let slots = |world: &Self| world.0.get(key).map_or(empty.clone(), |(_, slots)| slots.clone());
            let (before, after) = (slots(old), slots(self));
            let slots: BTreeMap<_, _> = before
                .keys()
                .chain(after.keys())
                .map(|slot| (*slot, before.get(slot).copied().unwrap_or_default()))
                .collect();
            if !slots.is_empty() && old.0.contains_key(key) {
                reverse.storage.insert(*key, StorageChange { wiped: false, slots });
            }
        }
        reverse
    }

    pub fn account_leaves(&self) -> BTreeMap<B256, Vec<u8>> {
        self.0.iter().map(|(key, (account, _))| (*key, alloy_rlp::encode(account))).collect()
    }

    /// Leaves by trie; tries without leaves have no entry.
    pub fn tries(&self) -> BTreeMap<TrieId, BTreeMap<B256, Vec<u8>>> {
        let mut tries = BTreeMap::from([(TrieId::Accounts, self.account_leaves())]);
        tries.extend(self.0.iter().map(|(key, (_, slots))| (TrieId::Storage(*key), leaves(slots))));
        tries.retain(|_, leaves| !leaves.is_empty());
        tries
    }

    /// This world as one change to an empty state.
    pub fn all(&self) -> HashedChanges {
        let mut changes = HashedChanges::default();
        for (key, (account, slots)) in &self.0 {
            changes.accounts.insert(*key, Some(*account));
            changes.storage.insert(*key, StorageChange { wiped: false, slots: slots.clone() });
        }
        changes
    }
}

pub fn leaves(slots: &BTreeMap<B256, U256>) -> BTreeMap<B256, Vec<u8>> {
    slots.iter().map(|(slot, value)| (*slot, alloy_rlp::encode(value))).collect()
}

/// The root as alloy-trie builds it.
pub fn alloy_root(leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

/// Applies and commits.
pub fn advance(state: &mut MemoryState, changes: &HashedChanges) -> TrieUpdates {
    let updates = apply_hashed(&*state, changes).unwrap();
    state.commit_hashed(changes, &updates);
    updates
}

/// The state that the whole world gives in one go.
pub fn fresh(world: &World) -> MemoryState {
    let mut state = MemoryState::default();
    advance(&mut state, &world.all());
    state
}

/// Everything that a state holds, for comparison.
pub fn assert_same(left: &MemoryState, right: &MemoryState) {
    assert_eq!(left.state_root(), right.state_root());
    assert_eq!(left.accounts, right.accounts);
    assert_eq!(left.storage, right.storage);
    assert_eq!(left.roots, right.roots);
    assert_eq!(left.branches, right.branches);
}
