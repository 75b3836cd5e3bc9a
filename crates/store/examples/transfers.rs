//! What committing costs: blocks of transfers between random accounts, trie included, execution left out.
//!
//! `cargo run --release -p chlom-store --example transfers -- [directory] [accounts] [blocks] [transfers a block]`;
//! without a directory, or with `memory`, in memory.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    reason = "it measures time"
)]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope, TxType};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use chlom_primitives::{Additions, Block, Receipt, Tx};
use chlom_state::{Account, AccountChange, MemoryState, NodeReader, StateDiff, StateReader, trie};
use chlom_store::{Commit, Store, StoreConfig, StoreError};

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn address(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[..20])
}

fn transaction(numbers: &mut Numbers, from: u64, to: Address) -> Arc<Tx> {
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce: numbers.below(1_000),
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000 + u128::from(numbers.below(1_000_000_000)),
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        value: U256::from(numbers.below(u64::MAX >> 33)) * U256::from(1_000_000_000u64),
        ..Default::default()
    };
    let mut word = || U256::from_be_bytes(keccak256(numbers.below(u64::MAX).to_be_bytes()).0);
    let signature = Signature::new(word(), word(), false);
    Arc::new(Tx::new(TxEnvelope::from(tx.into_signed(signature)), address(from)))
}

fn block(parent: Option<&Block>, state_root: B256, txs: Vec<Arc<Tx>>) -> Arc<Block> {
    let additions = Additions::empty();
    let header = Header {
        number: parent.map_or(0, |parent| parent.height() + 1),
        parent_hash: parent.map_or(B256::ZERO, |parent| parent.hash),
        state_root,
        extra_data: Bytes::from(additions.hash().0),
        base_fee_per_gas: Some(1_000_000_000),
        ..Default::default()
    };
    Arc::new(Block::seal(header, additions, txs))
}

fn genesis(accounts: u64) -> Result<Commit, Box<dyn Error>> {
    let mut diff = StateDiff::default();
    let balance = U256::from(10_000u64) * U256::from(10u64).pow(U256::from(18));
    for n in 0..accounts {
        let after = Some(Account { balance: balance + U256::from(n), ..Account::default() });
        diff.accounts.insert(address(n), AccountChange { after, ..AccountChange::default() });
    }
    let trie = trie::apply(&MemoryState::default(), &mut diff)?;
    let block = block(None, trie.state_root, Vec::new());
    Ok(Commit { block, receipts: Arc::default(), diff, trie })
}

/// Moves a wei along each transfer.
fn execute(view: &impl StateReader, pairs: &[(Address, Address)]) -> Result<StateDiff, Box<dyn Error>> {
    let mut accounts = BTreeMap::<Address, AccountChange>::new();
    for (from, to) in pairs {
        for (address, pays) in [(from, true), (to, false)] {
            if !accounts.contains_key(address) {
                let before = view.account(address)?;
                accounts
                    .insert(*address, AccountChange { before, after: before, ..AccountChange::default() });
            }
            let account = accounts.get_mut(address).and_then(|change| change.after.as_mut());
            let account = account.ok_or("every account is in genesis")?;
            if pays {
                account.nonce += 1;
                account.balance -= U256::from(21_000_000_000_001u64);
            } else {
                account.balance += U256::from(1);
            }
        }
    }
    Ok(StateDiff { accounts, ..StateDiff::default() })
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Milliseconds on a processor by thread name: on a busy machine the clock on the wall says little.
fn processor_ms() -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return sums };
    for task in tasks.flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
        *sums.entry(read("comm").trim().to_string()).or_default() += nanos.unwrap_or(0.0) / 1e6;
    }
    sums
}

