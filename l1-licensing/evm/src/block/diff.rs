//! What a block changed: the journal's state against what was read of committed state.

use std::collections::BTreeMap;

use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use chlom_state::{
    Account, AccountChange, SlotChange, StateDiff, StateError, StateReader, account::EMPTY_ROOT,
};
use revm::state::{Account as EvmAccount, EvmState};

use super::reads::RecordingDb;

/// A block's reads of one account's storage, sorted by slot.
type SlotReads<'a> = &'a [(Address, U256, U256)];

/// The diff of a whole block. Upholds [EVM-4]. Order comes from the sorted reads, never from revm's maps.
pub(super) fn state_diff<S: StateReader + ?Sized>(
    db: &mut RecordingDb<'_, S>,
    state: &EvmState,
) -> Result<StateDiff, StateError> {
    db.slots.sort_unstable();
    let mut diff = StateDiff::default();
    let mut changes = Vec::with_capacity(db.accounts.len());
    let mut slots = db.slots.as_slice();
    for (address, index) in sorted(&db.accounts) {
        let before = db.accounts[index].1;
        let reads = take_reads(&mut slots, &address);
        let Some(account) = state.get(&address) else {
            return Err(StateError::Corrupt(format!("the journal forgot {address}, which it had read")));
        };
        let Some(change) = account_change(*db.db.reader(), &address, before, account, reads)? else {
            continue;
        };
        collect_code(&mut diff, &change, account);
        changes.push((address, change));
    }
    // From a sorted list: built in one pass.
    diff.accounts = changes.into_iter().collect();
    Ok(diff)
}

/// The accounts that were read, by address, as indices: records are large to move. Each was read once.
fn sorted(accounts: &[(Address, Option<Account>)]) -> Vec<(Address, usize)> {
    let mut order: Vec<_> =
        accounts.iter().enumerate().map(|(index, (address, _))| (*address, index)).collect();
    order.sort_unstable();
    order
}

/// Splits the reads of one account off the front. Both lists are sorted by address, and no slot is read of an account that
/// was not.
fn take_reads<'a>(slots: &mut SlotReads<'a>, address: &Address) -> SlotReads<'a> {
    let start = slots.partition_point(|(owner, ..)| owner < address);
    let rest = &slots[start..];
    let end = rest.iter().take_while(|(owner, ..)| owner == address).count();
    let (reads, rest) = rest.split_at(end);
    *slots = rest;
    reads
}

fn account_change<S: StateReader + ?Sized>(
    reader: &S,
    address: &Address,
    before: Option<Account>,
    account: &EvmAccount,
    reads: SlotReads<'_>,
) -> Result<Option<AccountChange>, StateError> {
    let after = account_after(before, account);
    let had_storage = before.is_some_and(|before| before.storage_root != EMPTY_ROOT);
    let wiped = had_storage && (after.is_none() || account.is_created());
    let storage = match after {
        Some(_) => storage_changes(reader, address, account, reads, wiped)?,
        None => BTreeMap::new(),
    };
    let changed = after != before || wiped || !storage.is_empty();
    Ok(changed.then_some(AccountChange { before, after, wiped, storage }))
}

/// The account at the block's end. Its storage root is still the parent's.
fn account_after(before: Option<Account>, account: &EvmAccount) -> Option<Account> {
    // Destroyed in its last transaction; after an earlier one, the journal has emptied it when it was next loaded.
    if account.is_selfdestructed_locally() {
        return None;
    }
    // EIP-161: a touched account that is empty leaves the state.
    if account.info.is_empty() {
        return if account.is_touched() { None } else { before };
    }
    Some(Account {
        nonce: account.info.nonce,
        balance: account.info.balance,
        storage_root: before.map_or(EMPTY_ROOT, |before| before.storage_root),
        code_hash: account.info.code_hash,
    })
}

fn storage_changes<S: StateReader + ?Sized>(
    reader: &S,
    address: &Address,
    account: &EvmAccount,
    reads: SlotReads<'_>,
    wiped: bool,
) -> Result<BTreeMap<U256, SlotChange>, StateError> {
    let mut changes = BTreeMap::new();
    for (slot, value) in &account.storage {
        let after = value.present_value;
        let before = match reads.binary_search_by_key(slot, |(_, slot, _)| *slot) {
            Ok(index) => reads[index].2,
            // A slot of a contract created in this block is never read. It has a value only when one was left from before.
            Err(_) if wiped => reader.storage(address, slot)?,
            Err(_) => U256::ZERO,
        };
        // A wipe clears what is not named: name everything that stays.
        if before != after || (wiped && !after.is_zero()) {
            changes.insert(*slot, SlotChange { before, after });
        }
    }
    Ok(changes)
}

fn collect_code(diff: &mut StateDiff, change: &AccountChange, account: &EvmAccount) {
    let Some(after) = change.after else { return };
    let before = change.before.map_or(KECCAK256_EMPTY, |before| before.code_hash);
    if after.code_hash == before || after.code_hash == KECCAK256_EMPTY {
        return;
    }
    if let Some(code) = &account.info.code {
        diff.codes.insert(after.code_hash, code.original_bytes());
    }
}
