//! One engine's run, in a process of its own so that memory, CPU and bytes are its alone.

use crate::engine::{self, Engine, Table};
use crate::{meter, workload};
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// What one run measured. Times in milliseconds unless said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) engine: String,
    pub(crate) blocks: u64,
    pub(crate) overlap: bool,
    /// Filled by the parent: seconds to load accounts and trie records.
    pub(crate) preload_s: f64,
    pub(crate) commit_median: f64,
    pub(crate) commit_p95: f64,
    pub(crate) commit_max: f64,
    pub(crate) trie_median: f64,
    pub(crate) trie_max: f64,
    /// Everything (reads, seeks, commits, trie batches) divided by blocks.
    pub(crate) wall_per_block: f64,
    /// The process's CPU, background threads and settling included, without making the workload.
    pub(crate) cpu_per_block: f64,
    pub(crate) written_kb_per_block: f64,
    pub(crate) read_us: f64,
    pub(crate) seek_us: f64,
    pub(crate) settle_s: f64,
    pub(crate) disk_mb: u64,
    pub(crate) rss_anon_mb: u64,
    pub(crate) rss_file_mb: u64,
    pub(crate) rss_peak_mb: u64,
    /// Filled by the parent: time to open after SIGKILL.
    pub(crate) reopen_ms: f64,
    /// Filled by the parent: a second process was refused while the first had it open.
    pub(crate) refuses_second: bool,
    pub(crate) note: String,
}

/// The value at quantile `q` of sorted numbers.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted
        .get(((sorted.len() as f64 * q) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// Reads of one block; point reads and seeks in milliseconds.
fn read_block(engine: &dyn Engine, height: u64) -> Result<(f64, f64)> {
    let (keys, seeks) = (workload::reads(height), workload::seeks(height));
    let start = Instant::now();
    let bytes = engine.read_accounts(&keys)?;
    let point = ms(start);
    ensure!(bytes == keys.len() * 50, "every account is found: {bytes} bytes");
    if height < 4 {
        return Ok((point, 0.0));
    }
    let start = Instant::now();
    let found = engine.seek_history(&seeks)?;
    let seek = ms(start);
    ensure!(found == seeks.len(), "every history row within the window is found: {found} of {}", seeks.len());
    Ok((point, seek))
}

/// Fills an empty folder with accounts and trie records; seconds taken.
pub(crate) fn preload(name: &str, path: &Path, tune: &str) -> Result<f64> {
    let engine = engine::open(name, path, tune)?;
    let mut seconds = 0.0;
    for (table, records) in
        [(Table::Accounts, workload::account_preload()), (Table::Trie, workload::trie_preload())]
    {
        let start = Instant::now();
        engine.preload(table, &records)?;
        seconds += start.elapsed().as_secs_f64();
    }
    meter::settle()?;
    Ok(seconds)
}

/// Runs `blocks` blocks of the workload on the engine called `name`, preloaded in `path`. The engine stays open.
pub(crate) fn run(name: &str, path: &Path, tune: &str, blocks: u64, overlap: bool) -> Result<Figures> {
    // Never closed: the parent kills this process with the engine open, as a crash would.
    let engine: &'static dyn Engine = Box::leak(engine::open(name, path, tune)?);
    let (cpu, bytes) = (meter::cpu_ms()?, meter::written()?);
    let (mut made_cpu, mut wall) = (0.0, 0.0);
    let (mut commits, mut tries, mut reads, mut seeks) = (vec![], vec![], vec![], vec![]);
    for height in 1..=blocks {
        let before = meter::thread_cpu_ms()?;
        let block = workload::block(height);
        let trie = height.is_multiple_of(workload::TRIE_EVERY).then(|| workload::trie_batch(height));
        made_cpu += meter::thread_cpu_ms()? - before;

        let start = Instant::now();
        let commit = || -> Result<f64> {
            let start = Instant::now();
            engine.commit(&block)?;
            Ok(ms(start))
        };
        // With overlap the reads of the next block's execution run while this block is made durable.
        let (read, commit) = if overlap {
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| read_block(engine, height));
                let commit = commit();
                (reader.join().expect("the reader does not panic"), commit)
            })
        } else {
            (read_block(engine, height), commit())
        };
        let (point, seek) = read?;
        commits.push(commit?);
        reads.push(point);
        seeks.push(seek);
        if let Some(records) = trie {
            let start = Instant::now();
            engine.commit_trie(&records)?;
            tries.push(ms(start));
        }
        wall += ms(start);
    }
    let (rss_anon_mb, rss_file_mb, _) = meter::memory_mb()?;
    let settle_s = meter::settle()?;
    let (commits, tries) = (sorted(commits), sorted(tries));
    let per = blocks as f64;
    Ok(Figures {
        engine: name.into(),
        blocks,
        overlap,
        commit_median: quantile(&commits, 0.5),
        commit_p95: quantile(&commits, 0.95),
        commit_max: quantile(&commits, 1.0),
        trie_median: quantile(&tries, 0.5),
        trie_max: quantile(&tries, 1.0),
        wall_per_block: wall / per,
        cpu_per_block: (meter::cpu_ms()? - cpu - made_cpu) / per,
        written_kb_per_block: (meter::written()? - bytes) as f64 / per / 1024.0,
        read_us: reads.iter().sum::<f64>() * 1000.0 / (per * workload::READS as f64),
        seek_us: seeks.iter().sum::<f64>() * 1000.0 / ((per - 3.0).max(1.0) * workload::SEEKS as f64),
        settle_s,
        disk_mb: meter::disk_bytes(path)? >> 20,
        rss_anon_mb,
        rss_file_mb,
        rss_peak_mb: meter::memory_mb()?.2,
        note: engine.describe(),
        ..Figures::default()
    })
}

/// Opens what a killed run left and checks that its last block is there, whole; milliseconds to open.
pub(crate) fn reopen(name: &str, path: &Path, tune: &str, blocks: u64) -> Result<f64> {
    let start = Instant::now();
    let engine = engine::open(name, path, tune)?;
    let opened = ms(start);
    let height = engine.height()?;
    ensure!(height == blocks, "height {height} after a kill, {blocks} was acknowledged");
    for (key, value) in workload::block(blocks).accounts {
        let got = engine.account(&key)?;
        ensure!(got.as_deref() == Some(value.as_slice()), "an account of the last block was lost");
    }
    ensure!(engine.seek_history(&workload::seeks(blocks))? == workload::SEEKS as usize, "history was lost");
    Ok(opened)
}
