//! Reloads the key ring while the server runs: at SIGHUP, and by polling, which also works on network file systems.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use adapter_jwt::JwtTokens;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::key_file::{KeyFile, Reading};

/// Polling interval.
const PERIOD: Duration = Duration::from_secs(2);

/// Passes each changed ring to `tokens` until the runtime stops. An invalid file is logged and otherwise ignored.
///
/// # Errors
/// [`io::Error`] if the SIGHUP handler cannot be installed.
pub fn watch(mut file: KeyFile, tokens: Arc<JwtTokens>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            let forced = tokio::select! {
                _ = hangup.recv() => true,
                _ = ticks.tick() => false,
            };
            // A read on a network file system may block.
            let checked = spawn_blocking(move || {
                let reading = file.check(forced);
                (file, reading)
            });
            let (checked_file, reading) = match checked.await {
                Ok(checked) => checked,
                Err(error) => {
                    tracing::error!(%error, "stopped watching the key ring; restart the server");
                    return;
                }
            };
            file = checked_file;
            match reading {
                None => {}
                Some(Reading::Ring(ring)) => {
                    tracing::info!(file = %file.path().display(), keys = ring.keys().len(), "reloaded the key ring");
                    tokens.replace_ring(ring);
                }
                Some(Reading::Invalid(error)) => {
                    tracing::error!(%error, "cannot reload the key ring; keeping the current one");
                }
            }
        }
    });
    Ok(())
}
