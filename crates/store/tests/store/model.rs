//! The store against a model that keeps a copy of everything.

use std::sync::{Arc, atomic::Ordering};

use crate::chain::{
    Model, NoTrieWrites, Op, assert_same, assert_same_state, assert_same_trie, disk, keeping, memory, ops,
};
use chlom_store::{Backend, Store, StoreConfig};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Commits a block.
    Block(Vec<Op>),
    /// Stages several blocks before it waits for them.
    Pipeline(Vec<Vec<Op>>),
    /// Stores the trie.
    Flush,
    /// Goes back this many heights, as far as history allows.
    Rewind(u8),
    /// Closes and opens.
    Reopen,
    /// The same without the trie having been stored, as after a kill.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => ops().prop_map(Step::Block),
        2 => prop::collection::vec(ops(), 1..4).prop_map(Step::Pipeline),
        1 => Just(Step::Flush),
        1 => (0u8..6).prop_map(Step::Rewind),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

const HISTORY: u64 = 7;
const PROOFS: u64 = 4;

struct Run {
    config: StoreConfig,
    crash: Arc<NoTrieWrites>,
    store: Option<Store>,
    model: Model,
}

impl Run {
    fn new(config: StoreConfig) -> Self {
        let crash = Arc::new(NoTrieWrites::default());
        let config = StoreConfig { fail_point: Some(crash.clone()), ..keeping(config, HISTORY, PROOFS) };
        let store = Store::open(config.clone()).expect("a new store");
        let mut run = Self { config, crash, store: Some(store), model: Model::default() };
        run.step(&Step::Block((0..10).map(|account| Op::Pay { account, amount: 9 }).collect()));
        run
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Block(ops) => {
                let commit = self.model.extend(ops);
                assert_same_trie(self.store(), &commit);
                self.store().commit(commit).expect("a commit");
            }
            Step::Pipeline(blocks) => {
                let mut tickets = Vec::new();
                for ops in blocks {
                    let commit = self.model.extend(ops);
                    assert_same_trie(self.store(), &commit);
                    tickets.push(self.store().stage(commit).expect("staged"));
                    let tip = self.store().tip_view().expect("a tip");
                    assert_eq!(tip.block.height(), self.model.height());
                    assert_same_state(&tip.state, &self.model.state());
                }
                for ticket in tickets {
                    ticket.wait().expect("durable");
                }
            }
            Step::Flush => self.store().flush().expect("flushed"),
            Step::Rewind(by) => {
                let height = self.model.height().saturating_sub(u64::from(*by));
                let height = height.max(self.store().oldest_history());
                self.store().rewind(height).expect("rewound");
                self.model.rewind(height);
            }
            Step::Reopen => self.reopen(false),
            Step::Crash => self.reopen(true),
        }
        assert_same(self.store(), &self.model, HISTORY, PROOFS);
    }

    fn reopen(&mut self, crash: bool) {
        if self.config.backend == Backend::Memory {
            return;
        }
        self.crash.on.store(crash, Ordering::Relaxed);
        self.store = None;
        self.crash.on.store(false, Ordering::Relaxed);
        self.store = Some(Store::open(self.config.clone()).expect("reopened"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_every_height_reads_and_proves_as_it_was(steps in prop::collection::vec(step(), 1..16)) {
        let mut run = Run::new(memory());
        steps.iter().for_each(|step| run.step(step));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn on_disk_every_height_reads_and_proves_as_it_was(steps in prop::collection::vec(step(), 1..16)) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut run = Run::new(disk(directory.path()));
        steps.iter().for_each(|step| run.step(step));
    }
}
