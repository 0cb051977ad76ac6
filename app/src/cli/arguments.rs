//! Every argument and variable of the program.

mod keys;
mod token;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::builder::styling::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::token::TokenLifetime;
use domain::user::{PasswordPolicy, PasswordPolicyError, Role, Username};
use ipnet::IpNet;
use time::Duration;

pub use keys::{Keys, KeysCommand};
pub use token::{Token, TokenCommand, Verify};

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

    /// How long a token is good for, such as 15m, 8h or 30d [default: 15m; 8h with --demo]
    #[arg(long, env = "ROLLBOOK_TOKEN_TTL", value_name = "TIME", value_parser = lifetime)]
    pub token_ttl: Option<TokenLifetime>,

    /// How far the clocks of nodes may disagree when a token is judged: 0s to 60s
    #[arg(long, env = "ROLLBOOK_TOKEN_LEEWAY", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub token_leeway: Duration,

    /// Who issues the tokens (their `iss`)
    #[arg(long, env = "ROLLBOOK_ISSUER", value_name = "NAME", default_value = "rollbook")]
    pub issuer: String,

    /// Whom the tokens are for (their `aud`)
    #[arg(long, env = "ROLLBOOK_AUDIENCE", value_name = "NAME", default_value = "rollbook")]
    pub audience: String,

    /// A network of reverse proxies whose X-Forwarded-For and X-Forwarded-Prefix are believed; may be repeated
    #[arg(long, env = "ROLLBOOK_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,

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
    #[arg(long, env = "ROLLBOOK_DEMO", value_parser = BoolishValueParser::new())]
    pub demo: bool,

    /// Let a demo listen beyond this machine, with its known passwords
    #[arg(
        long,
        env = "ROLLBOOK_EXPOSE_DEMO_WITH_KNOWN_PASSWORDS",
        value_parser = BoolishValueParser::new(),
        requires = "demo"
    )]
    pub expose_demo_with_known_passwords: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct User {
    #[command(flatten)]
    pub store: Store,

    #[command(flatten)]
    pub passwords: Passwords,

    #[command(subcommand)]
    pub command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; asks for the password
    Add {
        /// The name to log in with
        username: Username,
        /// What the user may do: viewer, registrar or admin
        #[arg(long, default_value = "viewer")]
        role: Role,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List the users
    List,
    /// Set a user's password anew; asks for it
    SetPassword {
        username: Username,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a user another role: viewer, registrar or admin
    SetRole { username: Username, role: Role },
    /// Let a user no longer log in; tokens are refused as long as the user is disabled
    Disable { username: Username },
    /// Let a disabled user log in again
    Enable { username: Username },
    /// Remove a user for good
    Remove { username: Username },
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

/// Where a password comes from. Never from an argument, which every process on the machine can read.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
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
    Yaml,
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    let given = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 15m, 8h or 30d"))?;
    Duration::try_from(given).map_err(|_| "is too long".to_owned())
}

fn lifetime(text: &str) -> Result<TokenLifetime, String> {
    TokenLifetime::new(duration(text)?).map_err(|error| error.to_string())
}

fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    let policy = text.parse().map_err(|_| PasswordPolicyError).and_then(PasswordPolicy::new);
    policy.map_err(|error| error.to_string())
}
