//! Writes that fail, each in turn.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chlom_store::{FailPoint, Store, StoreConfig, StoreError, WriteStep};

use crate::chain::{Model, Op, assert_same, disk, keeping, memory};

/// Lets `left` writes pass and fails all after them.
struct FailAfter {
    left: AtomicI64,
}

impl FailPoint for FailAfter {
    fn before_write(&self, _: WriteStep) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
}

fn failing(config: StoreConfig, after: i64) -> StoreConfig {
    let fail_point: Arc<dyn FailPoint> = Arc::new(FailAfter { left: AtomicI64::new(after) });
    StoreConfig { fail_point: Some(fail_point), ..keeping(config, 100, 10) }
}

fn block(n: u8) -> Vec<Op> {
    let writes = (0..3).map(|slot| Op::Write { account: n % 5, slot, value: n % 4 });
    writes.chain([Op::Pay { account: n, amount: 1 }]).collect()
}

/// Runs blocks, a flush and a rewind until a write fails. Returns the chain as far as it was acknowledged.
fn run_until_failure(store: &Store) -> (Model, Option<StoreError>) {
    let mut acknowledged = Model::default();
    for n in 0..8 {
        let mut next = acknowledged.clone();
        let commit = next.extend(&block(n));
        if let Err(error) = store.commit(commit) {
            return (acknowledged, Some(error));
        }
        acknowledged = next;
        if n == 3
            && let Err(error) = store.flush()
        {
            return (acknowledged, Some(error));
        }
        if n == 6 {
            if let Err(error) = store.rewind(4) {
                return (acknowledged, Some(error));
            }
            acknowledged.rewind(4);
        }
    }
    (acknowledged, store.flush().err())
}

fn assert_read_only(store: &Store, model: &Model) {
    assert!(store.stats().read_only);
    if model.blocks.is_empty() {
        assert!(store.head().is_none() && store.tip_view().is_none());
        return;
    }
    assert_same(store, model, 100, 10);
    assert_eq!(
        store.tip_view().unwrap().block.hash,
        store.head().unwrap().block.hash,
        "nothing staged is left"
    );
    let refused = store.stage(model.clone().extend(&block(9)));
    assert!(matches!(refused, Err(StoreError::WriteFailed { .. })));
    assert!(matches!(store.rewind(0), Err(StoreError::WriteFailed { .. }) | Ok(())));
}

#[test]
fn after_any_failed_write_the_store_reads_on_and_a_restart_has_all_that_was_acknowledged() {
    let mut after = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(failing(disk(directory.path()), after)).unwrap();
        let (mut model, error) = run_until_failure(&store);
        let Some(error) = error else { break };
        assert!(matches!(&error, StoreError::WriteFailed { .. }), "{error}");
        assert!(error.to_string().contains("free disk space"), "{error}");
        assert_read_only(&store, &model);
        drop(store);
        let store = Store::open(keeping(disk(directory.path()), 100, 10)).unwrap();
        if !model.blocks.is_empty() {
            assert_same(&store, &model, 100, 10);
        }
        store.commit(model.extend(&block(20))).unwrap();
        assert_same(&store, &model, 100, 10);
        after += 1;
    }
    assert!(after >= 10, "eight blocks, a rewind and two flushes were failed in turn, got {after}");
}

#[test]
fn a_failed_write_takes_the_blocks_staged_after_it_with_it() {
    let store = Store::open(failing(memory(), 2)).unwrap();
    let mut model = Model::default();
    store.commit(model.extend(&block(0))).unwrap();
    let durable = {
        let first = store.stage(model.extend(&block(1))).unwrap();
        let durable = model.clone();
        let second = store.stage(model.extend(&block(2)));
        let third = store.stage(model.extend(&block(3)));
        first.wait().unwrap();
        for ticket in [second, third] {
            let outcome = ticket.and_then(|ticket| ticket.wait());
            assert!(matches!(outcome, Err(StoreError::WriteFailed { .. })), "{outcome:?}");
        }
        durable
    };
    assert_read_only(&store, &durable);
}

#[test]
fn only_the_next_block_is_taken() {
    let store = Store::open(memory()).unwrap();
    let mut model = Model::default();
    let genesis = model.extend(&block(0));
    let first = model.extend(&block(1));
    assert!(matches!(store.stage(first.clone()), Err(StoreError::NotNext { height: 1, tip: None, .. })));
    store.commit(genesis.clone()).unwrap();
    assert!(matches!(store.stage(genesis), Err(StoreError::NotNext { height: 0, tip: Some((0, _)), .. })));
    let mut other = Model::default();
    other.extend(&block(7));
    let stranger = other.extend(&block(1));
    assert!(matches!(store.stage(stranger), Err(StoreError::NotNext { height: 1, .. })));
    store.commit(first).unwrap();
    assert_same(&store, &model, 100, 10);
}

/// Panics instead of failing.
struct Panic;

impl FailPoint for Panic {
    fn before_write(&self, step: WriteStep) -> io::Result<()> {
        match step {
            WriteStep::Block { height: 1 } => panic!("a defect in the writer"),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_writer_that_panics_leaves_nobody_waiting() {
    let store = Store::open(StoreConfig { fail_point: Some(Arc::new(Panic)), ..memory() }).unwrap();
    let mut model = Model::default();
    store.commit(model.extend(&block(0))).unwrap();
    let mut longer = model.clone();
    let outcomes: Vec<_> =
        (1..5).map(|n| store.stage(longer.extend(&block(n))).and_then(|ticket| ticket.wait())).collect();
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::WriteFailed { .. }))),
        "{outcomes:?}"
    );
    assert_same(&store, &model, 100, 100);
}
