//! A damaged store is named as such.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::Nibbles;
use chlom_state::{
    Account, AccountChange, HashedChanges, MemoryState, SlotChange, StateDiff, StateError, StorageChange,
    TrieId,
    trie::{apply, apply_hashed, prove},
};

use crate::world::{World, fresh};

fn state() -> MemoryState {
    let mut world = World::default();
    for first in [0x11, 0x21, 0x22] {
        let account = Account { nonce: u64::from(first), ..Account::default() };
        world.0.insert(B256::repeat_byte(first), (account, Default::default()));
    }
    fresh(&world)
}

fn set(key: u8, account: Option<Account>) -> HashedChanges {
    HashedChanges { accounts: [(B256::repeat_byte(key), account)].into(), storage: Default::default() }
}

fn is_corrupt<T: std::fmt::Debug>(result: Result<T, StateError>) -> bool {
    matches!(result, Err(StateError::Corrupt(_)))
}

#[test]
fn a_missing_record_is_a_fault() {
    let mut state = state();
    state.branches.get_mut(&TrieId::Accounts).unwrap().remove(&Nibbles::from_nibbles([2])).unwrap();
    assert!(is_corrupt(apply_hashed(&state, &set(0x22, None))));
    assert!(is_corrupt(prove(&state, &TrieId::Accounts, &B256::repeat_byte(0x22))));
    apply_hashed(&state, &set(0x33, Some(Account::default()))).unwrap();
}

#[test]
fn a_missing_value_of_a_leaf_that_moves_is_a_fault() {
    let mut state = state();
    state.accounts.remove(&B256::repeat_byte(0x21)).unwrap();
    assert!(is_corrupt(apply_hashed(&state, &set(0x22, None))));
}

#[test]
fn a_proof_with_a_wrong_hash_is_not_given() {
    let mut state = state();
    state.accounts.get_mut(&B256::repeat_byte(0x21)).unwrap().nonce = 5;
    assert!(is_corrupt(prove(&state, &TrieId::Accounts, &B256::repeat_byte(0x21))));
    prove(&state, &TrieId::Accounts, &B256::repeat_byte(0x22)).unwrap();
}

#[test]
fn storage_of_nobody_is_a_fault() {
    let slots = [(B256::ZERO, U256::from(1))].into();
    let storage = [(B256::repeat_byte(0x77), StorageChange { wiped: false, slots })].into();
    assert!(is_corrupt(apply_hashed(&state(), &HashedChanges { storage, ..Default::default() })));
}

#[test]
fn a_storage_root_that_the_account_does_not_have_is_a_fault() {
    let mut state = state();
    let address = Address::ZERO;
    let before = Account { storage_root: B256::repeat_byte(9), nonce: 1, ..Account::default() };
    state.accounts.insert(keccak256(address), before);
    let change = AccountChange {
        before: Some(before),
        after: Some(before),
        wiped: false,
        storage: [(U256::ZERO, SlotChange { before: U256::ZERO, after: U256::from(1) })].into(),
    };
    let mut diff = StateDiff { accounts: [(address, change)].into(), ..Default::default() };
    assert!(is_corrupt(apply(&state, &mut diff)));
}
