//! The program `rollbook` as a separate process.

#![expect(clippy::expect_used, reason = "a test panics if it cannot run the program")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;

/// The path of the program, built from this workspace.
///
/// # Panics
/// If the build fails.
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "app", "--bin", "rollbook"])
            .current_dir(workspace())
            .status();
        assert!(built.expect("cargo").success(), "rollbook does not build");
        // This test is in target/<profile>/deps, the program in target/<profile>.
        let test = env::current_exe().expect("the path of this test");
        test.ancestors().nth(2).expect("a target folder").join("rollbook")
    });
    &PATH
}

/// The path of an installed program.
///
/// # Panics
/// If it is not installed; the message names the Debian package.
pub fn find(program: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed: install the Debian package {package}"))
}

/// A loopback port that was free.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// The root folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// A command that runs the program in the working directory `home`, without the `ROLLBOOK_…` variables of this process.
pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("ROLLBOOK_") {
            command.env_remove(name);
        }
    }
    // A free port, because the default port may be in use.
    command.env("ROLLBOOK_LISTEN", "127.0.0.1:0").env("ROLLBOOK_DRAIN_DELAY", "0s");
    command.args(arguments).current_dir(home).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit status and output of a run of the program.
#[derive(Debug)]
pub struct Outcome {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program until it exits.
pub async fn run(home: &Path, arguments: &[&str]) -> Outcome {
    outcome(command(home, arguments)).await
}

/// Runs a prepared command until it exits.
pub async fn outcome(mut command: Command) -> Outcome {
    let output = command.output().await.expect("a run of the program");
    Outcome {
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A server in a separate process. Dropping it kills the process.
pub struct Program {
    pub process: Child,
    address: String,
    announcement: String,
    /// Deleted after the process has been killed.
    home: Option<TempDir>,
}

impl Program {
    /// Starts a demo on a free port.
    pub async fn demo() -> Self {
        Self::demo_with(&[]).await
    }

    /// Starts a demo with further arguments.
    pub async fn demo_with(arguments: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let demo = [&["serve", "--demo", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut program = Self::start(command(home.path(), &demo)).await;
        program.home = Some(home);
        program
    }

    /// Starts a prepared `serve --listen 127.0.0.1:0` and waits until it prints its address.
    ///
    /// # Panics
    /// If the program exits without an address; the message contains its output.
    pub async fn start(mut command: Command) -> Self {
        let mut process = command.spawn().expect("a process");
        let mut lines = BufReader::new(process.stdout.take().expect("its stdout")).lines();
        let first = lines.next_line().await.expect("readable stdout");
        let Some((announcement, address)) = first.as_deref().and_then(|line| Some((line, address_in(line)?))) else {
            let output = process.wait_with_output().await.expect("its output");
            panic!("the program did not start: {first:?} {}", String::from_utf8_lossy(&output.stderr));
        };
        // The program blocks if the pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address: address.to_owned(), announcement: announcement.to_owned(), home: None }
    }

    /// Host and port of the server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The first line on stdout, which contains the address.
    pub fn announcement(&self) -> &str {
        &self.announcement
    }

    /// The URL of a path on the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client with this token, or an anonymous client.
    pub fn client(&self, token: Option<String>) -> Client {
        Client::new(reqwest::Client::new(), self.url(""), token)
    }

    /// Logs in and returns a client with the token.
    pub async fn log_in(&self, username: &str, password: &str) -> Client {
        let credentials = serde_json::json!({"Username": username, "Password": password});
        let grant = self.client(None).send("POST", "/login", &credentials).await.expect(200);
        self.client(grant["token"].as_str().map(str::to_owned))
    }
}

fn address_in(line: &str) -> Option<&str> {
    line.split_once("http://")?.1.split(['/', '"']).next()
}
