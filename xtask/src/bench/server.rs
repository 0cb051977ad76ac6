//! Servers under test, each on its own loopback port.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::http::{Connection, Response};
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::loopback::free_address;
use crate::process::Process;
use crate::workspace::{built, program};

const START: Duration = Duration::from_secs(30);
/// A request quota that no benchmark reaches.
const QUOTA: [&str; 2] = ["--request-quota", "10000000"];
const POLL: Duration = Duration::from_millis(50);

/// A running server, stopped when this is dropped.
pub struct Server {
    pub address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Server {
    /// Starts the demo.
    pub async fn demo() -> Result<Self> {
        Self::start("rollbook", &["serve", "--demo", QUOTA[0], QUOTA[1], "--listen"], "/health/ready").await
    }

    /// Starts the demo with the default quota, from the build of `profile`.
    pub async fn demo_of(profile: &str) -> Result<Self> {
        Self::start_of(profile, "rollbook", &["serve", "--demo", "--listen"], "/health/ready").await
    }

    /// Starts the demo with 127.0.0.1 as a trusted proxy, so that requests can state addresses in `X-Forwarded-For`.
    pub async fn demo_behind_proxy() -> Result<Self> {
        let arguments = ["serve", "--demo", QUOTA[0], QUOTA[1], "--trusted-proxy", "127.0.0.1/32", "--listen"];
        Self::start("rollbook", &arguments, "/health/ready").await
    }

    /// Starts the poem program that returns a constant.
    pub async fn bare() -> Result<Self> {
        Self::start("examples/bare_poem", &[], "/").await
    }

    /// Starts a program of the release build, with its address as the last argument.
    async fn start(name: &str, arguments: &[&str], ready: &str) -> Result<Self> {
        Self::start_of("release", name, arguments, ready).await
    }

    async fn start_of(profile: &str, name: &str, arguments: &[&str], ready: &str) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir().or_fail("cannot create a temporary folder")?;
        let log = Log::new(folder.path(), "log");
        let mut command = program(built(profile, name)?);
        command.args(arguments).arg(address.to_string());
        log.catch(&mut command)?;
        let mut process = Process::start(name, command)?;
        let is_ready = tokio::select! {
            ready = timeout(START, until_ready(address, ready)) => ready.is_ok(),
            () = process.until_ended() => false,
        };
        if !is_ready {
            return Err(Failure::new(format_args!("{name} does not respond on {address}: {}", log.last_line())));
        }
        Ok(Self { address, _process: process, _folder: folder })
    }

    /// Logs in a user of the demo and returns the token.
    pub async fn log_in(&self, username: &str) -> Result<String> {
        let body = json!({"Username": username, "Password": "password"}).to_string();
        let response = self.connect().await?.post("/login", &body).await.or_fail("POST /login")?;
        let body: Value = serde_json::from_slice(&response.body).or_fail("POST /login")?;
        let token = body.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| Failure::new(format_args!("POST /login responded {}", response.status)))
    }

    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).await.or_fail(self.address)
    }
}

async fn until_ready(address: SocketAddr, path: &str) {
    while !matches!(get(address, path).await, Ok(Response { status: 200, .. })) {
        sleep(POLL).await;
    }
}

async fn get(address: SocketAddr, path: &str) -> std::io::Result<Response> {
    Connection::open(address).await?.get(path, None).await
}
