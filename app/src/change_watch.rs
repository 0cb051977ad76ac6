//! Wakes requests that wait for changes of students, and watches the lag of the feed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::student::{ChangeFeed, ChangeToken};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Interval at which the feed is read while requests wait.
const INTERVAL: Duration = Duration::from_millis(250);
/// Maximum number of requests that read at the same time after they have waited, so that lists are not delayed.
const READS: usize = 4;
/// Lag from which on it is logged, and again each time it has doubled.
const LOGGED_LAG: time::Duration = time::Duration::MINUTE;

/// One task reads the position of the feed for all requests of this node that wait, and none while no request waits.
pub struct ChangeWatch {
    feed: Arc<dyn ChangeFeed>,
    seen: watch::Sender<Seen>,
    reading: Mutex<Option<JoinHandle<()>>>,
    /// The lag in seconds that was logged last.
    logged_lag: AtomicI64,
    /// One for each request that reads after it has waited, because one change ends the waiting of all.
    reads: Semaphore,
}

/// What waiting requests have to know.
#[derive(Clone, Copy, Default)]
struct Seen {
    latest: Option<ChangeToken>,
    is_stopping: bool,
}

impl ChangeWatch {
    #[must_use]
    pub fn new(feed: Arc<dyn ChangeFeed>) -> Arc<Self> {
        let seen = watch::Sender::default();
        Arc::new(Self {
            feed,
            seen,
            reading: Mutex::default(),
            logged_lag: AtomicI64::default(),
            reads: Semaphore::new(READS),
        })
    }

    /// Waits until the feed contains a change after the token, or the server stops. Requires a Tokio runtime.
    async fn change_after(self: &Arc<Self>, token: ChangeToken) {
        let mut seen = self.seen.subscribe();
        self.start_reading();
        let is_over = |seen: &Seen| {
            let is_later = |latest: ChangeToken| latest.feed != token.feed || latest.position > token.position;
            seen.is_stopping || seen.latest.is_some_and(is_later)
        };
        // The sender is not dropped meanwhile.
        let _ = seen.wait_for(is_over).await;
    }

    /// Waits as [`ChangeWatch::change_after`] for a limited time, and then for the permission to read, which ends when it is dropped.
    pub async fn wait(self: &Arc<Self>, token: ChangeToken, limit: Duration) -> Option<SemaphorePermit<'_>> {
        let _ = timeout(limit, self.change_after(token)).await;
        // The semaphore is not closed.
        self.reads.acquire().await.ok()
    }

    /// Ends the waiting of all requests.
    pub fn stop(&self) {
        self.seen.send_modify(|seen| seen.is_stopping = true);
    }

    /// Logs a long lag: a transaction that runs for long delays the feed.
    pub fn observe_lag(&self, lag: time::Duration) {
        let logged = self.logged_lag.load(Ordering::Relaxed);
        if lag < LOGGED_LAG {
            if logged > 0 {
                self.logged_lag.store(0, Ordering::Relaxed);
                tracing::info!("the feed of changes is current again");
            }
        } else if lag.whole_seconds() >= 2 * logged {
            self.logged_lag.store(lag.whole_seconds(), Ordering::Relaxed);
            tracing::warn!(
                lag_seconds = lag.whole_seconds(),
                "the feed of changes lags: a transaction has been running in the database server for long"
            );
        }
    }

    fn start_reading(self: &Arc<Self>) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if reading.as_ref().is_none_or(JoinHandle::is_finished) {
            *reading = Some(tokio::spawn(Arc::clone(self).read()));
        }
    }

    /// Reads until no request waits.
    async fn read(self: Arc<Self>) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            {
                let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
                if self.seen.receiver_count() == 0 {
                    // A request that waits from now on starts another task, and waits for what that one reads: the feed may be another
                    // one by then.
                    self.seen.send_modify(|seen| seen.latest = None);
                    *reading = None;
                    return;
                }
            }
            // After a failure, the request finds it when it reads once its time is over.
            if let Ok(latest) = self.feed.latest().await {
                self.seen.send_if_modified(|seen| seen.latest.replace(latest) != Some(latest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use ::time::OffsetDateTime;
    use async_trait::async_trait;
    use domain::student::{ChangePosition, Changes, ChangesError};
    use domain::{PageSize, StoreError};
    use futures_util::future::join_all;

    use super::*;

    /// A feed with a change at the fourth read.
    #[derive(Default)]
    struct Feed(AtomicUsize);

    fn token(number: i64) -> ChangeToken {
        ChangeToken { feed: 1, position: ChangePosition { transaction: 0, number } }
    }

    #[async_trait]
    impl ChangeFeed for Feed {
        async fn latest(&self) -> Result<ChangeToken, StoreError> {
            Ok(token(if self.0.fetch_add(1, Ordering::Relaxed) < 3 { 7 } else { 8 }))
        }

        async fn changes(&self, _: ChangeToken, _: PageSize) -> Result<Changes, ChangesError> {
            unreachable!("the task reads the position only")
        }

        async fn delete_before(&self, _: OffsetDateTime, _: u32) -> Result<u64, StoreError> {
            unreachable!("the task reads the position only")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_task_reads_for_all_requests_that_wait() {
        let feed = Arc::new(Feed::default());
        let watch = ChangeWatch::new(feed.clone());
        join_all((0..100).map(|_| watch.change_after(token(7)))).await;
        assert_eq!(feed.0.load(Ordering::Relaxed), 4);
        tokio::time::sleep(INTERVAL * 10).await;
        assert_eq!(feed.0.load(Ordering::Relaxed), 4, "no request waits");
        assert!(timeout(INTERVAL * 10, watch.change_after(token(8))).await.is_err());
        watch.change_after(token(6)).await;
    }

    /// As after a failover while no request waits.
    #[tokio::test(start_paused = true)]
    async fn token_of_a_new_feed_waits_for_a_change_of_that_feed() {
        let watch = ChangeWatch::new(Arc::new(Feed(AtomicUsize::new(9))));
        watch.seen.send_modify(|seen| seen.latest = Some(ChangeToken { feed: 2, ..token(5) }));
        let first = watch.change_after(ChangeToken { feed: 2, ..token(4) });
        first.await;
        tokio::time::sleep(INTERVAL * 2).await;
        assert!(timeout(INTERVAL * 10, watch.change_after(token(8))).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_waited_read_a_few_at_a_time() {
        let watch = ChangeWatch::new(Arc::new(Feed(AtomicUsize::new(9))));
        let mut reading = Vec::new();
        for _ in 0..READS {
            reading.push(watch.wait(token(7), INTERVAL).await.unwrap());
        }
        assert!(timeout(INTERVAL * 10, watch.wait(token(7), INTERVAL)).await.is_err());
        reading.pop();
        assert!(watch.wait(token(7), INTERVAL).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn stop_ends_the_waiting() {
        let watch = ChangeWatch::new(Arc::new(Feed(AtomicUsize::new(9))));
        let waiting = watch.change_after(token(8));
        watch.stop();
        waiting.await;
        watch.change_after(token(8)).await;
    }
}
