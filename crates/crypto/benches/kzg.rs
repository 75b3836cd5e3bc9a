//! Data availability beside c-kzg on the same cores, in the same run: encode, derive, verify, check, sample, rebuild.
//!
//! `cargo bench -p chlom-crypto --bench kzg [-- --rows 32 --rounds 3 --json FILE]`. Without `--bench` (under `cargo test`)
//! one small blob, once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::float_arithmetic
)]

use std::{collections::BTreeMap, fs, hint::black_box, time::Instant};

use alloy_primitives::{B256, keccak256};
use c_kzg::{Blob, Bytes48, Cell};
use chlom_crypto::{
    kzg::{
        Cancel, CellId, DataRows, PartialSquare, Proofs, ProvenCell, RowCommitments, RowCount, Square,
        SquareCommitments, UpperHalf, check_data, check_square, commit, recover, setup, verify_cells,
    },
    sampling::{check_answers, choose_cells},
};
use rayon::prelude::*;

static CANCEL: Cancel = Cancel::new();

/// Everything that is measured more than once uses the same blob.
struct Blobs {
    payload: Vec<u8>,
    data: DataRows,
    blobs: Vec<Blob>,
    row_commitments: RowCommitments,
    commitments: SquareCommitments,
    square: Square,
    proofs: Proofs,
    proven: Vec<ProvenCell>,
}

fn main() {
    let full = argument("--bench").is_some();
    let rows = argument("--rows").map_or(if full { 32 } else { 1 }, |rows| rows.parse().unwrap());
    let rounds = argument("--rounds").map_or(if full { 3 } else { 1 }, |rounds| rounds.parse().unwrap());
    let rows = RowCount::new(rows).unwrap();
    setup();
    let (known, memory) = encode(rows);
    let mut all: Vec<BTreeMap<&str, f64>> = Vec::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        all.push(measure(&known));
    }
    let mut figures: BTreeMap<&str, f64> = BTreeMap::new();
    for name in all[0].keys() {
        let mut values: Vec<f64> = all.iter().map(|round| round[name]).collect();
        values.sort_by(f64::total_cmp);
        figures.insert(name, values[values.len() / 2]);
    }
    figures.insert("memory_mb", memory);
    report(rows, &figures);
}

/// The value after an argument, empty when it is the last.
fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.next().map(|_| arguments.next().unwrap_or_default())
}

/// Makes the blob, and says how many megabytes that took at most beyond the set-up.
fn encode(rows: RowCount) -> (Blobs, f64) {
    let payload: Vec<u8> = (0..(rows.capacity() as u64).div_ceil(32))
        .flat_map(|block| keccak256(block.to_be_bytes()).0)
        .take(rows.capacity())
        .collect();
    let before = resident("VmRSS:");
    // Linux: forget the peak so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let data = DataRows::from_payload(&payload, rows).unwrap();
    let (square, proofs) = UpperHalf::prove(&data, &CANCEL).unwrap().complete(&CANCEL).unwrap();
    let row_commitments = commit(&data, &CANCEL).unwrap();
    let commitments = SquareCommitments::derive(&row_commitments);
    let missing = PartialSquare::without(&square, |id| id.column % 4 == id.row % 4);
    assert!(recover(missing, &CANCEL).unwrap() == square);
    let memory = resident("VmHWM:") - before;
    let blobs = (0..rows.data())
        .map(|row| Blob::from_bytes(&square.as_bytes()[row * 262_144..][..131_072]).unwrap())
        .collect();
    let proven = (0..rows.square() as u16)
        .flat_map(|row| (0..128).map(move |column| CellId { row, column }))
        .map(|id| proven(&square, &proofs, id))
        .collect();
    (Blobs { payload, data, blobs, row_commitments, commitments, square, proofs, proven }, memory)
}

fn proven(square: &Square, proofs: &Proofs, id: CellId) -> ProvenCell {
    let cell = Box::new(square.cell(id).unwrap().try_into().unwrap());
    ProvenCell { id, cell, proof: *proofs.proof(id).unwrap() }
}

/// Megabytes from the process' status; zero where there is none.
fn resident(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = black_box(work());
    (started.elapsed().as_secs_f64(), result)
}

