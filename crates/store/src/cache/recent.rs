//! Decoded things by key, bounded in bytes, first in first out: blocks, receipts and code that are asked for again.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use parking_lot::Mutex;

struct Inner<K, V> {
    entries: HashMap<K, (V, usize)>,
    order: VecDeque<K>,
    bytes: usize,
}

/// See the module's documentation. A key always means the same value.
pub(crate) struct Recent<K, V> {
    inner: Mutex<Inner<K, V>>,
    limit: usize,
}

impl<K: Eq + Hash + Copy, V: Clone> Recent<K, V> {
    /// A cache of at most `limit` bytes, as the caller counts them.
    pub(crate) fn new(limit: usize) -> Self {
        let inner = Inner { entries: HashMap::new(), order: VecDeque::new(), bytes: 0 };
        Self { inner: Mutex::new(inner), limit }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.inner.lock().entries.get(key).map(|(value, _)| value.clone())
    }

    /// Enters a value of this many bytes. One that alone is more than the limit is not kept.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize) {
        if bytes > self.limit {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.entries.contains_key(&key) {
            return;
        }
        inner.entries.insert(key, (value, bytes));
        inner.order.push_back(key);
        inner.bytes += bytes;
        while inner.bytes > self.limit {
            let Some(oldest) = inner.order.pop_front() else { return };
            if let Some((_, bytes)) = inner.entries.remove(&oldest) {
                inner.bytes -= bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_the_limit_is_reached() {
        let recent = Recent::new(30);
        for key in 0..4 {
            recent.put(key, key, 10);
        }
        assert_eq!((recent.get(&0), recent.get(&1), recent.get(&3)), (None, Some(1), Some(3)));
        recent.put(9, 9, 31);
        assert_eq!(recent.get(&9), None);
    }
}
