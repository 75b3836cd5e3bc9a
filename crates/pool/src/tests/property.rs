//! Random histories: the pool does what the model does, step by step.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, U256};
use chlom_primitives::Tx;
use chlom_state::MemoryState;
use proptest::prelude::*;

use super::{fixture::*, model::Model};
use crate::{Pool, PoolConfig};

const LIFETIME: Duration = Duration::from_secs(3_600);
const SENDERS: u8 = 5;

/// One thing that happens to a pool.
#[derive(Clone, Debug)]
enum Step {
    Add {
        who: u8,
        ahead: u64,
        fee: u128,
        tip: u128,
        value: u128,
        size: usize,
    },
    /// A block of so many of the best, which costs each sender so much; then another base fee.
    Block {
        take: usize,
        spends: u128,
        base_fee: u64,
    },
    /// A block with a transaction that never was in the pool.
    Elsewhere {
        who: u8,
    },
    /// The head moves somewhere else.
    Revert {
        nonces: Vec<u64>,
        balances: Vec<u128>,
    },
    Remove {
        which: prop::sample::Index,
    },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let add = (0..SENDERS, 0..7u64, 1..40u128, 0..40u128, 0..3u128, prop_oneof![Just(0usize), 0..2_000usize]);
    prop_oneof![
        12 => add.prop_map(|(who, ahead, fee, tip, value, size)| {
            Step::Add { who, ahead, fee, tip: tip.min(fee), value: value * 400_000, size }
        }),
        3 => (0..6usize, 0..1_000_000u128, 0..20u64)
            .prop_map(|(take, spends, base_fee)| Step::Block { take, spends, base_fee }),
        1 => (0..SENDERS).prop_map(|who| Step::Elsewhere { who }),
        1 => (prop::collection::vec(0..8u64, SENDERS as usize),
              prop::collection::vec(0..8_000_000u128, SENDERS as usize))
            .prop_map(|(nonces, balances)| Step::Revert { nonces, balances }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Remove { which }),
        1 => Just(Step::Expire),
    ]
}

fn sender(who: u8) -> Address {
    Address::repeat_byte(who + 1)
}

struct World {
    pool: Pool,
    model: Model,
    state: MemoryState,
    nonces: Vec<u64>,
    balances: Vec<u128>,
    base_fee: u64,
}

impl World {
    fn new(config: PoolConfig) -> Self {
        let mut world = Self {
            pool: pool_with(config.clone()),
            model: Model::new(config),
            state: MemoryState::default(),
            nonces: vec![1; SENDERS.into()],
            balances: vec![6_000_000; SENDERS.into()],
            base_fee: 0,
        };
        world.write_state();
        world
    }

    fn write_state(&mut self) {
        for who in 0..SENDERS {
            let at = usize::from(who);
            set(&mut self.state, sender(who), self.nonces[at], U256::from(self.balances[at]));
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Add { who, ahead, fee, tip, value, size } => {
                let nonce = (self.nonces[usize::from(who)] + ahead).saturating_sub(1);
                let draft = draft(who, nonce).input(vec![0; size]).fees(fee, tip).value(value);
                let tx = draft.unsigned(sender(who));
                let expected = self.model.add(&tx, &self.state).map(|()| tx.hash());
                assert_eq!(self.pool.add(tx, &self.state), expected);
            }
            Step::Block { take, spends, base_fee } => {
                let included: Vec<_> = self.pool.best(self.base_fee).take(take).collect();
                assert_eq!(included, self.model.best(self.base_fee)[..included.len()]);
                self.base_fee = base_fee;
                self.block(&included, spends, Instant::now());
            }
            Step::Elsewhere { who } => {
                let nonce = self.nonces[usize::from(who)];
                let tx = draft(who, nonce).value(12_345).unsigned(sender(who));
                self.block(&[tx], 5, Instant::now());
            }
            Step::Revert { nonces, balances } => {
                (self.nonces, self.balances) = (nonces, balances);
                self.write_state();
                self.pool.reset(&self.state, self.base_fee).unwrap();
                self.model.settle(&self.model.addresses(), &self.state);
            }
            Step::Remove { which } => {
                let all = self.model.all();
                if !all.is_empty() {
                    let tx = which.get(&all);
                    self.pool.remove(&tx.hash()).unwrap();
                    self.model.remove(tx);
                }
            }
            Step::Expire => {
                self.block(&[], 0, Instant::now() + 2 * LIFETIME);
                self.model.expire();
            }
        }
    }

    fn block(&mut self, included: &[Arc<Tx>], spends: u128, now: Instant) {
        let mut touched = Vec::new();
        for tx in included {
            let who = (0..SENDERS).find(|who| sender(*who) == tx.sender()).unwrap();
            self.nonces[usize::from(who)] = tx.nonce() + 1;
            let balance = &mut self.balances[usize::from(who)];
            *balance = balance.saturating_sub(spends);
            touched.push(tx.sender());
        }
        self.write_state();
        self.pool.on_block(included, &self.state, self.base_fee, now).unwrap();
        self.model.set_base_fee(self.base_fee);
        touched.retain(|who| self.model.addresses().contains(who));
        self.model.settle(&touched, &self.state);
    }

    fn compare(&self) {
        self.pool.table().read().check_invariants();
        let content = self.pool.content();
        let lines =
            [(content.pending, true), (content.queued, false)].into_iter().flat_map(|(half, pending)| {
                half.into_iter()
                    .flat_map(move |(who, txs)| txs.into_keys().map(move |nonce| (who, nonce, pending)))
            });
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        assert_eq!(lines, self.model.content());
        for base_fee in [0, self.base_fee] {
            assert_eq!(self.pool.best(base_fee).collect::<Vec<_>>(), self.model.best(base_fee));
        }
        for who in 0..SENDERS {
            assert_eq!(self.pool.next_nonce(&sender(who)), self.model.next_nonce(&sender(who)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_pool_does_what_a_sorted_list_does(
        steps in prop::collection::vec(step(), 1..80),
        max_txs in 3usize..20,
        max_bytes in prop_oneof![Just(1usize << 30), 8_000usize..40_000],
    ) {
        let mut world = World::new(PoolConfig {
            max_txs,
            max_bytes,
            max_per_account: 6,
            max_queued_per_account: 3,
            queued_lifetime: LIFETIME,
            ..Default::default()
        });
        for step in steps {
            world.apply(step);
            world.compare();
        }
    }
}
