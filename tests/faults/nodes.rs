//! Nodes of Rollbook on one database.

use std::fs;
use std::io::{Seek, Write};
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::TempDir;
use tests::client::Client;
use tests::program::{self, Program};
use tests::server::{PASSWORD, SECRET};
use tokio::process::Command;
use tokio::time::timeout;

use crate::programs::signal;
use crate::{STEP_TIMEOUT, until};

/// Running nodes. Dropping them kills their processes.
pub struct Nodes {
    running: Vec<Program>,
    database: String,
    token: String,
    home: TempDir,
}

impl Nodes {
    /// Starts this number of nodes on the database, which has no users, and logs in an administrator.
    pub async fn start(database: &str, count: usize) -> Self {
        let home = TempDir::new().unwrap();
        let mut started = Self { running: vec![], database: database.to_owned(), token: String::new(), home };
        for _ in 0..count {
            started.running.push(started.serve("127.0.0.1:0").await);
        }
        started.add_user("root", "admin").await;
        let client = started.running[0].log_in("root", PASSWORD).await;
        client.token().unwrap().clone_into(&mut started.token);
        started
    }

    /// Creates a user with the harness's password.
    pub async fn add_user(&self, name: &str, role: &str) {
        let mut password = tempfile::tempfile().unwrap();
        writeln!(password, "{PASSWORD}").unwrap();
        password.rewind().unwrap();
        let mut command = self.command(&["user", "create", name, "--role", role, "--password-stdin"]);
        command.stdin(password);
        let outcome = program::outcome(command).await;
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
    }

    /// Stops a node with SIGTERM, starts it again on its address, and waits until it is ready.
    pub async fn restart(&mut self, number: usize) {
        self.restart_after(number, Signal::TERM).await;
    }

    /// As [`Nodes::restart`], with this signal.
    pub async fn restart_after(&mut self, number: usize, stop: Signal) {
        let node = &mut self.running[number];
        signal(node.process.id().unwrap().cast_signed(), stop);
        let exit = timeout(STEP_TIMEOUT, node.process.wait()).await.expect("the node exits");
        assert_eq!(exit.unwrap().success(), stop == Signal::TERM);
        let address = node.address().to_owned();
        self.running[number] = self.serve(&address).await;
        let client = self.running[number].client(None);
        until("the node is ready", async || client.get("/health/ready").await.status == 200).await;
    }

    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.running.iter().map(Program::address)
    }

    /// A client of each node with the administrator's token.
    pub fn clients(&self) -> impl Iterator<Item = Client> {
        self.running.iter().map(|node| node.client(Some(self.token.clone())))
    }

    /// The administrator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Asserts that every process has run since its start.
    pub fn assert_running(&mut self) {
        for node in &mut self.running {
            assert_eq!(node.process.try_wait().unwrap(), None, "{}", self.home.path().display());
        }
    }

    /// The log of all nodes.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    async fn serve(&self, address: &str) -> Program {
        let mut command = self.command(&["serve", "--listen", address]);
        let log = fs::File::options().create(true).append(true).open(self.home.path().join("log")).unwrap();
        command.stderr(Stdio::from(log));
        timeout(STEP_TIMEOUT, Program::start(command)).await.expect("the node starts")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(self.home.path(), arguments);
        command.env("ROLLBOOK_DATABASE", &self.database).env("ROLLBOOK_JWT_SECRET", SECRET);
        // The drain delay lets haproxy notice the stop of a node.
        command.env("ROLLBOOK_REQUEST_QUOTA", "10000000").env("ROLLBOOK_DRAIN_DELAY", "2s");
        command
    }
}
