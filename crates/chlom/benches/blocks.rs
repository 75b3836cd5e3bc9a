//! Blocks of plain transfers over many accounts, from recovered transactions: execute, root and store, on disk.
//!
//! `cargo bench -p chlom --bench blocks -- [--accounts N] [--txs N] [--blocks N] [--dir DIR] [--json]`
//!
//! Each block runs through the application's own path; its durable write overlaps the next block's execution, two blocks
//! in flight at most. The table says where the time went, and which part of the reference machine's speed this one had: by
//! what recovering a signature takes on a core, before and after.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::float_arithmetic, missing_docs)]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, Signature, TxKind, U256};
use chlom_app::{App, Base, LastCommit, TxSource};
use chlom_chain::votes::{CommitFlags, VoteExtension, sign_extension};
use chlom_crypto::ValidatorKey;
use chlom_evm::{BlockExecutor, TxInvalid, genesis::GenesisSpec};
use chlom_primitives::{L0_CHAIN_ID, Params, Tx};
use chlom_state::trie;
use chlom_store::{Backend, Commit, History, Store, StoreConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Args {
    accounts: u64,
    txs: u64,
    blocks: u64,
    dir: PathBuf,
    json: bool,
}

fn args() -> Args {
    let mut args = Args {
        accounts: 1_000_000,
        txs: 5_000,
        blocks: 100,
        dir: std::env::temp_dir().join(format!("chlom-bench-{}", std::process::id())),
        json: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let mut number = || given.next().and_then(|v| v.parse().ok()).expect("a number");
        match flag.as_str() {
            "--accounts" => args.accounts = number(),
            "--txs" => args.txs = number(),
            "--blocks" => args.blocks = number(),
            "--dir" => args.dir = given.next().expect("a directory").into(),
            "--json" => args.json = true,
            _ => {}
        }
    }
    args
}

/// splitmix64: the bench needs a fixed, well-mixed sequence and nothing more.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn account(index: u64) -> Address {
    let mut bytes = [0x11u8; 20];
    bytes[12..].copy_from_slice(&mix(index).to_be_bytes());
    Address::from(bytes)
}

struct Fixed(std::vec::IntoIter<Arc<Tx>>);

impl TxSource for Fixed {
    fn next(&mut self) -> Option<Arc<Tx>> {
        self.0.next()
    }
    fn refuse(&mut self, tx: &Arc<Tx>, why: Option<&TxInvalid>) {
        panic!("the bench made an invalid transaction {}: {why:?}", tx.hash());
    }
}

/// Random sender to random recipient; nonces are counted, signatures are not real (recovery is measured elsewhere).
fn transfers(args: &Args, block: u64, nonces: &mut [u32]) -> Vec<Arc<Tx>> {
    (0..args.txs)
        .map(|i| {
            let draw = mix(block.wrapping_mul(1_000_003).wrapping_add(i));
            let (from, to) = (draw % args.accounts, mix(draw) % args.accounts);
            let nonce = &mut nonces[usize::try_from(from).expect("fits")];
            let tx = TxEip1559 {
                chain_id: 7272,
                nonce: u64::from(*nonce),
                gas_limit: 21_000,
                max_fee_per_gas: 100_000_000_000,
                max_priority_fee_per_gas: 1,
                to: TxKind::Call(account(to)),
                value: U256::from(1_000_000_007u64),
                ..Default::default()
            };
            *nonce += 1;
            let signature = Signature::new(U256::from(mix(draw)), U256::from(draw | 1), false);
            let tx = Tx::new(TxEnvelope::Eip1559(tx.into_signed(signature)), account(from));
            let _computed_on_arrival = tx.hash();
            Arc::new(tx)
        })
        .collect()
}

#[derive(Default)]
struct Spent {
    prepare: Duration,
    stage: Duration,
}

fn validator() -> ValidatorKey {
    ValidatorKey::from_seed(&[7; 32])
}

/// The commit below, by the one validator, which attests nothing.
fn last_commit<S>(base: &Base<S>) -> LastCommit {
    let height = base.parent.height();
    if height == 0 {
        return LastCommit::default();
    }
    let signed = sign_extension(&validator(), L0_CHAIN_ID, height, 0, &VoteExtension::default());
    let flags = CommitFlags { round: 0, committed: vec![signed.consensus_key] };
    LastCommit { flags, extensions: vec![signed] }
}

