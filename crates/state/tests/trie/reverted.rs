//! Older and newer heights over the trie that the store holds.

use chlom_state::{
    HashedChanges, MemoryState, NodeReader, TrieId,
    trie::{Layered, Reverted, apply_hashed, prove},
};
use proptest::{collection, prelude::*};

use crate::{
    keys,
    world::{World, advance, assert_same, history},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_reverted_trie_is_the_trie_of_then(history in history(), others in collection::vec(keys::key(), 6)) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        let mut past = Vec::new();
        for step in &history {
            let changes = world.changes(step);
            let old = world.clone();
            past.push((old.clone(), state.clone(), HashedChanges::default()));
            advance(&mut state, &changes);
            world.apply(&changes);
            let reverse = world.reverse(&old, &changes);
            for (_, _, back) in &mut past {
                // Newest first on the way back.
                let older = std::mem::replace(back, reverse.clone());
                back.then(older);
            }
        }
        for (then, old, back) in past {
            let reverted = Reverted::new(&state, back.clone()).unwrap();
            prop_assert_eq!(reverted.state_root(), old.state_root());
            for (trie, leaves) in then.tries() {
                prop_assert_eq!(reverted.root(&trie).unwrap(), old.root(&trie).unwrap());
                for key in leaves.keys().chain(&others) {
                    prop_assert_eq!(prove(&reverted, &trie, key).unwrap(), prove(&old, &trie, key).unwrap());
                }
            }
            let mut stepped_back = state.clone();
            stepped_back.commit_hashed(&back, reverted.updates());
            assert_same(&stepped_back, &old);
        }
    }

    #[test]
    fn blocks_can_be_executed_over_blocks_that_are_not_stored(history in history()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for pair in history.chunks(2) {
            let stored = state.clone();
            let first = world.changes(&pair[0]);
            let updates = advance(&mut state, &first);
            world.apply(&first);
            let Some(second) = pair.get(1).map(|step| world.changes(step)) else { continue };
            let layered = Layered::new(&stored, &first, &updates);
            prop_assert_eq!(apply_hashed(&layered, &second).unwrap(), advance(&mut state, &second));
            world.apply(&second);
        }
    }

    #[test]
    fn changes_joined_are_changes_one_after_the_other(history in history()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        let mut sum = HashedChanges::default();
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
            sum.then(changes);
        }
        let mut at_once = MemoryState::default();
        // An account that came and went within the sum is nobody for whom storage could be kept.
        sum.storage.retain(|key, _| world.0.contains_key(key));
        advance(&mut at_once, &sum);
        assert_same(&at_once, &state);
        prop_assert_eq!(at_once.root(&TrieId::Accounts).unwrap(), state.root(&TrieId::Accounts).unwrap());
    }
}
