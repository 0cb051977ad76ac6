//! Leaky buckets, one for each key, in bounded memory.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::quota::Budget;
use domain::{Moment, MonotonicClock};
use quick_cache::unsync::Cache;
use time::Duration;

/// Usage of one quota by key. The quota of an unknown key is unused.
pub struct Buckets<K> {
    /// Moment at which the full quota of a key is available again.
    full_at: Mutex<Cache<K, Moment>>,
    clock: Arc<dyn MonotonicClock>,
    quota: u32,
    /// Time to restore the full quota.
    window: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Stores at most `capacity` keys.
    pub fn new(quota: u32, window: Duration, capacity: usize, clock: Arc<dyn MonotonicClock>) -> Self {
        Self { full_at: Mutex::new(Cache::new(capacity)), clock, quota, window }
    }

    /// The remaining budget of a key.
    pub fn budget(&self, key: &K) -> Budget {
        self.budget_until(self.entries().get(key).copied(), self.clock.moment())
    }

    /// Returns a consumed unit.
    pub fn give_back(&self, key: &K) {
        if let Some(mut full_at) = self.entries().get_mut(key) {
            *full_at = *full_at + -self.refill();
        }
    }

    /// Consumes one unit and returns the remaining budget, or returns the unchanged budget as an error if none is left.
    pub fn take(&self, key: K) -> Result<Budget, Budget> {
        let (mut entries, now) = (self.entries(), self.clock.moment());
        let full_at = entries.get(&key).copied();
        let before = self.budget_until(full_at, now);
        if before.left == 0 {
            return Err(before);
        }
        entries.insert(key, full_at.map_or(now, |full_at| full_at.max(now)) + self.refill());
        // The unit consumed first is restored first.
        let next_in = if before.next_in.is_zero() { self.refill() } else { before.next_in };
        Ok(Budget { left: before.left - 1, next_in, ..before })
    }

    fn entries(&self) -> MutexGuard<'_, Cache<K, Moment>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time to restore one unit.
    fn refill(&self) -> Duration {
        self.window / self.quota
    }

    fn budget_until(&self, full_at: Option<Moment>, now: Moment) -> Budget {
        let missing = full_at.map_or(Duration::ZERO, |full_at| (full_at - now).max(Duration::ZERO));
        let (missing, refill) = (nanoseconds(missing), nanoseconds(self.refill()));
        let used = missing.div_ceil(refill);
        // A partially restored unit is complete first.
        let next_in = missing - used.saturating_sub(1) * refill;
        Budget {
            quota: self.quota,
            window: self.window,
            left: self.quota.saturating_sub(u32::try_from(used).unwrap_or(self.quota)),
            next_in: Duration::nanoseconds(i64::try_from(next_in).unwrap_or_default()),
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries().len()
    }
}

/// 64 bits, because their division is faster than that of 128 bits. The range is five centuries.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.whole_nanoseconds()).unwrap_or(u64::MAX)
}
