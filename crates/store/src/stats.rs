//! What metrics show of the store.

use std::sync::atomic::Ordering;

use crate::shared::Shared;

/// A reading of the store's gauges and counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Height of the newest durable block; `None` for an empty store.
    pub height: Option<u64>,
    /// Blocks staged and not yet durable.
    pub staged: usize,
    /// Oldest height whose state is readable.
    pub oldest_history: u64,
    /// Bytes of cached state and trie records.
    pub cache_bytes: usize,
    /// Bytes of trie records that wait to be stored.
    pub unstored_trie_bytes: usize,
    /// Blocks written since the store was opened.
    pub commits: u64,
    /// Microseconds that writing them took.
    pub write_micros: u64,
    /// Times that waiting trie records were stored.
    pub trie_flushes: u64,
    /// Microseconds that storing them took.
    pub trie_flush_micros: u64,
    /// True once a write has failed: the store only reads until it is opened again.
    pub read_only: bool,
}

impl Shared {
    pub(crate) fn stats(&self) -> StoreStats {
        let (head, read_only) = {
            let chain = self.chain.read();
            (chain.head.clone(), chain.poison.is_some())
        };
        let height = head.as_ref().map(|head| head.height());
        StoreStats {
            height,
            staged: *self.pending.lock(),
            oldest_history: self.oldest(height.unwrap_or(0)),
            cache_bytes: self.caches.bytes(),
            unstored_trie_bytes: head.map_or(0, |head| head.unstored.bytes()),
            commits: self.counters.commits.load(Ordering::Relaxed),
            write_micros: self.counters.write_micros.load(Ordering::Relaxed),
            trie_flushes: self.counters.trie_flushes.load(Ordering::Relaxed),
            trie_flush_micros: self.counters.trie_flush_micros.load(Ordering::Relaxed),
            read_only,
        }
    }
}
