//! Periodic background tasks: write denied requests to the audit log, and delete expired sessions.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::DeniedAccessLog;
use domain::session::Sessions;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which denied requests are written to the audit log.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Interval at which expired sessions are deleted.
const CLEANUP_INTERVAL: Duration = Duration::from_hours(1);

/// The background tasks of one server.
pub struct BackgroundTasks {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl BackgroundTasks {
    /// Starts the tasks. Requires a Tokio runtime.
    #[must_use]
    pub fn start(denied_access: Arc<DeniedAccessLog>, sessions: Sessions) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let [mut flushing, mut cleanup] = [FLUSH_INTERVAL, CLEANUP_INTERVAL].map(interval);
            flushing.set_missed_tick_behavior(MissedTickBehavior::Delay);
            cleanup.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = flushing.tick() => flush(&denied_access).await,
                    _ = cleanup.tick() => delete_expired(&sessions).await,
                    _ = &mut stopped => break flush(&denied_access).await,
                }
            }
        });
        Self { stop, task }
    }

    /// Writes the remaining denied requests and stops the tasks. Call it after the last request has finished.
    pub async fn stop(self) {
        // Both fail only if the task has already ended.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

async fn flush(denied_access: &DeniedAccessLog) {
    if let Err(error) = denied_access.flush().await {
        tracing::warn!(%error, "cannot write denied requests to the audit log; trying again");
    }
}

async fn delete_expired(sessions: &Sessions) {
    match sessions.delete_expired().await {
        Ok(0) => {}
        Ok(deleted) => tracing::info!(deleted, "deleted expired sessions"),
        Err(error) => tracing::warn!(%error, "cannot delete expired sessions; trying again in an hour"),
    }
}
