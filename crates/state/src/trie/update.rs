//! The update of the state: storage tries first, each on its own, then the accounts that hold their roots.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{Decodable, Encodable};
use rayon::prelude::*;

use super::grow::{Changes, LeafValue, Records, Worker};
use crate::{
    account::{Account, EMPTY_ROOT},
    diff::{AccountChange, StateDiff},
    error::StateError,
    hashed::{HashedChanges, StorageChange, hash_slot},
    node::{Child, TrieId, TrieUpdates},
    reader::{NodeReader, StateReader},
};

/// Changed slots from which on their keys are hashed in parallel.
const HASH_SPLIT: usize = 256;

/// Updates the trie by a block's diff and sets the storage root of every account in it.
///
/// What `diff` says of before must be what `reader` holds. Changes that change nothing leave no trace.
///
/// # Errors
/// Faults of the store, and [`StateError::Corrupt`] when its records contradict each other or the diff.
pub fn apply<R: NodeReader + StateReader + ?Sized>(
    reader: &R,
    diff: &mut StateDiff,
) -> Result<TrieUpdates, StateError> {
    let mut accounts: Vec<(B256, &mut AccountChange)> = diff
        .accounts
        .iter_mut()
        .collect::<Vec<_>>()
        .into_par_iter()
        .with_min_len(HASH_SPLIT)
        .map(|(address, change)| (keccak256(address), change))
        .collect();
    accounts.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));

    let mut updates = TrieUpdates::default();
    let outcomes: Vec<Result<Outcome, StateError>> = accounts
        .par_iter_mut()
        .with_min_len(8)
        .map(|(hashed, change)| storage_of_change(reader, hashed, change))
        .collect();
    for ((hashed, _), outcome) in accounts.iter().zip(outcomes) {
        outcome?.enter(&mut updates, TrieId::Storage(*hashed));
    }
    accounts.retain(|(_, change)| change.before != change.after);
    finish(reader, updates, &accounts)
}

/// Updates the trie by changes whose keys are hashed already. Storage roots of accounts follow from `changes.storage`;
/// an account that is only named there keeps its other fields.
///
/// # Errors
/// As [`apply`], and when storage changes of an account that is not in the state.
pub fn apply_hashed<R: NodeReader + ?Sized>(
    reader: &R,
    changes: &HashedChanges,
) -> Result<TrieUpdates, StateError> {
    let mut accounts = changes.accounts.clone();
    let mut updates = TrieUpdates::default();
    let wipe = StorageChange { wiped: true, slots: BTreeMap::new() };
    let is_gone = |hashed: &B256| matches!(changes.accounts.get(hashed), Some(None));
    let gone = changes.accounts.keys().filter(|hashed| is_gone(hashed)).map(|hashed| (hashed, &wipe));
    let mut storage: Vec<_> =
        changes.storage.iter().filter(|(hashed, _)| !is_gone(hashed)).chain(gone).collect();
    storage.sort_unstable_by_key(|(hashed, _)| *hashed);

    let outcomes: Vec<Result<Outcome, StateError>> =
        storage.par_iter().map(|(hashed, change)| storage_of_hashed(reader, hashed, change)).collect();
    for ((hashed, _), outcome) in storage.into_iter().zip(outcomes) {
        let outcome = outcome?;
        if !is_gone(hashed) {
            set_storage_root(reader, &mut accounts, hashed, outcome.root_hash())?;
        }
        outcome.enter(&mut updates, TrieId::Storage(*hashed));
    }
    let accounts: Vec<_> = accounts.into_iter().collect();
    finish(reader, updates, &accounts)
}

/// The accounts trie over storage tries that are done.
fn finish<R: NodeReader + ?Sized, V: LeafValue>(
    reader: &R,
    mut updates: TrieUpdates,
    accounts: Changes<'_, V>,
) -> Result<TrieUpdates, StateError> {
    let old = reader.root(&TrieId::Accounts)?;
    let outcome = Outcome { cleared: false, ..update_trie(reader, TrieId::Accounts, old, accounts)? };
    updates.state_root = outcome.root_hash();
    outcome.enter(&mut updates, TrieId::Accounts);
    Ok(updates)
}

/// What became of one trie.
#[derive(Default)]
struct Outcome {
    /// Records of before are all gone.
    cleared: bool,
    root: Option<Child>,
    /// Whether the root is another than before, or than nothing after a wipe.
    changed: bool,
    records: Records,
}

impl Outcome {
    fn root_hash(&self) -> B256 {
        self.root.as_ref().map_or(EMPTY_ROOT, Child::root_hash)
    }

    fn enter(self, updates: &mut TrieUpdates, trie: TrieId) {
        if let (true, TrieId::Storage(hashed)) = (self.cleared, trie) {
            updates.cleared.push(hashed);
        }
        if self.changed {
            updates.roots.insert(trie, self.root);
        }
        let branches: BTreeMap<_, _> =
            self.records.into_iter().filter_map(|(path, fate)| Some((path, fate?))).collect();
        if !branches.is_empty() {
            updates.branches.insert(trie, branches);
        }
    }
}

