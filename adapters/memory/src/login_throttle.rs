//! Failed logins by client address, and attempts in progress.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use domain::login::{AttemptInProgress, LoginThrottle};
use domain::quota::Budget;
use domain::user::Account;
use domain::{MonotonicClock, network};
use time::Duration;

use crate::attempts_in_progress::AttemptsInProgress;
use crate::buckets::Buckets;

/// Failed logins allowed per address: far more than per account, because a whole school may share an address.
const QUOTA: u32 = 300;
/// Time until all are allowed again: one every two seconds.
const WINDOW: Duration = Duration::minutes(10);
/// Maximum number of addresses.
const CAPACITY: usize = 10_000;

/// In-memory login throttle of one process.
pub struct LoginThrottleMemory {
    addresses: Buckets<IpAddr>,
    in_progress: AttemptsInProgress,
}

impl LoginThrottleMemory {
    pub fn new(clock: Arc<dyn MonotonicClock>) -> Self {
        Self { addresses: Buckets::new(QUOTA, WINDOW, CAPACITY, clock), in_progress: AttemptsInProgress::default() }
    }
}

#[async_trait]
impl LoginThrottle for LoginThrottleMemory {
    async fn begin(&self, account: Account) -> Option<Box<dyn AttemptInProgress>> {
        self.in_progress.begin(account).await
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
}

#[cfg(test)]
mod tests {
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
    fn stored_addresses_are_bounded() {
        let (memory, _) = memory();
        for i in 0..2 * CAPACITY {
            memory.take(IpAddr::V4(u32::try_from(i).unwrap().into())).unwrap();
        }
        assert!(memory.addresses.len() <= CAPACITY);
    }
}
