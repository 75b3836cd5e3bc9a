//! Head, pool and store, read at each scrape.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};

use crate::context::Context;

/// Reads the context at each scrape.
pub(crate) struct ChainCollector(pub(crate) Arc<Context>);

impl fmt::Debug for ChainCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainCollector")
    }
}

impl Collector for ChainCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: u64| {
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        if let Some(head) = self.0.store.head() {
            let header = &head.block.header;
            gauge("head_height", "Height of the last durable block", header.number)?;
            gauge("head_timestamp_seconds", "Timestamp of the last durable block", header.timestamp)?;
            gauge("head_gas_used", "Gas used by the last durable block", header.gas_used)?;
            gauge("head_transactions", "Transactions of the last durable block", head.block.txs.len() as u64)?;
            gauge("head_base_fee_wei", "Its base fee", header.base_fee_per_gas.unwrap_or_default())?;
        }
        let pool = self.0.pool.status();
        gauge("pool_pending", "Transactions that could be in the next block", pool.pending as u64)?;
        gauge("pool_queued", "Transactions behind a nonce gap", pool.queued as u64)?;
        gauge("store_disk_bytes", "Bytes of the data directory", self.0.store.disk_bytes())?;
        gauge("store_oldest_state", "Oldest height whose state is kept", self.0.store.oldest_history())
    }
}
