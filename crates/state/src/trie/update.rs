//! The update of the state: storage tries first, each on its own, then the accounts that hold their roots.

use std::cmp::Ordering;

use alloy_primitives::{B256, U256};
use chlom_keccak::Batch;
use rayon::prelude::*;

use super::{
    changes::Changes,
    outcome::{Outcome, finish, update_trie},
};
use crate::{
    account::{Account, EMPTY_ROOT},
    diff::{AccountChange, SlotChange, StateDiff},
    error::StateError,
    node::{Child, TrieId, TrieUpdates},
    reader::{NodeReader, StateReader},
};

/// Accounts that a thread works on in one go.
const TOGETHER: usize = 64;
/// Changed slots from which on their keys are hashed in parallel.
const HASH_SPLIT: usize = 256;

/// Updates the trie by a block's diff and sets the storage root of every account in it, and its hashes.
///
/// What `diff` says of before must be what `reader` holds. Changes that change nothing leave no trace.
///
/// # Errors
/// Faults of the store, and [`StateError::Corrupt`] when its records contradict each other or the diff.
pub fn apply<R: NodeReader + StateReader + ?Sized>(
    reader: &R,
    diff: &mut StateDiff,
) -> Result<TrieUpdates, StateError> {
    let mut entries: Vec<_> = diff.accounts.iter_mut().collect();
    let hashed: Vec<Hashed<'_>> = entries
        .par_chunks_mut(TOGETHER)
        .flat_map_iter(|part| {
            let mut batch = Batch::default();
            part.iter().for_each(|(address, _)| batch.push(address.as_slice()));
            let keys = batch.hash().to_vec();
            part.iter_mut().zip(keys).map(|((_, change), key)| Hashed::new(reader, key, change))
        })
        .collect();
    let keys = hashed.iter().map(|account| account.key).collect();
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
    let updates = finish(reader, updates, &changes)?;
    diff.hashed = keys;
    Ok(updates)
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

/// Updates the storage root of an account in a diff, and its storage trie if it changes.
fn storage_of_change<R: NodeReader + ?Sized>(
    reader: &R,
    hashed: &B256,
    change: &mut AccountChange,
) -> Option<Result<Outcome, StateError>> {
    let before = change.before.map_or(EMPTY_ROOT, |account| account.storage_root);
    let gone = change.wiped || change.after.is_none();
    let cleared = (gone && before != EMPTY_ROOT).then(|| Outcome::default().clearing(true));
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
        outcome.clearing(cleared.is_some())
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

/// New values by hashed slot, sorted.
fn hash_slots(slots: Vec<(&U256, &SlotChange)>) -> Vec<(B256, U256)> {
    let hash = |part: &[(&U256, &SlotChange)]| {
        let mut batch = Batch::default();
        part.iter().for_each(|(slot, _)| batch.push(&slot.to_be_bytes::<32>()));
        let hashes = batch.hash().iter();
        hashes.zip(part).map(|(hash, (_, value))| (*hash, value.after)).collect::<Vec<_>>()
    };
    let mut slots: Vec<_> = slots.par_chunks(HASH_SPLIT).flat_map_iter(hash).collect();
    slots.sort_unstable_by(|(a, _), (b, _)| order(a, b));
    slots
}