fn main() {
    let args = args();
    let params = Arc::new(Params::default());
    let modules = Arc::new(chlom_app::modules());
    let (store, genesis_took) = genesis(&args);
    let disk_before = settled_disk(&store);

    let mut nonces = vec![0u32; usize::try_from(args.accounts).expect("fits")];
    let mut app = App::new(params.clone(), modules.clone());
    let mut spent = Spent::default();
    let mut tickets = std::collections::VecDeque::new();
    let mut walls = Vec::new();
    let warmup = 10;
    let speed_before = speed();
    let (cpu_before, mut making) = (Cpu::now(), 0.0);
    for block in 0..args.blocks + warmup {
        let making_from = thread_seconds();
        let txs = transfers(&args, block, &mut nonces);
        making += thread_seconds() - making_from;
        let started = Instant::now();
        let head = store.tip_view().expect("genesis is there");
        let base = Base { parent: head.block, state: head.state };
        let mut source = Fixed(txs.into_iter());
        let time = base.parent.header.timestamp + 1;
        let proposal = app
            .prepare_proposal(
                &base,
                time,
                Address::repeat_byte(0xfe),
                last_commit(&base),
                &mut source,
                &mut || false,
            )
            .expect("no fault");
        let done = app.finalize_block(&base, &proposal, &|_| Vec::new()).expect("no fault");
        assert!(done.reused);
        let prepared = started.elapsed();
        let executed = done.executed;
        assert_eq!(executed.block.txs.len() as u64, args.txs);
        let commit = Commit {
            block: executed.block,
            receipts: executed.receipts,
            diff: executed.diff,
            trie: executed.trie,
        };
        tickets.push_back(store.stage(commit).expect("staged"));
        if tickets.len() > 2 {
            tickets.pop_front().expect("three").wait().expect("durable");
        }
        if block >= warmup {
            spent.prepare += prepared;
            spent.stage += started.elapsed() - prepared;
            walls.push(started.elapsed());
        }
    }
    let drained = Instant::now();
    for ticket in tickets {
        ticket.wait().expect("durable");
    }
    let drain = drained.elapsed();
    let cpu = Cpu::now().since(cpu_before, making, ((args.blocks + warmup) * args.txs) as f64);
    let speed = (speed_before + speed()) / 2.0;
    let parts = parts(&args, &store, &params, &modules, &mut nonces);
    let disk_after = settled_disk(&store);
    report(&args, &walls, &spent, drain, cpu, speed, &parts, genesis_took, disk_before, disk_after);
    drop(store);
    let _best_effort = std::fs::remove_dir_all(&args.dir);
}

fn genesis(args: &Args) -> (Store, Duration) {
    let balance = U256::from(10).pow(U256::from(20));
    let key = validator().consensus_key();
    let validator = chlom_chain::staking::Validator {
        consensus_key: key.to_bytes().into(),
        account: Address::repeat_byte(0xfe),
        power: 1,
    };
    let accounts = (0..args.accounts).map(|index| (account(index), balance));
    let spec = GenesisSpec::dev(accounts, vec![validator], 0);
    let block = chlom_app::genesis::block(&spec).expect("a valid genesis");
    let store = Store::open(StoreConfig {
        backend: Backend::Disk(args.dir.clone()),
        history: History::Heights(10_000),
        proof_history: 256,
        cache_bytes: 512 * 1024 * 1024,
        fail_point: None,
    })
    .expect("an empty directory");
    let started = Instant::now();
    store
        .commit(Commit { block: block.block, receipts: block.receipts, diff: block.diff, trie: block.trie })
        .expect("genesis commits");
    (store, started.elapsed())
}

struct Parts {
    execute: Duration,
    root: Duration,
    lists: Duration,
}

/// The same work once more, part by part and without commit.
fn parts(
    args: &Args,
    store: &Store,
    params: &Params,
    modules: &chlom_module::ModuleSet,
    nonces: &mut [u32],
) -> Parts {
    let head = store.tip_view().expect("a head");
    let txs = transfers(args, 1_000_000, nonces);
    let env = chlom_app::next_env(
        head.block.hash,
        &head.block.header,
        params,
        u64::MAX / 4,
        Address::repeat_byte(0xfe),
    );
    let started = Instant::now();
    let mut executor = BlockExecutor::new(&head.state, params, modules, env).expect("no fault");
    for tx in &txs {
        executor.execute(tx).expect("valid");
    }
    let mut outcome = executor.finish().expect("no fault");
    let execute = started.elapsed();
    let started = Instant::now();
    let updates = trie::apply(&head.state, &mut outcome.diff).expect("no fault");
    let root = started.elapsed();
    assert!(!updates.branches.is_empty());
    let started = Instant::now();
    let _roots = (
        chlom_primitives::block::transactions_root(&txs),
        chlom_primitives::block::receipts_root(&outcome.receipts),
    );
    Parts { execute, root, lists: started.elapsed() }
}

fn settled_disk(store: &Store) -> u64 {
    store.flush().expect("flushes");
    store.disk_bytes().unwrap_or(0)
}

