//! Failed logins by client address, and attempts in progress.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::login::{AttemptInProgress, LoginInProgress, LoginThrottle};
use domain::quota::Budget;
use domain::user::Account;
use domain::{InUse, MonotonicClock, Used, network};
use time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::attempts_in_progress::{AttemptsInProgress, MAX_WAIT};
use crate::buckets::Buckets;

/// Failed logins allowed per address: far more than per account, because a whole school may share an address.
const QUOTA: u32 = 300;
/// Time until all are allowed again: one every two seconds.
const WINDOW: Duration = Duration::minutes(10);
/// Maximum number of addresses.
const CAPACITY: usize = 10_000;

/// In-memory login throttle of one process.
pub struct LoginThrottleMemory {
    addresses: Arc<Buckets<IpAddr>>,
    logins: InUse<IpAddr, Logins>,
    attempts: AttemptsInProgress,
}

/// Logins of an address.
#[derive(Default)]
struct Logins {
    in_progress: Mutex<usize>,
    /// Notified when one ends.
    ended: Notify,
}

/// A login, until it is dropped.
struct Login {
    addresses: Arc<Buckets<IpAddr>>,
    has_failed: bool,
    address: Used<IpAddr, Logins>,
}

impl Logins {
    fn in_progress(&self) -> MutexGuard<'_, usize> {
        self.in_progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginThrottleMemory {
    pub fn new(clock: Arc<dyn MonotonicClock>) -> Self {
        Self {
            addresses: Arc::new(Buckets::new(QUOTA, WINDOW, CAPACITY, clock)),
            logins: InUse::default(),
            attempts: AttemptsInProgress::default(),
        }
    }
}

#[async_trait]
impl LoginThrottle for LoginThrottleMemory {
    async fn begin_attempt(&self, account: Account) -> Option<Box<dyn AttemptInProgress>> {
        self.attempts.begin(account).await
    }

    async fn begin_login(&self, client: IpAddr) -> Result<Box<dyn LoginInProgress>, Budget> {
        let address = self.logins.get(network(client));
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            let mut ended = pin!(address.ended.notified());
            ended.as_mut().enable();
            let exhausted = {
                let mut in_progress = address.in_progress();
                match self.addresses.take(*address.key()) {
                    Ok(_) => {
                        *in_progress += 1;
                        break;
                    }
                    Err(exhausted) if *in_progress == 0 => return Err(exhausted),
                    Err(exhausted) => exhausted,
                }
            };
            timeout_at(deadline, ended).await.map_err(|_| exhausted)?;
        }
        Ok(Box::new(Login { addresses: Arc::clone(&self.addresses), has_failed: false, address }))
    }

    fn budget(&self, client: IpAddr) -> Budget {
        self.addresses.budget(&network(client))
    }
}

impl LoginInProgress for Login {
    fn failed(mut self: Box<Self>) {
        self.has_failed = true;
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let mut in_progress = self.address.in_progress();
        if !self.has_failed {
            self.addresses.give_back(self.address.key());
        }
        *in_progress -= 1;
        drop(in_progress);
        self.address.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::test_clock::TestClock;

    fn memory() -> (LoginThrottleMemory, Arc<TestClock>) {
        let clock = Arc::new(TestClock::default());
        (LoginThrottleMemory::new(clock.clone()), clock)
    }

    fn left(memory: &LoginThrottleMemory, client: &str) -> u32 {
        memory.budget(client.parse().unwrap()).left
    }

    /// Begins a login without waiting.
    fn begin(memory: &LoginThrottleMemory, client: &str) -> Result<Box<dyn LoginInProgress>, Budget> {
        memory.begin_login(client.parse().unwrap()).now_or_never().expect("no wait")
    }

    fn fail(memory: &LoginThrottleMemory, client: &str) {
        begin(memory, client).ok().unwrap().failed();
    }

    /// REQ 16.
    #[test]
    fn address_quota_is_used_up_and_refills() {
        let (memory, clock) = memory();
        for used in 0..300 {
            assert_eq!(left(&memory, "192.0.2.1"), 300 - used);
            fail(&memory, "192.0.2.1");
        }
        let empty = begin(&memory, "192.0.2.1").err().unwrap();
        assert_eq!((empty.left, empty.next_in), (0, Duration::seconds(2)));
        assert_eq!(left(&memory, "192.0.2.2"), 300);
        clock.advance(Duration::seconds(2));
        assert_eq!(left(&memory, "192.0.2.1"), 1);
        clock.advance(Duration::seconds(298));
        assert_eq!(left(&memory, "192.0.2.1"), 150);
        clock.advance(Duration::minutes(5));
        let full = memory.budget("192.0.2.1".parse().unwrap());
        assert_eq!((full.left, full.next_in, full.window), (300, Duration::ZERO, Duration::minutes(10)));
    }

    /// REQ 16.
    #[tokio::test(start_paused = true)]
    async fn login_beyond_the_quota_waits_for_others_in_progress() {
        let (memory, _) = memory();
        let school = "192.0.2.1".parse().unwrap();
        let mut others: Vec<_> = (0..300).map(|_| begin(&memory, "192.0.2.1").ok().unwrap()).collect();
        let mut waiting = memory.begin_login(school);
        assert!(waiting.as_mut().now_or_never().is_none());
        others.pop().unwrap().failed();
        assert!(waiting.as_mut().now_or_never().is_none(), "its failure remains counted");
        drop(others.pop());
        assert!(waiting.await.is_ok());
        // The paused clock advances when nothing else can run.
        while let Some(other) = others.pop() {
            other.failed();
        }
        assert_eq!(left(&memory, "192.0.2.1"), 1);
        let last = begin(&memory, "192.0.2.1").ok().unwrap();
        assert_eq!(memory.begin_login(school).await.err().unwrap().left, 0, "waits for a few seconds only");
        last.failed();
        assert!(begin(&memory, "192.0.2.1").is_err(), "no other is in progress");
        assert!(memory.logins.is_empty());
    }

    /// REQ 16.
    #[test]
    fn failures_of_ipv6_are_counted_per_64_bit_prefix() {
        let (memory, _) = memory();
        fail(&memory, "2001:db8:0:1::7");
        assert_eq!(left(&memory, "2001:db8:0:1:ffff::"), 299);
        assert_eq!(left(&memory, "2001:db8:0:2::7"), 300);
        fail(&memory, "::ffff:192.0.2.1");
        assert_eq!(left(&memory, "192.0.2.1"), 299);
    }

    /// REQ 16.
    #[test]
    fn stored_addresses_are_bounded() {
        let (memory, _) = memory();
        for i in 0..2 * CAPACITY {
            fail(&memory, &IpAddr::V4(u32::try_from(i).unwrap().into()).to_string());
        }
        assert!(memory.addresses.len() <= CAPACITY);
    }
}
