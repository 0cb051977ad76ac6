//! A proxy for a PostgreSQL server that counts executed statements and can pause connections.

#![expect(clippy::expect_used, reason = "a test panics if it cannot start its proxy")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use url::Url;

/// A proxy on a free port. Dropping it closes all its connections.
pub struct PostgresProxy {
    shared: Arc<Shared>,
    url: String,
    accepting: AbortHandle,
}

struct Shared {
    server: SocketAddr,
    /// Number of executions of each statement, by its text.
    executed: Mutex<HashMap<String, u64>>,
    /// Number of connections to close at once.
    rejected: AtomicUsize,
    /// The paused connections.
    paused: watch::Sender<Paused>,
}

/// The paused connections of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paused {
    None,
    /// Existing and new connections that listen for notifications.
    Listeners,
    All,
}

impl PostgresProxy {
    /// Starts a proxy for the server of this URL, which MUST NOT require TLS.
    pub async fn start(url: &str) -> Self {
        let mut url = Url::parse(url).expect("a URL");
        let host = url.host_str().expect("a host").to_owned();
        let server = tokio::net::lookup_host((host, url.port().unwrap_or(5432))).await.expect("an address");
        let server = server.into_iter().next().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(address.port())).expect("a port");
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let shared = Arc::new(Shared {
            server,
            executed: Mutex::default(),
            rejected: AtomicUsize::new(0),
            paused: watch::Sender::new(Paused::None),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Self { shared, url: url.into(), accepting }
    }

    /// The URL of the database through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops forwarding for connections that listen for notifications. They stay open.
    pub fn pause_listeners(&self) {
        self.shared.paused.send_replace(Paused::Listeners);
    }

    /// Stops forwarding for all connections. They stay open.
    pub fn pause(&self) {
        self.shared.paused.send_replace(Paused::All);
    }

    /// Resumes forwarding, including data that has arrived in the meantime.
    pub fn resume(&self) {
        self.shared.paused.send_replace(Paused::None);
    }

    /// Closes this number of further connections at once.
    pub fn reject_next(&self, connections: usize) {
        self.shared.rejected.store(connections, Ordering::Relaxed);
    }

    /// Number of executions of statements that contain this text.
    pub fn execution_count(&self, part: &str) -> u64 {
        let executed = self.shared.executed();
        executed.iter().filter(|(statement, _)| statement.contains(part)).map(|(_, count)| count).sum()
    }

    /// Number of executions of each statement.
    pub fn execution_counts(&self) -> HashMap<String, u64> {
        self.shared.executed().clone()
    }
}

impl Drop for PostgresProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn executed(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.executed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while a connection is paused.
    async fn until_resumed(&self, listens: bool) {
        let mut paused = self.paused.subscribe();
        let is_resumed = |paused: &Paused| match paused {
            Paused::None => true,
            Paused::Listeners => !listens,
            Paused::All => false,
        };
        // The sender cannot be dropped while `self` is borrowed.
        let _ = paused.wait_for(is_resumed).await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // If the proxy is dropped, this task is aborted, and dropping the set closes every connection.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let rejects = shared.rejected.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if rejects.is_ok() {
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(shared.server).await else { return };
            let (listens, listening) = watch::channel(false);
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::select! {
                () = forward_statements(from_client, to_server, &shared, listens) => {}
                () = forward_responses(from_server, to_client, &shared, listening) => {}
            }
        });
    }
}

async fn forward_responses(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    mut listening: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let listens = *listening.borrow_and_update();
        shared.until_resumed(listens).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Forwards message by message (PostgreSQL 15, section 55.7), and counts executed statements.
async fn forward_statements(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    listens: watch::Sender<bool>,
) {
    let mut prepared = HashMap::new();
    let mut started = false;
    while let Some((kind, message)) = next_message(&mut from, started).await {
        started = true;
        if let Some(statement) = executed_statement(kind, &message, &mut prepared) {
            if statement.contains("LISTEN") {
                listens.send_replace(true);
            }
            *shared.executed().entry(statement).or_default() += 1;
        }
        let is_listener = *listens.borrow();
        shared.until_resumed(is_listener).await;
        let head = kind.map_or_else(Vec::new, |kind| vec![kind]);
        if to.write_all(&[head, message].concat()).await.is_err() {
            return;
        }
    }
}

/// The type of the next message, and its remainder, which starts with the length. The first message of a connection has no
/// type.
async fn next_message(from: &mut OwnedReadHalf, started: bool) -> Option<(Option<u8>, Vec<u8>)> {
    let kind = if started { Some(from.read_u8().await.ok()?) } else { None };
    let length = from.read_u32().await.ok()?;
    let mut message = vec![0; usize::try_from(length).ok()?];
    message[..4].copy_from_slice(&length.to_be_bytes());
    from.read_exact(&mut message[4..]).await.ok()?;
    Some((kind, message))
}

/// The statement that a message executes.
fn executed_statement(kind: Option<u8>, message: &[u8], prepared: &mut HashMap<Vec<u8>, String>) -> Option<String> {
    let mut texts = message[4..].split(|byte| *byte == 0);
    match kind? {
        b'Q' => texts.next().map(|statement| String::from_utf8_lossy(statement).into_owned()),
        b'P' => {
            let (name, statement) = (texts.next()?, texts.next()?);
            prepared.insert(name.to_owned(), String::from_utf8_lossy(statement).into_owned());
            None
        }
        // Each execution starts with a Bind message.
        b'B' => texts.nth(1).and_then(|name| prepared.get(name)).cloned(),
        _ => None,
    }
}
