//! Follows the file of the key ring while the server runs: at SIGHUP, and by looking at it again and again, which
//! works on network file systems too.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use adapter_jwt::JwtTokens;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::key_file::{KeyFile, Reading};

/// How long a change of the file may go unseen.
const PERIOD: Duration = Duration::from_secs(2);

/// Hands every new ring of the file to `tokens` as long as the runtime lives. A bad file changes nothing, and is told
/// in the log.
///
/// # Errors
/// When SIGHUP cannot be listened for.
pub fn watch(mut file: KeyFile, tokens: Arc<JwtTokens>) -> io::Result<()> {
    let mut asked_to = signal(SignalKind::hangup())?;
    let mut again = interval(PERIOD);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                _ = asked_to.recv() => true,
                _ = again.tick() => false,
            };
            // A network file system may take its time.
            let looked = spawn_blocking(move || {
                let reading = file.look(asked);
                (file, reading)
            });
            let (looked_at, reading) = match looked.await {
                Ok(looked) => looked,
                Err(error) => {
                    tracing::error!(%error, "the key ring is not followed any more: restart the server");
                    return;
                }
            };
            file = looked_at;
            match reading {
                None => {}
                Some(Reading::Ring(ring)) => {
                    tracing::info!(file = %file.path().display(), keys = ring.keys().len(), "read the key ring anew");
                    tokens.replace_ring(ring);
                }
                Some(Reading::Bad(error)) => tracing::error!(%error, "the key ring stays what it was"),
            }
        }
    });
    Ok(())
}
