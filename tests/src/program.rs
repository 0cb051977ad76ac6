//! The program `rollbook` as its users run it: a process of its own.

#![expect(clippy::expect_used, reason = "a test that cannot run the program panics")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;

/// The program, built from this very tree.
///
/// # Panics
/// Where it does not build.
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "app", "--bin", "rollbook"])
            .current_dir(workspace())
            .status();
        assert!(built.expect("cargo").success(), "rollbook does not build");
        // The folder of this test, target/<profile>/deps, is beside the program.
        let test = env::current_exe().expect("the path of this test");
        test.ancestors().nth(2).expect("a target folder").join("rollbook")
    });
    &PATH
}

/// The folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The program with these arguments, none of this process's `ROLLBOOK_…` variables, and a data directory in
/// `home`, which is its working directory too.
pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("ROLLBOOK_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(home).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Outcome {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program to its end.
pub async fn run(home: &Path, arguments: &[&str]) -> Outcome {
    outcome(command(home, arguments)).await
}

/// Runs a prepared command to its end.
pub async fn outcome(mut command: Command) -> Outcome {
    let output = command.output().await.expect("a run of the program");
    Outcome {
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A server in a process of its own. It is killed when this is dropped.
pub struct Program {
    pub process: Child,
    address: String,
    announcement: String,
    /// Kept until the process is gone.
    home: Option<TempDir>,
}

impl Program {
    /// A demo on a free port.
    pub async fn demo() -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let mut program = Self::start(command(home.path(), &["serve", "--demo", "--listen", "127.0.0.1:0"])).await;
        program.home = Some(home);
        program
    }

    /// Starts a prepared `serve --listen 127.0.0.1:0` and waits until it says where it listens.
    ///
    /// # Panics
    /// Waits for its end and returns its output.
    pub async fn start(mut command: Command) -> Self {
        let mut process = command.spawn().expect("a process");
        let mut lines = BufReader::new(process.stdout.take().expect("its stdout")).lines();
        let first = lines.next_line().await.expect("readable stdout");
        let Some((announcement, address)) = first.as_deref().and_then(|line| Some((line, address_in(line)?))) else {
            let output = process.wait_with_output().await.expect("its output");
            panic!("the program did not start: {first:?} {}", String::from_utf8_lossy(&output.stderr));
        };
        // The pipe has to be drained, or the program blocks.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address: address.to_owned(), announcement: announcement.to_owned(), home: None }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The line in which it said where it listens.
    pub fn announcement(&self) -> &str {
        &self.announcement
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client with this token, or none.
    pub fn client(&self, token: Option<String>) -> Client {
        Client::new(reqwest::Client::new(), self.url(""), token)
    }

    /// A client of the user with this name and password.
    pub async fn log_in(&self, username: &str, password: &str) -> Client {
        let credentials = serde_json::json!({"Username": username, "Password": password});
        let answer = self.client(None).send("POST", "/login", &credentials).await.expect(200);
        self.client(answer["token"].as_str().map(str::to_owned))
    }
}

fn address_in(line: &str) -> Option<&str> {
    line.split_once("http://")?.1.split(['/', '"']).next()
}
