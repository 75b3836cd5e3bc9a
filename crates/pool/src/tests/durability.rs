//! The pool with its journal: what was acknowledged comes back, whatever happens.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U256};

use super::fixture::*;
use crate::{
    AddError, Pool, PoolConfig,
    journal::{Journal, Sink, Wrap},
};

fn open(path: &Path) -> (Pool, Vec<chlom_primitives::Tx>) {
    Pool::open(PoolConfig::default(), Some(path), ENV).unwrap()
}

/// As after a crash: the file is as it is, and nobody said goodbye.
fn reopened(path: &Path, copy: &Path) -> Vec<B256> {
    fs::copy(path, copy).unwrap();
    open(copy).1.iter().map(chlom_primitives::Tx::hash).collect()
}

#[test]
fn what_add_returned_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (pool, nothing) = open(&path);
    assert!(nothing.is_empty());
    let state = state();
    let mut hashes = Vec::new();
    for nonce in [0, 1, 5] {
        hashes.push(pool.add(draft(1, nonce).tx(), &state).unwrap());
        assert_eq!(reopened(&path, &copy), hashes);
    }
    let many: Vec<_> = (0..10).map(|nonce| draft(2, nonce).tx()).collect();
    hashes.extend(pool.add_many(many, &state).into_iter().map(Result::unwrap));
    assert_eq!(reopened(&path, &copy), hashes);
    assert_eq!(pool.stats().journal_groups, 4, "one call is one group");
    assert!(pool.add(draft(1, 0).gas(1).tx(), &state).is_err());
    assert_eq!(pool.stats().journal_groups, 4, "a refusal is not written");
}

#[test]
fn a_restart_takes_back_what_still_waits_and_forgets_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut state = state();
    let txs: Vec<_> = (0..4).map(|nonce| draft(1, nonce).tx()).collect();
    let removed = draft(2, 0).tx();
    {
        let (pool, _) = open(&path);
        pool.add_many(txs.clone(), &state);
        pool.add(draft(3, 0).fees(100, 10).tx(), &state).unwrap();
        pool.add(draft(3, 0).fees(200, 20).tx(), &state).unwrap();
        pool.add(removed.clone(), &state).unwrap();
        pool.remove(&removed.hash()).unwrap();
        pool.add(draft(4, 7).tx(), &state).unwrap();
    }
    set(&mut state, account(1), 2, U256::from(RICH));
    let (pool, journalled) = open(&path);
    assert!(journalled.iter().all(|tx| tx.hash() != removed.hash()));
    let restored = pool.restore(journalled, &state).unwrap();
    assert_eq!((restored.kept, restored.dropped.len()), (5, 2));
    assert!(matches!(restored.dropped[0].1, AddError::NonceTooLow { next: 2, nonce: 0 }));
    assert_eq!(order(&pool, 0), [(account(3), 0), (account(1), 2), (account(1), 3)]);
    assert_eq!((pool.status().pending, pool.status().queued), (3, 1));
    drop(pool);
    let (_, journalled) = open(&path);
    assert_eq!(journalled.len(), 4, "restoring rewrote the journal with what waits");
}

#[test]
fn a_crash_before_restore_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let state = state();
    let first = open(&path).0.add(draft(1, 0).tx(), &state).unwrap();
    let (pool, journalled) = open(&path);
    assert_eq!(journalled.len(), 1);
    let second = pool.add(draft(2, 0).tx(), &state).unwrap();
    assert_eq!(reopened(&path, &copy), [first, second]);
}

#[test]
fn clearing_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (pool, _) = open(&path);
    pool.add(draft(1, 0).tx(), &state()).unwrap();
    pool.clear().unwrap();
    assert!(reopened(&path, &copy).is_empty());
}

#[test]
fn the_journal_is_the_owners_and_one_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (pool, _) = open(&path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let error = Pool::open(PoolConfig::default(), Some(&path), ENV).err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(pool);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _reopened = open(&path);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_journal_stays_short_while_blocks_pass() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (pool, _) = open(&path);
    let mut state = state();
    let mut kept = Vec::new();
    for nonce in 0..40 {
        let tx = draft(1, nonce).input(vec![9; 50_000]).gas(3_000_000).tx();
        pool.add(tx.clone(), &state).unwrap();
        kept.push(pool.add(draft(2, nonce).tx(), &state).unwrap());
        set(&mut state, account(1), nonce + 1, U256::from(RICH));
        pool.on_block(&[tx], &state, 0, Instant::now()).unwrap();
    }
    let stats = pool.stats();
    assert!(stats.journal_rewrites >= 2, "{stats:?}");
    assert!(fs::metadata(&path).unwrap().len() < 700_000);
    assert_eq!(fs::metadata(&path).unwrap().len(), stats.journal_bytes);
    assert!(kept.iter().all(|hash| reopened(&path, &copy).contains(hash)));
}

#[test]
fn threads_that_add_at_once_share_syncs_and_all_of_it_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (pool, _) = open(&path);
    let state = state();
    let (mut all, adders) = (Vec::new(), 8u8);
    thread::scope(|scope| {
        let add = |who: u8| {
            let (pool, state) = (&pool, &state);
            scope.spawn(move || {
                let one = |nonce| pool.add(draft(who, nonce).tx(), state).unwrap();
                (0..50).map(one).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (1..=adders).map(add).collect();
        all = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    });
    let mut found = reopened(&path, &copy);
    all.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, all);
    assert!(pool.stats().journal_groups <= 400);
}

/// A file whose writes or syncs fail while a switch is on, after a part of the bytes was written.
struct Flaky {
    file: File,
    fails: Arc<AtomicBool>,
    syncs: Arc<AtomicU64>,
}

impl Sink for Flaky {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.file.sync()
    }
}

