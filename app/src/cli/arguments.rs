//! The command-line arguments and environment variables.

mod audit;
mod backup;
mod keys;
mod store;
mod students;
mod token;
mod user;
mod values;

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::builder::styling::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::quota::RequestQuota;
use domain::session::SessionLimit;
use domain::student::ChangeRetention;
use domain::token::TokenLifetime;
use domain::user::PasswordPolicy;
use ipnet::IpNet;
use time::Duration;

pub use audit::{Audit, AuditCommand};
pub use backup::{Backup, Restore};
pub use keys::{Keys, KeysCommand};
pub use store::{Postgres, Store};
pub use students::{FileFormat, Students, StudentsCommand};
pub use token::{Token, TokenCommand, Verify};
pub use user::{PasswordSource, User, UserCommand};
pub use values::file;

use self::values::{
    change_retention, duration, instant, lifetime, limited, network, origin, password_policy, request_quota,
    session_limit, within,
};
use super::listen_address::ListenAddress;
use super::log::LogFilter;
use crate::http::{ForwardedHeader, Origin};

/// Student registry with a REST API secured by JSON Web Tokens.
///
/// The default subcommand is `serve`: `rollbook --demo` is `rollbook serve --demo`.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, styles = Styles::plain())]
pub struct Arguments {
    /// Configuration file: TOML with the long names of the options as keys; options and variables take precedence
    #[arg(long, env = "ROLLBOOK_CONFIG", value_name = "FILE", value_parser = file, global = true)]
    pub config: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and its documentation (default)
    Serve(Box<Serve>),
    /// Print the effective settings of `serve` and their sources; takes the same options
    Config(Box<Serve>),
    /// Manage user accounts
    User(User),
    /// Export students, and follow their changes
    Students(Students),
    /// List audit events and delete old ones
    Audit(Audit),
    /// Manage the key ring that signs tokens
    Keys(Keys),
    /// Verify or decode tokens; requires no store and no server
    Token(Token),
    /// Migrate the store's schema to the current version
    Migrate(Migrate),
    /// Back up the embedded store to a file, also while a server runs
    Backup(Backup),
    /// Restore the embedded store from a backup
    Restore(Restore),
    /// Print the OpenAPI document
    Openapi(Openapi),
}

/// Maximum of `--drain-delay`.
const MAX_DRAIN_DELAY: std::time::Duration = std::time::Duration::from_mins(1);
/// Values of `--idle-timeout`.
const IDLE_TIMEOUTS: RangeInclusive<std::time::Duration> =
    std::time::Duration::from_secs(1)..=std::time::Duration::from_hours(1);

#[derive(Debug, Args)]
pub struct Serve {
    /// Address or host name, and port, to listen on; port 0 selects a free port
    #[arg(long, env = "ROLLBOOK_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub listen: ListenAddress,

    #[command(flatten)]
    pub store: Store,

    #[command(flatten)]
    pub passwords: Passwords,

