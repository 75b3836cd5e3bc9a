//! Keeping the newest of many, by key.

use std::collections::BTreeMap;

/// At most so many entries; what is added or renewed last is kept longest.
#[derive(Debug)]
pub(super) struct Newest<K, V, const MOST: usize> {
    entries: BTreeMap<u64, (K, V)>,
    places: BTreeMap<K, u64>,
    next: u64,
    /// How many were ever added.
    pub(super) total: u64,
}

impl<K, V, const MOST: usize> Default for Newest<K, V, MOST> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), places: BTreeMap::new(), next: 0, total: 0 }
    }
}

impl<K: Ord + Copy, V, const MOST: usize> Newest<K, V, MOST> {
    /// Adds what is new, in place of what has this key; drops the oldest when there are too many.
    pub(super) fn add(&mut self, key: K, value: V) {
        match self.places.remove(&key) {
            Some(place) => drop(self.entries.remove(&place)),
            None => self.total += 1,
        }
        self.put(key, value);
        if self.entries.len() > MOST
            && let Some((_, (oldest, _))) = self.entries.pop_first()
        {
            self.places.remove(&oldest);
        }
    }

    /// Makes an entry the newest.
    pub(super) fn renew(&mut self, key: &K) -> Option<&mut V> {
        let place = self.places.remove(key)?;
        let (key, value) = self.entries.remove(&place)?;
        self.put(key, value);
        self.get_mut(&key)
    }

    /// The entry of this key, which is added if it is not there.
    pub(super) fn of(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if !self.places.contains_key(&key) {
            self.add(key, V::default());
        }
        let place = self.places.get(&key).copied().unwrap_or(self.next);
        &mut self.entries.entry(place).or_insert_with(|| (key, V::default())).1
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(self.places.get(key)?).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(self.places.get(key)?).map(|(_, value)| value)
    }

    /// The newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.values().rev().map(|(key, value)| (key, value))
    }

    /// The newest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.values_mut().rev().map(|(key, value)| (&*key, value))
    }

    fn put(&mut self, key: K, value: V) {
        self.entries.insert(self.next, (key, value));
        self.places.insert(key, self.next);
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pag_7_the_newest_are_kept_and_all_are_counted() {
        let mut newest = Newest::<u32, &str, 3>::default();
        for (key, value) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
            newest.add(key, value);
        }
        assert_eq!(newest.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [4, 3, 2]);
        assert_eq!((newest.total, newest.get(&1)), (4, None));
        newest.renew(&2);
        newest.add(5, "e");
        assert_eq!(newest.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [5, 2, 4]);
        newest.add(4, "again");
        assert_eq!((newest.get(&4), newest.total), (Some(&"again"), 5));
        assert_eq!(newest.iter().next(), Some((&4, &"again")));
        assert!(newest.renew(&1).is_none());
        assert_eq!((*newest.of(4), *newest.of(9)), ("again", ""));
        assert_eq!((newest.total, newest.iter().next()), (6, Some((&9, &""))));
    }
}
