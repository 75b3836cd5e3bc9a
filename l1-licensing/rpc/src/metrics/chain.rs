//! Head, pool and store, read at each scrape.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
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
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut page = Page(encoder);
        self.head(&mut page)?;
        self.pool(&mut page)?;
        self.store(&mut page)
    }
}

impl ChainCollector {
    fn head(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(head) = self.0.store.head() else { return Ok(()) };
        let header = &head.block.header;
        page.gauge("head_height", "Height of the last durable block", header.number)?;
        page.gauge("head_timestamp_seconds", "Timestamp of the last durable block", header.timestamp)?;
        page.gauge("head_gas_used", "Gas used by the last durable block", header.gas_used)?;
        page.gauge(
            "head_transactions",
            "Transactions of the last durable block",
            head.block.txs.len() as u64,
        )?;
        page.gauge(
            "head_base_fee_wei",
            "Base fee of the last durable block",
            header.base_fee_per_gas.unwrap_or(0),
        )
    }

    fn pool(&self, page: &mut Page<'_>) -> fmt::Result {
        let stats = self.0.pool.stats();
        page.gauge("pool_pending", "Transactions that could be in the next block", stats.pending as u64)?;
        page.gauge("pool_queued", "Transactions behind a nonce gap", stats.queued as u64)?;
        page.gauge("pool_bytes", "Estimated memory of the transactions that wait", stats.bytes as u64)?;
        page.gauge("pool_journal_bytes", "Size of the pool's journal", stats.journal_bytes)?;
        page.counter("pool_added", "Transactions taken", stats.added)?;
        page.counter("pool_refused", "Transactions refused", stats.refused)?;
        page.counter("pool_replaced", "Transactions replaced by one with the same nonce", stats.replaced)?;
        page.counter("pool_included", "Transactions that left in a block", stats.included)?;
        page.counter("pool_expired", "Transactions that waited behind a gap for too long", stats.expired)?;
        page.counter("pool_evicted", "Transactions that left for better ones", stats.evicted)
    }

    fn store(&self, page: &mut Page<'_>) -> fmt::Result {
        let stats = self.0.store.stats();
        page.gauge("store_staged_blocks", "Blocks executed and not yet durable", stats.staged as u64)?;
        page.gauge("store_oldest_state", "Oldest height whose state is kept", stats.oldest_history)?;
        page.gauge("store_cache_bytes", "Cached state and trie records", stats.cache_bytes as u64)?;
        page.gauge("store_unstored_trie_bytes", "Trie records that wait", stats.unstored_trie_bytes as u64)?;
        page.gauge("store_read_only", "1 after a write failed", u64::from(stats.read_only))?;
        page.counter("store_commits", "Blocks written", stats.commits)?;
        page.counter("store_write_microseconds", "Time that writing them took", stats.write_micros)?;
        match self.0.store.disk_bytes() {
            Some(bytes) => page.gauge("store_disk_bytes", "Bytes of the data directory", bytes),
            None => Ok(()),
        }
    }
}

/// The page being written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