    #[arg(
        help = "File with the secret that signs tokens, at least 32 bytes; ROLLBOOK_JWT_SECRET holds the secret \
                itself. PostgreSQL requires one of them: all nodes share the secret [default: generated in the data \
                directory]",
        long,
        env = "ROLLBOOK_JWT_SECRET_FILE",
        value_name = "FILE",
        value_parser = file
    )]
    pub jwt_secret_file: Option<PathBuf>,

    /// Key ring that all nodes share, instead of the secret; create it with `rollbook keys generate`; reloaded on change
    #[arg(long, env = "ROLLBOOK_KEYS", value_name = "FILE", value_parser = file)]
    pub keys: Option<PathBuf>,

    /// Lifetime of access tokens, such as 15m, 8h or 30d [default: 15m; 8h with --demo or --contract]
    #[arg(long, env = "ROLLBOOK_TOKEN_TTL", value_name = "TIME", value_parser = lifetime)]
    pub token_ttl: Option<TokenLifetime>,

    /// Tolerated clock difference between nodes when a token is verified: 0s to 60s
    #[arg(long, env = "ROLLBOOK_TOKEN_LEEWAY", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub token_leeway: Duration,

    /// Lifetime of a session without a refresh [default: 7d, or the token lifetime if longer]
    #[arg(long, env = "ROLLBOOK_SESSION_IDLE_TTL", value_name = "TIME", value_parser = duration)]
    pub session_idle_ttl: Option<Duration>,

    /// Maximum lifetime of a session, including refreshes [default: 30d, or --session-idle-ttl if longer]
    #[arg(long, env = "ROLLBOOK_SESSION_TTL", value_name = "TIME", value_parser = duration)]
    pub session_ttl: Option<Duration>,

    /// Maximum number of open sessions of a user: 1 to 10000; a further login ends the one refreshed longest ago
    #[arg(
        long,
        env = "ROLLBOOK_MAX_SESSIONS",
        value_name = "NUMBER",
        default_value = "100",
        value_parser = session_limit
    )]
    pub max_sessions: SessionLimit,

    #[command(flatten)]
    pub postgres: Postgres,

    /// Issuer of the tokens (claim `iss`)
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "NAME", default_value = "rollbook")]
    pub issuer: String,

    /// Audience of the tokens (claim `aud`)
    #[arg(long, env = "ROLLBOOK_AUDIENCE", value_name = "NAME", default_value = "rollbook")]
    pub audience: String,

    /// Network or address of reverse proxies whose forwarding headers are used; may be repeated
    #[arg(long, env = "ROLLBOOK_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// Header with the client's address from trusted proxies: X-Forwarded-For, Forwarded or X-Real-IP
    #[arg(long, env = "ROLLBOOK_FORWARDED_HEADER", value_name = "NAME", default_value = "X-Forwarded-For")]
    pub forwarded_header: ForwardedHeader,

    /// Origin allowed to read responses (CORS), such as `https://roll.example.org`; may be repeated
    #[arg(long, env = "ROLLBOOK_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origin: Vec<Origin>,

    /// Maximum requests per minute of a user, or of an address without a token: 60 to 10000000; excess requests get 429
    #[arg(
        long,
        env = "ROLLBOOK_REQUEST_QUOTA",
        value_name = "NUMBER",
        default_value = "6000",
        value_parser = request_quota
    )]
    pub request_quota: RequestQuota,

    /// Time for which changes of students are kept for clients that follow them: 1d to 3650d
    #[arg(long, env = "ROLLBOOK_CHANGE_RETENTION", value_name = "TIME", default_value = "30d", value_parser = change_retention)]
    pub change_retention: ChangeRetention,

    /// Maximum number of concurrent connections; further connections wait
    #[arg(long, env = "ROLLBOOK_MAX_CONNECTIONS", value_name = "NUMBER", default_value = "4096")]
    pub max_connections: NonZeroUsize,

    /// Maximum number of concurrent connections of an IPv4 address or an IPv6 /64 network, unless it is that of a trusted proxy;
    /// further connections are rejected
    #[arg(long, env = "ROLLBOOK_MAX_CONNECTIONS_PER_CLIENT", value_name = "NUMBER", default_value = "1024")]
    pub max_connections_per_client: NonZeroUsize,

    /// Time that a connection stays open between two requests; load balancers should close unused ones earlier: 1s to 1h
    #[arg(
        long,
        env = "ROLLBOOK_IDLE_TIMEOUT",
        value_name = "TIME",
        default_value = "75s",
        value_parser = |text: &str| within(text, IDLE_TIMEOUTS)
    )]
    pub idle_timeout: std::time::Duration,

    #[arg(
        help = "Time after the stop signal in which the server is not ready but accepts connections, so that load balancers \
                notice it: 0s to 60s [default: 5s; 0s on a terminal]",
        long,
        env = "ROLLBOOK_DRAIN_DELAY",
        value_name = "TIME",
        value_parser = |text: &str| limited(text, MAX_DRAIN_DELAY)
    )]
    pub drain_delay: Option<std::time::Duration>,

    #[arg(
        help = "Log filter: a level (error, warn, info, debug) or levels by target: info,rollbook::access=debug",
        long,
        env = "ROLLBOOK_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: LogFilter,

    /// Log format
    #[arg(long, env = "ROLLBOOK_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Serve a temporary store with known passwords and 25 students
    #[arg(long, env = "ROLLBOOK_DEMO", value_parser = BoolishValueParser::new(), group = "temporary")]
    pub demo: bool,

    #[arg(
        help = "Serve a temporary store for client tests: the students of --demo, a user of each role, a clock that \
                starts at 2030-01-01T00:00:00Z, and no limit on failed logins. Prints one line of JSON: base_url, \
                clock, users with their passwords, tokens by name (one per user, expired, forged), refresh_tokens, \
                durable_tokens, student_ids, unused_roll_numbers, change_token",
        long,
        env = "ROLLBOOK_CONTRACT",
        value_parser = BoolishValueParser::new(),
        group = "temporary"
    )]
    pub contract: bool,

    /// Allow --demo and --contract, with their known passwords, to listen on a non-loopback address
    #[arg(
        long,
        env = "ROLLBOOK_EXPOSE_DEMO_WITH_KNOWN_PASSWORDS",
        value_parser = BoolishValueParser::new(),
        requires = "temporary"
    )]
    pub expose_demo_with_known_passwords: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Rules for new passwords.
#[derive(Debug, Args)]
pub struct Passwords {
    /// Minimum length of a new password in characters: 8 to 64
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
    /// Output format
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
