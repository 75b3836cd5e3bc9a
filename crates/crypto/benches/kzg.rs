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

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hint::black_box,
    time::Instant,
};

use alloy_primitives::{B256, keccak256};
use c_kzg::{Blob, Bytes48, Cell};
use chlom_crypto::{
    kzg::{
        Cancel, CellId, DataRows, PartialSquare, Proofs, ProvenCell, RowCommitments, RowCount, Square,
        SquareCommitments, UpperHalf, check_data, check_square, commit, prove_cells, recover, setup,
        verify_cells,
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
    let mut all: Vec<BTreeMap<&str, [f64; 2]>> = Vec::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        all.push(measure(&known));
    }
    let mut figures: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for name in all[0].keys() {
        let median = |which: usize| {
            let mut values: Vec<f64> = all.iter().map(|round| round[name][which]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        figures.insert(name, [median(0), median(1)]);
    }
    figures.insert("memory_mb", [memory; 2]);
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

/// Seconds on the clock and seconds of processors for one piece of work. On a loaded machine only the second says what
/// the work costs.
#[derive(Clone, Copy)]
struct Cost {
    clock: f64,
    cores: f64,
}

fn cost<T>(times: u32, work: impl Fn() -> T) -> Cost {
    let (started, before) = (Instant::now(), processor_seconds());
    for _ in 0..times {
        black_box(work());
    }
    let each = f64::from(times);
    Cost { clock: started.elapsed().as_secs_f64() / each, cores: (processor_seconds() - before) / each }
}

/// User and system time of this process on Linux, in steps of 10 ms; zero elsewhere.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap_or(0.0)).sum::<f64>() / 100.0
}

fn measure(known: &Blobs) -> BTreeMap<&'static str, [f64; 2]> {
    let payload = known.payload.len() as f64 / 1e6;
    let cells = known.proven.len() as f64 * 2048.0 / 1e6;
    let rows = known.square.rows();
    let alone = cost(1, || {
        let proven = known.blobs.par_iter().map(|blob| setup().compute_cells_and_kzg_proofs(blob).unwrap());
        proven.collect::<Vec<_>>()
    });
    let first = cost(1, || UpperHalf::prove(&known.data, &CANCEL).unwrap());
    let both = cost(1, || UpperHalf::prove(&known.data, &CANCEL).unwrap().complete(&CANCEL).unwrap());
    let derived = Cost { clock: both.clock - first.clock, cores: both.cores - first.cores };
    let committing = cost(1, || commit(&known.data, &CANCEL).unwrap());
    let deriving = cost(20, || SquareCommitments::derive(&known.row_commitments));
    let batches = cost(1, || c_kzg_verifies(known));
    let ours = cost(1, || verify_cells(&known.commitments, &known.proven, &CANCEL).unwrap());
    let data = cost(10, || check_data(&known.row_commitments, &known.data, &CANCEL).unwrap());
    let whole = cost(10, || check_square(&known.commitments, &known.square, &CANCEL).unwrap());
    let chosen = choose_cells(rows, 73, &B256::repeat_byte(7)).unwrap();
    let answers: Vec<_> = chosen.iter().map(|id| proven(&known.square, &known.proofs, *id)).collect();
    let samples = cost(10, || check_answers(&known.commitments, &chosen, &answers, &CANCEL).unwrap());
    let opened: Vec<_> = (0..3).map(|column| CellId { row: 0, column: 20 * column }).collect();
    let three = cost(3, || prove_cells(&known.data, &opened, &CANCEL).unwrap());
    // A quarter at random, less what would be one cell too many.
    let gone = choose_cells(rows, (rows.data() + 1) * 65 - 1, &B256::repeat_byte(8)).unwrap();
    let gone: BTreeSet<_> = gone.into_iter().take(rows.cells() / 4).collect();
    let partial = PartialSquare::without(&known.square, |id| gone.contains(&id));
    assert!(recover(partial.clone(), &CANCEL).unwrap() == known.square);
    let rebuild = cost(3, || recover(partial.clone(), &CANCEL).unwrap());
    let rate = |amount: f64, cost: Cost| [amount / cost.clock, amount / cost.cores];
    let ratio = |one: Cost, other: Cost| [one.clock / other.clock, one.cores / other.cores];
    BTreeMap::from([
        ("c_kzg_mb_s", rate(payload, alone)),
        ("first_half_mb_s", rate(payload, first)),
        ("first_half_to_c_kzg", ratio(alone, first)),
        ("derived_half_mb_s", rate(payload, derived)),
        ("derived_half_to_first", ratio(first, derived)),
        ("commitments_mb_s", rate(payload, committing)),
        ("parity_commitments_ms", [deriving.clock * 1e3, deriving.cores * 1e3]),
        ("c_kzg_verify_mb_s", rate(cells, batches)),
        ("verify_mb_s", rate(cells, ours)),
        ("verify_to_c_kzg", ratio(batches, ours)),
        ("data_check_mb_s", rate(payload, data)),
        ("square_check_mb_s", rate(payload, whole)),
        ("samples_73_ms", [samples.clock * 1e3, samples.cores * 1e3]),
        ("rebuild_mb_s", rate(payload, rebuild)),
        ("prove_3_cells_ms", [three.clock * 1e3, three.cores * 1e3]),
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

/// What c-kzg does on a core of the machine that goals in units are stated for, MB of payload a second with all proofs.
const C_KZG_THERE: f64 = 0.67;

/// What a figure should be: a ratio within one run, or in units of the machine that [`C_KZG_THERE`] describes.
enum Goal {
    AtLeast(f64),
    AtMost(f64),
    None,
}

fn report(rows: RowCount, figures: &BTreeMap<&str, [f64; 2]>) {
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
        ("prove_3_cells_ms", None),
        ("memory_mb", AtMost(250.0)),
    ];
    let threads = rayon::current_num_threads();
    println!("{} rows, {} payload bytes, {threads} threads", rows.data(), rows.capacity());
    let speed = figures["c_kzg_mb_s"][1] / C_KZG_THERE;
    println!(
        "c-kzg does {:.2} MB/s on a core of this machine now: {speed:.2} of the {C_KZG_THERE} that goals in units are for;",
        figures["c_kzg_mb_s"][1]
    );
    println!("the column `there` is what was measured as it would be at that speed");
    println!("{:<24} {:>10} {:>10} {:>14} {:>10}", "figure", "measured", "there", "per core-second", "goal");
    for (name, goal) in &goals {
        let goal = match goal {
            AtLeast(goal) => format!(">= {goal}"),
            AtMost(goal) => format!("<= {goal}"),
            None => String::new(),
        };
        let [clock, cores] = figures[name];
        let there = match name {
            name if name.ends_with("_mb_s") => format!("{:.2}", clock / speed),
            name if name.ends_with("_ms") => format!("{:.2}", clock * speed),
            _ => String::new(),
        };
        println!("{name:<24} {clock:>10.2} {there:>10} {cores:>14.2} {goal:>10}");
    }
    if let Some(path) = argument("--json") {
        let json = serde_json::json!({ "rows": rows.data(), "threads": threads, "figures": figures });
        fs::write(path, serde_json::to_string_pretty(&json).unwrap()).unwrap();
    }
}