fn measure(known: &Blobs) -> BTreeMap<&'static str, f64> {
    let megabytes = known.payload.len() as f64 / 1e6;
    let (alone, _) = seconds(|| {
        let proven = known.blobs.par_iter().map(|blob| setup().compute_cells_and_kzg_proofs(blob).unwrap());
        proven.collect::<Vec<_>>()
    });
    let (first, upper) = seconds(|| UpperHalf::prove(&known.data, &CANCEL).unwrap());
    let (derived, _) = seconds(|| upper.complete(&CANCEL).unwrap());
    let (committing, _) = seconds(|| commit(&known.data, &CANCEL).unwrap());
    let (deriving, _) = seconds(|| SquareCommitments::derive(&known.row_commitments));
    let (batches, ()) = seconds(|| c_kzg_verifies(known));
    let (ours, _) = seconds(|| verify_cells(&known.commitments, &known.proven, &CANCEL).unwrap());
    let (data, _) = seconds(|| check_data(&known.row_commitments, &known.data, &CANCEL).unwrap());
    let (whole, _) = seconds(|| check_square(&known.commitments, &known.square, &CANCEL).unwrap());
    let rows = known.square.rows();
    let chosen = choose_cells(rows, 73, &B256::repeat_byte(7)).unwrap();
    let answers: Vec<_> = chosen.iter().map(|id| proven(&known.square, &known.proofs, *id)).collect();
    let (samples, _) = seconds(|| check_answers(&known.commitments, &chosen, &answers, &CANCEL).unwrap());
    // A quarter at random, less what would be one cell too many.
    let gone = choose_cells(rows, (rows.data() + 1) * 65 - 1, &B256::repeat_byte(8)).unwrap();
    let gone: std::collections::BTreeSet<_> = gone.into_iter().take(rows.cells() / 4).collect();
    let partial = PartialSquare::without(&known.square, |id| gone.contains(&id));
    let (rebuild, rebuilt) = seconds(|| recover(partial, &CANCEL).unwrap());
    assert!(rebuilt == known.square);
    let cell_megabytes = known.proven.len() as f64 * 2048.0 / 1e6;
    BTreeMap::from([
        ("c_kzg_mb_s", megabytes / alone),
        ("first_half_mb_s", megabytes / first),
        ("first_half_to_c_kzg", alone / first),
        ("derived_half_mb_s", megabytes / derived),
        ("derived_half_to_first", first / derived),
        ("commitments_mb_s", megabytes / committing),
        ("parity_commitments_ms", deriving * 1e3),
        ("c_kzg_verify_mb_s", cell_megabytes / batches),
        ("verify_mb_s", cell_megabytes / ours),
        ("verify_to_c_kzg", batches / ours),
        ("data_check_mb_s", megabytes / data),
        ("square_check_mb_s", megabytes / whole),
        ("samples_73_ms", samples * 1e3),
        ("rebuild_mb_s", megabytes / rebuild),
    ])
}

/// c-kzg's own batches, one for each core.
fn c_kzg_verifies(known: &Blobs) {
    let share = known.proven.len().div_ceil(rayon::current_num_threads());
    known.proven.par_chunks(share).for_each(|cells| {
        let commitment =
            |cell: &ProvenCell| Bytes48::new(known.commitments.as_slice()[usize::from(cell.id.row)]);
        let commitments: Vec<_> = cells.iter().map(commitment).collect();
        let columns: Vec<_> = cells.iter().map(|cell| cell.id.column.into()).collect();
        let bytes: Vec<_> = cells.iter().map(|cell| Cell::new(*cell.cell)).collect();
        let proofs: Vec<_> = cells.iter().map(|cell| Bytes48::new(cell.proof)).collect();
        assert!(setup().verify_cell_kzg_proof_batch(&commitments, &columns, &bytes, &proofs).unwrap());
    });
}

/// What a figure should be.
enum Goal {
    AtLeast(f64),
    AtMost(f64),
    None,
}

fn report(rows: RowCount, figures: &BTreeMap<&str, f64>) {
    use Goal::{AtLeast, AtMost, None};
    let goals = [
        ("c_kzg_mb_s", None),
        ("first_half_mb_s", None),
        ("first_half_to_c_kzg", AtLeast(0.9)),
        ("derived_half_mb_s", None),
        ("derived_half_to_first", AtLeast(3.0)),
        ("commitments_mb_s", None),
        ("parity_commitments_ms", None),
        ("c_kzg_verify_mb_s", None),
        ("verify_mb_s", None),
        ("verify_to_c_kzg", AtLeast(0.9)),
        ("data_check_mb_s", AtLeast(80.0)),
        ("square_check_mb_s", None),
        ("samples_73_ms", AtMost(25.0)),
        ("rebuild_mb_s", AtLeast(10.0)),
        ("memory_mb", AtMost(250.0)),
    ];
    let threads = rayon::current_num_threads();
    println!("{} rows, {} payload bytes, {threads} threads", rows.data(), rows.capacity());
    println!("{:<24} {:>10} {:>10}", "figure", "measured", "goal");
    for (name, goal) in &goals {
        let goal = match goal {
            AtLeast(goal) => format!(">= {goal}"),
            AtMost(goal) => format!("<= {goal}"),
            None => String::new(),
        };
        println!("{name:<24} {:>10.2} {goal:>10}", figures[name]);
    }
    if let Some(path) = argument("--json") {
        let json = serde_json::json!({ "rows": rows.data(), "threads": threads, "figures": figures });
        fs::write(path, serde_json::to_string_pretty(&json).unwrap()).unwrap();
    }
}
