//! Request quotas by user and by client address.

use std::sync::Arc;

use domain::MonotonicClock;
use domain::quota::{Budget, RequestQuota, RequestQuotas, Requester};

use crate::buckets::Buckets;
use domain::network;

/// Maximum number of users and addresses.
const CAPACITY: usize = 10_000;

/// In-memory request counts of one node.
pub struct RequestQuotaMemory(Buckets<Requester>);

impl RequestQuotaMemory {
    pub fn new(quota: RequestQuota, clock: Arc<dyn MonotonicClock>) -> Self {
        Self(Buckets::new(quota.get(), RequestQuota::WINDOW, CAPACITY, clock))
    }
}

impl RequestQuotas for RequestQuotaMemory {
    fn take(&self, requester: Requester) -> Result<Budget, Budget> {
        self.0.take(match requester {
            Requester::Address(Some(address)) => Requester::Address(Some(network(address))),
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::test_clock::TestClock;

    fn quotas(quota: RequestQuota) -> (RequestQuotaMemory, Arc<TestClock>) {
        let clock = Arc::new(TestClock::default());
        (RequestQuotaMemory::new(quota, clock.clone()), clock)
    }

    fn user(id: i64) -> Requester {
        Requester::User(id.try_into().unwrap())
    }

    fn address(text: &str) -> Requester {
        Requester::Address(Some(text.parse().unwrap()))
    }

    #[test]
    fn exhausted_quota_affects_only_its_user() {
        let (quotas, clock) = quotas(RequestQuota::MIN);
        for left in (0..60).rev() {
            assert_eq!(quotas.take(user(1)).unwrap().left, left);
        }
        let spent = quotas.take(user(1)).unwrap_err();
        assert_eq!((spent.quota, spent.window, spent.left), (60, Duration::MINUTE, 0));
        assert_eq!(spent.next_in, Duration::SECOND);
        assert!(quotas.take(user(2)).is_ok());
        assert!(quotas.take(address("192.0.2.1")).is_ok());
        clock.advance(Duration::SECOND);
        assert!(quotas.take(user(1)).is_ok());
        assert!(quotas.take(user(1)).is_err(), "rejected requests are not counted");
        clock.advance(Duration::minutes(2));
        assert_eq!(quotas.take(user(1)).unwrap().left, 59);
    }

    #[test]
    fn requests_of_ipv6_are_counted_per_64_bit_prefix() {
        let (quotas, _) = quotas(RequestQuota::MIN);
        assert_eq!(quotas.take(address("2001:db8:0:1::7")).unwrap().left, 59);
        assert_eq!(quotas.take(address("2001:db8:0:1:ffff::")).unwrap().left, 58);
        assert_eq!(quotas.take(address("2001:db8:0:2::7")).unwrap().left, 59);
    }

    #[test]
    fn window_is_a_minute_for_every_quota() {
        for requests in [60, 7_000, 7_777, 10_000_000] {
            let (quotas, _) = quotas(RequestQuota::new(requests).unwrap());
            let first = quotas.take(user(1)).unwrap();
            assert_eq!((first.left, first.window), (requests - 1, Duration::MINUTE));
        }
    }
}
