//! Every bound that a caller can meet. Each has a number here, a message when it is hit, and a flag or a default.

use std::time::Duration;

/// Bounds on what callers may ask; edges' configuration, not consensus.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one HTTP body or WebSocket message.
    pub body_bytes: usize,
    /// Nesting of JSON arrays and objects.
    pub json_depth: usize,
    /// Calls in one batch.
    pub batch_calls: usize,
    /// Bytes of one response, or of all the responses of a batch.
    pub response_bytes: usize,
    /// Open connections.
    pub connections: usize,
    /// Time that one call, or the calls of one batch together, may take.
    pub call_time: Duration,
    /// A connection that sends no complete request for this long is closed.
    pub idle_time: Duration,
    /// Time for one request body to arrive.
    pub body_time: Duration,
    /// Time for one blob's body to arrive.
    pub blob_time: Duration,
    /// Time for the next byte of it to arrive.
    pub blob_stall: Duration,
    /// A connection that accepts none of its answer for this long is closed.
    pub write_time: Duration,
    /// Bytes of large bodies, answers and notices (above 16 KiB each) that all connections together may hold, from when
    /// they are made or arrive until they are written or done with.
    pub memory_bytes: usize,
    /// Calls of one WebSocket connection that execute at once; later messages wait unread.
    pub ws_calls: usize,
    /// Calls executing at once (eth_call, traces, proofs, logs); the rest wait.
    pub heavy_calls: usize,
    /// Gas of one eth_call, eth_estimateGas or a whole eth_simulateV1.
    pub call_gas: u64,
    /// Heights that one eth_getLogs may span.
    pub log_range: u64,
    /// Logs that one eth_getLogs may return.
    pub log_results: usize,
    /// Addresses or topics in a filter.
    pub filter_terms: usize,
    /// Addresses and topics in the subscriptions of one connection.
    pub connection_terms: usize,
    /// Addresses and topics in the filters and subscriptions of all connections: about 32 bytes each, and a look at each
    /// for every block.
    pub server_terms: usize,
    /// Filters alive at once.
    pub filters: usize,
    /// A filter that nobody polls for this long is dropped.
    pub filter_lifetime: Duration,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Bytes queued for a slow WebSocket reader before it is disconnected.
    pub ws_queue_bytes: usize,
    /// Storage slots in one eth_getProof or eth_getStorageValues.
    pub proof_slots: usize,
    /// Heights in one eth_feeHistory.
    pub fee_history: u64,
    /// Blocks in one eth_simulateV1.
    pub simulate_blocks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 5 * 1024 * 1024,
            json_depth: 64,
            batch_calls: 1_000,
            response_bytes: 64 * 1024 * 1024,
            connections: 1_024,
            call_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            body_time: Duration::from_secs(30),
            blob_time: Duration::from_secs(120),
            blob_stall: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
            memory_bytes: 256 * 1024 * 1024,
            ws_calls: 16,
            heavy_calls: 32,
            call_gas: 50_000_000,
            log_range: 10_000,
            log_results: 20_000,
            filter_terms: 1_000,
            connection_terms: 10_000,
            server_terms: 200_000,
            filters: 10_000,
            filter_lifetime: Duration::from_secs(300),
            subscriptions: 128,
            ws_queue_bytes: 16 * 1024 * 1024,
            proof_slots: 1_024,
            fee_history: 1_024,
            simulate_blocks: 256,
        }
    }
}
