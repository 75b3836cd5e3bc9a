//! The node's own memory and processor time, from the kernel's `/proc`. Elsewhere there is nothing to read, and nothing is
//! reported.

use std::{fmt, fs, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Length of the kernel's clock tick in user space: 1/100 s on every architecture that Rust's standard library runs on.
const TICK: Duration = Duration::from_millis(10);

/// Bytes of a page where `/proc/self/statm` is not used: `VmRSS` is in KiB.
const KIB: u64 = 1024;

/// Reads `/proc/self` at each scrape.
#[derive(Debug)]
pub(crate) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(time) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_time) {
            let metric = ConstCounter::new(time.as_secs_f64());
            let help = "Processor time of the node, user and system";
            metric.encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                help,
                None,
                metric.metric_type(),
            )?)?;
        }
        if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident) {
            let metric = ConstGauge::new(bytes);
            let help = "Resident memory of the node";
            metric.encode(encoder.encode_descriptor(
                "process_resident_memory_bytes",
                help,
                None,
                metric.metric_type(),
            )?)?;
        }
        Ok(())
    }
}

/// User and system time in `/proc/self/stat`: fields 14 and 15, counted from behind the command's name, which may itself
/// hold spaces and parentheses.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    TICK.checked_mul(user.checked_add(system)?)
}

/// `VmRSS` in `/proc/self/status`, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_an_odd_name() {
        let stat = "7 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time("7 (x"), None);
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("VmHWM:\t  9 kB\nVmRSS:\t   2 kB\n"), Some(2048));
        assert_eq!(resident("VmHWM: 9 kB"), None);
    }
}
