//! A place where the program is installed: a working directory of its own, and a database.

use std::fs;
use std::io::{Seek, Write};
use std::path::PathBuf;
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

/// Longer than anything here may take, shorter than anybody would wait.
pub const SOON: Duration = Duration::from_secs(30);

/// What the first administrator changes the password to.
pub const ADMIN_PASSWORD: &str = "seven slow rivers under a bridge";

/// A working directory, with whatever of `ROLLBOOK_…` the store needs.
pub struct Installation {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
    database: Option<PostgresDatabase>,
}

impl Installation {
    /// With the embedded store in its data directory, or a PostgreSQL database of its own.
    pub fn new(engine: Engine) -> Self {
        let database = (engine == Engine::Postgres).then(PostgresDatabase::create);
        // Some tests ask more often than anybody may.
        let mut variables = vec![("ROLLBOOK_REQUEST_QUOTA", RequestQuota::MOST.get().to_string())];
        if let Some(database) = &database {
            variables.extend([("ROLLBOOK_DATABASE", database.url()), ("ROLLBOOK_JWT_SECRET", SECRET.to_owned())]);
        }
        Self { home: TempDir::new().unwrap(), variables, database }
    }

    /// The PostgreSQL database.
    pub fn database(&self) -> &PostgresDatabase {
        self.database.as_ref().expect("an installation on PostgreSQL")
    }

    /// A path in the data directory.
    pub fn data(&self, name: &str) -> PathBuf {
        self.home.path().join("rollbook-data").join(name)
    }

    /// The program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(self.home.path(), arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).env("RUST_BACKTRACE", "1");
        command
    }

    /// Runs the program to its end, with this line on its standard input.
    pub async fn run(&self, arguments: &[&str], line: Option<&str>) -> Outcome {
        let mut command = self.command(arguments);
        if let Some(line) = line {
            let mut input = tempfile::tempfile().unwrap();
            writeln!(input, "{line}").unwrap();
            input.rewind().unwrap();
            command.stdin(input);
        }
        timeout(SOON, program::outcome(command)).await.expect("an end of the program")
    }

    /// The command `serve`, which logs to a file.
    pub fn serving(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let log = fs::File::options().create(true).append(true).open(self.home.path().join("log")).unwrap();
        command.stderr(Stdio::from(log));
        command
    }

    /// A running server.
    pub async fn serve(&self) -> Program {
        timeout(SOON, Program::start(self.serving(&[]))).await.expect("a start of the server")
    }

    /// The first administrator, logged in on a server where nobody was before, with [`ADMIN_PASSWORD`] from now on.
    pub async fn admin(&self, server: &Program) -> Client {
        let one_time = self.admin_password();
        let client = server.log_in("admin", &one_time).await;
        let change = json!({"current_password": one_time, "new_password": ADMIN_PASSWORD});
        assert_eq!(client.send("PUT", "/me/password", &change).await.status, 204);
        client
    }

    /// What every server here has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// The password that the first start wrote.
    pub fn admin_password(&self) -> String {
        fs::read_to_string(self.data("initial-admin-password")).unwrap().trim_end().to_owned()
    }
}

/// Sends a signal to a process that has not been waited for.
pub fn signal(process: &Child, signal: Signal) {
    let id = i32::try_from(process.id().expect("a running process")).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

/// Waits for the end of a process; its exit status.
pub async fn ended(process: &mut Child) -> Option<i32> {
    timeout(SOON, process.wait()).await.expect("an end of the process").unwrap().code()
}

/// Ends a server as an operator does.
pub async fn stop(mut server: Program) {
    signal(&server.process, Signal::TERM);
    assert_eq!(ended(&mut server.process).await, Some(0));
}

/// Writes each rule, an async function of the engine, as two tests, one on each store.
macro_rules! on_each_engine {
    ($($rule:ident)+) => {$(
        mod $rule {
            use tests::server::Engine;

            #[tokio::test]
            async fn sqlite() {
                super::$rule(Engine::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$rule(Engine::Postgres).await;
            }
        }
    )+};
}
pub(crate) use on_each_engine;
