//! How long rooting takes beside the keccaks that it cannot do without: blocks of 5,000 transfers between random accounts
//! of 1,000,000, over records in a hash map.
//!
//! `cargo bench -p chlom-state`; `-- <accounts> <transfers> <blocks>` changes the sizes. Without `--bench` (under
//! `cargo test`) the sizes are small: then it only shows that it runs.
//!
//! Wall time is what counts, but on a machine that does other work only processor time (Linux) compares.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
    time::{Duration, Instant},
};

use alloy_primitives::{
    Address, B256, Bytes, U256, keccak256,
    map::{HashMap, HashSet},
};
use alloy_trie::Nibbles;
use chlom_state::{
    Account, AccountChange, Branch, Child, NodeReader, StateDiff, StateError, StateReader, TrieId,
    TrieUpdates, trie::apply,
};
use rayon::prelude::*;

/// As in the node: of what rooting takes beside its keccaks, much is finding room for records.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Flat accounts and their trie.
#[derive(Default)]
struct State {
    accounts: HashMap<B256, Account>,
    root: Option<Child>,
    branches: HashMap<Nibbles, Branch, BuildHasherDefault<Fold>>,
}

/// Folded multiplication. (alloy's default for maps, Fx, leaves most of a short path's bits where a map does not look.)
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl State {
    fn commit(&mut self, diff: &StateDiff, updates: TrieUpdates) {
        for (address, change) in &diff.accounts {
            self.accounts.insert(keccak256(address), change.after.unwrap());
        }
        for (_, root) in updates.roots {
            self.root = root;
        }
        for (path, branch) in updates.branches.into_values().flatten() {
            match branch {
                Some(branch) => self.branches.insert(path, branch),
                None => self.branches.remove(&path),
            };
        }
    }
}

impl StateReader for State {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(&keccak256(address)).copied())
    }
    fn storage(&self, _: &Address, _: &U256) -> Result<U256, StateError> {
        Ok(U256::ZERO)
    }
    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Ok(Bytes::new())
    }
    fn storage_entries(&self, _: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        Ok(Vec::new())
    }
}

impl NodeReader for State {
    fn root(&self, _: &TrieId) -> Result<Option<Child>, StateError> {
        Ok(self.root.clone())
    }
    fn branch(&self, _: &TrieId, path: &Nibbles) -> Result<Option<Branch>, StateError> {
        Ok(self.branches.get(path).cloned())
    }
    fn leaf(&self, _: &TrieId, key: &B256) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.accounts.get(key).map(alloy_rlp::encode))
    }
}

fn address(at: u64) -> Address {
    Address::from_word(keccak256(at.to_le_bytes()))
}

/// xorshift64*: the same blocks in every run.
fn random(state: &mut u64, below: u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d) % below
}

fn genesis(count: u64) -> StateDiff {
    let account = |at| {
        let account = Account { balance: U256::from(10u64).pow(U256::from(22)), ..Account::default() };
        (address(at), AccountChange { after: Some(account), ..AccountChange::default() })
    };
    StateDiff { accounts: (0..count).map(account).collect(), ..StateDiff::default() }
}

/// A block of transfers of odd amounts between accounts that are all different.
fn block(state: &State, accounts: u64, transfers: usize, seed: &mut u64) -> StateDiff {
    let mut diff = StateDiff::default();
    while diff.accounts.len() < transfers * 2 {
        let address = address(random(seed, accounts));
        let before = state.accounts[&keccak256(address)];
        let mut after = before;
        if diff.accounts.len().is_multiple_of(2) {
            after.nonce += 1;
            after.balance -= U256::from(21_000_000_000_123u64);
        } else {
            after.balance += U256::from(123);
        }
        diff.accounts.entry(address).or_insert(AccountChange {
            before: Some(before),
            after: Some(after),
            ..AccountChange::default()
        });
    }
    diff
}

