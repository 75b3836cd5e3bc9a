//! A full pool: who leaves, who is refused.

use alloy_primitives::{Address, U256};
use chlom_state::MemoryState;

use super::fixture::*;
use crate::{AddError, Pool, PoolConfig};

fn small(max_txs: usize) -> Pool {
    pool_with(PoolConfig { max_txs, max_per_account: 4, max_queued_per_account: 2, ..Default::default() })
}

fn held(pool: &Pool) -> Vec<(Address, u64)> {
    let content = pool.content();
    let both = content.pending.into_iter().chain(content.queued);
    let mut held: Vec<_> =
        both.flat_map(|(who, txs)| txs.into_keys().map(move |nonce| (who, nonce))).collect();
    held.sort_unstable();
    held
}

fn sorted(mut all: Vec<(Address, u64)>) -> Vec<(Address, u64)> {
    all.sort_unstable();
    all
}

#[test]
fn queued_leaves_before_pending_and_the_lowest_tip_first() {
    let (pool, state) = (small(3), state());
    pool.add(draft(1, 1).fees(100, 90).tx(), &state).unwrap();
    pool.add(draft(2, 1).fees(100, 80).tx(), &state).unwrap();
    pool.add(draft(3, 0).fees(100, 1).tx(), &state).unwrap();
    pool.add(draft(4, 0).fees(100, 2).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(1), 1), (account(3), 0), (account(4), 0)]));
    pool.add(draft(5, 0).fees(100, 3).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(3), 0), (account(4), 0), (account(5), 0)]));
    pool.add(draft(6, 0).fees(100, 4).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(4), 0), (account(5), 0), (account(6), 0)]));
    assert_eq!(pool.stats().evicted, 3);
    pool.table().read().check_invariants();
}

#[test]
fn a_full_pool_refuses_what_is_no_better_than_its_worst() {
    let (pool, state) = (small(2), state());
    pool.add(draft(1, 0).fees(100, 5).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 6).tx(), &state).unwrap();
    let error = pool.add(draft(3, 0).fees(100, 5).tx(), &state).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    let error = pool.add(draft(3, 1).fees(100, 90).tx(), &state).unwrap_err();
    assert_eq!(error.to_string(), "txpool is full", "what cannot run never drives out what can");
    let next = pool.add(draft(1, 1).fees(100, 90).tx(), &state).unwrap_err();
    assert_eq!(next, AddError::Underpriced, "it would drive out its own predecessor");
    pool.add(draft(1, 0).fees(110, 6).tx(), &state).unwrap();
    assert_eq!(pool.status().pending, 2, "a replacement needs no room");
}

#[test]
fn what_does_not_pay_the_base_fee_is_worse_than_any_tip() {
    let (pool, state) = (small(2), state());
    pool.on_block(&[], &state, 50, std::time::Instant::now()).unwrap();
    pool.add(draft(1, 0).fees(49, 49).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 1).tx(), &state).unwrap();
    pool.add(draft(3, 0).fees(100, 1).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(2), 0), (account(3), 0)]));
}

#[test]
fn evicting_from_the_middle_queues_the_rest() {
    let (pool, state) = (small(3), state());
    pool.add(draft(1, 0).fees(100, 50).tx(), &state).unwrap();
    pool.add(draft(1, 1).fees(100, 5).tx(), &state).unwrap();
    pool.add(draft(1, 2).fees(100, 50).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 20).tx(), &state).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (2, 1));
    pool.add(draft(3, 0).fees(100, 20).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(1), 0), (account(2), 0), (account(3), 0)]));
    pool.table().read().check_invariants();
}

#[test]
fn what_became_pending_is_judged_as_pending() {
    let (pool, state) = (small(4), state());
    pool.add(draft(1, 1).fees(100, 10).tx(), &state).unwrap();
    pool.add(draft(2, 0).fees(100, 50).tx(), &state).unwrap();
    pool.add(draft(3, 0).fees(100, 40).tx(), &state).unwrap();
    pool.add(draft(6, 1).fees(100, 5).tx(), &state).unwrap();
    assert_eq!(pool.add(draft(5, 1).fees(100, 1).tx(), &state), Err(AddError::Underpriced));
    pool.add(draft(1, 0).fees(100, 90).tx(), &state).unwrap();
    assert_eq!(pool.status().pending, 4);
    pool.add(draft(7, 0).fees(100, 11).tx(), &state).unwrap();
    assert_eq!(held(&pool), sorted(vec![(account(1), 0), (account(2), 0), (account(3), 0), (account(7), 0)]));
}