/// Processor time that threads have used, seconds, by what they do.
#[derive(Clone, Copy, Default)]
struct Cpu {
    /// Execution and rooting: this thread and its helpers, without making transactions.
    blocks: f64,
    /// The store's writer.
    writer: f64,
    /// The engine's flushes and compactions.
    engine: f64,
}

impl Cpu {
    /// From /proc; nothing where there is none. A thread that ended counts no more: these do not end.
    fn now() -> Self {
        let mut cpu = Self::default();
        for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let ran =
                read("schedstat").split(' ').next().and_then(|ran| ran.parse::<f64>().ok()).unwrap_or(0.0);
            *match read("comm").trim() {
                name if name.starts_with("chlom-store") => &mut cpu.writer,
                name if name.starts_with("fjall") => &mut cpu.engine,
                _ => &mut cpu.blocks,
            } += ran / 1e9;
        }
        cpu
    }

    /// Microseconds for each transfer since `start`.
    fn since(self, start: Self, making: f64, transfers: f64) -> [f64; 4] {
        let blocks = self.blocks - start.blocks - making;
        let (writer, engine) = (self.writer - start.writer, self.engine - start.engine);
        [blocks + writer + engine, blocks, writer, engine].map(|seconds| seconds * 1e6 / transfers)
    }
}

/// How fast a core of this machine is now beside one of the reference machine, on which libsecp256k1 recovers a sender in
/// 39.9 µs.
fn speed() -> f64 {
    const THERE: f64 = 39.9e-6;
    const ROUNDS: u32 = 2_000;
    let tx =
        TxEip1559 { chain_id: 7272, gas_limit: 21_000, to: TxKind::Call(account(1)), ..Default::default() };
    let key = chlom_crypto::AccountKey::from_bytes([7; 32]).expect("below the order");
    let signature = key.sign_hash(tx.signature_hash());
    let envelope = TxEnvelope::Eip1559(tx.into_signed(signature));
    let from = thread_seconds();
    for _ in 0..ROUNDS {
        assert!(std::hint::black_box(chlom_crypto::recover(std::hint::black_box(&envelope))).is_ok());
    }
    f64::from(ROUNDS) * THERE / (thread_seconds() - from)
}

/// Processor time of this thread, seconds.
fn thread_seconds() -> f64 {
    let ran = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    ran.split(' ').next().and_then(|ran| ran.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

#[allow(clippy::too_many_arguments, clippy::float_arithmetic)]
fn report(
    args: &Args,
    walls: &[Duration],
    spent: &Spent,
    drain: Duration,
    cpu: [f64; 4],
    speed: f64,
    parts: &Parts,
    genesis: Duration,
    disk_before: u64,
    disk_after: u64,
) {
    let blocks = walls.len() as f64;
    let wall: Duration = walls.iter().sum::<Duration>() + drain;
    let rate = blocks * args.txs as f64 / wall.as_secs_f64();
    let mut sorted = walls.to_vec();
    sorted.sort();
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let at = |q: f64| ms(sorted[((sorted.len() - 1) as f64 * q) as usize]);
    let transfers = (args.blocks + 10) as f64 * args.txs as f64;
    let rows = [
        ("transfers_per_second", rate),
        ("speed_of_reference", speed),
        ("at_that_speed_per_second", rate / speed),
        ("block_ms_median", at(0.5)),
        ("block_ms_p95", at(0.95)),
        ("block_ms_max", at(1.0)),
        ("prepare_ms_mean", ms(spent.prepare) / blocks),
        ("stage_ms_mean", ms(spent.stage) / blocks),
        ("cpu_us_per_transfer", cpu[0]),
        ("cpu_us_blocks", cpu[1]),
        ("cpu_us_writer", cpu[2]),
        ("cpu_us_engine", cpu[3]),
        ("part_execute_ms", ms(parts.execute)),
        ("part_root_ms", ms(parts.root)),
        ("part_lists_ms", ms(parts.lists)),
        ("genesis_commit_ms", ms(genesis)),
        ("disk_mb_after_genesis", disk_before as f64 / 1e6),
        ("disk_bytes_per_transfer", disk_after.saturating_sub(disk_before) as f64 / transfers),
    ];
    if args.json {
        let fields: Vec<String> = rows.iter().map(|(name, value)| format!("\"{name}\":{value:.3}")).collect();
        println!(
            "{{\"accounts\":{},\"txs\":{},\"blocks\":{},{}}}",
            args.accounts,
            args.txs,
            args.blocks,
            fields.join(",")
        );
        return;
    }
    println!("{} blocks of {} transfers over {} accounts", args.blocks, args.txs, args.accounts);
    for (name, value) in rows {
        println!("{name:<26} {value:>14.2}");
    }
}
