//! Values as of the newest staged block, bounded in bytes.
//!
//! # Invariants
//! - An entry's value held at every commit from its `since` to the present one: [`TipCache::put_all`] replaces the entry of
//!   whatever a block changes, under the shard's lock, before that block can be read.
//! - A reader may fill in what it found elsewhere only while the commit that it reads at is the present one, which it
//!   proves under the same lock; so a value overtaken by a block is never put back.

use std::{
    hash::{BuildHasher, Hash},
    hint::black_box,
    mem,
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::{Mutex, MutexGuard};

/// Locks; far more than threads, so that they rarely meet. A power of two.
const SHARDS: usize = 64;

/// Keys that are looked up together at most: what a shard is locked for.
const RUN: usize = 64;

/// Bytes that a value takes beyond its own size.
pub(crate) trait Weight {
    fn weight(&self) -> usize;

    /// Reads one of those bytes, so that they are on their way to the processor when they are needed.
    fn touch(&self) -> u8 {
        0
    }
}

/// A key of the cache.
pub(crate) trait CacheKey: Eq + Hash + Copy {
    /// Chooses the shard, given the key's hash. Keys that are asked for together had better share it.
    fn shard(&self, hash: u64) -> usize {
        // The index of a shard uses the hash's ends.
        (hash >> 32) as usize
    }
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

impl<K: CacheKey, V: Clone + Default + Weight> Shard<K, V> {
    fn position(&self, hash: u64, key: &K) -> Option<usize> {
        self.index.find(hash, |at| self.slots[*at as usize].key == *key).map(|at| *at as usize)
    }

    fn find(&mut self, hash: u64, key: &K) -> Option<&mut Slot<K, V>> {
        let at = self.position(hash, key)?;
        self.slots.get_mut(at)
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

    /// Enters or replaces a value; returns the one replaced.
    fn put(
        &mut self,
        hash: u64,
        (key, value): (K, V),
        at: u64,
        limit: usize,
        hasher: &RandomState,
    ) -> Option<V> {
        let Some(slot) = self.find(hash, &key) else {
            self.insert(hash, Slot { key, since: at, value, used: false }, limit, hasher);
            return None;
        };
        let (new, old) = (value.weight(), mem::replace(&mut slot.value, value));
        (slot.since, slot.used) = (at, true);
        self.bytes = self.bytes + new - old.weight();
        while self.bytes > limit && self.evict_one(hasher) {}
        Some(old)
    }

    /// In steps that each go over all keys: what one step waits for from memory, it waits for together.
    fn get_all(&mut self, keys: &[(u64, &K)], at: u64, found: &mut Vec<Option<V>>) {
        let mut places = [None; RUN];
        for ((hash, key), place) in keys.iter().zip(&mut places) {
            *place = self.position(*hash, key);
        }
        let values = places.iter().flatten().filter_map(|place| self.slots.get(*place));
        black_box(values.fold(0, |sum, slot| sum ^ slot.value.touch()));
        found.extend(places.iter().take(keys.len()).map(|place| {
            let slot = self.slots.get_mut((*place)?)?;
            slot.used = true;
            (slot.since <= at).then(|| slot.value.clone())
        }));
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

impl<K: CacheKey, V: Clone + Default + Weight> TipCache<K, V> {
    /// A cache of at most `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            present: AtomicU64::new(0),
            shard_bytes: bytes / SHARDS,
        }
    }

    fn shard(&self, hash: u64, key: &K) -> &Mutex<Shard<K, V>> {
        &self.shards[key.shard(hash) % SHARDS]
    }

    /// The value at commit `at`, if it is known to be the same now.
    pub(crate) fn get(&self, key: &K, at: u64) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash, key).lock();
        let slot = shard.find(hash, key)?;
        slot.used = true;
        (slot.since <= at).then(|| slot.value.clone())
    }

    /// Enters what a reader at commit `at` found, known to hold from commit `since` on, unless a block was staged
    /// meanwhile.
    pub(crate) fn fill(&self, key: K, value: &V, since: u64, at: u64) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash, &key).lock();
        if self.present.load(Ordering::Acquire) == at && shard.find(hash, &key).is_none() {
            let slot = Slot { key, since, value: value.clone(), used: false };
            shard.insert(hash, slot, self.shard_bytes, &self.hasher);
        }
    }

    /// Begins commit `at`; [`TipCache::put_all`] follows for everything that it changes.
    pub(crate) fn begin(&self, at: u64) {
        self.present.store(at, Ordering::Release);
    }

    /// Enters values that commit `at` wrote. Quickest when keys of the same shard follow each other. What they replace
    /// comes back, to be let go where time matters less.
    pub(crate) fn put_all(&self, entries: impl Iterator<Item = (K, V)>, at: u64) -> Vec<V> {
        let mut old = Vec::with_capacity(entries.size_hint().0);
        let mut held: Option<(usize, MutexGuard<'_, Shard<K, V>>)> = None;
        for (key, value) in entries {
            let hash = self.hasher.hash_one(key);
            let number = key.shard(hash) % SHARDS;
            let shard = match &mut held {
                Some((of, shard)) if *of == number => shard,
                _ => {
                    // Let go of the one before the next is taken: nobody holds two.
                    held = None;
                    &mut held.insert((number, self.shards[number].lock())).1
                }
            };
            old.extend(shard.put(hash, (key, value), at, self.shard_bytes, &self.hasher));
        }
        old
    }

    /// Enters a value that commit `at` wrote.
    #[cfg(test)]
    pub(crate) fn put(&self, key: K, value: V, at: u64) {
        self.put_all(std::iter::once((key, value)), at);
    }

    /// The values of many keys at commit `at`, each if it is known to be the same now. Waits for memory for many at once.
    /// Quickest when keys of the same shard follow each other.
    pub(crate) fn get_all(&self, keys: &[K], at: u64) -> Vec<Option<V>> {
        let mut found = Vec::with_capacity(keys.len());
        let mut hashed: Vec<(u64, &K)> = Vec::with_capacity(RUN);
        let mut rest = keys.iter().map(|key| (self.hasher.hash_one(key), key)).peekable();
        while let Some((hash, key)) = rest.next() {
            let number = key.shard(hash) % SHARDS;
            hashed.clear();
            hashed.push((hash, key));
            while hashed.len() < RUN
                && let Some(next) = rest.next_if(|(hash, key)| key.shard(*hash) % SHARDS == number)
            {
                hashed.push(next);
            }
            self.shards[number].lock().get_all(&hashed, at, &mut found);
        }
        found
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

    impl CacheKey for u32 {}

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

    /// Asked for and entered together or one by one, across the bounds of runs and shards.
    #[test]
    fn many_at_once_are_the_same_as_one_after_the_other() {
        let (many, single) = (TipCache::<u32, u64>::new(1 << 24), TipCache::<u32, u64>::new(1 << 24));
        let mut seed = 1u32;
        for at in 1..20 {
            let keys: Vec<u32> = (0..700u32)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed >> 21
                })
                .collect();
            let entries = keys.iter().map(|key| (*key, u64::from(*key) * at));
            many.begin(at);
            single.begin(at);
            many.put_all(entries.clone(), at);
            entries.for_each(|(key, value)| single.put(key, value, at));
            let asked: Vec<u32> = (0..2_048).collect();
            for at in [at, at - 1] {
                let want: Vec<_> = asked.iter().map(|key| single.get(key, at)).collect();
                assert_eq!(many.get_all(&asked, at), want);
            }
        }
        assert_eq!(many.get_all(&[], 3), Vec::new());
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
