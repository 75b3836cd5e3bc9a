//! The state root of what a simulation left: its changes against the base, applied to the base's trie.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY};
use chlom_state::{
    Account, AccountChange, NodeReader, SlotChange, StateDiff, StateError, StateReader, account::EMPTY_ROOT,
    trie,
};
use revm::database::{AccountState, DbAccount};

use crate::eth::code_cache::CallDb;

/// Applies all that `db` changed to `base`.
///
/// # Errors
/// Faults of the store.
pub(super) fn state_root<S: StateReader + NodeReader>(base: &S, db: &CallDb) -> Result<B256, StateError> {
    let mut diff = StateDiff::default();
    for (address, account) in &db.cache.accounts {
        if let Some(change) = change(base, address, account)? {
            diff.accounts.insert(*address, change);
        }
    }
    Ok(trie::apply(base, &mut diff)?.state_root)
}

fn change<S: StateReader>(
    base: &S,
    address: &Address,
    account: &DbAccount,
) -> Result<Option<AccountChange>, StateError> {
    let before = base.account(address)?;
    let after = after(before, account);
    let cleared = matches!(account.account_state, AccountState::StorageCleared | AccountState::NotExisting);
    let wiped = cleared && before.is_some_and(|before| before.storage_root != EMPTY_ROOT);
    let mut storage = BTreeMap::new();
    if after.is_some() {
        for (slot, value) in &account.storage {
            let before = base.storage(address, slot)?;
            if before != *value || (wiped && !value.is_zero()) {
                storage.insert(*slot, SlotChange { before, after: *value });
            }
        }
    }
    let changed = after != before || wiped || !storage.is_empty();
    Ok(changed.then_some(AccountChange { before, after, wiped, storage }))
}

/// The account as the state would hold it; an empty one is not in the state (EIP-161).
fn after(before: Option<Account>, account: &DbAccount) -> Option<Account> {
    let info = account.info()?;
    let code_hash = if info.code_hash.is_zero() { KECCAK256_EMPTY } else { info.code_hash };
    let storage_root = before.map_or(EMPTY_ROOT, |before| before.storage_root);
    let account = Account { nonce: info.nonce, balance: info.balance, storage_root, code_hash };
    (!account.is_empty()).then_some(account)
}
