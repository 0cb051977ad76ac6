//! Temporary PostgreSQL clusters.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

use crate::programs::{self, children, signal};
use crate::until;
use tests::program::free_port;

pub const USER: &str = "rollbook";

/// A server with its data. Dropping it stops the server and deletes the data.
pub struct Cluster {
    port: u16,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    folder: TempDir,
}

impl Cluster {
    /// Starts a server with an empty database.
    pub async fn start() -> Self {
        let cluster = Self::new();
        let initdb = ["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"];
        cluster.run("initdb", &initdb).await;
        cluster.set_port();
        cluster.control(&["start"]).await;
        cluster
    }

    /// Starts a standby that every commit of this server waits for.
    pub async fn start_synchronous_standby(&self) -> Self {
        let standby = Self::new();
        let port = self.port.to_string();
        let copy = ["-h", "127.0.0.1", "-p", &port, "-U", USER, "--write-recovery-conf", "--checkpoint=fast", "-D"];
        standby.run("pg_basebackup", &copy).await;
        standby.set_port();
        standby.control(&["start"]).await;
        // Set after the copy, so that the standby does not wait for another one after its promotion.
        let mut connection = self.connect().await;
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        connection.execute("SELECT pg_reload_conf()").await.unwrap();
        until("the standby is synchronous", async || {
            let count = sqlx::query_scalar("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'");
            count.fetch_one(&mut connection).await.unwrap_or(0_i64) == 1
        })
        .await;
        standby
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the database on these hosts, separated by commas.
    pub fn url_of(hosts: &str) -> String {
        format!("postgres://{USER}@{hosts}/postgres?target_session_attrs=read-write")
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&format!("postgres://{USER}@{}/postgres", self.host())).await.unwrap()
    }

    /// The roll numbers of all students.
    pub async fn roll_numbers(&self) -> BTreeSet<i64> {
        let numbers = sqlx::query_scalar(AssertSqlSafe("SELECT roll_no FROM students"));
        numbers.fetch_all(&mut self.connect().await).await.unwrap().into_iter().collect()
    }

    /// Runs a verb of `pg_ctl`, and waits until the server has the new state.
    pub async fn control(&self, verb: &[&str]) {
        let log = self.folder.path().join("server.log");
        let arguments = [verb, &["-w", "-l", log.to_str().unwrap(), "-D"]].concat();
        self.run("pg_ctl", &arguments).await;
    }

    /// Sends a signal to the server and its child processes.
    pub fn signal_all(&self, sent: Signal) {
        let process = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(Ok(process)) = process.lines().next().map(str::parse) else { return };
        // The parent first, so that it starts no others meanwhile.
        signal(process, sent);
        for child in children(process) {
            signal(child, sent);
        }
    }

    fn new() -> Self {
        let (folder, user) = (TempDir::new().unwrap(), programs::postgres_user());
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        Self { port: free_port(), programs: programs::postgres(), user, folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn set_port(&self) {
        let mut settings = File::options().append(true).open(self.data().join("postgresql.conf")).unwrap();
        let port = self.port;
        writeln!(settings, "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''").unwrap();
    }

    /// A command of the server, to which the data folder is the last argument.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).arg(self.data()).current_dir(Path::new("/")).stdin(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    async fn run(&self, program: &str, arguments: &[&str]) {
        let output = tokio::process::Command::from(self.command(program, arguments)).output().await.unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal_all(Signal::CONT);
        // Fails if the test has stopped the server.
        let _ = self
            .command("pg_ctl", &["stop", "-m", "immediate", "-D"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
