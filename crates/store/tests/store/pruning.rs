//! How far back a store answers.

use chlom_store::{History, Store, StoreConfig, StoreError};

use crate::chain::{Model, Op, assert_same_state, disk, keeping, memory};

fn extend(store: &Store, model: &mut Model, blocks: u64) {
    for _ in 0..blocks {
        let n = model.blocks.len() as u8;
        let ops =
            [Op::Pay { account: n % 3, amount: 1 }, Op::Write { account: 4, slot: n % 12, value: n % 4 }];
        store.commit(model.extend(&ops)).unwrap();
    }
}

fn assert_reads_from(store: &Store, model: &Model, oldest: u64) {
    assert_eq!(store.oldest_history(), oldest);
    for height in oldest..=model.height() {
        assert_same_state(&store.state_at(height).unwrap(), &model.states[height as usize]);
    }
    for height in 0..oldest {
        let refused = store.state_at(height);
        assert!(matches!(refused, Err(StoreError::Pruned { oldest: o, .. }) if o == oldest), "{height}");
    }
}

#[test]
fn exactly_the_chosen_heights_are_readable() {
    let directory = tempfile::tempdir().unwrap();
    for config in [memory(), disk(directory.path())] {
        let store = Store::open(keeping(config, 9, 4)).unwrap();
        let mut model = Model::default();
        extend(&store, &mut model, 9);
        assert_reads_from(&store, &model, 0);
        extend(&store, &mut model, 20);
        assert_reads_from(&store, &model, 19);
        assert!(matches!(store.rewind(18), Err(StoreError::Pruned { height: 18, oldest: 19 })));
        let slots = [];
        let refused = store.proof(model.height() - 5, crate::chain::address(0), &slots);
        assert!(matches!(refused, Err(StoreError::NoProof { .. })));
        store.rewind(20).unwrap();
        model.rewind(20);
        let view = store.state_at(19).unwrap();
        assert_same_state(&view, &model.states[19]);
    }
}

#[test]
fn what_was_pruned_stays_pruned_with_a_longer_history() {
    let directory = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let store = Store::open(keeping(disk(directory.path()), 5, 5)).unwrap();
    extend(&store, &mut model, 300);
    store.flush().unwrap();
    extend(&store, &mut model, 250);
    drop(store);
    let store = Store::open(StoreConfig { history: History::All, ..disk(directory.path()) }).unwrap();
    let oldest = store.oldest_history();
    assert!((256..=545).contains(&oldest), "one bunch at least was pruned, and nothing too much: {oldest}");
    assert_reads_from(&store, &model, oldest);
    extend(&store, &mut model, 1);
    assert_reads_from(&store, &model, oldest);
}

#[test]
fn a_proof_ends_at_its_deadline_and_at_its_bytes_and_says_so() {
    // A quarter of the cache is for the changes since: four accounts or so.
    let store = Store::open(StoreConfig { cache_bytes: 8_192, ..memory() }).unwrap();
    let mut model = Model::default();
    for n in 0..8 {
        store.commit(model.extend(&[Op::Pay { account: n, amount: 1 }])).unwrap();
    }
    let account = crate::chain::address(0);
    let past = std::time::Instant::now();
    let refused = store.proof_by(5, account, &[], past);
    assert!(matches!(refused, Err(StoreError::Expired { height: 5 })), "{refused:?}");
    store.proof_by(7, account, &[], past).expect("the newest trie is there already");
    store.proof(5, account, &[]).expect("what was given up can be asked for again");
    let refused = store.proof(0, account, &[]).unwrap_err();
    assert!(matches!(refused, StoreError::TooMuchSince { height: 0, limit: 2_048 }), "{refused:?}");
    assert!(refused.to_string().contains("ask for a newer height"), "{refused}");
}