/// Time that this thread has had on a processor.
fn own_processor_time() -> Duration {
    let own = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(own.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

#[derive(Default)]
struct Times {
    read: Duration,
    trie: Duration,
    stage: Duration,
}

fn run(store: &Store, accounts: u64, blocks: u64, transfers: u64) -> Result<(), Box<dyn Error>> {
    let mut numbers = Numbers(7);
    let mut prepared = Vec::new();
    for _ in 0..blocks {
        let pairs: Vec<_> =
            (0..transfers).map(|_| (numbers.below(accounts), numbers.below(accounts))).collect();
        let txs: Vec<_> =
            pairs.iter().map(|(from, to)| transaction(&mut numbers, *from, address(*to))).collect();
        let pairs: Vec<_> = pairs.iter().map(|(from, to)| (address(*from), address(*to))).collect();
        prepared.push((pairs, txs));
    }
    let receipts: Arc<Vec<_>> = Arc::new(
        (1..=transfers)
            .map(|n| Receipt {
                tx_type: TxType::Eip1559,
                success: true,
                cumulative_gas_used: n * 21_000,
                logs: vec![],
            })
            .collect(),
    );
    let disk_before = store.disk_bytes().unwrap_or(0);
    let (mut times, mut last) = (Times::default(), None);
    let mut slowest = Duration::ZERO;
    let busy_before = processor_ms();
    let started = Instant::now();
    for (pairs, txs) in prepared {
        let (begun, clock) = (own_processor_time(), Instant::now());
        let tip = store.tip_view().ok_or("genesis is there")?;
        let mut diff = execute(&tip.state, &pairs)?;
        let read = own_processor_time();
        let updates = trie::apply(&tip.state, &mut diff)?;
        let hashed = own_processor_time();
        let block = block(Some(&tip.block), updates.state_root, txs);
        last = Some(store.stage(Commit { block, receipts: receipts.clone(), diff, trie: updates })?);
        times.read += read - begun;
        times.trie += hashed - read;
        times.stage += own_processor_time() - hashed;
        slowest = slowest.max(clock.elapsed());
    }
    last.map_or(Ok::<_, StoreError>(()), |ticket| ticket.wait())?;
    let total = started.elapsed();
    let per_block = |time: Duration| time.as_secs_f64() * 1e3 / blocks as f64;
    println!(
        "{:.0} transfers/s; ms of this thread a block: read {:.1}, trie {:.1}, stage {:.1}; slowest block {} ms",
        (blocks * transfers) as f64 / total.as_secs_f64(),
        per_block(times.read),
        per_block(times.trie),
        per_block(times.stage),
        slowest.as_millis(),
    );
    for (name, busy) in processor_ms() {
        let busy = busy - busy_before.get(&name).copied().unwrap_or(0.0);
        println!("{name:>16}: {:.1} ms of processor a block", busy / blocks as f64);
    }
    let stats = store.stats();
    println!("writer: {:.1} ms a block; {stats:?}", stats.write_micros as f64 / 1e3 / stats.commits as f64);
    let flushed = Instant::now();
    store.flush()?;
    println!("flush: {} ms; resident {} MiB", flushed.elapsed().as_millis(), resident_mib());
    if let Some(disk) = store.disk_bytes() {
        let grown = disk.saturating_sub(disk_before) as f64 / (blocks * transfers) as f64;
        println!("disk: {} MiB, was {} MiB: {grown:.0} bytes a transfer", disk >> 20, disk_before >> 20);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |arg| arg.parse());
    let config = match args.first() {
        Some(directory) if directory != "memory" => StoreConfig::disk(directory),
        _ => StoreConfig::memory(),
    };
    rayon::ThreadPoolBuilder::new().thread_name(|_| "rayon".into()).build_global()?;
    let (accounts, blocks, transfers) = (number(1, 1_000_000)?, number(2, 100)?, number(3, 5_000)?);
    let opened = Instant::now();
    let store = Store::open(config)?;
    println!("opened in {} ms", opened.elapsed().as_millis());
    if store.head().is_none() {
        let begun = Instant::now();
        store.commit(genesis(accounts)?)?;
        println!("genesis: {} s, resident {} MiB", begun.elapsed().as_secs(), resident_mib());
    }
    if let Some(bytes) = store.disk_bytes() {
        println!("disk: {} MiB", bytes >> 20);
    }
    run(&store, accounts, blocks, transfers)?;
    let head = store.head().ok_or("a head")?;
    let root = head.state.root(&chlom_state::TrieId::Accounts)?;
    assert_eq!(root.map(|root| root.root_hash()), Some(head.block.header.state_root));
    let closing = Instant::now();
    drop((head, store));
    println!("closed in {} ms", closing.elapsed().as_millis());
    Ok(())
}
