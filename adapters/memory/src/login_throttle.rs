//! Failed logins by client address and by unknown username.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::login::LoginThrottle;
use domain::quota::Budget;
use domain::user::{Admission, Attempts};
use quick_cache::unsync::Cache;
use time::{Duration, OffsetDateTime};

use crate::buckets::Buckets;
use crate::network::network;

/// Failed logins allowed per address: far more than per account, because a whole school may share an address.
const QUOTA: u32 = 300;
/// Time until one failed login is allowed again.
const REFILL: Duration = Duration::seconds(2);
/// Maximum number of addresses, and of names.
const CAPACITY: usize = 10_000;

/// In-memory login throttle of one process. Names are stored as 128-bit keyed hashes under random keys.
pub struct LoginThrottleMemory {
    addresses: Buckets<IpAddr>,
    names: Mutex<Cache<[u64; 2], Attempts>>,
    keys: [RandomState; 2],
}

impl Default for LoginThrottleMemory {
    fn default() -> Self {
        Self {
            addresses: Buckets::new(QUOTA, REFILL, CAPACITY),
            names: Mutex::new(Cache::new(CAPACITY)),
            keys: [RandomState::new(), RandomState::new()],
        }
    }
}

impl LoginThrottleMemory {
    fn names(&self) -> MutexGuard<'_, Cache<[u64; 2], Attempts>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, name: &str) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one(name))
    }
}

impl LoginThrottle for LoginThrottleMemory {
    fn budget(&self, client: IpAddr, now: OffsetDateTime) -> Budget {
        self.addresses.budget(&network(client), now)
    }

    fn failed(&self, client: IpAddr, now: OffsetDateTime) {
        self.addresses.count(network(client), now);
    }

    fn admit_unknown(&self, name: &str, now: OffsetDateTime) -> Admission {
        let (mut names, hash) = (self.names(), self.hash(name));
        let attempts = names.get(&hash).copied().unwrap_or_default();
        let admission = attempts.admission(now);
        if admission.is_ok() {
            names.insert(hash, attempts.with_failure(now));
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
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn left(memory: &LoginThrottleMemory, client: &str, now: OffsetDateTime) -> u32 {
        memory.budget(client.parse().unwrap(), now).left
    }

    /// REQ 16.
    #[test]
    fn address_quota_is_used_up_and_refills() {
        let memory = LoginThrottleMemory::default();
        let school = "192.0.2.1".parse().unwrap();
        for used in 0..300 {
            assert_eq!(left(&memory, "192.0.2.1", NOW), 300 - used);
            memory.failed(school, NOW);
        }
        let empty = memory.budget(school, NOW);
        assert_eq!((empty.left, empty.next_in), (0, Duration::seconds(2)));
        assert_eq!(left(&memory, "192.0.2.2", NOW), 300);
        assert_eq!(left(&memory, "192.0.2.1", NOW + Duration::seconds(2)), 1);
        assert_eq!(left(&memory, "192.0.2.1", NOW + Duration::minutes(5)), 150);
        let full = memory.budget(school, NOW + Duration::minutes(10));
        assert_eq!((full.left, full.next_in, full.window), (300, Duration::ZERO, Duration::minutes(10)));
    }

    /// REQ 16.
    #[test]
    fn failures_of_ipv6_are_counted_per_64_bit_prefix() {
        let memory = LoginThrottleMemory::default();
        memory.failed("2001:db8:0:1::7".parse().unwrap(), NOW);
        assert_eq!(left(&memory, "2001:db8:0:1:ffff::", NOW), 299);
        assert_eq!(left(&memory, "2001:db8:0:2::7", NOW), 300);
        memory.failed("::ffff:192.0.2.1".parse().unwrap(), NOW);
        assert_eq!(left(&memory, "192.0.2.1", NOW), 299);
    }

    /// REQ 16.
    #[test]
    fn unknown_username_is_throttled_and_locked_like_an_account() {
        let memory = LoginThrottleMemory::default();
        for failures in 1..=5 {
            assert_eq!(memory.admit_unknown("hunter2", NOW), Ok(failures));
        }
        assert_eq!(memory.admit_unknown("hunter2", NOW), Err(Throttled::RetryAfter { retry_after: Duration::SECOND }));
        assert_eq!(memory.failures_of_unknown("hunter2"), 5);
        assert_eq!(memory.admit_unknown("other", NOW), Ok(1));
        memory.withdraw_unknown("hunter2");
        assert_eq!(memory.admit_unknown("hunter2", NOW), Ok(5));
        let mut now = NOW;
        for failures in 6..=100 {
            now += Duration::minutes(5);
            assert_eq!(memory.admit_unknown("hunter2", now), Ok(failures));
        }
        assert_eq!(memory.admit_unknown("hunter2", now + Duration::DAY), Err(Throttled::Locked));
    }

    /// REQ 16.
    #[test]
    fn remembered_names_and_addresses_are_bounded() {
        let memory = LoginThrottleMemory::default();
        for i in 0..2 * CAPACITY {
            memory.admit_unknown(&format!("name{i}"), NOW).unwrap();
            memory.failed(IpAddr::V4(u32::try_from(i).unwrap().into()), NOW);
        }
        assert!(memory.names().len() <= CAPACITY);
        assert!(memory.addresses.len() <= CAPACITY);
    }
}
