//! Long runs with injected faults, on real processes.
//!
//! Run them with `cargo xtask test --postgres wheel -p tests --test faults -- --nocapture`; they print their measurements. They
//! start clusters of their own, and need the Debian packages postgresql, haproxy, faketime and pgbouncer.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed step of a test panics")]

mod clock_steps;
mod cluster;
mod forwarder;
mod haproxy;
mod idle_connections;
mod load;
mod locked_row;
mod lost_file;
mod nodes;
mod outages;
mod pgbouncer;
mod programs;
mod replica;
mod rolling_restarts;
mod unknown_usernames;

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

/// Maximum duration of a step that waits for a state.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// Waits until no other test runs, because a test that measures times needs the whole machine.
async fn exclusive() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::const_new(());
    RUNNING.lock().await
}

/// Waits for a condition.
async fn until(description: &str, mut condition: impl AsyncFnMut() -> bool) {
    let met = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(STEP_TIMEOUT, met).await.unwrap_or_else(|_| panic!("timeout: {description}"));
}
