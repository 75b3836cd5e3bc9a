//! What the DataAvailability module's work takes on one core beside the gas that it charges for it.
//!
//! `cargo bench -p chlom-chain --bench gas`: the constants of `blobs::verify` are made of this table; the goal is that on the
//! reference machine no call works for longer than 100 gas a microsecond pay for. Which part of that machine's speed this one
//! has now is measured first, by what c-kzg does on a core. Without `--bench` (under `cargo test`) each call is made once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256};
use alloy_sol_types::SolCall;
use chlom_chain::blobs::{BlobsGenesis, DataAvailability, IDataAvailability as I, blob_id, publish};
use chlom_crypto::kzg::{self, BlobHeader, Cancel, DataRows, RowCount, UpperHalf};
use chlom_module::{MapStorage, MemoryContext};
use chlom_primitives::{Params, address::DATA_AVAILABILITY};

/// A published blob, with what opens all its cells.
struct Known {
    header: BlobHeader,
    commitments: Bytes,
    square: kzg::Square,
    proofs: kzg::Proofs,
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let least = if full { Duration::from_millis(600) } else { Duration::ZERO };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let rows = if full { 32 } else { 2 };
    let (small, large) = (known(1), known(rows));
    pool.install(|| {
        let speed = if full { speed(&large) } else { 1.0 };
        println!("c-kzg has {speed:.2} of its speed on the reference machine");
        println!("| call | time, µs | there, µs | gas | gas a µs there |");
        println!("|---|---|---|---|---|");
        for known in [&small, &large] {
            let count = known.header.rows.data();
            measure(&format!("publish {count} rows"), least, speed, known, |ctx| {
                publish::check(ctx, known.header.encode().into(), known.commitments.clone()).unwrap();
            });
            for (name, cells) in openings(count as u16) {
                let call = I::verifyCellsCall {
                    id: id(known),
                    commitments: known.commitments.clone(),
                    cells: cells.into_iter().map(|(row, column)| cell(known, row, column)).collect(),
                };
                let input = call.abi_encode();
                measure(&format!("{name}, of {count} rows"), least, speed, known, |ctx| {
                    let output = ctx.call(&DataAvailability, &input).unwrap();
                    assert!(I::verifyCellsCall::abi_decode_returns(&output).unwrap());
                });
            }
            let z = c_kzg::Bytes32::new([5; 32]);
            let row = c_kzg::Blob::from_bytes(&known.square.as_bytes()[..c_kzg::BYTES_PER_BLOB]).unwrap();
            let (proof, y) = kzg::setup().compute_kzg_proof(&row, &z).unwrap();
            let call = I::verifyPointCall {
                id: id(known),
                commitments: known.commitments.clone(),
                row: 0,
                z: B256::repeat_byte(5),
                y: B256::new(*y),
                proof: proof.to_bytes().to_vec().into(),
            };
            measure(&format!("a point, of {count} rows"), least, speed, known, |ctx| {
                let output = ctx.call(&DataAvailability, &call.abi_encode()).unwrap();
                assert!(I::verifyPointCall::abi_decode_returns(&output).unwrap());
            });
        }
    });
}

/// Cells to open: their number and where they lie.
fn openings(rows: u16) -> Vec<(String, Vec<(u16, u16)>)> {
    let spread = |count: u16, from: u16| (0..count).map(|n| (from + n % rows, (n / rows) % 128)).collect();
    let mut all = vec![("1 cell".into(), spread(1, 0)), ("3 cells".into(), spread(3, 0))];
    all.push(("128 cells".into(), spread(128, 0)));
    all.push(("1 parity cell".into(), spread(1, rows)));
    all.push(("128 parity cells".into(), spread(128, rows)));
    all
}

fn known(rows: usize) -> Known {
    let count = RowCount::new(rows).unwrap();
    let payload: Vec<u8> = (0..count.capacity()).map(|i| ((i * i) >> 7) as u8).collect();
    let (data, cancel) = (DataRows::from_payload(&payload, count).unwrap(), Cancel::new());
    let commitments = kzg::commit(&data, &cancel).unwrap();
    let (square, proofs) = UpperHalf::prove(&data, &cancel).unwrap().complete(&cancel).unwrap();
    let header = BlobHeader {
        lane_id: Address::repeat_byte(7),
        period: 20_250_901,
        rows: count,
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
    };
    Known { header, commitments: commitments.as_slice().concat().into(), square, proofs }
}

fn id(known: &Known) -> B256 {
    blob_id(&FixedBytes(known.header.lane_id.into_array()), known.header.period, &known.header.merkle_root)
}

fn cell(known: &Known, row: u16, column: u16) -> I::Cell {
    let id = kzg::CellId { row, column };
    let data = known.square.cell(id).unwrap().to_vec().into();
    I::Cell { row, column, data, proof: known.proofs.proof(id).unwrap().to_vec().into() }
}

/// A context in which the blob is published.
fn context(known: &Known) -> MemoryContext {
    let mut ctx = MemoryContext::new(DATA_AVAILABILITY);
    ctx.storage = MapStorage(BlobsGenesis { params: Params::default().da }.allocate().unwrap());
    ctx.block.height = 10;
    ctx.block.timestamp = 1_000;
    ctx.value = U256::from(10u128.pow(18));
    ctx.balances.insert(DATA_AVAILABILITY, ctx.value);
    let publish =
        I::publishCall { header: known.header.encode().into(), commitments: known.commitments.clone() };
    ctx.call(&DataAvailability, &publish.abi_encode()).unwrap();
    ctx.value = U256::ZERO;
    ctx
}

/// What c-kzg does on this core now, beside the reference machine's 0.67 MB/s of payload with all proofs.
fn speed(known: &Known) -> f64 {
    const THERE: f64 = 0.67e6;
    let row = c_kzg::Blob::from_bytes(&known.square.as_bytes()[..c_kzg::BYTES_PER_BLOB]).unwrap();
    let (before, rounds) = (on_core(), 5u32);
    for _ in 0..rounds {
        black_box(kzg::setup().compute_cells_and_kzg_proofs(&row).unwrap());
    }
    let seconds = (on_core() - before) / f64::from(rounds);
    RowCount::new(1).unwrap().capacity() as f64 / seconds / THERE
}

/// Seconds that this thread was on a core: a busy machine counts little.
fn on_core() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps schedstat");
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// One line: the work repeated until it took long enough for any clock.
fn measure(name: &str, least: Duration, speed: f64, known: &Known, work: impl Fn(&mut MemoryContext)) {
    let mut ctx = context(known);
    ctx.gas = u64::MAX;
    work(&mut ctx);
    let gas = u64::MAX - ctx.gas;
    let (start, before, mut rounds) = (Instant::now(), on_core(), 0u32);
    while rounds == 0 || start.elapsed() < least {
        work(black_box(&mut ctx));
        rounds += 1;
    }
    let time = (on_core() - before) * 1e6 / f64::from(rounds);
    let there = time * speed;
    println!("| {name} | {time:.0} | {there:.0} | {gas} | {:.0} |", gas as f64 / there);
}
