//! The machine, and CPU time as the kernel counts it.

use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;

/// What a figure was measured on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    cpu: String,
    kernel: String,
    /// Load averages over 1, 5 and 15 minutes at the end of the run.
    load: String,
}

impl Machine {
    pub(crate) fn read() -> Result<Self> {
        let info = fs::read_to_string("/proc/cpuinfo")?;
        let cpu = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            cpu: cpu.trim_start_matches(['\t', ' ', ':']).to_owned(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        })
    }
}

/// User and system time of a process in microseconds (the kernel counts in ticks of 10 ms); `None` without a process.
pub(crate) fn cpu_us(pid: Option<u32>) -> Result<Option<f64>> {
    pid.map(|pid| stat_us(&format!("/proc/{pid}/stat"))).transpose()
}

/// The same of this process.
pub(crate) fn own_cpu_us() -> Result<f64> {
    stat_us("/proc/self/stat")
}

fn stat_us(path: &str) -> Result<f64> {
    let stat = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let after = stat.rsplit_once(')').context("a process is named in parentheses")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) * 10_000.0)
}
