//! Values as of the newest staged block, bounded in bytes.
//!
//! # Invariants
//! - An entry's value held at every commit from its `since` to the present one: [`TipCache::put`] replaces the entry of
//!   whatever a block changes, under the shard's lock, before that block can be read.
//! - A reader may fill in what it found elsewhere only while the commit that it reads at is the present one, which it
//!   proves under the same lock; so a value overtaken by a block is never put back.

use std::{
    hash::{BuildHasher, Hash},
    mem,
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::Mutex;

/// Locks; far more than threads, so that they rarely meet. A power of two.
const SHARDS: usize = 64;

/// Bytes that a value takes beyond its own size.
pub(crate) trait Weight {
    fn weight(&self) -> usize;
}

struct Slot<K, V> {
    key: K,
    since: u64,
    value: V,
    /// Read since the hand last passed.
    used: bool,
}

/// Entries in a ring around which a hand goes when room is needed: it spares those that were read since it last passed
/// and takes the first other one (the clock algorithm, which comes close to least recently used).
struct Shard<K, V> {
    slots: Vec<Slot<K, V>>,
    /// Positions in `slots` by hash of the key.
    index: HashTable<u32>,
    hand: usize,
    /// Slots in use; the others are at these positions.
    free: Vec<u32>,
    bytes: usize,
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self { slots: Vec::new(), index: HashTable::new(), hand: 0, free: Vec::new(), bytes: 0 }
    }
}

/// See the module's documentation. Commits are numbered in the order in which they were staged, rewinds included.
pub(crate) struct TipCache<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    present: AtomicU64,
    shard_bytes: usize,
}

/// What an entry takes besides its weight: its slot, and its place in the index at two thirds of the load.
const fn entry_bytes<K, V>() -> usize {
    (mem::size_of::<Slot<K, V>>() + mem::size_of::<u32>() + 1) * 3 / 2
}

impl<K: Eq + Hash + Copy, V: Clone + Default + Weight> Shard<K, V> {
    fn find(&mut self, hash: u64, key: &K) -> Option<&mut Slot<K, V>> {
        let slots = &mut self.slots;
        let at = *self.index.find(hash, |at| slots[*at as usize].key == *key)?;
        slots.get_mut(at as usize)
    }

    fn insert(&mut self, hash: u64, slot: Slot<K, V>, limit: usize, hasher: &RandomState) {
        let bytes = entry_bytes::<K, V>() + slot.value.weight();
        while self.bytes + bytes > limit {
            if !self.evict_one(hasher) {
                return;
            }
        }
        self.bytes += bytes;
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, at, |at| hasher.hash_one(slots[*at as usize].key));
    }

    /// False when there is nothing to evict.
    fn evict_one(&mut self, hasher: &RandomState) -> bool {
        if self.index.is_empty() {
            return false;
        }
        loop {
            let at = self.hand;
            self.hand = if at + 1 < self.slots.len() { at + 1 } else { 0 };
            let slot = &mut self.slots[at];
            if mem::take(&mut slot.used) {
                continue;
            }
            // A free slot has no entry: the hand goes on.
            let hash = hasher.hash_one(slot.key);
            if let Ok(entry) = self.index.find_entry(hash, |found| *found as usize == at) {
                entry.remove();
                self.bytes -= entry_bytes::<K, V>() + slot.value.weight();
                slot.value = V::default();
                self.free.push(at as u32);
                return true;
            }
        }
    }
}

impl<K: Eq + Hash + Copy, V: Clone + Default + Weight> TipCache<K, V> {
    /// A cache of at most `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            present: AtomicU64::new(0),
            shard_bytes: bytes / SHARDS,
        }
    }

    /// The index of a shard uses the hash's ends, its middle chooses the shard.
    fn shard(&self, hash: u64) -> &Mutex<Shard<K, V>> {
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    /// The value at commit `at`, if it is known to be the same now.
    pub(crate) fn get(&self, key: &K, at: u64) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash).lock();
        let slot = shard.find(hash, key)?;
        slot.used = true;
        (slot.since <= at).then(|| slot.value.clone())
    }

    /// Enters what a reader at commit `at` found, known to hold from commit `since` on, unless a block was staged
    /// meanwhile.
    pub(crate) fn fill(&self, key: K, value: &V, since: u64, at: u64) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash).lock();
        if self.present.load(Ordering::Acquire) == at && shard.find(hash, &key).is_none() {
            let slot = Slot { key, since, value: value.clone(), used: false };
            shard.insert(hash, slot, self.shard_bytes, &self.hasher);
        }
    }

    /// Begins commit `at`; [`TipCache::put`] follows for everything that it changes.
    pub(crate) fn begin(&self, at: u64) {
        self.present.store(at, Ordering::Release);
    }

    /// Enters a value that commit `at` wrote.
    pub(crate) fn put(&self, key: K, value: V, at: u64) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash).lock();
        let Some(slot) = shard.find(hash, &key) else {
            let slot = Slot { key, since: at, value, used: false };
            return shard.insert(hash, slot, self.shard_bytes, &self.hasher);
        };
        let new = value.weight();
        let old = mem::replace(&mut slot.value, value).weight();
        (slot.since, slot.used) = (at, true);
        shard.bytes = shard.bytes + new - old;
        while shard.bytes > self.shard_bytes && shard.evict_one(&self.hasher) {}
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
        self.shards.iter().map(|shard| shard.lock().bytes).sum()
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

    impl Weight for Vec<u8> {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn the_bound_holds_when_values_grow_and_each_value_is_the_last_put() {
        let cache = TipCache::<u32, Vec<u8>>::new(1 << 18);
        for round in 0..2_000u32 {
            let (key, size) = (round * 7 % 500, round as usize * 13 % 3_000);
            cache.put(key, vec![round as u8; size], 0);
            assert!(cache.bytes() <= 1 << 18, "{}", cache.bytes());
            if let Some(value) = cache.get(&key, 0) {
                assert_eq!(value, vec![round as u8; size]);
            }
        }
        let held: usize = (0..500).filter_map(|key| cache.get(&key, 0)).map(|value| value.len()).sum();
        assert!((1 << 16..1 << 18).contains(&held), "{held}");
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
