//! Periodic background tasks: write denied requests to the audit log, repeat withdrawals of login attempts, delete expired
//! sessions and old changes, record interrupted deletions of events, and index names that other nodes wrote.

use std::time::Duration;

use domain::audit::{DeniedAccessLog, Review};
use domain::login::Withdrawals;
use domain::session::Sessions;
use domain::student::{FollowChanges, NameIndex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::http::UseCases;

/// Interval at which denied requests are written to the audit log, and failed withdrawals of login attempts are repeated.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Interval at which expired sessions and old changes are deleted, and interrupted deletions recorded.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);
/// Interval at which names are indexed that were there before an upgrade or that older nodes wrote, and the index is improved.
const INDEXING_INTERVAL: Duration = Duration::from_secs(10);

/// The background tasks of one server.
pub struct BackgroundTasks {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// Tasks that may take minutes, and continue at the next start: names of many students after the first start of this release, and
    /// changes of many students after a shorter retention.
    long: [JoinHandle<()>; 2],
}

impl BackgroundTasks {
    /// Starts the tasks. Requires a Tokio runtime.
    #[must_use]
    pub fn start(use_cases: &UseCases) -> Self {
        let UseCases { denied_access, sessions, review, changes, name_index, log_in, .. } = use_cases.clone();
        let withdrawals = log_in.attempts.withdrawals;
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let [mut flushing, mut cleanup] = [FLUSH_INTERVAL, CLEANUP_INTERVAL].map(interval);
            flushing.set_missed_tick_behavior(MissedTickBehavior::Delay);
            cleanup.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = flushing.tick() => flush(&denied_access, &withdrawals).await,
                    _ = cleanup.tick() => {
                        delete_expired(&sessions).await;
                        maintain_audit_log(&review).await;
                    }
                    _ = &mut stopped => break flush(&denied_access, &withdrawals).await,
                }
            }
        });
        let name_index = tokio::spawn(async move {
            let mut indexing = interval(INDEXING_INTERVAL);
            indexing.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                indexing.tick().await;
                index_names(&*name_index).await;
            }
        });
        let old_changes = tokio::spawn(async move {
            let mut cleanup = interval(CLEANUP_INTERVAL);
            cleanup.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                cleanup.tick().await;
                delete_old_changes(&changes).await;
            }
        });
        Self { stop, task, long: [name_index, old_changes] }
    }

    /// Writes the remaining denied requests and stops the tasks. Call it after the last request has finished.
    pub async fn stop(self) {
        self.long.iter().for_each(JoinHandle::abort);
        // Both fail only if the task has already ended.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

async fn flush(denied_access: &DeniedAccessLog, withdrawals: &Withdrawals) {
    if let Err(error) = denied_access.flush().await {
        tracing::warn!(%error, "cannot write denied requests to the audit log; trying again");
    }
    if let Err(error) = withdrawals.repeat().await {
        tracing::warn!(%error, "cannot withdraw login attempts; trying again");
    }
}

async fn delete_expired(sessions: &Sessions) {
    match sessions.delete_expired().await {
        Ok(0) => {}
        Ok(deleted) => tracing::info!(deleted, "deleted expired sessions"),
        Err(error) => tracing::warn!(%error, "cannot delete expired sessions; trying again in an hour"),
    }
}

async fn maintain_audit_log(review: &Review) {
    if let Err(error) = review.maintain().await {
        tracing::warn!(%error, "cannot maintain the audit log; trying again in an hour");
    }
}

async fn delete_old_changes(changes: &FollowChanges) {
    match changes.delete_old().await {
        Ok(0) => {}
        Ok(deleted) => tracing::info!(deleted, "deleted old changes of students"),
        Err(error) => tracing::warn!(%error, "cannot delete old changes of students; trying again in an hour"),
    }
}

async fn index_names(name_index: &dyn NameIndex) {
    if let Err(error) = name_index.index_all(log_indexing).await {
        tracing::warn!(%error, "cannot index names of students; trying again");
    }
}

/// Logs each tenth of the progress of an index.
pub fn log_indexing(percentage: u64) {
    if percentage.is_multiple_of(10) {
        tracing::info!(percentage, "indexing names of students");
    }
}
