//! What a new head changes.

use std::time::{Duration, Instant};

use alloy_primitives::U256;

use super::fixture::*;
use crate::{AddError, PoolConfig};

#[test]
fn a_block_takes_what_it_included_and_what_it_made_impossible() {
    let (pool, mut state) = (pool(), state());
    let txs: Vec<_> = (0..4).map(|nonce| draft(1, nonce).tx()).collect();
    pool.add_many(txs.clone(), &state);
    pool.add(draft(2, 0).tx(), &state).unwrap();
    let elsewhere = draft(2, 0).value(7).tx();
    set(&mut state, account(1), 2, U256::from(RICH));
    set(&mut state, account(2), 1, U256::from(RICH));
    pool.on_block(&[txs[0].clone(), txs[1].clone(), elsewhere], &state, 7, Instant::now()).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 2), (account(1), 3)]);
    let stats = pool.stats();
    assert_eq!((stats.included, stats.stale, stats.accounts), (2, 1, 1));
    assert_eq!(pool.base_fee(), 7);
    assert!(!pool.contains(&txs[0].hash()) && pool.contains(&txs[2].hash()));
    pool.table().read().check_invariants();
}

#[test]
fn a_block_that_fills_a_gap_promotes_and_says_so() {
    let (pool, mut state) = (pool(), state());
    let heard = pool.subscribe(10);
    pool.add(draft(1, 1).tx(), &state).unwrap();
    assert_eq!(pool.status().queued, 1);
    set(&mut state, account(1), 1, U256::from(RICH));
    pool.on_block(&[draft(1, 0).tx()], &state, 0, Instant::now()).unwrap();
    assert_eq!((pool.status().pending, heard.try_recv().unwrap().nonce()), (1, 1));
}

/// Whoever adds reads the account first: a block may come between, and take all that the account had here.
#[test]
fn what_was_judged_by_the_state_before_a_block_does_not_wait_behind_it() {
    let (pool, mut state) = (pool(), state());
    let before = state.clone();
    let txs: Vec<_> = (0..3).map(|nonce| draft(1, nonce).tx()).collect();
    pool.add(txs[0].clone(), &before).unwrap();
    set(&mut state, account(1), 1, U256::from(RICH));
    pool.on_block(&txs[..1], &state, 0, Instant::now()).unwrap();
    pool.on_block(&[], &state, 0, Instant::now()).unwrap();
    pool.add(txs[1].clone(), &before).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (1, 0));
    let late = pool.add(draft(1, 0).value(9).tx(), &before);
    assert_eq!(late, Err(AddError::NonceTooLow { next: 1, nonce: 0 }));
    pool.table().read().check_invariants();
    // After a head that is older the state alone counts.
    pool.reset(&before, 0).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (0, 1));
    pool.add(txs[0].clone(), &before).unwrap();
    assert_eq!(pool.status().pending, 2);
    pool.table().read().check_invariants();
}

#[test]
fn what_an_account_can_no_longer_pay_leaves() {
    let (pool, mut state) = (pool(), state());
    let txs = vec![draft(1, 0).tx(), draft(1, 1).value(1 << 90).tx(), draft(1, 2).tx(), draft(1, 3).tx()];
    pool.add_many(txs.clone(), &state);
    set(&mut state, account(1), 1, U256::from(10_000_000));
    pool.on_block(&txs[..1], &state, 0, Instant::now()).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued, pool.stats().unpayable), (0, 2, 1));
    pool.table().read().check_invariants();
    set(&mut state, account(1), 1, U256::from(RICH));
    pool.add(txs[1].clone(), &state).unwrap();
    assert_eq!(pool.status().pending, 3);
    pool.table().read().check_invariants();
}

#[test]
fn what_an_account_cannot_pay_for_together_waits_until_it_can() {
    let (pool, mut state) = (pool(), state());
    // Each costs 2,100,000 wei of gas and a million of value.
    let txs: Vec<_> = (0..4).map(|nonce| draft(1, nonce).value(1_000_000).tx()).collect();
    set(&mut state, account(1), 0, U256::from(7_000_000));
    // Each fits by itself, behind a gap nobody asks for more.
    pool.add_many(txs[1..].to_vec(), &state).into_iter().for_each(|added| _ = added.unwrap());
    pool.add(txs[0].clone(), &state).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 0), (account(1), 1)], "two of four are funded");
    assert_eq!((pool.status().pending, pool.status().queued), (2, 2));
    pool.table().read().check_invariants();
    set(&mut state, account(1), 1, U256::from(RICH));
    pool.on_block(&txs[..1], &state, 0, Instant::now()).unwrap();
    assert_eq!(pool.status().pending, 3, "more funds, more of them");
    set(&mut state, account(1), 2, U256::from(4_000_000));
    pool.on_block(&txs[1..2], &state, 0, Instant::now()).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 2)], "the balance fell to one of two");
    assert_eq!(pool.next_nonce(&account(1)), Some(3));
    pool.table().read().check_invariants();
}

