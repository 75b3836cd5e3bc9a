//! What is pending, and in which order it leaves.

use super::fixture::*;
use crate::PoolConfig;

#[test]
fn the_highest_tip_goes_first_then_the_first_to_come() {
    let (pool, state) = (pool(), state());
    pool.add(draft(1, 0).fees(100, 5).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 9).tx(), &state).unwrap();
    pool.add(draft(3, 0).fees(100, 5).tx(), &state).unwrap();
    pool.add(draft(4, 0).fees(52, 52).tx(), &state).unwrap();
    let who = |numbers: &[u8]| numbers.iter().map(|n| (account(*n), 0)).collect::<Vec<_>>();
    assert_eq!(order(&pool, 0), who(&[4, 2, 1, 3]));
    assert_eq!(order(&pool, 50), who(&[2, 1, 3, 4]), "the tip is what the base fee leaves");
    assert_eq!(order(&pool, 53), who(&[2, 1, 3]), "below the base fee nobody goes");
    assert!(order(&pool, 101).is_empty());
}

#[test]
fn nonces_of_an_account_go_in_order_however_much_the_later_pay() {
    let (pool, state) = (pool(), state());
    pool.add(draft(1, 1).fees(100, 90).tx(), &state).unwrap();
    pool.add(draft(1, 0).fees(100, 1).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 50).tx(), &state).unwrap();
    assert_eq!(order(&pool, 0), [(account(2), 0), (account(1), 0), (account(1), 1)]);
    pool.add(draft(2, 1).fees(5, 5).tx(), &state).unwrap();
    pool.add(draft(2, 2).fees(100, 90).tx(), &state).unwrap();
    let payable = [(account(2), 0), (account(1), 0), (account(1), 1)];
    assert_eq!(order(&pool, 6), payable, "what comes after one that does not pay waits too");
}

#[test]
fn a_gap_queues_and_filling_it_promotes() {
    let (pool, state) = (pool(), state());
    let heard = pool.subscribe(10);
    pool.add(draft(1, 2).tx(), &state).unwrap();
    pool.add(draft(1, 1).tx(), &state).unwrap();
    pool.add(draft(1, 4).tx(), &state).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (0, 3));
    assert_eq!(pool.next_nonce(&account(1)), Some(0));
    assert!(heard.try_recv().is_err() && order(&pool, 0).is_empty());
    pool.add(draft(1, 0).tx(), &state).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (3, 1));
    assert_eq!(pool.next_nonce(&account(1)), Some(3));
    let nonces: Vec<_> = std::iter::from_fn(|| heard.try_recv().ok()).map(|tx| tx.nonce()).collect();
    assert_eq!(nonces, [0, 1, 2]);
    let (pending, queued) = pool.content_from(&account(1));
    assert_eq!(pending.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(queued.keys().copied().collect::<Vec<_>>(), [4]);
    let content = pool.content();
    assert_eq!((&content.pending[&account(1)], &content.queued[&account(1)]), (&pending, &queued));
    assert_eq!(pool.next_nonce(&account(2)), None);
    pool.table().read().check_invariants();
}

#[test]
fn a_builder_skips_what_does_not_fit_and_the_rest_of_that_account() {
    let (pool, state) = (pool(), state());
    for nonce in 0..3 {
        pool.add(draft(1, nonce).fees(100, 50).tx(), &state).unwrap();
        pool.add(draft(2, nonce).tx(), &state).unwrap();
    }
    let mut best = pool.best(0);
    assert_eq!(best.next().unwrap().sender(), account(1));
    best.skip_sender(account(1));
    let rest: Vec<_> = best.map(|tx| (tx.sender(), tx.nonce())).collect();
    assert_eq!(rest, [(account(2), 0), (account(2), 1), (account(2), 2)]);
    let mut best = pool.best(0);
    best.skip_sender(account(2));
    assert_eq!(best.count(), 3, "an account can be skipped before its turn");
}

#[test]
fn what_leaves_while_a_block_is_built_is_not_yielded() {
    let (pool, state) = (pool(), state());
    let doomed = draft(2, 0).fees(100, 1).tx();
    pool.add(draft(1, 0).tx(), &state).unwrap();
    pool.add(doomed.clone(), &state).unwrap();
    let mut best = pool.best(0);
    assert_eq!(best.next().unwrap().sender(), account(1));
    pool.remove(&doomed.hash()).unwrap();
    assert!(best.next().is_none());
}

#[test]
fn a_builder_sees_no_more_transactions_than_were_pending_when_it_began() {
    let (pool, state) = (pool(), state());
    pool.add(draft(1, 0).tx(), &state).unwrap();
    let mut best = pool.best(0);
    let mut seen = 0;
    while best.next().is_some() {
        seen += 1;
        pool.add(draft(1, seen).tx(), &state).unwrap();
    }
    assert_eq!(seen, 1);
}

#[test]
fn removing_one_queues_its_successors() {
    let (pool, state) = (pool(), state());
    let txs: Vec<_> = (0..3).map(|nonce| draft(1, nonce).tx()).collect();
    pool.add_many(txs.clone(), &state);
    assert_eq!(pool.remove(&txs[1].hash()).map(|tx| tx.hash()), Some(txs[1].hash()));
    assert!(pool.remove(&txs[1].hash()).is_none());
    assert_eq!((pool.status().pending, pool.status().queued), (1, 1));
    pool.add(txs[1].clone(), &state).unwrap();
    assert_eq!(pool.status().pending, 3);
    pool.clear().unwrap();
    assert_eq!((pool.status().pending, pool.stats().removed, pool.stats().bytes), (0, 4, 0));
    pool.table().read().check_invariants();
}

#[test]
fn a_slow_listener_loses_and_can_tell() {
    let (pool, state) = (pool(), state());
    let slow = pool.subscribe(2);
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = count.clone();
    let callback = pool.on_pending(move |txs| {
        counter.fetch_add(txs.len(), std::sync::atomic::Ordering::Relaxed);
    });
    for nonce in 0..5 {
        pool.add(draft(1, nonce).tx(), &state).unwrap();
    }
    assert_eq!(slow.lost(), 3);
    assert_eq!((slow.try_recv().unwrap().nonce(), slow.try_recv().unwrap().nonce()), (0, 1));
    drop((slow, callback));
    pool.add(draft(1, 5).tx(), &state).unwrap();
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 5);
    assert_eq!(pool.stats().lost, 3, "nobody listens, so nobody loses");
}

#[test]
fn the_default_limits_hold_a_hammered_dev_chain() {
    let config = PoolConfig::default();
    assert!(config.max_txs >= 200_000 && config.max_per_account >= 20_000);
}
