//! Values that exist while they are in use.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of users of each value, and the value.
type Entries<K, V> = HashMap<K, (usize, Arc<V>)>;

/// Values by key. Each is created with its first use, and removed with its last one.
pub struct InUse<K, V>(Arc<Mutex<Entries<K, V>>>);

/// A value in use, until it is dropped.
pub struct Used<K: Eq + Hash, V> {
    all: InUse<K, V>,
    key: K,
    value: Arc<V>,
}

impl<K: Eq + Hash + Copy, V: Default> InUse<K, V> {
    /// Returns the value of a key, and creates it if it is not in use.
    pub fn get(&self, key: K) -> Used<K, V> {
        let mut entries = self.entries();
        let (users, value) = entries.entry(key).or_default();
        *users += 1;
        Used { all: self.clone(), key, value: Arc::clone(value) }
    }
}

impl<K, V> InUse<K, V> {
    fn entries(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if no value is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }
}

impl<K, V> Clone for InUse<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for InUse<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash, V> Used<K, V> {
    /// The key of the value.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Eq + Hash, V> Deref for Used<K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<K: Eq + Hash, V> Drop for Used<K, V> {
    fn drop(&mut self) {
        let mut entries = self.all.entries();
        if let Some((users, _)) = entries.get_mut(&self.key) {
            *users -= 1;
            if *users == 0 {
                entries.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn value_is_shared_until_its_last_use_has_ended() {
        let counters = InUse::<u8, AtomicUsize>::default();
        let first = counters.get(1);
        counters.get(1).fetch_add(1, Ordering::Relaxed);
        assert_eq!(first.load(Ordering::Relaxed), 1);
        drop(first);
        assert_eq!(counters.get(1).load(Ordering::Relaxed), 0);
        assert!(counters.is_empty());
    }

    #[test]
    fn values_used_by_many_threads_are_removed() {
        let counters = InUse::<u16, AtomicUsize>::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|number| drop(counters.get(number % 3))));
            }
        });
        assert!(counters.is_empty());
    }
}