#[test]
fn an_account_has_its_own_limits_and_nearer_nonces_win() {
    let (pool, state) = (small(100), state());
    for nonce in [5, 7] {
        pool.add(draft(1, nonce).tx(), &state).unwrap();
    }
    let error = pool.add(draft(1, 8).tx(), &state).unwrap_err();
    assert_eq!(error.to_string(), "account limit exceeded: pooled 2 txs");
    pool.add(draft(1, 6).tx(), &state).unwrap();
    assert_eq!(held(&pool), [(account(1), 5), (account(1), 6)]);
    for nonce in [0, 1, 2] {
        pool.add(draft(1, nonce).tx(), &state).unwrap();
    }
    assert_eq!(held(&pool).iter().map(|(_, nonce)| *nonce).collect::<Vec<_>>(), [0, 1, 2, 5]);
    pool.add(draft(1, 3).tx(), &state).unwrap();
    assert_eq!(pool.add(draft(1, 4).tx(), &state), Err(AddError::AccountLimit { pooled: 4 }));
    assert_eq!(pool.status().pending, 4);
    pool.table().read().check_invariants();
}

#[test]
fn memory_is_a_limit_too_and_a_refused_giant_drives_nobody_out() {
    let state = state();
    let config = PoolConfig { max_bytes: 60_000, ..Default::default() };
    let pool = pool_with(config);
    for who in 1..=20 {
        pool.add(draft(who, 0).fees(100, u128::from(who)).tx(), &state).unwrap();
    }
    let giant = |tip| draft(20, 1).fees(100, tip).input(vec![0; 20_000]).tx();
    let before = held(&pool);
    assert_eq!(
        pool.add(giant(5), &state),
        Err(AddError::Underpriced),
        "five must leave, the fifth is as good"
    );
    assert_eq!((held(&pool), pool.stats().evicted), (before, 0));
    pool.add(giant(6), &state).unwrap();
    assert_eq!(held(&pool).len(), 16);
    assert!(pool.stats().bytes <= 60_000);
    assert_eq!(pool.stats().evicted, 5);
    assert_eq!(pool.get(&draft(20, 0).fees(100, 20).tx().hash()).unwrap().nonce(), 0, "the best stays");
    pool.table().read().check_invariants();
}

#[test]
fn replacing_small_by_large_does_not_pass_the_memory_limit() {
    let state = state();
    let pool = pool_with(PoolConfig { max_bytes: 100_000, ..Default::default() });
    for who in 1..=10 {
        pool.add(draft(who, 0).tx(), &state).unwrap();
    }
    for who in 1..=10 {
        let _one_fits_and_the_next_drives_out_others =
            pool.add(draft(who, 0).fees(200, 20).input(vec![0; 30_000]).tx(), &state);
        pool.table().read().check_invariants();
    }
    assert!(pool.stats().bytes <= 100_000);
}

#[test]
fn a_flood_from_throwaway_accounts_stays_within_the_limits() {
    let pool = pool_with(PoolConfig { max_txs: 1_000, ..Default::default() });
    let mut state = MemoryState::default();
    let sender = |n: u64| Address::left_padding_from(&n.to_be_bytes());
    for n in 0..5_000 {
        set(&mut state, sender(n), 0, U256::from(RICH));
    }
    for n in 0..5_000u64 {
        let tip = u128::from(n * 7_919 % 5_000) + 1;
        let tx = draft(1, n % 3).fees(10_000, tip).unsigned(sender(n));
        let _taken_or_not = pool.add(tx, &state);
    }
    pool.table().read().check_invariants();
    assert_eq!(pool.status().pending, 1_000);
    let worst = pool.best(0).map(|tx| tx.effective_tip(0).unwrap()).min().unwrap();
    // A third of the transactions are executable, and the best thousand of those stay.
    assert!(worst > 1_900, "{worst}");
}
