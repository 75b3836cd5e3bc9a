//! What operators see at `/metrics`.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub(super) enum Fate {
    New,
    Known,
    Refused,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfFate {
    outcome: Fate,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStatus {
    status: u16,
}

#[derive(Clone)]
pub(super) struct Metrics {
    receipts: Family<OfFate, Counter>,
    requests: Family<OfStatus, Counter>,
    pub(super) connections: Gauge,
    pub(super) queued: Gauge,
    pub(super) commit: Histogram,
}

impl Metrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            receipts: Family::default(),
            requests: Family::default(),
            connections: Gauge::default(),
            queued: Gauge::default(),
            commit: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
        };
        registry.register("receipts", "Receipts by what became of them", metrics.receipts.clone());
        registry.register("requests", "Requests by the status of their answer", metrics.requests.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "queued_requests",
            "Requests that wait to be written, when the last commit began",
            metrics.queued.clone(),
        );
        let help = "Time of a commit of waiting requests";
        registry.register_with_unit("commit", help, Unit::Seconds, metrics.commit.clone());
        metrics
    }

    pub(super) fn receipts(&self, outcome: Fate, count: usize) {
        if count > 0 {
            self.receipts.get_or_create(&OfFate { outcome }).inc_by(count as u64);
        }
    }

    pub(super) fn request(&self, status: u16) {
        self.requests.get_or_create(&OfStatus { status }).inc();
    }
}
