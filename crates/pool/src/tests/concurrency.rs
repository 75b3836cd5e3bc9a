//! Many threads at once.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};

use alloy_primitives::{Address, U256};
use chlom_state::MemoryState;
use parking_lot::RwLock;

use super::fixture::*;
use crate::{AddError, PoolConfig};

const THREADS: u64 = 4;
const EACH: u64 = 300;

fn sender(n: u64) -> Address {
    Address::left_padding_from(&(n + 1).to_be_bytes())
}

#[test]
fn adding_building_and_reading_at_once_loses_and_doubles_nothing() {
    let pool = pool_with(PoolConfig::default());
    let mut start = MemoryState::default();
    for n in 0..THREADS {
        set(&mut start, sender(n), 0, U256::from(RICH));
    }
    let state = RwLock::new(start);
    let (done, included) = (AtomicU64::new(0), AtomicU64::new(0));
    let heard = pool.subscribe((THREADS * EACH) as usize);
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (pool, state, done) = (&pool, &state, &done);
            scope.spawn(move || {
                // Pairs arrive the wrong way round, so that everything is queued and promoted at times.
                for nonce in (0..EACH).step_by(2) {
                    for nonce in [nonce + 1, nonce] {
                        let seen = state.read().clone();
                        pool.add(draft(1, nonce).unsigned(sender(n)), &seen).unwrap();
                    }
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        scope.spawn(|| {
            let mut nonces = vec![0; THREADS as usize];
            while included.load(Ordering::SeqCst) < THREADS * EACH {
                let block: Vec<_> = pool.best(0).take(64).collect();
                let mut next = state.read().clone();
                for tx in &block {
                    let n = (0..THREADS).find(|n| sender(*n) == tx.sender()).unwrap();
                    let nonce: &mut u64 = &mut nonces[n as usize];
                    assert_eq!(tx.nonce(), *nonce, "every nonce once and in order");
                    *nonce += 1;
                    set(&mut next, tx.sender(), *nonce, U256::from(RICH));
                }
                *state.write() = next;
                pool.on_block(&block, &*state.read(), 1, Instant::now()).unwrap();
                included.fetch_add(block.len() as u64, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            while done.load(Ordering::SeqCst) < THREADS {
                pool.table().read().check_invariants();
                let content = pool.content();
                let held = content.pending.values().chain(content.queued.values()).map(|txs| txs.len());
                assert!(held.sum::<usize>() <= (THREADS * EACH) as usize);
            }
        });
    });
    pool.table().read().check_invariants();
    assert_eq!(pool.status().pending + pool.status().queued, 0);
    let stats = pool.stats();
    assert_eq!((stats.added, stats.included, stats.stale), (THREADS * EACH, THREADS * EACH, 0));
    assert_eq!(std::iter::from_fn(|| heard.try_recv().ok()).count() as u64, THREADS * EACH);
}

#[test]
fn of_many_threads_with_the_same_transaction_one_wins() {
    let (pool, state) = (pool(), state());
    let go = AtomicBool::new(false);
    let wins = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !go.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                for nonce in 0..50 {
                    match pool.add(draft(1, nonce).tx(), &state) {
                        Ok(_) => _ = wins.fetch_add(1, Ordering::Relaxed),
                        Err(error) => assert_eq!(error, AddError::AlreadyKnown),
                    }
                }
            });
        }
        go.store(true, Ordering::Release);
    });
    assert_eq!((wins.load(Ordering::Relaxed), pool.status().pending), (50, 50));
}
