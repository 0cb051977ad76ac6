//! Checks whether a PostgreSQL server accepts connections, with protocol version 3.0 (PostgreSQL's documentation,
//! "Message Flow: Start-up").

use std::fmt;
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// Timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(50);
/// Bound on a message during start-up, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Server and credentials.
pub struct Login {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
}

impl Login {
    /// Parses a connection URL; `None` if it refers to a Unix socket.
    pub fn of(url: &Url) -> Option<Self> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let host = url.host_str().filter(|host| !host.is_empty())?;
        if url.query_pairs().any(|(key, value)| key == "host" && value.starts_with('/')) || host.starts_with("%2F") {
            return None;
        }
        let user = Some(decoded(url.username())).filter(|user| !user.is_empty()).unwrap_or_else(|| "postgres".into());
        let database = Some(decoded(url.path().trim_start_matches('/'))).filter(|name| !name.is_empty());
        Some(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(5432),
            password: decoded(url.password().unwrap_or_default()),
            database: database.unwrap_or_else(|| user.clone()),
            user,
        })
    }

    pub fn url(&self) -> String {
        let Self { host, port, user, password, database } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }
}

/// Cause of a failed connection attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Unready {
    /// Temporary: the port is closed, or the server is still starting.
    Temporary(String),
    /// The server rejected the connection.
    Rejected(String),
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Temporary(reason) | Self::Rejected(reason)) = self;
        f.write_str(reason)
    }
}

/// Connects once. Returns the server's version if the server reports it before an unsupported authentication request.
pub async fn once(login: &Login) -> Result<Option<String>, Unready> {
    match timeout(ATTEMPT, start_session(login)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Unready::Temporary(error.to_string())),
        Err(_) => Err(Unready::Temporary("no response".into())),
    }
}

/// Retries until the connection succeeds, the server rejects it, or `bound` has passed.
pub async fn until_ready(login: &Login, bound: Duration) -> Result<Option<String>, Unready> {
    let since = Instant::now();
    loop {
        match once(login).await {
            Err(Unready::Temporary(_)) if since.elapsed() < bound => tokio::time::sleep(POLL).await,
            outcome => return outcome,
        }
    }
}

async fn start_session(login: &Login) -> std::io::Result<Result<Option<String>, Unready>> {
    let mut server = TcpStream::connect((login.host.as_str(), login.port)).await?;
    server.write_all(&start_up(login)).await?;
    loop {
        let mut head = [0; 5];
        server.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let Some(length) =
            usize::try_from(length).ok().and_then(|l| l.checked_sub(4)).filter(|l| *l <= LONGEST_MESSAGE)
        else {
            return Ok(Err(Unready::Rejected("not a PostgreSQL server".into())));
        };
        let mut body = vec![0; length];
        server.read_exact(&mut body).await?;
        match interpret(head[0], &body) {
            Reply::Continue => {}
            Reply::Password => server.write_all(&message(Some(b'p'), &[login.password.as_bytes(), b"\0"])).await?,
            Reply::Done(outcome) => return Ok(outcome),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Continue,
    Password,
    Done(Result<Option<String>, Unready>),
}

fn interpret(kind: u8, body: &[u8]) -> Reply {
    match (kind, body) {
        (b'R', [0, 0, 0, 0]) => Reply::Continue,
        (b'R', [0, 0, 0, 3]) => Reply::Password,
        // Another authentication request (SCRAM) or ReadyForQuery also shows that the server accepts connections.
        (b'R' | b'Z', _) => Reply::Done(Ok(None)),
        (b'S', _) => match body.strip_prefix(b"server_version\0") {
            Some(version) => Reply::Done(Ok(first_word(version))),
            None => Reply::Continue,
        },
        (b'E', _) => Reply::Done(error_response(body)),
        _ => Reply::Continue,
    }
}

/// `15.18` of `15.18 (Debian 15.18-0+deb12u1)`.
fn first_word(version: &[u8]) -> Option<String> {
    let version = String::from_utf8_lossy(version);
    version.split([' ', '\0']).next().map(str::to_owned)
}

fn error_response(body: &[u8]) -> Result<Option<String>, Unready> {
    let field = |kind: u8| {
        let field = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&kind));
        field.map_or_else(String::new, |field| String::from_utf8_lossy(&field[1..]).into_owned())
    };
    match field(b'C').as_str() {
        // cannot_connect_now, too_many_connections
        "57P03" | "53300" => Err(Unready::Temporary(field(b'M'))),
        // invalid_authorization_specification: the server may require TLS, which the tests' driver supports.
        "28000" => Ok(None),
        _ => Err(Unready::Rejected(field(b'M'))),
    }
}

fn start_up(login: &Login) -> Vec<u8> {
    let (user, database) = (login.user.as_bytes(), login.database.as_bytes());
    message(None, &[&196_608_u32.to_be_bytes(), b"user\0", user, b"\0database\0", database, b"\0\0"])
}

fn message(kind: Option<u8>, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_server_is_a_temporary_failure() {
        let starting = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
        assert_eq!(error_response(starting), Err(Unready::Temporary("the database system is starting up".into())));
        let wrong = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0";
        assert_eq!(error_response(wrong), Err(Unready::Rejected("password authentication failed".into())));
    }

    #[test]
    fn version_is_first_word_of_server_version() {
        let reply = interpret(b'S', b"server_version\x0015.18 (Debian 15.18-0+deb12u1)\0");
        assert_eq!(reply, Reply::Done(Ok(Some("15.18".into()))));
        assert_eq!(interpret(b'S', b"TimeZone\0Etc/UTC\0"), Reply::Continue);
    }

    #[test]
    fn unsupported_challenge_counts_as_ready() {
        assert_eq!(interpret(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"), Reply::Done(Ok(None)));
    }

    #[test]
    fn connection_url_defaults_match_drivers() {
        let login = |url| Login::of(&Url::parse(url).unwrap());
        let full = login("postgres://us%20er:p%40ss@[::1]:6000/db").unwrap();
        assert_eq!((full.host.as_str(), full.port), ("::1", 6000));
        assert_eq!((full.user.as_str(), full.password.as_str(), full.database.as_str()), ("us er", "p@ss", "db"));
        let short = login("postgresql://localhost").unwrap();
        assert_eq!((short.port, short.user.as_str(), short.database.as_str()), (5432, "postgres", "postgres"));
        assert!(login("postgres:///db?host=/run/postgresql").is_none());
    }
}
