//! The result does not depend on how many threads work on it.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};
use chlom_state::{Account, HashedChanges, MemoryState, StorageChange, TrieUpdates, trie::apply_hashed};

use crate::world::{World, advance, assert_same, fresh};

fn key(at: u64) -> B256 {
    keccak256(at.to_be_bytes())
}

fn account(at: u64) -> Account {
    Account { nonce: at + 1, balance: U256::from(at), ..Account::default() }
}

fn many(range: std::ops::Range<u64>) -> HashedChanges {
    let mut changes = HashedChanges::default();
    for at in range.clone() {
        changes.accounts.insert(key(at), (at % 7 != 3).then(|| account(at + range.start)));
    }
    for owner in range.clone().filter(|at| at % 7 != 3).take(5) {
        let slots = range.clone().map(|at| (key(at), U256::from(if at % 5 == 0 { 0 } else { at }))).collect();
        changes.storage.insert(key(owner), StorageChange { wiped: owner % 2 == 0, slots });
    }
    changes
}

fn with_threads(count: usize, state: &MemoryState, changes: &HashedChanges) -> TrieUpdates {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    pool.install(|| apply_hashed(state, changes)).unwrap()
}

#[test]
fn one_thread_and_many_give_the_same_updates() {
    let (mut world, mut state) = (World::default(), MemoryState::default());
    for round in 0..4 {
        let changes = many(round * 700..round * 700 + 2_000);
        let updates = with_threads(1, &state, &changes);
        for count in [2, 3, 16] {
            assert_eq!(with_threads(count, &state, &changes), updates);
        }
        advance(&mut state, &changes);
        world.apply(&changes);
        assert_eq!(state.state_root(), crate::world::alloy_root(&world.account_leaves()));
    }
    assert_same(&state, &fresh(&world));
}

#[test]
fn the_first_fault_is_reported_whatever_the_number_of_threads() {
    let mut state = MemoryState::default();
    advance(&mut state, &many(0..2_000));
    let trie = chlom_state::TrieId::Accounts;
    let lost: Vec<_> = state.branches[&trie].keys().filter(|path| path.len() == 2).copied().collect();
    for path in lost {
        state.branches.get_mut(&trie).unwrap().remove(&path);
    }
    let changes = HashedChanges { accounts: many(0..2_000).accounts, storage: BTreeMap::new() };
    let fault = |count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        pool.install(|| apply_hashed(&state, &changes)).unwrap_err()
    };
    let one = fault(1);
    assert!((0..20).all(|_| fault(8) == one));
}
