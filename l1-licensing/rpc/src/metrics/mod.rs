//! What operators see at `/metrics`.
//!
//! - Here: calls, errors and latency by method; refusals; connections.
//! - [`chain`]: head, pool and store, read when scraped.
//! - [`process`]: memory and CPU of the node, read when scraped.

mod chain;
mod process;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub(crate) use chain::ChainCollector;
pub(crate) use process::ProcessCollector;

use crate::{dispatch::Reply, error::RpcError};

/// Upper bounds of the latency buckets, seconds.
const BUCKETS: [f64; 8] = [0.000_05, 0.000_2, 0.001, 0.005, 0.025, 0.1, 1.0, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabel {
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabel {
    method: &'static str,
    code: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

fn latency() -> Histogram {
    Histogram::new(BUCKETS)
}

/// Counters of a server; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct RpcMetrics {
    calls: Family<MethodLabel, Counter>,
    seconds: Family<MethodLabel, Histogram, fn() -> Histogram>,
    errors: Family<ErrorLabel, Counter>,
    refused: Family<ReasonLabel, Counter>,
    /// Connections open.
    pub(crate) connections: Gauge,
    /// WebSocket connections open.
    pub(crate) sockets: Gauge,
    /// Subscriptions of all connections.
    pub(crate) subscriptions: Gauge,
    /// Filters installed.
    pub(crate) filters: Gauge,
    /// Bytes of large bodies, answers and notices.
    pub(crate) memory: Gauge,
}

/// One method's counters. They appear at `/metrics` once the method was called.
#[derive(Debug)]
pub(crate) struct MethodMeter {
    name: &'static str,
    cell: OnceLock<Arc<(Counter, Histogram)>>,
}

impl RpcMetrics {
    /// Registers everything in `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            calls: Family::default(),
            seconds: Family::new_with_constructor(latency),
            errors: Family::default(),
            refused: Family::default(),
            connections: Gauge::default(),
            sockets: Gauge::default(),
            subscriptions: Gauge::default(),
            filters: Gauge::default(),
            memory: Gauge::default(),
        };
        registry.register("rpc_calls", "Calls answered, by method", metrics.calls.clone());
        registry.register("rpc_call_seconds", "Time per call, by method", metrics.seconds.clone());
        registry.register("rpc_errors", "Calls answered with an error", metrics.errors.clone());
        registry.register("rpc_refused", "Input refused before it was a call", metrics.refused.clone());
        registry.register("rpc_connections", "Connections open", metrics.connections.clone());
        registry.register("rpc_websockets", "WebSocket connections open", metrics.sockets.clone());
        registry.register("rpc_subscriptions", "Subscriptions alive", metrics.subscriptions.clone());
        registry.register("rpc_filters", "Filters installed", metrics.filters.clone());
        let memory = "Memory of large bodies, answers and notices, bytes";
        registry.register("rpc_memory_bytes", memory, metrics.memory.clone());
        metrics
    }

    /// The meter of a method.
    pub(crate) fn method(&self, name: &'static str) -> MethodMeter {
        MethodMeter { name, cell: OnceLock::new() }
    }

    /// Counts input that was refused before it was a call, or a connection that was closed.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts calls of a method that took `time` together.
    pub(crate) fn record(&self, meter: &MethodMeter, time: Duration, error: Option<&RpcError>) {
        let (calls, seconds) = &**meter.get(self);
        calls.inc();
        seconds.observe(time.as_secs_f64());
        if let Some(error) = error {
            self.errors.get_or_create(&ErrorLabel { method: meter.name, code: known(error.code) }).inc();
        }
    }

    /// Counts calls that were run together; each is given its share of the time.
    pub(crate) fn record_group(&self, meter: &MethodMeter, time: Duration, replies: &[Reply]) {
        let share = time / u32::try_from(replies.len().max(1)).unwrap_or(u32::MAX);
        for reply in replies {
            self.record(meter, share, reply.as_ref().err());
        }
    }
}

/// Codes are ours, but a bug must not turn them into unbounded labels.
fn known(code: i64) -> i64 {
    if (-40_000..=100).contains(&code) { code } else { 0 }
}

impl MethodMeter {
    fn get(&self, metrics: &RpcMetrics) -> &Arc<(Counter, Histogram)> {
        self.cell.get_or_init(|| {
            let label = MethodLabel { method: self.name };
            Arc::new((metrics.calls.get_or_create_owned(&label), metrics.seconds.get_or_create_owned(&label)))
        })
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::dispatch::Answer;

    #[test]
    fn calls_errors_and_time_appear_by_method_once_there_were_any() {
        let mut registry = Registry::with_prefix("chlom");
        let metrics = RpcMetrics::new(&mut registry);
        let (used, _unused) = (metrics.method("eth_used"), metrics.method("eth_unused"));
        metrics.record(&used, Duration::from_micros(100), None);
        let replies = [Ok(Answer::NULL), Err(RpcError::server("no"))];
        metrics.record_group(&used, Duration::from_millis(2), &replies);
        metrics.refused("parse");
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains("chlom_rpc_calls_total{method=\"eth_used\"} 3"), "{text}");
        assert!(text.contains("chlom_rpc_errors_total{method=\"eth_used\",code=\"-32000\"} 1"), "{text}");
        assert!(text.contains("chlom_rpc_refused_total{reason=\"parse\"} 1"), "{text}");
        assert!(text.contains("chlom_rpc_call_seconds_count{method=\"eth_used\"} 3"), "{text}");
        assert!(!text.contains("eth_unused"), "{text}");
    }
}
