//! The signals by which an operator stops the server.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Done at the first SIGTERM or SIGINT. A second one ends the process at once, as it would have without us.
///
/// # Errors
/// When the signals cannot be listened for.
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, running requests have 10 seconds");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    })
}
