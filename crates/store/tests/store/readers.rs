//! Readers beside the writer, and what the store keeps in memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chlom_state::{NodeReader, StateReader, TrieId};
use chlom_store::{Store, StoreConfig, StoreError};

use crate::chain::{Model, Op, address, assert_same, assert_same_state, disk, keeping, memory};

const BLOCKS: u64 = 120;

/// Every block pays each of eight accounts once, so that their nonces are the height plus one.
fn everyone() -> Vec<Op> {
    (0..8).map(|account| Op::Pay { account, amount: 3 }).collect()
}

fn assert_whole(view: &impl StateReader, height: u64) {
    for account in 0..8 {
        let nonce = view.account(&address(account)).unwrap().unwrap().nonce;
        assert_eq!(nonce, height + 1, "account {account} at height {height}");
    }
}

fn read_until(store: &Store, done: &AtomicBool, seed: u64) -> u64 {
    let mut reads = 0u64;
    let old = store.head().unwrap();
    while !done.load(Ordering::Acquire) {
        let head = store.head().unwrap();
        let height = head.block.height();
        assert_whole(&head.state, height);
        let root = head.state.root(&TrieId::Accounts).unwrap().unwrap();
        assert_eq!(root.root_hash(), head.block.header.state_root, "trie and block are of one height");
        let tip = store.tip_view().unwrap();
        assert_whole(&tip.state, tip.block.height());
        let past = (seed + reads) % (height + 1);
        match store.state_at(past) {
            Ok(view) => match view.account(&address(0)) {
                Ok(account) => assert_eq!(account.unwrap().nonce, past + 1),
                Err(error) => assert!(error.to_string().contains("pruned"), "{error}"),
            },
            Err(error) => assert!(matches!(error, StoreError::Pruned { .. }), "{error}"),
        }
        match store.proof(height, address(1), &[]) {
            Ok(proof) => assert_eq!(proof.account.unwrap().nonce, height + 1),
            Err(error) => {
                assert!(matches!(error, StoreError::NoProof { .. } | StoreError::Pruned { .. }), "{error}")
            }
        }
        assert_whole(&old.state, old.block.height());
        reads += 1;
    }
    reads
}

fn readers_see_whole_heights(config: StoreConfig) {
    let store = Store::open(config).unwrap();
    let mut model = Model::default();
    store.commit(model.extend(&everyone())).unwrap();
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let (store, done, reads) = (&store, &done, &reads);
            scope.spawn(move || reads.fetch_add(read_until(store, done, seed), Ordering::Relaxed));
        }
        let mut tickets = Vec::new();
        for _ in 0..BLOCKS {
            tickets.push(store.stage(model.extend(&everyone())).unwrap());
        }
        tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
        done.store(true, Ordering::Release);
    });
    assert_same_state(&store.head().unwrap().state, &model.state());
    assert!(reads.into_inner() > 0);
}

#[test]
fn in_memory_readers_see_whole_heights_while_blocks_are_committed() {
    readers_see_whole_heights(keeping(memory(), 20, 20));
}

#[test]
fn on_disk_readers_see_whole_heights_while_blocks_are_committed() {
    let directory = tempfile::tempdir().unwrap();
    readers_see_whole_heights(keeping(disk(directory.path()), 20, 20));
}

#[test]
fn a_view_survives_rewinds_and_what_follows() {
    let store = Store::open(memory()).unwrap();
    let mut model = Model::default();
    for n in 0..6 {
        store.commit(model.extend(&[Op::Write { account: 1, slot: n, value: 1 }])).unwrap();
    }
    let (before, was) = (store.head().unwrap(), model.state());
    let (past, past_was) = (store.state_at(4).unwrap(), model.states[4].clone());
    store.rewind(2).unwrap();
    model.rewind(2);
    for n in 0..8 {
        store.commit(model.extend(&[Op::Write { account: 1, slot: n, value: 2 }])).unwrap();
        assert_same_state(&before.state, &was);
        assert_same_state(&past, &past_was);
    }
    assert_same(&store, &model, 100, 100);
    let root = before.state.root(&TrieId::Accounts).unwrap().unwrap();
    assert_eq!(root.root_hash(), before.block.header.state_root);
}

#[test]
fn caches_stay_within_their_limit() {
    let limit = 512 * 1024;
    let store = Store::open(StoreConfig { cache_bytes: limit, ..memory() }).unwrap();
    let mut model = Model::default();
    store.commit(model.extend(&everyone())).unwrap();
    let mut most = 0;
    for n in 0..60 {
        let writes =
            (0..200).map(|at| Op::Write { account: at % 24, slot: n * 4 + at / 60, value: 1 + n % 3 });
        store.commit(model.extend(&writes.collect::<Vec<_>>())).unwrap();
        let stats = store.stats();
        most = most.max(stats.cache_bytes);
        assert!(stats.cache_bytes <= limit, "{} bytes of {limit}", stats.cache_bytes);
        assert!(stats.unstored_trie_bytes <= limit, "{} bytes of {limit}", stats.unstored_trie_bytes);
    }
    assert!(most > limit / 4, "the cache was used: {most}");
    assert_same_state(&store.head().unwrap().state, &model.state());
}
