//! Every argument and variable of the program.

mod audit;
mod keys;
mod token;
mod user;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use adapter_postgres::Options;
use clap::builder::BoolishValueParser;
use clap::builder::styling::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::quota::{RequestQuota, RequestQuotaError};
use domain::token::TokenLifetime;
use domain::user::{PasswordPolicy, PasswordPolicyError};
use ipnet::IpNet;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

pub use audit::{Audit, AuditCommand};
pub use keys::{Keys, KeysCommand};
pub use token::{Token, TokenCommand, Verify};
pub use user::{PasswordSource, User, UserCommand};

use crate::http::Origin;
use crate::stores::Database;

/// Rollbook: a student registry behind a REST API that JSON Web Tokens secure.
///
/// Without a subcommand it serves: `rollbook --demo` is `rollbook serve --demo`.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, styles = Styles::plain())]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and its documentation (what happens without a subcommand)
    Serve(Box<Serve>),
    /// Keep the user accounts
    User(User),
    /// Read the audit, and let old events go
    Audit(Audit),
    /// Keep the key ring that tokens are signed with
    Keys(Keys),
    /// Judge and read tokens, without a store or a server
    Token(Token),
    /// Bring the store's schema up to date, and say where it stands
    Migrate(Migrate),
    /// Print the API document
    Openapi(Openapi),
}

/// Which store.
#[derive(Debug, Args)]
pub struct Store {
    #[arg(
        help = "The store: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [default: SQLite in the data directory]",
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        hide_env_values = true,
        global = true
    )]
    pub database: Option<Database>,

    /// The directory of the embedded store and of the signing key; made where it is missing
    #[arg(long, env = "ROLLBOOK_DATA_DIR", value_name = "DIR", default_value = "rollbook-data", global = true)]
    pub data_dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "ROLLBOOK_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub store: Store,

    #[command(flatten)]
    pub passwords: Passwords,

    #[arg(
        help = "A file with the secret that signs tokens, 32 bytes or more; ROLLBOOK_JWT_SECRET holds it directly. Without both \
                it is made once in the data directory (on PostgreSQL it must be given: all nodes share it)",
        long,
        env = "ROLLBOOK_JWT_SECRET_FILE",
        value_name = "FILE"
    )]
    pub jwt_secret_file: Option<PathBuf>,

    /// A key ring that all nodes share, in place of the secret; made by `rollbook keys generate`, and read anew whenever
    /// it changes
    #[arg(long, env = "ROLLBOOK_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// How long a token is good for, such as 15m, 8h or 30d [default: 15m; 8h with --demo and --contract]
    #[arg(long, env = "ROLLBOOK_TOKEN_TTL", value_name = "TIME", value_parser = lifetime)]
    pub token_ttl: Option<TokenLifetime>,

    /// How far the clocks of nodes may disagree when a token is judged: 0s to 60s
    #[arg(long, env = "ROLLBOOK_TOKEN_LEEWAY", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub token_leeway: Duration,

    /// How long a session lasts without a refresh [default: 7d, or the token's time where that is longer]
    #[arg(long, env = "ROLLBOOK_SESSION_IDLE_TTL", value_name = "TIME", value_parser = duration)]
    pub session_idle_ttl: Option<Duration>,

    /// How long a session lasts at most, however often it is refreshed [default: 30d, or the above where that is longer]
    #[arg(long, env = "ROLLBOOK_SESSION_TTL", value_name = "TIME", value_parser = duration)]
    pub session_ttl: Option<Duration>,

    /// How long what another node ended or changed may count on here, at most: 100ms to 60s (PostgreSQL)
    #[arg(
        long,
        env = "ROLLBOOK_REVOCATION_BOUND",
        value_name = "TIME",
        default_value = "1s",
        value_parser = revocation_bound
    )]
    pub revocation_bound: std::time::Duration,

    /// Who issues the tokens (their `iss`)
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "NAME", default_value = "rollbook")]
    pub issuer: String,

    /// Whom the tokens are for (their `aud`)
    #[arg(long, env = "ROLLBOOK_AUDIENCE", value_name = "NAME", default_value = "rollbook")]
    pub audience: String,

    /// A network of reverse proxies whose X-Forwarded-For and X-Forwarded-Prefix are believed; may be repeated
    #[arg(long, env = "ROLLBOOK_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,

    /// An origin whose pages may read answers, such as `https://roll.example.org` (CORS); may be repeated
    #[arg(long, env = "ROLLBOOK_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<Origin>,

    /// How many requests a user, or an address without a token, may make in a minute: 60 to 10000000; more is a 429
    #[arg(
        long,
        env = "ROLLBOOK_REQUEST_QUOTA",
        value_name = "NUMBER",
        default_value = "6000",
        value_parser = request_quota
    )]
    pub request_quota: RequestQuota,

    /// The most connections at once; more wait to be accepted
    #[arg(long, env = "ROLLBOOK_MAX_CONNECTIONS", value_name = "NUMBER", default_value = "4096")]
    pub max_connections: NonZeroUsize,

    #[arg(
        help = "What to log: a level (error, warn, info, debug), or levels by target such as info,rollbook::access=debug",
        long,
        env = "ROLLBOOK_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: String,

    /// How to log
    #[arg(long, env = "ROLLBOOK_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Serve a throw-away store with known passwords and 25 students
    #[arg(long, env = "ROLLBOOK_DEMO", value_parser = BoolishValueParser::new(), group = "throw_away")]
    pub demo: bool,

    #[arg(
        help = "Serve a throw-away store for tests of a client: the demo's students, a user of each role, a clock that \
                begins at 2030-01-01T00:00:00Z, and no limit to failed logins. Standard output is one line of JSON: \
                base_url, clock, users with their passwords, tokens by name (of each user, expired and forged), \
                refresh_tokens, student_ids",
        long,
        env = "ROLLBOOK_CONTRACT",
        value_parser = BoolishValueParser::new(),
        group = "throw_away"
    )]
    pub contract: bool,

    /// Let a demo or contract mode listen beyond this machine, with its known passwords
    #[arg(
        long,
        env = "ROLLBOOK_EXPOSE_DEMO_WITH_KNOWN_PASSWORDS",
        value_parser = BoolishValueParser::new(),
        requires = "throw_away"
    )]
    pub expose_demo_with_known_passwords: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// What is asked of new passwords.
