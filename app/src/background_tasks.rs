//! Periodic background tasks: write denied requests to the audit log, repeat withdrawals of login attempts, delete expired
//! sessions, record interrupted deletions of events, and compute missing search forms.

use std::time::Duration;

use domain::audit::{DeniedAccessLog, Review};
use domain::login::Withdrawals;
use domain::session::Sessions;
use domain::student::SearchForms;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::http::UseCases;

/// Interval at which denied requests are written to the audit log, and failed withdrawals of login attempts are repeated.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Interval at which expired sessions are deleted, interrupted deletions recorded, and missing search forms computed.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);

/// The background tasks of one server.
pub struct BackgroundTasks {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// A separate task, because the search forms of many students take minutes after the first start of this release.
    search_forms: JoinHandle<()>,
}

impl BackgroundTasks {
    /// Starts the tasks. Requires a Tokio runtime.
    #[must_use]
    pub fn start(use_cases: &UseCases) -> Self {
        let UseCases { denied_access, sessions, review, search_forms, log_in, .. } = use_cases.clone();
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
        let search_forms = tokio::spawn(async move {
            let mut filling = interval(CLEANUP_INTERVAL);
            loop {
                filling.tick().await;
                fill(&*search_forms).await;
            }
        });
        Self { stop, task, search_forms }
    }

    /// Writes the remaining denied requests and stops the tasks. Call it after the last request has finished.
    pub async fn stop(self) {
        self.search_forms.abort();
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

async fn fill(search_forms: &dyn SearchForms) {
    match search_forms.fill_all().await {
        Ok(0) => {}
        Ok(filled) => tracing::info!(filled, "computed missing search forms of students"),
        Err(error) => tracing::warn!(%error, "cannot compute missing search forms; trying again in an hour"),
    }
}
