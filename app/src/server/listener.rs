//! Listening socket with a limited number of open connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Delay after a failed accept, so that a lack of file descriptors does not become a busy loop.
const PAUSE: Duration = Duration::from_millis(100);

/// The server cannot listen on the address.
#[derive(Debug, Error)]
pub enum BindError {
    #[error("{0} is already in use by another program; choose another address with --listen")]
    Taken(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// A listening socket with a limit of open connections.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    permits: Arc<Semaphore>,
}

/// An accepted connection. It counts towards the limit until `permit` is dropped.
pub struct Connection {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub permit: OwnedSemaphorePermit,
}

impl Listener {
    /// Listens on `address`. At most `connections` are open at once; further ones wait in the backlog.
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
        Ok(Self { socket, address, permits: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))) })
    }

    /// The local address, with the assigned port if port 0 was requested.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts the next connection once the limit permits it.
    pub async fn accept(&mut self) -> Connection {
        loop {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending::<()>().await;
                continue;
            };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // Responses are written whole, so Nagle's algorithm would only delay them.
                    let _ = stream.set_nodelay(true);
                    return Connection { stream, peer, permit };
                }
                Err(error) if is_caused_by_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn is_caused_by_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