#[test]
fn every_transaction_leaves_in_the_end() {
    let lifetime = Duration::from_secs(60);
    let config = PoolConfig { lifetime, queued_lifetime: 10 * lifetime, ..Default::default() };
    let pool = pool_with(config);
    let state = state();
    let before = Instant::now();
    pool.add_many(vec![draft(1, 0).tx(), draft(1, 1).tx(), draft(2, 1).tx()], &state);
    let after = Instant::now();
    pool.on_block(&[], &state, 1_000, before + lifetime - Duration::from_secs(1)).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (2, 1));
    pool.on_block(&[], &state, 1_000, after + lifetime).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued, pool.stats().expired), (0, 0, 3));
    pool.table().read().check_invariants();
}

#[test]
fn queued_transactions_expire_and_pending_ones_do_not() {
    let lifetime = Duration::from_secs(60);
    let pool = pool_with(PoolConfig { queued_lifetime: lifetime, ..Default::default() });
    let state = state();
    let before = Instant::now();
    pool.add_many(vec![draft(1, 0).tx(), draft(1, 2).tx(), draft(2, 1).tx()], &state);
    let after = Instant::now();
    pool.on_block(&[], &state, 0, before + lifetime - Duration::from_secs(1)).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (1, 2));
    pool.on_block(&[], &state, 0, after + lifetime).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued, pool.stats().expired), (1, 0, 2));
    pool.table().read().check_invariants();
}

#[test]
fn a_revert_reads_every_account_anew_in_both_directions() {
    let (pool, mut state) = (pool(), state());
    set(&mut state, account(1), 5, U256::from(RICH));
    set(&mut state, account(2), 5, U256::from(RICH));
    pool.add_many(vec![draft(1, 5).tx(), draft(1, 6).tx(), draft(2, 5).tx(), draft(3, 1).tx()], &state);
    set(&mut state, account(1), 3, U256::from(RICH));
    set(&mut state, account(2), 6, U256::from(RICH));
    set(&mut state, account(3), 1, U256::from(RICH));
    pool.reset(&state, 9).unwrap();
    pool.table().read().check_invariants();
    assert_eq!(order(&pool, 0), [(account(3), 1)]);
    assert_eq!((pool.status().queued, pool.next_nonce(&account(1))), (2, Some(3)));
    pool.add_many(vec![draft(1, 3).tx(), draft(1, 4).tx()], &state);
    assert_eq!((pool.status().pending, pool.next_nonce(&account(1))), (5, Some(7)));
    pool.table().read().check_invariants();
}

#[test]
fn an_account_that_the_builder_had_trouble_with_is_read_anew() {
    let (pool, mut state) = (pool(), state());
    let stale = draft(1, 0).tx();
    pool.add_many(vec![stale.clone(), draft(1, 1).tx()], &state);
    // Somebody else's transaction raised the nonce: an authorization does (EIP-7702).
    set(&mut state, account(1), 1, U256::from(RICH));
    pool.on_block(&[], &state, 0, Instant::now()).unwrap();
    assert!(pool.contains(&stale.hash()), "nothing said that this account changed");
    let mut best = pool.best(0);
    assert_eq!(best.next().unwrap().hash(), stale.hash());
    best.skip_sender(account(1));
    pool.on_block(&[], &state, 0, Instant::now()).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 1)]);
    pool.table().read().check_invariants();
}

#[test]
fn a_state_newer_than_the_pools_moves_the_account_that_it_shows() {
    let (pool, mut state) = (pool(), state());
    pool.add_many(vec![draft(1, 3).tx(), draft(1, 6).tx()], &state);
    set(&mut state, account(1), 5, U256::from(RICH));
    pool.add(draft(1, 5).tx(), &state).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 5), (account(1), 6)]);
    pool.table().read().check_invariants();
}

#[test]
fn a_state_older_than_the_pools_does_not_let_a_used_nonce_in() {
    let (pool, mut state) = (pool(), state());
    let txs: Vec<_> = (0..3).map(|nonce| draft(1, nonce).tx()).collect();
    pool.add_many(txs.clone(), &state);
    let old = state.clone();
    set(&mut state, account(1), 2, U256::from(RICH));
    pool.on_block(&txs[..2], &state, 0, Instant::now()).unwrap();
    let error = pool.add(draft(1, 1).value(3).tx(), &old).unwrap_err();
    assert_eq!(error.to_string(), "nonce too low: next nonce 2, tx nonce 1");
    pool.add(draft(1, 3).tx(), &old).unwrap();
    assert_eq!(order(&pool, 0), [(account(1), 2), (account(1), 3)]);
}
