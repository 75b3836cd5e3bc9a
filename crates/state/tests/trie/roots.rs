//! Roots and records after any history.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};
use alloy_trie::{Nibbles, proof::verify_proof};
use chlom_state::{
    Account, HashedChanges, MemoryState, TrieId, TrieUpdates,
    account::EMPTY_ROOT,
    trie::{apply_hashed, prove},
};
use proptest::prelude::*;

use crate::{
    keys,
    naive::{self, Naive},
    world::{World, advance, alloy_root, assert_same, fresh, history, leaves},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn roots_after_any_history_are_the_yellow_papers(history in history()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
            let accounts = world.account_leaves();
            prop_assert_eq!(state.state_root(), naive::root(&accounts));
            prop_assert_eq!(state.state_root(), alloy_root(&accounts));
            for (account, slots) in world.0.values() {
                prop_assert_eq!(account.storage_root, alloy_root(&leaves(slots)));
            }
        }
    }

    #[test]
    fn records_after_any_history_are_those_of_a_fresh_build(history in history()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
        }
        assert_same(&state, &fresh(&world));
        for (trie, leaves) in world.tries() {
            let mut naive = Naive::default();
            naive.root(&leaves);
            let paths: BTreeSet<Vec<u8>> =
                state.branches.get(&trie).into_iter().flatten().map(|(path, _)| path.to_vec()).collect();
            prop_assert_eq!(paths, naive.branches);
        }
    }

    #[test]
    fn changes_that_change_nothing_leave_no_update(history in history(), again in keys::key()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
        }
        let mut same = world.all();
        same.accounts.entry(again).or_insert(None);
        for change in same.storage.values_mut() {
            change.slots.entry(again).or_insert(U256::ZERO);
        }
        let updates = apply_hashed(&state, &same).unwrap();
        prop_assert_eq!(updates, TrieUpdates { state_root: state.state_root(), ..Default::default() });
    }

    #[test]
    fn all_that_came_can_go(history in history()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
        }
        let accounts = world.0.keys().map(|key| (*key, None)).collect();
        advance(&mut state, &HashedChanges { accounts, storage: BTreeMap::new() });
        prop_assert_eq!(state.state_root(), EMPTY_ROOT);
        prop_assert!(state.branches.is_empty() && state.roots.is_empty() && state.storage.is_empty());
    }
}

#[test]
fn inline_nodes_occur_in_what_is_tested() {
    let slots: BTreeMap<B256, U256> =
        [0u8, 1].map(|low| (B256::with_last_byte(low), U256::from(7))).into_iter().collect();
    let mut world = World::default();
    let account = chlom_state::Account { nonce: 1, ..Default::default() };
    world.0.insert(B256::ZERO, (account, slots.clone()));
    let state = fresh(&world);
    let trie = TrieId::Storage(B256::ZERO);
    let branch = state.branches[&trie].values().next().unwrap();
    assert!(branch.children(&B256::ZERO).all(|(_, child)| child.node().len() < 32));
    assert_eq!(state.roots[&trie].root_hash(), naive::root(&leaves(&slots)));
}

#[test]
fn a_branch_at_every_depth_can_grow_change_be_proved_and_go() {
    let last = B256::repeat_byte(0x77);
    let key = |depth: usize| {
        let mut key = last;
        key.0[depth / 2] ^= if depth.is_multiple_of(2) { 0x10 } else { 0x01 };
        key
    };
    let account = |nonce| Some(Account { nonce, ..Account::default() });
    let all: BTreeMap<_, _> = (0..64).map(key).chain([last]).map(|key| (key, account(1))).collect();
    let odd: BTreeMap<_, _> =
        (0..64).filter(|depth| depth % 2 == 1).map(|depth| (key(depth), None)).collect();
    let (mut world, mut state) = (World::default(), MemoryState::default());
    for accounts in [all.clone(), [(last, account(2))].into(), odd, [(key(63), account(3))].into(), all] {
        let changes = HashedChanges { accounts, storage: BTreeMap::new() };
        advance(&mut state, &changes);
        world.apply(&changes);
        assert_eq!(state.state_root(), naive::root(&world.account_leaves()));
        assert_same(&state, &fresh(&world));
    }
    assert_eq!(state.branches[&TrieId::Accounts].len(), 64);
    let proof = prove(&state, &TrieId::Accounts, &last).unwrap();
    assert_eq!(proof.len(), 65);
    let value = world.account_leaves()[&last].clone();
    verify_proof(state.state_root(), Nibbles::unpack(last), Some(value), &proof).unwrap();
}
