//! Proofs, checked by alloy's verifier.

use alloy_primitives::B256;
use alloy_trie::{Nibbles, proof::verify_proof};
use chlom_state::{Account, Child, MemoryState, TrieId, account::EMPTY_ROOT, trie::prove};
use proptest::{collection, prelude::*};

use crate::{
    keys,
    world::{World, advance, fresh, history},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_key_is_proved_there_or_absent(history in history(), others in collection::vec(keys::key(), 20)) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
        }
        for (trie, leaves) in world.tries() {
            let root = state.roots[&trie].root_hash();
            for key in leaves.keys().chain(&others) {
                let proof = prove(&state, &trie, key).unwrap();
                verify_proof(root, Nibbles::unpack(key), leaves.get(key).cloned(), &proof).unwrap();
                prop_assert!(proof.iter().skip(1).all(|node| node.len() >= 32), "an inline node is not listed");
            }
        }
    }

    #[test]
    fn a_proof_does_not_prove_another_value(history in history(), key in keys::key()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for step in &history {
            let changes = world.changes(step);
            advance(&mut state, &changes);
            world.apply(&changes);
        }
        let proof = prove(&state, &TrieId::Accounts, &key).unwrap();
        let other = alloy_rlp::encode(Account { nonce: 77, ..Account::default() });
        verify_proof(state.state_root(), Nibbles::unpack(key), Some(other), &proof).unwrap_err();
    }
}

#[test]
fn an_empty_trie_has_an_empty_proof() {
    let proof = prove(&MemoryState::default(), &TrieId::Accounts, &B256::ZERO).unwrap();
    assert!(proof.is_empty());
    verify_proof(EMPTY_ROOT, Nibbles::unpack(B256::ZERO), None, &proof).unwrap();
}

#[test]
fn a_lone_leaf_is_its_own_proof() {
    let mut world = World::default();
    world.0.insert(B256::ZERO, (Account { nonce: 1, ..Account::default() }, Default::default()));
    let state = fresh(&world);
    for key in [B256::ZERO, B256::repeat_byte(1)] {
        let proof = prove(&state, &TrieId::Accounts, &key).unwrap();
        assert_eq!(proof.len(), 1);
        assert_eq!(
            alloy_primitives::keccak256(&proof[0]),
            state.roots.values().next().map(Child::root_hash).unwrap()
        );
    }
}
