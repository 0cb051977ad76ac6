//! Listening socket with a limited number of open connections, in all and of each client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::network;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clients::{Clients, Counted};
use super::lingering::Lingering;
use crate::http::TrustedProxies;

/// Delay after a failed accept, so that a lack of file descriptors does not become a busy loop.
const PAUSE: Duration = Duration::from_millis(100);

/// Minimum time between two log lines about rejected connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Maximum number of rejected connections that linger.
const MAX_REJECTED: usize = 64;

/// Response to a connection that is rejected, before its request is read.
const REJECTION: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// The server cannot listen on the address.
#[derive(Debug, Error)]
pub enum BindError {
    #[error("{0} is already in use by another program; choose another address with --listen")]
    Taken(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// Limits of the connections of a listener.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. Further ones wait.
    pub connections: usize,
    /// Maximum number of open connections of a client: an IPv4 address or an IPv6 /64 network. Further ones are rejected.
    pub per_client: usize,
    /// Proxies, for which `per_client` does not apply.
    pub proxies: TrustedProxies,
    /// Time that a connection stays open between two requests.
    pub idle_timeout: Duration,
}

/// A listening socket with limits.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    limits: ConnectionLimits,
    permits: Arc<Semaphore>,
    clients: Clients,
    /// Limits the rejected connections that linger.
    rejected: Arc<Semaphore>,
    /// Time of the last log line about rejected connections.
    logged: Option<Instant>,
}

/// An accepted connection.
pub struct Connection {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub slot: Slot,
}

/// The share of a connection in the limits, until it is dropped.
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    _counted: Option<Counted>,
}

impl Listener {
    /// Listens on `address`.
    ///
    /// # Errors
    /// [`BindError`]
    pub async fn bind(address: SocketAddr, limits: ConnectionLimits) -> Result<Self, BindError> {
        let other = |error| BindError::Other(address, error);
        let socket = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(address),
            _ => other(error),
        })?;
        let address = socket.local_addr().map_err(other)?;
        let permits = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        let clients = Clients::new(limits.per_client);
        let rejected = Arc::new(Semaphore::new(MAX_REJECTED));
        Ok(Self { socket, address, limits, permits, clients, rejected, logged: None })
    }

    /// The local address, with the assigned port if port 0 was requested.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub const fn idle_timeout(&self) -> Duration {
        self.limits.idle_timeout
    }

    /// Accepts the next connection once the limits permit it.
    pub async fn accept(&mut self) -> Connection {
        loop {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending::<()>().await;
                continue;
            };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // A proxy does not use up the limit of other clients in its network.
                    let is_proxy = self.limits.proxies.trust(peer.ip());
                    let counted = if is_proxy { None } else { self.clients.count(peer.ip()) };
                    if counted.is_none() && !is_proxy {
                        self.reject(stream, peer);
                        continue;
                    }
                    // Responses are written whole, so Nagle's algorithm would only delay them.
                    let _ = stream.set_nodelay(true);
                    return Connection { stream, peer, slot: Slot { _permit: permit, _counted: counted } };
                }
                Err(error) if is_caused_by_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Rejects a connection of a client that has too many. A few such connections linger in the background, so that their
    /// clients receive the response.
    fn reject(&mut self, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.try_write(REJECTION);
        if let Ok(permit) = Arc::clone(&self.rejected).try_acquire_owned() {
            tokio::spawn(async move {
                let _ = Lingering::new(stream).shutdown().await;
                drop(permit);
            });
        }
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            tracing::warn!(
                client = %network(peer.ip()),
                connections = self.limits.per_client,
                "connections are rejected: the client has too many open; see --max-connections-per-client, and \
                 --trusted-proxy for a reverse proxy"
            );
        }
    }
}

fn is_caused_by_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