#[test]
fn a_write_that_fails_is_told_takes_nothing_and_heals_by_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (fails, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (switch, counter) = (fails.clone(), syncs.clone());
    let wrap: Wrap =
        Box::new(move |file| Box::new(Flaky { file, fails: switch.clone(), syncs: counter.clone() }));
    let journal = Journal::open_with(&path, CHAIN, wrap, Duration::ZERO).unwrap();
    let (pool, _) = Pool::assemble(PoolConfig::default(), Some(journal), ENV).unwrap();
    let heard = pool.subscribe(10);
    let state = state();
    let first = pool.add(draft(1, 0).tx(), &state).unwrap();
    fails.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let error = pool.add(draft(1, 1).tx(), &state).unwrap_err();
        assert!(matches!(&error, AddError::Journal(_)), "{error}");
        assert!(error.to_string().contains("journal"), "{error}");
        assert_eq!(pool.status().pending, 1);
        assert_eq!(reopened(&path, &copy), [first]);
    }
    fails.store(false, Ordering::SeqCst);
    let second = pool.add(draft(1, 1).tx(), &state).unwrap();
    assert_eq!(reopened(&path, &copy), [first, second]);
    let third = pool.add(draft(1, 2).tx(), &state).unwrap();
    assert_eq!(reopened(&path, &copy), [first, second, third]);
    let nonces: Vec<_> = std::iter::from_fn(|| heard.try_recv().ok()).map(|tx| tx.nonce()).collect();
    assert_eq!(nonces, [0, 1, 2], "what failed was never announced");
    assert_eq!((pool.stats().added, pool.stats().refused), (3, 3));
    pool.table().read().check_invariants();
    assert!(syncs.load(Ordering::SeqCst) >= 4);
}

#[test]
fn a_write_that_fails_brings_back_what_the_refused_ones_drove_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal"), folder.path().join("copy"));
    let (fails, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let switch = fails.clone();
    let wrap: Wrap =
        Box::new(move |file| Box::new(Flaky { file, fails: switch.clone(), syncs: syncs.clone() }));
    let journal = Journal::open_with(&path, CHAIN, wrap, Duration::ZERO).unwrap();
    let config = PoolConfig { max_txs: 4, ..Default::default() };
    let (pool, _) = Pool::assemble(config, Some(journal), ENV).unwrap();
    let state = state();
    let acknowledged = [draft(1, 0), draft(1, 1), draft(2, 0), draft(3, 5)].map(Draft::tx);
    pool.add_many(acknowledged.to_vec(), &state).into_iter().for_each(|added| _ = added.unwrap());
    let before = (order(&pool, 0), pool.status(), pool.stats());
    fails.store(true, Ordering::SeqCst);
    // Replaces one of account 1's, evicts the queued one, then the lowest tip; all in one group that fails.
    let refused = vec![
        draft(1, 0).fees(200, 20).tx(),
        draft(4, 0).fees(300, 30).tx(),
        draft(5, 0).fees(300, 30).tx(),
        draft(4, 0).fees(400, 40).tx(),
    ];
    for added in pool.add_many(refused.clone(), &state) {
        assert!(matches!(added, Err(AddError::Journal(_))), "{added:?}");
    }
    assert!(acknowledged.iter().all(|tx| pool.contains(&tx.hash())), "acknowledged ones are kept");
    assert!(refused.iter().all(|tx| !pool.contains(&tx.hash())));
    let after = pool.stats();
    assert_eq!((order(&pool, 0), pool.status()), (before.0, before.1));
    assert_eq!(
        (after.added, after.replaced, after.evicted),
        (before.2.added, before.2.replaced, before.2.evicted)
    );
    pool.table().read().check_invariants();
    fails.store(false, Ordering::SeqCst);
    pool.remove(&acknowledged[3].hash()).unwrap();
    pool.add(draft(2, 1).tx(), &state).unwrap();
    let mut found = reopened(&path, &copy);
    found.sort_unstable();
    let mut live: Vec<_> = acknowledged[..3].iter().map(|tx| tx.hash()).collect();
    live.push(draft(2, 1).tx().hash());
    live.sort_unstable();
    assert_eq!(found, live);
}

#[test]
fn a_broken_journal_refuses_at_once_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (fails, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let switch = fails.clone();
    let wrap: Wrap =
        Box::new(move |file| Box::new(Flaky { file, fails: switch.clone(), syncs: syncs.clone() }));
    let journal = Journal::open_with(&path, CHAIN, wrap, Duration::from_secs(3_600)).unwrap();
    let (pool, _) = Pool::assemble(PoolConfig::default(), Some(journal), ENV).unwrap();
    fails.store(true, Ordering::SeqCst);
    assert!(matches!(pool.add(draft(1, 0).tx(), &state()), Err(AddError::Journal(_))));
    fails.store(false, Ordering::SeqCst);
    assert!(matches!(pool.add(draft(1, 0).tx(), &state()), Err(AddError::Journal(_))));
    pool.clear().unwrap();
    assert!(pool.add(draft(1, 0).tx(), &state()).is_ok(), "a rewrite mends it at any time");
}
