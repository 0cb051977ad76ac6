//! Work that must end properly although its request is cancelled.

use std::panic::resume_unwind;

use tokio::sync::oneshot;
use tracing::Instrument;

/// Runs work on a task of its own. If the returned future is dropped, the future that the work receives completes.
///
/// # Panics
/// If the work panics.
pub async fn detached<T, W>(work: impl FnOnce(Cancelled) -> W) -> T
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let (_request, cancelled) = oneshot::channel();
    match tokio::spawn(work(Cancelled(cancelled)).in_current_span()).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime shuts down, and drops this future as well.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Completes when the request is cancelled.
pub struct Cancelled(oneshot::Receiver<()>);

impl Cancelled {
    pub async fn wait(self) {
        let _ = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn dropped_request_cancels_its_work() {
        let (done, is_done) = oneshot::channel();
        let mut request = Box::pin(detached(|cancelled| async move {
            cancelled.wait().await;
            let _ = done.send("withdrawn");
        }));
        assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(request);
        assert_eq!(is_done.await, Ok("withdrawn"));
    }

    #[tokio::test]
    async fn result_of_work_is_returned() {
        assert_eq!(detached(|_cancelled| async { 7 }).await, 7);
    }
}
