//! What the kernel says about this process: CPU, bytes to disk, memory, and the size of a folder.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Kernel clock ticks per second in /proc (USER_HZ, 100 on every Linux).
const TICKS: f64 = 100.0;

/// CPU time of the whole process, all threads, user and system, in milliseconds.
pub(crate) fn cpu_ms() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit_once(')').context("/proc/self/stat names the program in parentheses")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) * 1000.0 / TICKS)
}

/// CPU time of the calling thread in milliseconds.
pub(crate) fn thread_cpu_ms() -> Result<f64> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(schedstat.split_whitespace().next().context("schedstat is empty")?.parse::<f64>()? / 1e6)
}

fn field(path: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(path)?;
    let line =
        text.lines().find(|line| line.starts_with(name)).with_context(|| format!("{path} has no {name}"))?;
    Ok(line.split_whitespace().nth(1).context("a field has a value")?.parse()?)
}

/// Bytes that this process caused to be sent to storage.
pub(crate) fn written() -> Result<u64> {
    field("/proc/self/io", "write_bytes:")
}

/// Memory in MiB: anonymous (the engine's own), file-backed (mapped data), and the peak of both together.
pub(crate) fn memory_mb() -> Result<(u64, u64, u64)> {
    let status = |name| field("/proc/self/status", name).map(|kb| kb >> 10);
    Ok((status("RssAnon:")?, status("RssFile:")?, status("VmHWM:")?))
}

/// Bytes allocated on disk under `path`.
pub(crate) fn disk_bytes(path: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(path)? {
        // A compaction may remove a file between the listing and the look.
        let Ok(meta) = entry.as_ref().map_err(|_| ()).and_then(|e| e.metadata().map_err(|_| ())) else {
            continue;
        };
        total += if meta.is_dir() { disk_bytes(&entry?.path())? } else { meta.blocks() * 512 };
    }
    Ok(total)
}

/// Waits until nothing was written and nearly no CPU used for a second, a minute at most; how long the work went on.
pub(crate) fn settle() -> Result<f64> {
    for second in 0..60 {
        let (cpu, bytes) = (cpu_ms()?, written()?);
        std::thread::sleep(Duration::from_secs(1));
        if written()? == bytes && cpu_ms()? - cpu < 30.0 {
            return Ok(second as f64);
        }
    }
    Ok(60.0)
}
