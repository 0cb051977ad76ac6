//! An empty database for one test alone, gone when its guard is dropped.

#![expect(clippy::expect_used, reason = "a test that cannot have its database panics")]

use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

/// The variable that names the server: a URL whose user may create databases.
pub const POSTGRES_URL: &str = "ROLLBOOK_TEST_POSTGRES_URL";

/// A place for an `SQLite` database, in a folder of its own.
pub struct SqliteDatabase {
    folder: TempDir,
}

impl SqliteDatabase {
    /// A folder without a database in it.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    pub fn create() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// The file in which the database is to be made.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("rollbook.db")
    }
}

/// A Postgres database, dropped with whatever is connected to it when the test ends, a panic included.
pub struct PostgresDatabase {
    server: PgConnectOptions,
    name: String,
}

impl PostgresDatabase {
    /// An empty database on the server that [`POSTGRES_URL`] names. Blocks; may be called from within a runtime.
    ///
    /// # Panics
    /// Where the variable is not set, or the server does not make the database.
    pub fn create() -> Self {
        let Ok(url) = env::var(POSTGRES_URL) else {
            panic!("{POSTGRES_URL} is not set: run `cargo xtask test`, which finds or starts a PostgreSQL");
        };
        let server = PgConnectOptions::from_str(&url).expect("a PostgreSQL URL");
        // Seeded by the system for each: unlike a process id it also differs between machines that share a server.
        let name = format!("rollbook_test_{:016x}", RandomState::new().build_hasher().finish());
        // From template0, because copying template1 fails while it has a connection.
        execute(&server, format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).expect("a database");
        Self { server, name }
    }

    /// Runs one statement in the database.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn execute(&self, sql: &str) {
        let mut connection = self.server.clone().database(&self.name).connect().await.expect("a connection");
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("a statement that runs");
        connection.close().await.expect("the end of a connection");
    }

    /// The first column, which is text, of what a query answers.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = self.server.clone().database(&self.name).connect().await.expect("a connection");
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let texts = query.fetch_all(&mut connection).await.expect("a query that runs");
        connection.close().await.expect("the end of a connection");
        texts
    }

    /// Where the database is, with the server's user and password.
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let dropped = execute(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // A second panic while one unwinds would abort the run and hide the first.
        if let Err(error) = dropped {
            eprintln!("the test database {} stays behind: {error}", self.name);
        }
    }
}

/// Runs one statement on the server, on a thread and a runtime of its own: the caller may be a runtime's thread,
/// which must not block on another one.
fn execute(server: &PgConnectOptions, sql: String) -> Result<(), sqlx::Error> {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = server.connect().await?;
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        })
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