#[derive(Debug, Args)]
pub struct Passwords {
    /// The fewest characters of a new password: 8 to 64
    #[arg(
        long,
        env = "ROLLBOOK_PASSWORD_MIN_LENGTH",
        value_name = "NUMBER",
        default_value = "15",
        value_parser = password_policy,
        global = true
    )]
    pub password_min_length: PasswordPolicy,
}

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    pub store: Store,
}

#[derive(Debug, Args)]
pub struct Openapi {
    /// The document's form
    #[arg(long, default_value = "yaml")]
    pub format: DocumentFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// OpenAPI 3.0 as YAML
    Yaml,
    /// OpenAPI 3.0 as JSON
    Json,
    /// OpenAPI 3.1 as YAML
    #[value(name = "yaml-3.1")]
    Yaml31,
}

fn duration(text: &str) -> Result<Duration, String> {
    let given = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 15m, 8h or 30d"))?;
    Duration::try_from(given).map_err(|_| "is too long".to_owned())
}

fn instant(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it as 2026-11-23T12:00:00Z".to_owned())
}

fn lifetime(text: &str) -> Result<TokenLifetime, String> {
    TokenLifetime::new(duration(text)?).map_err(|error| error.to_string())
}

fn revocation_bound(text: &str) -> Result<std::time::Duration, String> {
    let given = duration(text)?.try_into().map_err(|_| "is too long".to_owned())?;
    let possible = Options::REVOCATION_BOUNDS;
    if possible.contains(&given) {
        Ok(given)
    } else {
        Err(format!("must be {:?} to {:?}", possible.start(), possible.end()))
    }
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    let policy = text.parse().map_err(|_| PasswordPolicyError).and_then(PasswordPolicy::new);
    policy.map_err(|error| error.to_string())
}

fn request_quota(text: &str) -> Result<RequestQuota, String> {
    let quota = text.parse().map_err(|_| RequestQuotaError).and_then(RequestQuota::new);
    quota.map_err(|error| error.to_string())
}
