//! The servers that are measured, each on a loopback port of its own.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::http::{Answer, Connection};
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::loopback::free_address;
use crate::process::Process;
use crate::workspace::{built, program};

const START: Duration = Duration::from_secs(30);
/// Asking as often as one can is what a bench does.
const QUOTA: [&str; 2] = ["--request-quota", "10000000"];
const POLL: Duration = Duration::from_millis(50);

/// A server that answers until this is dropped.
pub struct Server {
    pub address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Server {
    /// Rollbook on its demo data, in the embedded store.
    pub async fn demo() -> Result<Self> {
        Self::start("rollbook", &["serve", "--demo", QUOTA[0], QUOTA[1], "--listen"], "/health/ready").await
    }

    /// The same as people run it, of the build of `profile`.
    pub async fn demo_of(profile: &str) -> Result<Self> {
        Self::start_of(profile, "rollbook", &["serve", "--demo", "--listen"], "/health/ready").await
    }

    /// The same, with `X-Forwarded-For` trusted from every address.
    pub async fn demo_behind_proxy() -> Result<Self> {
        let arguments = ["serve", "--demo", QUOTA[0], QUOTA[1], "--trusted-proxy", "127.0.0.1/32", "--listen"];
        Self::start("rollbook", &arguments, "/health/ready").await
    }

    /// The poem program that answers a constant.
    pub async fn bare() -> Result<Self> {
        Self::start("examples/bare_poem", &[], "/").await
    }

    /// Starts a program of the release build; its address is its last argument.
    async fn start(name: &str, arguments: &[&str], ready: &str) -> Result<Self> {
        Self::start_of("release", name, arguments, ready).await
    }

    async fn start_of(profile: &str, name: &str, arguments: &[&str], ready: &str) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir().or_fail("cannot make a folder")?;
        let log = Log::new(folder.path(), "log");
        let mut command = program(built(profile, name)?);
        command.args(arguments).arg(address.to_string());
        log.catch(&mut command)?;
        let mut process = Process::start(name, command)?;
        let answered = tokio::select! {
            answered = timeout(START, until_ready(address, ready)) => answered.is_ok(),
            () = process.until_ended() => false,
        };
        if !answered {
            return Err(Failure::new(format_args!("{name} does not respond on {address}: {}", log.last_line())));
        }
        Ok(Self { address, _process: process, _folder: folder })
    }

    /// The token of a user of the demo.
    pub async fn log_in(&self, username: &str) -> Result<String> {
        let body = json!({"Username": username, "Password": "password"}).to_string();
        let answer = self.connect().await?.post("/login", &body).await.or_fail("POST /login")?;
        let body: Value = serde_json::from_slice(&answer.body).or_fail("POST /login")?;
        let token = body.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| Failure::new(format_args!("POST /login responded {}", answer.status)))
    }

    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).await.or_fail(self.address)
    }
}

async fn until_ready(address: SocketAddr, path: &str) {
    while !matches!(ask(address, path).await, Ok(Answer { status: 200, .. })) {
        sleep(POLL).await;
    }
}

async fn ask(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    Connection::open(address).await?.get(path, None).await
}
