//! Accepting connections: as many as there are places, and without spinning when the machine has none left.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long to wait after accepting has failed: whatever is short then, such as file descriptors, is not
/// there a moment later either.
const PAUSE: Duration = Duration::from_millis(100);

/// The address cannot be listened on.
#[derive(Debug, Error)]
pub enum BindError {
    #[error("{0} is taken: another program listens there; choose another address with --listen")]
    Taken(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// A listening socket with a bounded number of connections.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    places: Arc<Semaphore>,
}

/// A connection that was accepted. Its place is free again when `place` is dropped.
pub struct Connection {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub place: OwnedSemaphorePermit,
}

impl Listener {
    /// Listens on `address` with at most `connections` open at once; more wait to be accepted.
    ///
    /// # Errors
    /// [`BindError`]
    pub async fn bind(address: SocketAddr, connections: usize) -> Result<Self, BindError> {
        let other = |error| BindError::Other(address, error);
        let socket = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(address),
            _ => other(error),
        })?;
        let address = socket.local_addr().map_err(other)?;
        Ok(Self { socket, address, places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))) })
    }

    /// The address that is listened on, with the port that port 0 became.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, as soon as there is a place for it.
    pub async fn accept(&mut self) -> Connection {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending::<()>().await;
                continue;
            };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written whole: waiting for more to send would only delay them.
                    let _ = stream.set_nodelay(true);
                    return Connection { stream, peer, place };
                }
                Err(error) if is_the_clients_doing(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn is_the_clients_doing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
