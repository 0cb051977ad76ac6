//! Request quotas by user and by client address.

use domain::quota::{Budget, RequestQuota, RequestQuotas, Requester};
use time::OffsetDateTime;

use crate::buckets::Buckets;
use crate::network::network;

/// Maximum number of users and addresses.
const CAPACITY: usize = 10_000;

/// In-memory request counts of one node.
pub struct RequestQuotaMemory(Buckets<Requester>);

impl RequestQuotaMemory {
    pub fn new(quota: RequestQuota) -> Self {
        Self(Buckets::new(quota.get(), RequestQuota::WINDOW / quota.get(), CAPACITY))
    }
}

impl RequestQuotas for RequestQuotaMemory {
    fn take(&self, requester: Requester, now: OffsetDateTime) -> Result<Budget, Budget> {
        let key = match requester {
            Requester::Address(Some(address)) => Requester::Address(Some(network(address))),
            other => other,
        };
        self.0.take(key, now)
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

    fn user(id: i64) -> Requester {
        Requester::User(id.try_into().unwrap())
    }

    fn address(text: &str) -> Requester {
        Requester::Address(Some(text.parse().unwrap()))
    }

    #[test]
    fn spent_quota_rejects_that_user_only() {
        let quotas = RequestQuotaMemory::new(RequestQuota::MIN);
        for left in (0..60).rev() {
            assert_eq!(quotas.take(user(1), NOW).unwrap().left, left);
        }
        let spent = quotas.take(user(1), NOW).unwrap_err();
        assert_eq!((spent.quota, spent.window, spent.left), (60, Duration::MINUTE, 0));
        assert_eq!(spent.next_in, Duration::SECOND);
        assert!(quotas.take(user(2), NOW).is_ok());
        assert!(quotas.take(address("192.0.2.1"), NOW).is_ok());
        assert!(quotas.take(user(1), NOW + Duration::SECOND).is_ok());
        assert!(quotas.take(user(1), NOW + Duration::SECOND).is_err(), "rejected requests are not counted");
        assert_eq!(quotas.take(user(1), NOW + Duration::minutes(2)).unwrap().left, 59);
    }

    #[test]
    fn requests_of_ipv6_are_counted_per_64_bit_prefix() {
        let quotas = RequestQuotaMemory::new(RequestQuota::MIN);
        assert_eq!(quotas.take(address("2001:db8:0:1::7"), NOW).unwrap().left, 59);
        assert_eq!(quotas.take(address("2001:db8:0:1:ffff::"), NOW).unwrap().left, 58);
        assert_eq!(quotas.take(address("2001:db8:0:2::7"), NOW).unwrap().left, 59);
    }

    #[test]
    fn largest_quota_is_supported() {
        let quotas = RequestQuotaMemory::new(RequestQuota::MAX);
        let first = quotas.take(user(1), NOW).unwrap();
        assert_eq!((first.left, first.window), (9_999_999, Duration::MINUTE));
    }
}
