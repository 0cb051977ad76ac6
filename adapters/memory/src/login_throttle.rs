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
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::attempts_in_progress::{AttemptsInProgress, MAX_WAIT};
use crate::buckets::Buckets;

/// Failed logins allowed per address: far more than per account, because a whole school may share an address.
const QUOTA: u32 = 300;
/// Time until all are allowed again: one every two seconds.
const WINDOW: Duration = Duration::minutes(10);
/// Maximum number of logins of an address in progress, so that a flood from one address does not fill the queue of an account.
const PLACES: usize = 32;
/// Maximum number of addresses.
const CAPACITY: usize = 10_000;

/// In-memory login throttle of one process.
pub struct LoginThrottleMemory {
    addresses: Arc<Buckets<IpAddr>>,
    logins: InUse<IpAddr, Logins>,
    attempts: AttemptsInProgress,
}

/// Logins of an address.
struct Logins {
    places: Arc<Semaphore>,
    in_progress: Mutex<usize>,
    /// Notified when one ends.
    ended: Notify,
}

/// A login, until it is dropped.
struct Login {
    addresses: Arc<Buckets<IpAddr>>,
    has_failed: bool,
    _place: OwnedSemaphorePermit,
    address: Used<IpAddr, Logins>,
}

impl Default for Logins {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), in_progress: Mutex::default(), ended: Notify::new() }
    }
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

    async fn begin_login(&self, client: IpAddr) -> Result<Option<Box<dyn LoginInProgress>>, Budget> {
        let address = self.logins.get(network(client));
        let deadline = Instant::now() + MAX_WAIT;
        let place = timeout_at(deadline, Arc::clone(&address.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Ok(None) };
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
        let addresses = Arc::clone(&self.addresses);
        Ok(Some(Box::new(Login { addresses, has_failed: false, _place: place, address })))
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

    async fn begin(memory: &LoginThrottleMemory, client: &str) -> Result<Box<dyn LoginInProgress>, Budget> {
        let begun = memory.begin_login(client.parse().unwrap()).await;
        begun.map(|login| login.expect("a place"))
    }

    async fn fail(memory: &LoginThrottleMemory, client: &str) {
        begin(memory, client).await.ok().unwrap().failed();
    }

    /// REQ 16.
    #[tokio::test(start_paused = true)]
    async fn address_quota_is_used_up_and_refills() {
        let (memory, clock) = memory();
        for used in 0..300 {
            assert_eq!(left(&memory, "192.0.2.1"), 300 - used);
            fail(&memory, "192.0.2.1").await;
        }
        let empty = begin(&memory, "192.0.2.1").await.err().unwrap();
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
        for _ in 0..290 {
            fail(&memory, "192.0.2.1").await;
        }
        let mut others = Vec::new();
        for _ in 0..10 {
            others.push(begin(&memory, "192.0.2.1").await.ok().unwrap());
        }
        let mut waiting = memory.begin_login(school);
        assert!(waiting.as_mut().now_or_never().is_none());
        others.pop().unwrap().failed();
        assert!(waiting.as_mut().now_or_never().is_none(), "its failure remains counted");
        drop(others.pop());
        drop(waiting.await.ok().unwrap());
        // The paused clock advances when nothing else can run.
        while let Some(other) = others.pop() {
            other.failed();
        }
        assert_eq!(left(&memory, "192.0.2.1"), 1);
        let last = begin(&memory, "192.0.2.1").await.ok().unwrap();
        assert_eq!(memory.begin_login(school).await.err().unwrap().left, 0, "waits for a few seconds only");
        last.failed();
        assert!(begin(&memory, "192.0.2.1").await.is_err(), "no other is in progress");
        assert!(memory.logins.is_empty());
    }

    /// REQ 16.
    #[tokio::test(start_paused = true)]
    async fn logins_of_an_address_in_progress_are_bounded() {
        let (memory, _) = memory();
        let school = "192.0.2.1".parse().unwrap();
        let mut others = Vec::new();
        for _ in 0..PLACES {
            others.push(begin(&memory, "192.0.2.1").await.ok().unwrap());
        }
        assert!(begin(&memory, "192.0.2.2").await.is_ok());
        let mut waiting = memory.begin_login(school);
        assert!(waiting.as_mut().now_or_never().is_none());
        others.pop();
        others.push(waiting.await.ok().flatten().unwrap());
        assert!(memory.begin_login(school).await.is_ok_and(|login| login.is_none()), "after a few seconds");
        others.clear();
        assert!(memory.logins.is_empty());
    }

    /// REQ 16.
    #[tokio::test(start_paused = true)]
    async fn failures_of_ipv6_are_counted_per_64_bit_prefix() {
        let (memory, _) = memory();
        fail(&memory, "2001:db8:0:1::7").await;
        assert_eq!(left(&memory, "2001:db8:0:1:ffff::"), 299);
        assert_eq!(left(&memory, "2001:db8:0:2::7"), 300);
        fail(&memory, "::ffff:192.0.2.1").await;
        assert_eq!(left(&memory, "192.0.2.1"), 299);
    }

    /// REQ 16.
    #[tokio::test(start_paused = true)]
    async fn stored_addresses_are_bounded() {
        let (memory, _) = memory();
        for i in 0..2 * CAPACITY {
            fail(&memory, &IpAddr::V4(u32::try_from(i).unwrap().into()).to_string()).await;
        }
        assert!(memory.addresses.len() <= CAPACITY);
    }
}
