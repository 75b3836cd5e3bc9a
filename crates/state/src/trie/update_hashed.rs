//! The update of the state by changes whose keys are hashed already.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use alloy_rlp::Decodable;
use rayon::prelude::*;

use super::outcome::{Outcome, finish, update_trie};
use crate::{
    account::Account,
    error::StateError,
    hashed::{HashedChanges, StorageChange},
    node::{TrieId, TrieUpdates},
    reader::NodeReader,
};

/// Updates the trie by changes whose keys are hashed already. Storage roots of accounts follow from `changes.storage`;
/// an account that is only named there keeps its other fields.
///
/// # Errors
/// As [`super::apply`], and when storage changes of an account that is not in the state.
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
    Ok(update_trie(reader, trie, old, &slots)?.clearing(cleared))
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
