//! The time between the stop signal and the end of accepting connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// State of a server that stops: it is not ready, but accepts connections for a while, until load balancers have noticed.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    delay: Duration,
    has_begun: Arc<AtomicBool>,
}

impl Drain {
    /// Accepts connections for `delay` after the stop signal.
    #[must_use]
    pub fn new(delay: Duration) -> Self {
        Self { delay, has_begun: Arc::default() }
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Begins to drain, and returns after the delay.
    pub async fn run(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
        tracing::info!("stopping: not ready, and accepting connections for {} more seconds", self.delay.as_secs_f32());
        tokio::time::sleep(self.delay).await;
    }
}
