//! Values as of the newest staged block, bounded in bytes.
//!
//! # Invariants
//! - An entry's value held at every commit from its `since` to the present one: [`TipCache::put`] replaces the entry of
//!   whatever a block changes, under the shard's lock, before that block can be read.
//! - A reader may fill in what it found elsewhere only while the commit that it reads at is the present one, which it
//!   proves under the same lock; so a value overtaken by a block is never put back.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    mem,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

/// Locks; far more than threads, so that they rarely meet.
const SHARDS: usize = 64;

/// Bytes that a value takes beyond its own size in the map.
pub(crate) trait Weight {
    fn weight(&self) -> usize;
}

struct Entry<V> {
    since: u64,
    value: V,
}

/// Two generations: entries enter the young one, and one that is read in the old one becomes young again. When the young
/// one is full the old one is dropped and it takes its place.
struct Shard<K, V> {
    young: HashMap<K, Entry<V>>,
    old: HashMap<K, Entry<V>>,
    young_bytes: usize,
    old_bytes: usize,
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), young_bytes: 0, old_bytes: 0 }
    }
}

/// See the module's documentation. Commits are numbered in the order in which they were staged, rewinds included.
pub(crate) struct TipCache<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    present: AtomicU64,
    generation_bytes: usize,
}

impl<K: Eq + Hash + Copy, V: Clone + Weight> TipCache<K, V> {
    /// What an entry takes besides its weight: two thirds of the map's slots are in use on average.
    const ENTRY_BYTES: usize = (mem::size_of::<K>() + mem::size_of::<Entry<V>>() + 1) * 3 / 2;

    /// A cache of at most `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            present: AtomicU64::new(0),
            generation_bytes: bytes / SHARDS / 2,
        }
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K, V>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// The value at commit `at`, if it is known to be the same now.
    pub(crate) fn get(&self, key: &K, at: u64) -> Option<V> {
        let mut shard = self.shard(key).lock();
        if let Some(entry) = shard.young.get(key) {
            return (entry.since <= at).then(|| entry.value.clone());
        }
        let entry = shard.old.remove(key)?;
        let value = (entry.since <= at).then(|| entry.value.clone());
        shard.old_bytes = shard.old_bytes.saturating_sub(Self::ENTRY_BYTES + entry.value.weight());
        self.insert(&mut shard, *key, entry);
        value
    }

    /// Enters what a reader at commit `at` found, known to hold from commit `since` on, unless a block was staged
    /// meanwhile.
    pub(crate) fn fill(&self, key: K, value: &V, since: u64, at: u64) {
        let mut shard = self.shard(&key).lock();
        if self.present.load(Ordering::Acquire) == at && !shard.young.contains_key(&key) {
            self.insert(&mut shard, key, Entry { since, value: value.clone() });
        }
    }

    /// Begins commit `at`; [`TipCache::put`] follows for everything that it changes.
    pub(crate) fn begin(&self, at: u64) {
        self.present.store(at, Ordering::Release);
    }

    /// Enters a value that commit `at` wrote.
    pub(crate) fn put(&self, key: K, value: V, at: u64) {
        let mut shard = self.shard(&key).lock();
        if let Some(old) = shard.old.remove(&key) {
            shard.old_bytes = shard.old_bytes.saturating_sub(Self::ENTRY_BYTES + old.value.weight());
        }
        self.insert(&mut shard, key, Entry { since: at, value });
    }

    fn insert(&self, shard: &mut Shard<K, V>, key: K, entry: Entry<V>) {
        shard.young_bytes += Self::ENTRY_BYTES + entry.value.weight();
        if let Some(replaced) = shard.young.insert(key, entry) {
            shard.young_bytes -= Self::ENTRY_BYTES + replaced.value.weight();
        }
        if shard.young_bytes > self.generation_bytes {
            shard.old = mem::take(&mut shard.young);
            shard.old_bytes = mem::take(&mut shard.young_bytes);
        }
    }

    /// Forgets everything and begins commit `at`.
    pub(crate) fn clear(&self, at: u64) {
        self.present.store(at, Ordering::Release);
        for shard in &self.shards {
            *shard.lock() = Shard::default();
        }
    }

    /// Bytes in use, as the bound counts them.
    pub(crate) fn bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| {
                let shard = shard.lock();
                shard.young_bytes + shard.old_bytes
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for u64 {
        fn weight(&self) -> usize {
            0
        }
    }

    #[test]
    fn an_older_reader_does_not_see_a_newer_value() {
        let cache = TipCache::<u32, u64>::new(1 << 20);
        cache.begin(1);
        cache.put(7, 70, 1);
        cache.begin(2);
        cache.put(7, 71, 2);
        assert_eq!(cache.get(&7, 2), Some(71));
        assert_eq!(cache.get(&7, 1), None);
    }

    #[test]
    fn a_reader_that_was_overtaken_fills_nothing_in() {
        let cache = TipCache::<u32, u64>::new(1 << 20);
        cache.begin(1);
        cache.begin(2);
        cache.fill(7, &70, 0, 1);
        assert_eq!(cache.get(&7, 2), None);
        cache.fill(7, &71, 0, 2);
        assert_eq!(cache.get(&7, 1), Some(71), "it held at commit 1 as well");
    }

    #[test]
    fn the_bound_holds_and_what_is_read_stays() {
        let cache = TipCache::<u32, u64>::new(1 << 18);
        for key in 0..100_000 {
            cache.put(key, 1, 0);
            assert!(cache.get(&0, 0).is_some(), "lost at {key}");
        }
        assert!(cache.bytes() <= 1 << 18, "{}", cache.bytes());
        assert_eq!(cache.get(&1, 0), None);
    }
}
