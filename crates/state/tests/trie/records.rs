//! Branch records and roots as bytes.

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use chlom_state::{Branch, Child, MemoryState, StateError, TrieId};
use proptest::{collection, prelude::*, sample::Index};

use crate::{
    keys,
    world::{World, advance, history},
};

fn grown(history: &[crate::world::Step]) -> MemoryState {
    let (mut world, mut state) = (World::default(), MemoryState::default());
    for step in history {
        let changes = world.changes(step);
        advance(&mut state, &changes);
        world.apply(&changes);
    }
    state
}

fn path() -> impl Strategy<Value = Nibbles> {
    (keys::key(), 0..64usize).prop_map(|(key, len)| Nibbles::unpack(key).slice(..len))
}

fn trie() -> impl Strategy<Value = TrieId> {
    prop_oneof![Just(TrieId::Accounts), keys::key().prop_map(TrieId::Storage)]
}

/// What decodes must encode to the same bytes; all else must be refused, never panic.
fn assert_canonical(path: &Nibbles, bytes: &[u8]) {
    match Branch::decode(path, bytes) {
        Ok(branch) => {
            assert_eq!(branch.encode(), bytes);
            let mut packed = B256::ZERO;
            path.pack_to(&mut packed.0);
            assert_eq!(branch.children(&packed).count(), branch.mask().count_ones() as usize);
        }
        Err(error) => assert!(matches!(error, StateError::Corrupt(_))),
    }
    match Child::decode(bytes) {
        Ok(root) => assert_eq!(root.encode(), bytes),
        Err(error) => assert!(matches!(error, StateError::Corrupt(_))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn records_survive_their_encoding(history in history()) {
        let state = grown(&history);
        for root in state.roots.values() {
            prop_assert_eq!(&Child::decode(&root.encode()).unwrap(), root);
        }
        for (path, branch) in state.branches.values().flatten() {
            prop_assert_eq!(&Branch::decode(path, branch.as_bytes()).unwrap(), branch);
        }
    }

    #[test]
    fn a_damaged_record_is_refused_or_means_what_it_says(
        history in history(), at in any::<Index>(), bit in 0..8u8, cut in any::<Index>(),
    ) {
        let state = grown(&history);
        let branches = state.branches.values().flatten().map(|(path, branch)| (*path, branch.encode()));
        for (path, bytes) in branches.chain(state.roots.values().map(|r| (Nibbles::new(), r.encode()))) {
            let mut flipped = bytes.clone();
            flipped[at.index(bytes.len())] ^= 1 << bit;
            assert_canonical(&path, &flipped);
            assert_canonical(&path, &bytes[..cut.index(bytes.len())]);
            assert_canonical(&path, &[bytes.as_slice(), &[0]].concat());
            let mut elsewhere = path;
            elsewhere.pop();
            assert_canonical(&elsewhere, &bytes);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(path in path(), bytes in collection::vec(any::<u8>(), 0..200)) {
        assert_canonical(&path, &bytes);
    }

    #[test]
    fn keys_of_records_tell_tries_and_paths_apart(a in (trie(), path()), b in (trie(), path())) {
        let keys = [&a, &b].map(|(trie, path)| trie.record_key(path));
        prop_assert_eq!(keys[0] == keys[1], a == b);
        prop_assert_eq!(TrieId::from_key(&keys[0]).unwrap(), (a.0, Some(a.1)));
        prop_assert_eq!(TrieId::from_key(&a.0.root_key()).unwrap(), (a.0, None));
        prop_assert_eq!(keys[0].starts_with(&b.0.root_key()), a.0 == b.0);
        prop_assert!(keys[0] != b.0.root_key());
    }

    #[test]
    fn a_strange_key_is_refused(bytes in collection::vec(any::<u8>(), 0..70)) {
        if let Ok((trie, path)) = TrieId::from_key(&bytes) {
            prop_assert_eq!(path.map_or_else(|| trie.root_key(), |path| trie.record_key(&path)), bytes);
        }
    }
}

#[test]
fn a_full_branch_of_leaves_takes_little_more_than_their_hashes_and_keys() {
    let mut world = World::default();
    let account = chlom_state::Account { nonce: 1, ..Default::default() };
    for slot in 0..16u8 {
        world.0.insert(B256::repeat_byte(slot << 4), (account, Default::default()));
    }
    let state = crate::world::fresh(&world);
    let record = state.branches[&TrieId::Accounts][&Nibbles::new()].encode();
    assert_eq!(record.len(), 7 + 16 * (32 + 32));
    assert_eq!(state.roots[&TrieId::Accounts].encode().len(), 1 + 32);
}