/// Lengths of all that an update hashes: addresses, leaves, branches, extensions.
fn hashed_lengths(diff: &StateDiff, updates: &TrieUpdates) -> Vec<usize> {
    let changed: HashSet<B256> = diff.accounts.keys().map(keccak256).collect();
    let mut lengths = vec![20; changed.len()];
    for (path, branch) in updates.branches.values().flatten().filter_map(|(p, b)| Some((p, b.as_ref()?))) {
        let mut packed = B256::ZERO;
        path.pack_to(&mut packed.0);
        let children: Vec<Child> = branch.children(&packed).map(|(_, child)| child).collect();
        let payload = children.iter().map(|child| child.node().len()).sum::<usize>() + 17 - children.len();
        lengths.push(
            payload
                + if payload < 56 {
                    1
                } else if payload < 256 {
                    2
                } else {
                    3
                },
        );
        for child in children {
            let below = child.path_len() - path.len() - 1;
            if child.is_leaf() && changed.contains(child.packed_path()) {
                let account = diff.accounts.values().next().unwrap().after.unwrap();
                lengths.push(2 + 2 + below / 2 + 2 + alloy_rlp::encode(account).len());
            } else if !child.is_leaf() && below > 0 {
                lengths.push(1 + 2 + below / 2 + 33);
            }
        }
    }
    lengths
}

/// Only the hashing, spread over the same threads.
fn keccak_alone(lengths: &[usize]) {
    let bytes = vec![0x5a; 1024];
    lengths.par_chunks(64).for_each(|part| {
        for length in part {
            black_box(keccak256(black_box(&bytes[..*length])));
        }
    });
}

/// Nanoseconds that this process's threads have run, where Linux tells.
fn processor_time() -> u64 {
    let ran = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    std::fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.filter_map(ran).sum())
}

/// Wall times of one activity, and its processor time in all.
#[derive(Default)]
struct Clock {
    wall: Vec<Duration>,
    processor: u64,
}

impl Clock {
    fn time<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let (ran, start) = (processor_time(), Instant::now());
        let result = run();
        self.wall.push(start.elapsed());
        self.processor += processor_time() - ran;
        result
    }

    fn processor(&self) -> Duration {
        Duration::from_nanos(self.processor) / self.wall.len() as u32
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let full = args.iter().any(|arg| arg == "--bench");
    let sizes: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let size =
        |at: usize, full_size, small| sizes.get(at).copied().unwrap_or(if full { full_size } else { small });
    let (accounts, transfers, blocks) = (size(0, 1_000_000, 2_000), size(1, 5_000, 50), size(2, 30, 2));

    let mut state = State::default();
    let start = Instant::now();
    let mut diff = genesis(accounts);
    println!("genesis of {accounts} accounts made in {:?}", start.elapsed());
    let start = Instant::now();
    let updates = apply(&state, &mut diff).unwrap();
    println!("rooted in {:?}", start.elapsed());
    state.commit(&diff, updates);
    drop(diff);
    let stored: usize = state.branches.values().map(|branch| branch.as_bytes().len()).sum();
    println!("{} branch records, {stored} bytes encoded", state.branches.len());

    let (mut seed, mut rooting, mut hashing, mut nodes) = (7, Clock::default(), Clock::default(), 0);
    for _ in 0..blocks {
        let mut diff = block(&state, accounts, transfers as usize, &mut seed);
        let updates = rooting.time(|| apply(&state, &mut diff).unwrap());
        let lengths = hashed_lengths(&diff, &updates);
        hashing.time(|| keccak_alone(&lengths));
        nodes = lengths.len() - diff.accounts.len();
        state.commit(&diff, updates);
    }
    println!(
        "{transfers} transfers over {accounts} accounts, {} threads, {blocks} blocks; keccaks: {nodes} nodes and the \
         addresses",
        rayon::current_num_threads(),
    );
    for (what, rooting, hashing) in [
        ("median wall time", median(&rooting.wall), median(&hashing.wall)),
        ("mean processor time", rooting.processor(), hashing.processor()),
    ] {
        let ratio = rooting.as_secs_f64() / hashing.as_secs_f64();
        println!("{what}: rooting {rooting:?}, its keccaks alone {hashing:?}, ratio {ratio:.2}");
    }
}
