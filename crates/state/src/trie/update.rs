//! The update of the state: storage tries first, each on its own, then the accounts that hold their roots.

use std::{cmp::Ordering, collections::BTreeMap};

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{Decodable, Encodable};
use rayon::prelude::*;

use super::grow::{Changes, Fates, LeafValue, Worker};
use crate::{
    account::{Account, EMPTY_ROOT},
    diff::{AccountChange, SlotChange, StateDiff},
    error::StateError,
    hashed::{HashedChanges, StorageChange, hash_slot},
    node::{Child, Records, TrieId, TrieUpdates},
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
    let hashed: Vec<Hashed<'_>> = diff
        .accounts
        .iter_mut()
        .collect::<Vec<_>>()
        .into_par_iter()
        .with_min_len(64)
        .map(|(address, change)| Hashed::new(reader, keccak256(address), change))
        .collect();
    let mut updates = TrieUpdates::default();
    let mut accounts = Vec::with_capacity(hashed.len());
    for Hashed { key, after, changed, storage } in hashed {
        if let Some(outcome) = storage {
            (*outcome)?.enter(&mut updates, TrieId::Storage(key));
        }
        if changed {
            accounts.push((key, after));
        }
    }
    updates.cleared.sort_unstable();
    accounts.par_sort_unstable_by(|(a, _), (b, _)| order(a, b));
    // Copied in one go, because the order of hashes is no order in the diff's memory.
    let values: Vec<Option<Account>> =
        accounts.par_iter().with_min_len(HASH_SPLIT).map(|(_, after)| **after).collect();
    let changes: Vec<_> = accounts.iter().map(|(key, _)| *key).zip(&values).collect();
    finish(reader, updates, &changes)
}

/// An account of a diff whose storage trie is done.
struct Hashed<'d> {
    key: B256,
    after: &'d Option<Account>,
    /// Whether the account's leaf changes.
    changed: bool,
    storage: Option<Box<Result<Outcome, StateError>>>,
}

impl<'d> Hashed<'d> {
    fn new<R: NodeReader + ?Sized>(reader: &R, key: B256, change: &'d mut AccountChange) -> Self {
        let storage = storage_of_change(reader, &key, change).map(Box::new);
        Self { key, changed: change.before != change.after, after: &change.after, storage }
    }
}

/// The order of hashes, told by their first bytes nearly always.
fn order(a: &B256, b: &B256) -> Ordering {
    let first = |hash: &B256| hash.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
    first(a).cmp(&first(b)).then_with(|| a.cmp(b))
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
    let accounts: Vec<_> = accounts.iter().map(|(hashed, account)| (*hashed, account)).collect();
    finish(reader, updates, &accounts)
}

/// The accounts trie over storage tries that are done.
fn finish<R: NodeReader + ?Sized>(
    reader: &R,
    mut updates: TrieUpdates,
    accounts: Changes<'_, &Option<Account>>,
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
    fates: Fates,
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
        let branches: Records =
            self.fates.into_iter().filter_map(|(path, fate)| Some((path, fate?))).collect();
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
    let mut worker = Worker::new(reader, trie, changes.len());
    let loose = worker.grow(old.as_ref(), 0, changes, None)?;
    let root = worker.hang(loose, 0)?;
    Ok(Outcome { cleared: false, changed: root != old, root, fates: worker.fates })
}

/// Updates the storage root of an account in a diff, and its storage trie if it changes.
fn storage_of_change<R: NodeReader + ?Sized>(
    reader: &R,
    hashed: &B256,
    change: &mut AccountChange,
) -> Option<Result<Outcome, StateError>> {
    let before = change.before.map_or(EMPTY_ROOT, |account| account.storage_root);
    let gone = change.wiped || change.after.is_none();
    let cleared = (gone && before != EMPTY_ROOT).then(|| Outcome { cleared: true, ..Outcome::default() });
    let old = if gone { EMPTY_ROOT } else { before };
    let Some(after) = &mut change.after else { return cleared.map(Ok) };
    after.storage_root = old;
    let differs =
        |value: &SlotChange| if gone { !value.after.is_zero() } else { value.before != value.after };
    let slots: Vec<_> = change.storage.iter().filter(|(_, value)| differs(value)).collect();
    if slots.is_empty() {
        return cleared.map(Ok);
    }
    let outcome = storage_of_slots(reader, hashed, old, &hash_slots(slots));
    Some(outcome.map(|outcome| {
        after.storage_root = outcome.root_hash();
        Outcome { cleared: cleared.is_some(), ..outcome }
    }))
}

fn storage_of_slots<R: NodeReader + ?Sized>(
    reader: &R,
    hashed: &B256,
    expected: B256,
    slots: Changes<'_, U256>,
) -> Result<Outcome, StateError> {
    let trie = TrieId::Storage(*hashed);
    let old = if expected == EMPTY_ROOT { None } else { reader.root(&trie)? };
    let found = old.as_ref().map_or(EMPTY_ROOT, Child::root_hash);
    if found != expected {
        return Err(StateError::Corrupt(format!(
            "storage root of {hashed} is {found}, the account has {expected}"
        )));
    }
    update_trie(reader, trie, old, slots)
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

/// New values by hashed slot, sorted.
fn hash_slots(slots: Vec<(&U256, &SlotChange)>) -> Vec<(B256, U256)> {
    let hash = |(slot, value): (&U256, &SlotChange)| (hash_slot(slot), value.after);
    let mut slots: Vec<_> = slots.into_par_iter().with_min_len(HASH_SPLIT).map(hash).collect();
    slots.sort_unstable_by(|(a, _), (b, _)| order(a, b));
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
