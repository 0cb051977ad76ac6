//! What a server does that no request asks for: it hands gathered denied requests to the audit, and clears expired sessions away.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::DeniedAccessLog;
use domain::session::Sessions;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How long denied requests are gathered.
const GATHERING: Duration = Duration::from_secs(5);
/// How long what has expired lies about, at most.
const CLEARING: Duration = Duration::from_hours(1);

/// The upkeep of one server, as long as it serves.
pub struct Upkeep {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Upkeep {
    /// Begins it; needs a runtime.
    #[must_use]
    pub fn begin(denied_access: Arc<DeniedAccessLog>, sessions: Sessions) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let [mut gathered, mut expired] = [GATHERING, CLEARING].map(interval);
            gathered.set_missed_tick_behavior(MissedTickBehavior::Delay);
            expired.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = gathered.tick() => flush(&denied_access).await,
                    _ = expired.tick() => forget_expired(&sessions).await,
                    _ = &mut stopped => break flush(&denied_access).await,
                }
            }
        });
        Self { stop, task }
    }

    /// Ends it when nobody is served any more, with what was gathered last.
    pub async fn end(self) {
        // Either fails only where the task is over already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

async fn flush(denied_access: &DeniedAccessLog) {
    if let Err(error) = denied_access.flush().await {
        tracing::warn!(%error, "the audit does not take denied_access now: they are gathered on");
    }
}

async fn forget_expired(sessions: &Sessions) {
    match sessions.forget_expired().await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(forgotten, "cleared expired sessions away"),
        Err(error) => tracing::warn!(%error, "expired sessions lie about for another hour"),
    }
}
