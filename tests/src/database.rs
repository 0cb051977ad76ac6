//! Empty databases for single tests. Dropping the guard deletes the database.

#![expect(clippy::expect_used, reason = "a test panics if it cannot create its database")]

use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

/// The environment variable with the URL of the server. Its user needs the permission to create databases.
pub const POSTGRES_URL: &str = "ROLLBOOK_TEST_POSTGRES_URL";

/// Maximum time that a test waits until its database is dropped.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// A temporary folder for an `SQLite` database.
pub struct SqliteDatabase {
    folder: TempDir,
}

impl SqliteDatabase {
    /// Creates the folder, without a database.
    ///
    /// # Panics
    /// If the temporary folder cannot be created.
    pub fn create() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// The path of the database file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("rollbook.db")
    }
}

/// A PostgreSQL database. It is dropped when the test ends or panics, and all its connections are terminated.
pub struct PostgresDatabase {
    server: PgConnectOptions,
    name: String,
}

impl PostgresDatabase {
    /// Creates an empty database on the server of [`POSTGRES_URL`]. Blocks; can be called from within a runtime.
    ///
    /// # Panics
    /// If the variable is not set, or the server cannot create the database.
    pub fn create() -> Self {
        let Ok(url) = env::var(POSTGRES_URL) else {
            panic!("{POSTGRES_URL} is not set: run `cargo xtask test`, which finds or starts a PostgreSQL server");
        };
        let server = PgConnectOptions::from_str(&url).expect("a PostgreSQL URL");
        // Random, because process ids can be equal on machines that share a server.
        let name = format!("rollbook_test_{:016x}", RandomState::new().build_hasher().finish());
        // From template0, because copying template1 fails while it has a connection.
        let created = execute(&server, format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        created.recv().expect("a result").expect("a database");
        Self { server, name }
    }

    /// Runs one statement in the database.
    ///
    /// # Panics
    /// If the statement fails.
    pub async fn execute(&self, sql: &str) {
        let mut connection = self.server.clone().database(&self.name).connect().await.expect("a connection");
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("the statement succeeds");
        connection.close().await.expect("the connection closes");
    }

    /// Runs a query and returns its first column, which MUST be text.
    ///
    /// # Panics
    /// If the query fails.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = self.server.clone().database(&self.name).connect().await.expect("a connection");
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let texts = query.fetch_all(&mut connection).await.expect("the query succeeds");
        connection.close().await.expect("the connection closes");
        texts
    }

    /// The URL of the database, with the user and the password of the server.
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let dropped = execute(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // A connection that the test's runtime has not finished opening delays the statement: the server waits for its start-up
        // message, which that runtime cannot send while it is blocked here. The thread continues when the test has ended.
        let result = dropped.recv_timeout(DROP_TIMEOUT).unwrap_or(Ok(()));
        // A panic during unwinding would abort the process and hide the first panic.
        if let Err(error) = result {
            eprintln!("cannot drop the test database {}: {error}", self.name);
        }
    }
}

/// Runs one statement on the server, on a separate thread and runtime: the caller can be a thread of a runtime, which
/// must not block on another one.
fn execute(server: &PgConnectOptions, sql: String) -> Receiver<Result<(), sqlx::Error>> {
    let (sender, receiver) = mpsc::channel();
    let server = server.clone();
    thread::spawn(move || {
        let execute = async {
            let mut connection = server.connect().await?;
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // An error means that the receiver no longer waits.
        let _ = sender.send(runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(execute)));
    });
    receiver
}