fn update_trie<R: NodeReader + ?Sized, V: LeafValue>(
    reader: &R,
    trie: TrieId,
    old: Option<Child>,
    changes: Changes<'_, V>,
) -> Result<Outcome, StateError> {
    let mut worker = Worker::new(reader, trie);
    let loose = worker.grow(old.as_ref(), 0, changes)?;
    let root = worker.hang(loose, 0)?;
    Ok(Outcome { cleared: false, changed: root != old, root, records: worker.records })
}

/// Updates the storage trie of an account in a diff, and its storage root.
fn storage_of_change<R: NodeReader + ?Sized>(
    reader: &R,
    hashed: &B256,
    change: &mut AccountChange,
) -> Result<Outcome, StateError> {
    let before = change.before.map_or(EMPTY_ROOT, |account| account.storage_root);
    let Some(after) = &mut change.after else {
        return Ok(Outcome { cleared: before != EMPTY_ROOT, ..Outcome::default() });
    };
    let cleared = change.wiped && before != EMPTY_ROOT;
    let kept = if change.wiped { EMPTY_ROOT } else { before };
    after.storage_root = kept;
    let slots = change
        .storage
        .iter()
        .filter(|(_, value)| if change.wiped { !value.after.is_zero() } else { value.before != value.after })
        .map(|(slot, value)| (*slot, value.after))
        .collect();
    let slots = hash_slots(slots);
    if slots.is_empty() {
        return Ok(Outcome { cleared, ..Outcome::default() });
    }
    let trie = TrieId::Storage(*hashed);
    let old = if kept == EMPTY_ROOT { None } else { reader.root(&trie)? };
    let found = old.as_ref().map_or(EMPTY_ROOT, Child::root_hash);
    if found != kept {
        return Err(StateError::Corrupt(format!(
            "storage root of {hashed} is {found}, the account says {kept}"
        )));
    }
    let outcome = Outcome { cleared, ..update_trie(reader, trie, old, &slots)? };
    after.storage_root = outcome.root_hash();
    Ok(outcome)
}

fn storage_of_hashed<R: NodeReader + ?Sized>(
    reader: &R,
    hashed: &B256,
    change: &StorageChange,
) -> Result<Outcome, StateError> {
    let trie = TrieId::Storage(*hashed);
    let old = reader.root(&trie)?;
    let cleared = change.wiped && old.is_some();
    let old = if change.wiped { None } else { old };
    let slots: Vec<(B256, U256)> = change.slots.iter().map(|(slot, value)| (*slot, *value)).collect();
    Ok(Outcome { cleared, ..update_trie(reader, trie, old, &slots)? })
}

/// Slots by hashed key, sorted.
fn hash_slots(slots: Vec<(U256, U256)>) -> Vec<(B256, U256)> {
    let mut slots: Vec<(B256, U256)> = slots
        .into_par_iter()
        .with_min_len(HASH_SPLIT)
        .map(|(slot, value)| (hash_slot(&slot), value))
        .collect();
    slots.sort_unstable_by_key(|(key, _)| *key);
    slots
}

/// Gives an account its new storage root; one that did not change otherwise is read first.
fn set_storage_root<R: NodeReader + ?Sized>(
    reader: &R,
    accounts: &mut BTreeMap<B256, Option<Account>>,
    hashed: &B256,
    root: B256,
) -> Result<(), StateError> {
    if let Some(Some(account)) = accounts.get_mut(hashed) {
        account.storage_root = root;
        return Ok(());
    }
    let leaf = reader
        .leaf(&TrieId::Accounts, hashed)?
        .ok_or_else(|| StateError::Corrupt(format!("storage of {hashed}, which is not in the state")))?;
    let account = decode_account(&leaf)?;
    accounts.insert(*hashed, Some(Account { storage_root: root, ..account }));
    Ok(())
}

/// An account from its leaf's value.
pub(super) fn decode_account(leaf: &[u8]) -> Result<Account, StateError> {
    Account::decode(&mut &*leaf).map_err(|error| StateError::Corrupt(format!("an account's leaf: {error}")))
}

impl LeafValue for &mut AccountChange {
    fn is_live(&self) -> bool {
        self.after.is_some()
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.after.put(out);
    }
}

impl LeafValue for Option<Account> {
    fn is_live(&self) -> bool {
        self.is_some()
    }
    fn put(&self, out: &mut Vec<u8>) {
        if let Some(account) = self {
            account.encode(out);
        }
    }
}

impl LeafValue for U256 {
    fn is_live(&self) -> bool {
        !self.is_zero()
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

impl<V: LeafValue> LeafValue for &V {
    fn is_live(&self) -> bool {
        (**self).is_live()
    }
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}
