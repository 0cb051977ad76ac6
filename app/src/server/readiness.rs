//! Readiness of the server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Probe, StoreError};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Drain;

/// Interval at which the store is probed.
const INTERVAL: Duration = Duration::from_millis(500);
/// Maximum duration of a probe.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A probe that returns at once the result of the last background probe of the store, and fails while the server drains.
pub struct Readiness {
    /// `None` if the store is ready.
    latest: watch::Receiver<Option<NotReady>>,
    task: AbortHandle,
    drain: Drain,
}

/// The reason why the store is not ready, with its causes.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
struct NotReady(Arc<str>);

impl Readiness {
    /// Starts to probe the store, which counts as ready until the first result. Requires a Tokio runtime.
    pub fn start(store: Arc<dyn Probe>, drain: Drain) -> Self {
        let (publish, latest) = watch::channel(None);
        let task = tokio::spawn(async move {
            loop {
                let result = probe(&*store).await.err();
                let was_ready = publish.borrow().is_none();
                match &result {
                    Some(NotReady(cause)) if was_ready => tracing::warn!(%cause, "not ready"),
                    None if !was_ready => tracing::info!("ready again"),
                    _ => {}
                }
                publish.send_replace(result);
                sleep(INTERVAL).await;
            }
        });
        Self { latest, task: task.abort_handle(), drain }
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Probe for Readiness {
    async fn ready(&self) -> Result<(), StoreError> {
        if self.drain.has_begun() {
            return Err(StoreError::unavailable("the server is stopping"));
        }
        match &*self.latest.borrow() {
            Some(cause) => Err(StoreError::unavailable(cause.clone())),
            None => Ok(()),
        }
    }
}

async fn probe(store: &dyn Probe) -> Result<(), NotReady> {
    match timeout(TIMEOUT, store.ready()).await {
        Ok(result) => result.map_err(|error| NotReady(chain(&error).into())),
        Err(_) => Err(NotReady("the store did not respond in time".into())),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// Returns each result once, and then does not respond.
    struct Results(Mutex<Vec<Result<(), StoreError>>>);

    #[async_trait]
    impl Probe for Results {
        async fn ready(&self) -> Result<(), StoreError> {
            let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match next {
                Some(result) => result,
                None => std::future::pending().await,
            }
        }
    }

    #[tokio::test]
    async fn latest_background_result_is_returned() {
        let store = Results(Mutex::new(vec![Ok(()), Err(StoreError::failed("no tables")), Ok(())]));
        let readiness = Readiness::start(Arc::new(store), Drain::default());
        let mut latest = readiness.latest.clone();
        assert!(readiness.ready().await.is_ok());
        latest.wait_for(Option::is_some).await.unwrap();
        let error = readiness.ready().await.unwrap_err();
        assert_eq!(chain(&error), "the store is unavailable: the store failed: no tables");
        latest.wait_for(Option::is_none).await.unwrap();
        assert!(readiness.ready().await.is_ok());
    }

    #[tokio::test]
    async fn store_that_does_not_respond_is_not_ready() {
        let readiness = Readiness::start(Arc::new(Results(Mutex::default())), Drain::default());
        let mut latest = readiness.latest.clone();
        latest.wait_for(Option::is_some).await.unwrap();
        assert!(matches!(readiness.ready().await, Err(StoreError::Unavailable(_))));
    }
}
