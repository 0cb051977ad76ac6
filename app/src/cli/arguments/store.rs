//! Arguments that select and configure the store.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use adapter_postgres::Options;
use clap::Args;

use super::values::{limited, path, within};
use crate::stores::Database;

/// Selection of the store.
#[derive(Debug, Args)]
pub struct Store {
    #[arg(
        help = "Store: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [default: SQLite in the data directory]",
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        global = true
    )]
    pub database: Option<Database>,

    /// Directory of the embedded store and of the signing key; created if missing
    #[arg(
        long,
        env = "ROLLBOOK_DATA_DIR",
        value_name = "DIR",
        default_value = "rollbook-data",
        value_parser = path,
        global = true
    )]
    pub data_dir: PathBuf,
}

/// Maximum of `--database-wait`.
const MAX_DATABASE_WAIT: Duration = Duration::from_hours(1);

/// Settings of a PostgreSQL store.
#[derive(Debug, Args)]
pub struct Postgres {
    /// Maximum delay before a revocation on another node takes effect here: 100ms to 60s (PostgreSQL only)
    #[arg(
        long,
        env = "ROLLBOOK_REVOCATION_BOUND",
        value_name = "TIME",
        default_value = "1s",
        value_parser = |text: &str| within(text, Options::REVOCATION_BOUNDS)
    )]
    revocation_bound: Duration,

    /// Maximum number of database connections that requests share: 3 to 1000; a node opens two more, and up to two for exports (PostgreSQL only)
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_POOL_SIZE",
        value_name = "NUMBER",
        default_value = "8",
        value_parser = pool_size
    )]
    database_pool_size: NonZeroUsize,

    /// Maximum time to wait at start for a database that does not accept connections yet: 0s to 1h (PostgreSQL only)
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE_WAIT",
        value_name = "TIME",
        default_value = "30s",
        value_parser = |text: &str| limited(text, MAX_DATABASE_WAIT)
    )]
    database_wait: Duration,
}

impl Postgres {
    /// The options of the store at this URL.
    pub fn options(&self, url: String) -> Options {
        Options {
            revocation_bound: self.revocation_bound,
            pool_size: self.database_pool_size,
            wait: self.database_wait,
            ..Options::new(url)
        }
    }
}

fn pool_size(text: &str) -> Result<NonZeroUsize, String> {
    let possible = Options::POOL_SIZES;
    let given = text.parse().ok().filter(|size: &NonZeroUsize| possible.contains(&size.get()));
    given.ok_or_else(|| format!("must be {} to {}", possible.start(), possible.end()))
}
