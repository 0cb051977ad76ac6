//! An installation of the program: a separate working directory and a database.

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use domain::quota::RequestQuota;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use tests::client::Client;
use tests::database::PostgresDatabase;
use tests::program::{self, Outcome, Program};
use tests::server::{Engine, SECRET};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Timeout for every step of these tests.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Password that [`Installation::admin`] sets.
pub const ADMIN_PASSWORD: &str = "seven slow rivers under a bridge";

/// A working directory and the `ROLLBOOK_…` variables of its store.
pub struct Installation {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
    database: Option<PostgresDatabase>,
}

impl Installation {
    /// Uses the embedded store in the data directory, or a new PostgreSQL database.
    pub fn new(engine: Engine) -> Self {
        let database = (engine == Engine::Postgres).then(PostgresDatabase::create);
        // Some tests exceed the default request quota.
        let mut variables = vec![("ROLLBOOK_REQUEST_QUOTA", RequestQuota::MAX.get().to_string())];
        if let Some(database) = &database {
            variables.extend([("ROLLBOOK_DATABASE", database.url()), ("ROLLBOOK_JWT_SECRET", SECRET.to_owned())]);
        }
        Self { home: TempDir::new().unwrap(), variables, database }
    }

    /// The PostgreSQL database.
    pub fn database(&self) -> &PostgresDatabase {
        self.database.as_ref().expect("an installation on PostgreSQL")
    }

    /// Runs one statement in the store, as another program.
    pub async fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => database.execute(sql).await,
            None => rusqlite::Connection::open(self.data("rollbook.sqlite3")).unwrap().execute_batch(sql).unwrap(),
        }
    }

    /// A path in the data directory.
    pub fn data(&self, name: &str) -> PathBuf {
        self.home.path().join("rollbook-data").join(name)
    }

    /// A command that runs the program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(self.home.path(), arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).env("RUST_BACKTRACE", "1");
        command
    }

    /// Runs the program until it exits, with this line on its standard input.
    pub async fn run(&self, arguments: &[&str], line: Option<&str>) -> Outcome {
        let mut command = self.command(arguments);
        if let Some(line) = line {
            let mut input = tempfile::tempfile().unwrap();
            writeln!(input, "{line}").unwrap();
            input.rewind().unwrap();
            command.stdin(input);
        }
        timeout(TIMEOUT, program::outcome(command)).await.expect("the program exits")
    }

    /// Creates the store without a server.
    pub async fn migrate(&self) {
        let outcome = self.run(&["migrate"], None).await;
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
    }

    /// A command that runs `serve` with its log in a file.
    pub fn serve_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let log = fs::File::options().create(true).append(true).open(self.home.path().join("log")).unwrap();
        command.stderr(Stdio::from(log));
        command
    }

    /// Starts a server.
    pub async fn serve(&self) -> Program {
        timeout(TIMEOUT, Program::start(self.serve_command(&[]))).await.expect("the server starts")
    }

    /// Logs in the first administrator and changes the password to [`ADMIN_PASSWORD`].
    pub async fn admin(&self, server: &Program) -> Client {
        let one_time = self.admin_password();
        let client = server.log_in("admin", &one_time).await;
        let change = json!({"current_password": one_time, "new_password": ADMIN_PASSWORD});
        assert_eq!(client.send("PUT", "/me/password", &change).await.status, 204);
        client
    }

    /// Log of all servers of this installation.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// The initial password that the first start wrote.
    pub fn admin_password(&self) -> String {
        fs::read_to_string(self.data("initial-admin-password")).unwrap().trim_end().to_owned()
    }
}

/// Permissions of a file.
pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Sends a signal to a running process.
pub fn signal(process: &Child, signal: Signal) {
    let id = i32::try_from(process.id().expect("a running process")).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

/// Waits until a process exits, and returns its exit status.
pub async fn wait_for_exit(process: &mut Child) -> Option<i32> {
    timeout(TIMEOUT, process.wait()).await.expect("the process exits").unwrap().code()
}

/// Stops a server with SIGTERM.
pub async fn stop(mut server: Program) {
    signal(&server.process, Signal::TERM);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(0));
}

/// Declares two tests, one per store, for each async function of the engine.
macro_rules! on_each_engine {
    ($($test:ident)+) => {$(
        mod $test {
            use tests::server::Engine;

            #[tokio::test]
            async fn sqlite() {
                super::$test(Engine::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$test(Engine::Postgres).await;
            }
        }
    )+};
}
pub(crate) use on_each_engine;
