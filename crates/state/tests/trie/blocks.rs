//! Diffs of blocks by address: [`apply`] against the naive trie.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use chlom_state::{
    Account, AccountChange, HashedChanges, MemoryState, SlotChange, StateDiff, TrieUpdates,
    account::EMPTY_ROOT,
    trie::{Layered, apply, apply_hashed},
};
use proptest::{collection, prelude::*};

use crate::{
    naive,
    world::{World, assert_same, fresh, leaves},
};

/// What a block does to one address.
#[derive(Clone, Debug)]
struct Deed {
    after: Option<u64>,
    wiped: bool,
    slots: BTreeMap<u8, u64>,
}

fn deed() -> impl Strategy<Value = Deed> {
    let slots = collection::btree_map(0..20u8, 0..3u64, 0..6);
    (prop::option::weighted(0.8, 0..3u64), prop::bool::weighted(0.1), slots)
        .prop_map(|(after, wiped, slots)| Deed { after, wiped, slots })
}

fn blocks() -> impl Strategy<Value = Vec<BTreeMap<u8, Deed>>> {
    collection::vec(collection::btree_map(0..12u8, deed(), 0..8), 1..8)
}

fn slot_key(slot: u8) -> B256 {
    keccak256(U256::from(slot).to_be_bytes::<32>())
}

/// The diff of these deeds over the world.
fn diff(world: &World, deeds: &BTreeMap<u8, Deed>) -> StateDiff {
    let mut diff = StateDiff::default();
    for (at, deed) in deeds {
        let address = Address::repeat_byte(*at);
        let old = world.0.get(&keccak256(address));
        let before = old.map(|(account, _)| *account);
        let storage_root = before.map_or(EMPTY_ROOT, |account| account.storage_root);
        let after = deed.after.map(|nonce| Account { nonce: nonce + 1, storage_root, ..Account::default() });
        let slot = |(slot, after): (&u8, &u64)| {
            let before = old.and_then(|(_, slots)| slots.get(&slot_key(*slot))).copied().unwrap_or_default();
            (U256::from(*slot), SlotChange { before, after: U256::from(*after) })
        };
        let storage = deed.slots.iter().map(slot).collect();
        diff.accounts.insert(address, AccountChange { before, after, wiped: deed.wiped, storage });
    }
    diff
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn blocks_give_the_yellow_papers_roots(blocks in blocks()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for deeds in &blocks {
            let mut diff = diff(&world, deeds);
            let updates = apply(&state, &mut diff).unwrap();
            world.apply(&HashedChanges::from(&diff));
            for (address, change) in &diff.accounts {
                let (Some(after), Some((account, slots))) = (change.after, world.0.get(&keccak256(address))) else {
                    continue;
                };
                prop_assert_eq!(&after, account);
                prop_assert_eq!(after.storage_root, naive::root(&leaves(slots)));
            }
            prop_assert_eq!(updates.state_root, naive::root(&world.account_leaves()));
            prop_assert_eq!(apply_hashed(&state, &HashedChanges::from(&diff)).unwrap(), updates.clone());
            state.commit(&diff, &updates);
        }
        assert_same(&state, &fresh(&world));
    }

    #[test]
    fn a_block_can_be_executed_over_one_that_is_not_stored(blocks in blocks()) {
        let (mut world, mut state) = (World::default(), MemoryState::default());
        for pair in blocks.windows(2) {
            let mut first = diff(&world, &pair[0]);
            let updates = apply(&state, &mut first).unwrap();
            let changes = HashedChanges::from(&first);
            world.apply(&changes);
            let over = Layered::new(&state, &changes, &updates);
            let mut second = diff(&world, &pair[1]);
            let layered = apply_hashed(&over, &HashedChanges::from(&second)).unwrap();
            state.commit(&first, &updates);
            prop_assert_eq!(apply(&state, &mut second).unwrap(), layered);
        }
    }
}

#[test]
fn a_diff_without_changes_leaves_no_update() {
    let mut world = World::default();
    let deeds = [(1, Deed { after: Some(1), wiped: false, slots: [(1, 1), (2, 2)].into() })].into();
    let mut state = MemoryState::default();
    let mut first = diff(&world, &deeds);
    let updates = apply(&state, &mut first).unwrap();
    state.commit(&first, &updates);
    world.apply(&HashedChanges::from(&first));
    let mut second = diff(&world, &deeds);
    let updates = apply(&state, &mut second).unwrap();
    assert_eq!(updates, TrieUpdates { state_root: state.state_root(), ..Default::default() });
    // Neither does an account that comes and goes within a block.
    second.accounts = [(Address::repeat_byte(9), AccountChange::default())].into();
    assert_eq!(apply(&state, &mut second).unwrap(), updates);
}

#[test]
fn an_account_created_anew_after_a_wipe_has_only_its_new_storage() {
    let mut world = World::default();
    let mut state = MemoryState::default();
    for (wiped, slots) in [(false, [(1, 1), (2, 2), (3, 1)]), (true, [(1, 2), (7, 1), (3, 0)])] {
        let deeds = [(1, Deed { after: Some(1), wiped, slots: slots.into() })].into();
        let mut diff = diff(&world, &deeds);
        let updates = apply(&state, &mut diff).unwrap();
        assert_eq!(updates.cleared.is_empty(), !wiped);
        state.commit(&diff, &updates);
        world.apply(&HashedChanges::from(&diff));
    }
    let slots = [(slot_key(1), U256::from(2)), (slot_key(7), U256::from(1))].into();
    let account = &state.accounts[&keccak256(Address::repeat_byte(1))];
    assert_eq!(account.storage_root, naive::root(&leaves(&slots)));
    assert_same(&state, &fresh(&world));
}
