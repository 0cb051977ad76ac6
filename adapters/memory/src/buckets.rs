//! Leaky buckets: one for each key, in bounded memory.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::quota::Budget;
use quick_cache::unsync::Cache;
use time::{Duration, OffsetDateTime};

/// What each key has used of one quota. A key that is not remembered has used nothing.
pub struct Buckets<K> {
    /// When all that a key has used will have come back.
    full_at: Mutex<Cache<K, OffsetDateTime>>,
    quota: u32,
    /// How long one takes to come back.
    refill: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    /// At most `capacity` keys are remembered.
    pub fn new(quota: u32, refill: Duration, capacity: usize) -> Self {
        Self { full_at: Mutex::new(Cache::new(capacity)), quota, refill }
    }

    /// What a key has left.
    pub fn budget(&self, key: &K, now: OffsetDateTime) -> Budget {
        self.budget_until(self.remembered().get(key).copied(), now)
    }

    /// Counts one against a key, whether there is one left or not.
    pub fn count(&self, key: K, now: OffsetDateTime) {
        let mut remembered = self.remembered();
        let full_at = remembered.get(&key).map_or(now, |full_at| (*full_at).max(now));
        remembered.insert(key, full_at + self.refill);
    }

    /// Counts one against a key where there is one left, and answers what is left then; else what there is.
    pub fn take(&self, key: K, now: OffsetDateTime) -> Result<Budget, Budget> {
        let mut remembered = self.remembered();
        let full_at = remembered.get(&key).copied();
        let before = self.budget_until(full_at, now);
        if before.left == 0 {
            return Err(before);
        }
        remembered.insert(key, full_at.map_or(now, |full_at| full_at.max(now)) + self.refill);
        // What comes back first is what was taken first, unless nothing was.
        let next_in = if before.next_in.is_zero() { self.refill } else { before.next_in };
        Ok(Budget { left: before.left - 1, next_in, ..before })
    }

    fn remembered(&self) -> MutexGuard<'_, Cache<K, OffsetDateTime>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget_until(&self, full_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Budget {
        let missing = full_at.map_or(Duration::ZERO, |full_at| (full_at - now).max(Duration::ZERO));
        let (missing, refill) = (nanoseconds(missing), nanoseconds(self.refill));
        let used = missing.div_ceil(refill);
        // What is missing beyond whole ones comes back first.
        let next_in = missing - used.saturating_sub(1) * refill;
        Budget {
            quota: self.quota,
            window: self.refill * self.quota,
            left: self.quota.saturating_sub(u32::try_from(used).unwrap_or(self.quota)),
            next_in: Duration::nanoseconds(i64::try_from(next_in).unwrap_or_default()),
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.remembered().len()
    }
}

/// As 64 bits, which divide faster than 128 and hold five centuries.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.whole_nanoseconds()).unwrap_or(u64::MAX)
}
