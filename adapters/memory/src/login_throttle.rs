//! Failed logins by client address and by unknown username.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::MonotonicClock;
use domain::login::{AttemptInProgress, LoginThrottle};
use domain::quota::Budget;
use domain::user::{Admission, Attempts};
use quick_cache::unsync::Cache;
use time::Duration;

use crate::attempts_in_progress::AttemptsInProgress;
use crate::buckets::Buckets;
use domain::network;

/// Failed logins allowed per address: far more than per account, because a whole school may share an address.
const QUOTA: u32 = 300;
/// Time until all are allowed again: one every two seconds.
const WINDOW: Duration = Duration::minutes(10);
/// Maximum number of addresses, and of names.
const CAPACITY: usize = 10_000;

/// In-memory login throttle of one process. Names are stored as 128-bit keyed hashes under random keys.
pub struct LoginThrottleMemory {
    addresses: Buckets<IpAddr>,
    names: Mutex<Cache<[u64; 2], Attempts>>,
    keys: [RandomState; 2],
    in_progress: AttemptsInProgress,
    clock: Arc<dyn MonotonicClock>,
}

impl LoginThrottleMemory {
    pub fn new(clock: Arc<dyn MonotonicClock>) -> Self {
        Self {
            addresses: Buckets::new(QUOTA, WINDOW, CAPACITY, clock.clone()),
            names: Mutex::new(Cache::new(CAPACITY)),
            keys: [RandomState::new(), RandomState::new()],
            in_progress: AttemptsInProgress::default(),
            clock,
        }
    }

    fn names(&self) -> MutexGuard<'_, Cache<[u64; 2], Attempts>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, name: &str) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one(name))
    }
}

#[async_trait]
impl LoginThrottle for LoginThrottleMemory {
    async fn begin(&self, name: &str) -> Option<Box<dyn AttemptInProgress>> {
        self.in_progress.begin(self.hash(name)).await
    }

    fn budget(&self, client: IpAddr) -> Budget {
        self.addresses.budget(&network(client))
    }

    fn take(&self, client: IpAddr) -> Result<Budget, Budget> {
        self.addresses.take(network(client))
    }

    fn give_back(&self, client: IpAddr) {
        self.addresses.give_back(&network(client));
    }

    fn admit_unknown(&self, name: &str) -> Admission {
        let (mut names, hash) = (self.names(), self.hash(name));
        let (admission, changed) = names.get(&hash).copied().unwrap_or_default().admit(self.clock.moment().as_time());
        if let Some(changed) = changed {
            names.insert(hash, changed);
        }
        admission
    }

    fn withdraw_unknown(&self, name: &str) {
        if let Some(mut attempts) = self.names().get_mut(&self.hash(name)) {
            *attempts = attempts.without_last();
        }
    }

    fn failures_of_unknown(&self, name: &str) -> u32 {
        self.names().get(&self.hash(name)).map_or(0, Attempts::failures)
    }
}

#[cfg(test)]
mod tests {
    use domain::user::Throttled;

    use super::*;
    use crate::test_clock::TestClock;

    fn memory() -> (LoginThrottleMemory, Arc<TestClock>) {
        let clock = Arc::new(TestClock::default());
        (LoginThrottleMemory::new(clock.clone()), clock)
    }

    fn left(memory: &LoginThrottleMemory, client: &str) -> u32 {
        memory.budget(client.parse().unwrap()).left
    }

    /// REQ 16.
    #[test]
    fn address_quota_is_used_up_and_refills() {
        let (memory, clock) = memory();
        let school = "192.0.2.1".parse().unwrap();
        for used in 0..300 {
            assert_eq!(left(&memory, "192.0.2.1"), 300 - used);
            memory.take(school).unwrap();
        }
        assert!(memory.take(school).is_err());
        memory.give_back(school);
        memory.take(school).unwrap();
        let empty = memory.budget(school);
        assert_eq!((empty.left, empty.next_in), (0, Duration::seconds(2)));
        assert_eq!(left(&memory, "192.0.2.2"), 300);
        clock.advance(Duration::seconds(2));
        assert_eq!(left(&memory, "192.0.2.1"), 1);
        clock.advance(Duration::seconds(298));
        assert_eq!(left(&memory, "192.0.2.1"), 150);
        clock.advance(Duration::minutes(5));
        let full = memory.budget(school);
        assert_eq!((full.left, full.next_in, full.window), (300, Duration::ZERO, Duration::minutes(10)));
    }

    /// REQ 16.
    #[test]
    fn failures_of_ipv6_are_counted_per_64_bit_prefix() {
        let (memory, _) = memory();
        memory.take("2001:db8:0:1::7".parse().unwrap()).unwrap();
        assert_eq!(left(&memory, "2001:db8:0:1:ffff::"), 299);
        assert_eq!(left(&memory, "2001:db8:0:2::7"), 300);
        memory.take("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(left(&memory, "192.0.2.1"), 299);
    }

    /// REQ 16.
    #[test]
    fn unknown_username_is_throttled_and_locked_like_an_account() {
        let (memory, clock) = memory();
        for failures in 1..=5 {
            assert_eq!(memory.admit_unknown("hunter2"), Ok(failures));
        }
        let throttled = Err(Throttled::RetryAfter { retry_after: Duration::SECOND });
        assert_eq!(memory.admit_unknown("hunter2"), throttled);
        assert_eq!(memory.failures_of_unknown("hunter2"), 5);
        assert_eq!(memory.admit_unknown("other"), Ok(1));
        memory.withdraw_unknown("hunter2");
        assert_eq!(memory.admit_unknown("hunter2"), Ok(5));
        for failures in 6..=100 {
            clock.advance(Duration::minutes(5));
            assert_eq!(memory.admit_unknown("hunter2"), Ok(failures));
        }
        clock.advance(Duration::DAY);
        assert_eq!(memory.admit_unknown("hunter2"), Err(Throttled::Locked));
    }

    /// REQ 16.
    #[test]
    fn stored_names_and_addresses_are_bounded() {
        let (memory, _) = memory();
        for i in 0..2 * CAPACITY {
            memory.admit_unknown(&format!("name{i}")).unwrap();
            memory.take(IpAddr::V4(u32::try_from(i).unwrap().into())).unwrap();
        }
        assert!(memory.names().len() <= CAPACITY);
        assert!(memory.addresses.len() <= CAPACITY);
    }
}
