//! A proxy before a PostgreSQL server: it counts the statements that pass, and can stop forwarding without a word.

#![expect(clippy::expect_used, reason = "a test that cannot have its proxy panics")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use url::Url;

/// A proxy on a free port. It ends when it is dropped, and what goes through it with it.
pub struct PostgresProxy {
    shared: Arc<Shared>,
    url: String,
    accepting: AbortHandle,
}

struct Shared {
    server: SocketAddr,
    /// How often each statement was executed, by its text.
    executed: Mutex<HashMap<String, u64>>,
    /// Which connections stand still.
    frozen: watch::Sender<Frozen>,
}

/// Which connections a proxy forwards nothing for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frozen {
    None,
    /// Those that listen for notifications, now and from now on.
    Listeners,
    All,
}

impl PostgresProxy {
    /// A proxy before the server of this URL, which may not ask for TLS.
    pub async fn before(url: &str) -> Self {
        let mut url = Url::parse(url).expect("a URL");
        let host = url.host_str().expect("a host").to_owned();
        let server = tokio::net::lookup_host((host, url.port().unwrap_or(5432))).await.expect("an address");
        let server = server.into_iter().next().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(address.port())).expect("a port");
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let shared = Arc::new(Shared { server, executed: Mutex::default(), frozen: watch::Sender::new(Frozen::None) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Self { shared, url: url.into(), accepting }
    }

    /// The URL of the same database through this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Forwards nothing more for connections that listen for notifications; they stay open.
    pub fn freeze_listeners(&self) {
        self.shared.frozen.send_replace(Frozen::Listeners);
    }

    /// Stops forwarding; the connections stay open.
    pub fn freeze(&self) {
        self.shared.frozen.send_replace(Frozen::All);
    }

    /// Forwards everything again, what was held back too.
    pub fn thaw(&self) {
        self.shared.frozen.send_replace(Frozen::None);
    }

    /// How many statements were executed that contain this text.
    pub fn executed(&self, part: &str) -> u64 {
        let executed = self.shared.executed();
        executed.iter().filter(|(statement, _)| statement.contains(part)).map(|(_, count)| count).sum()
    }

    /// How often each statement was executed.
    pub fn statements(&self) -> HashMap<String, u64> {
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

    /// Waits for as long as a connection stands still.
    async fn thawed(&self, listens: bool) {
        let mut frozen = self.frozen.subscribe();
        let moves = |frozen: &Frozen| match frozen {
            Frozen::None => true,
            Frozen::Listeners => !listens,
            Frozen::All => false,
        };
        // The sender lives as long as this.
        let _ = frozen.wait_for(moves).await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborted with the proxy, the set ends every connection.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(shared.server).await else { return };
            let (listens, listening) = watch::channel(false);
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::select! {
                () = forward_statements(from_client, to_server, &shared, listens) => {}
                () = forward_answers(from_server, to_client, &shared, listening) => {}
            }
        });
    }
}

async fn forward_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    mut listening: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let listens = *listening.borrow_and_update();
        shared.thawed(listens).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Reads message by message (PostgreSQL 15, section 55.7), and counts what is executed.
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
        if let Some(statement) = executed(kind, &message, &mut prepared) {
            if statement.contains("LISTEN") {
                listens.send_replace(true);
            }
            *shared.executed().entry(statement).or_default() += 1;
        }
        let is_listener = *listens.borrow();
        shared.thawed(is_listener).await;
        let head = kind.map_or_else(Vec::new, |kind| vec![kind]);
        if to.write_all(&[head, message].concat()).await.is_err() {
            return;
        }
    }
}

/// A message's kind, which the first of a connection lacks, and the rest of it with its length before it.
async fn next_message(from: &mut OwnedReadHalf, started: bool) -> Option<(Option<u8>, Vec<u8>)> {
    let kind = if started { Some(from.read_u8().await.ok()?) } else { None };
    let length = from.read_u32().await.ok()?;
    let mut message = vec![0; usize::try_from(length).ok()?];
    message[..4].copy_from_slice(&length.to_be_bytes());
    from.read_exact(&mut message[4..]).await.ok()?;
    Some((kind, message))
}

/// The statement that a message executes.
fn executed(kind: Option<u8>, message: &[u8], prepared: &mut HashMap<Vec<u8>, String>) -> Option<String> {
    let mut texts = message[4..].split(|byte| *byte == 0);
    match kind? {
        b'Q' => texts.next().map(|statement| String::from_utf8_lossy(statement).into_owned()),
        b'P' => {
            let (name, statement) = (texts.next()?, texts.next()?);
            prepared.insert(name.to_owned(), String::from_utf8_lossy(statement).into_owned());
            None
        }
        // Each execution binds its portal first.
        b'B' => texts.nth(1).and_then(|name| prepared.get(name)).cloned(),
        _ => None,
    }
}
