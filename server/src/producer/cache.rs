//! Rendered slides, kept while there is room: what was used longest ago goes first. Knows bytes, no
//! photos.

use std::{collections::HashMap, hash::Hash};

/// A cache with a budget of bytes.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    budget: usize,
    things: HashMap<K, Thing<V>>,
    /// Counts uses; tells what was used last.
    uses: u64,
    n_bytes: usize,
}

#[derive(Debug)]
struct Thing<V> {
    value: V,
    n_bytes: usize,
    used: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            things: HashMap::new(),
            uses: 0,
            n_bytes: 0,
        }
    }

    /// Bytes that it holds.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.uses += 1;
        let thing = self.things.get_mut(key)?;
        thing.used = self.uses;
        Some(thing.value.clone())
    }

    /// Keeps a value of `n_bytes`; one that is larger than the whole budget is not kept.
    pub(super) fn put(&mut self, key: K, value: V, n_bytes: usize) {
        if n_bytes > self.budget {
            return;
        }
        self.uses += 1;
        let thing = Thing {
            value,
            n_bytes,
            used: self.uses,
        };
        self.n_bytes += n_bytes;
        if let Some(old) = self.things.insert(key, thing) {
            self.n_bytes -= old.n_bytes;
        }
        while self.n_bytes > self.budget {
            // A few dozen at most: not worth a list in order.
            let oldest = self.things.iter().min_by_key(|(_, thing)| thing.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(thing) = self.things.remove(&key) {
                self.n_bytes -= thing.n_bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new(100);
        for key in 0..4 {
            cache.put(key, key, 25);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.put(4, 4, 30);
        assert_eq!([1, 2].map(|key| cache.get(&key)), [None, None]);
        assert_eq!(
            [0, 3, 4].map(|key| cache.get(&key)),
            [Some(0), Some(3), Some(4)]
        );
        assert_eq!(cache.n_bytes(), 80);
    }

    #[test]
    fn the_budget_holds_whatever_comes() {
        let mut cache = Cache::new(100);
        cache.put(1, 1, 101);
        assert_eq!((cache.get(&1), cache.n_bytes()), (None, 0));
        for n_bytes in [10, 100, 1, 60, 60, 99] {
            cache.put(7, n_bytes, n_bytes);
            cache.put(n_bytes, n_bytes, n_bytes / 2);
            assert!(cache.n_bytes() <= 100);
        }
    }
}
