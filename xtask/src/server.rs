//! Servers on free loopback ports, and an HTTP client for them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::Process;
use crate::workspace::{built, program};

/// Timeout for the first response.
const START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// A server that runs until this is dropped.
pub struct Server {
    // Declared first, so that the server ends before its folder is removed.
    _process: Process,
    pub address: SocketAddr,
    /// A temporary folder.
    pub folder: TempDir,
    log: Log,
}

impl Server {
    /// Starts `rollbook serve` of the build of `profile`. Environment variables do not configure it.
    pub async fn rollbook(profile: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = program(built(profile, "rollbook")?);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLBOOK_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--drain-delay", "0s"]).args(arguments);
        Self::start("rollbook", |address| {
            command.args(["--listen", &address.to_string()]);
            command
        })
        .await
    }

    /// Starts the server that `command` returns for an address, and waits for its first HTTP response.
    pub async fn start(name: &str, command: impl FnOnce(SocketAddr) -> Command) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir().or_fail("cannot create a temporary folder")?;
        let log = Log::new(folder.path(), "log");
        let mut command = command(address);
        log.catch(&mut command)?;
        let mut process = Process::start(name, &mut command)?;
        let client = Client::new(address)?;
        let response = async {
            while client.http.get(&client.base).send().await.is_err() {
                sleep(POLL).await;
            }
        };
        let ready = tokio::select! {
            response = timeout(START, response) => response.is_ok(),
            () = process.until_ended() => false,
        };
        if !ready {
            return Err(Failure::new(format_args!("{name} does not respond on {address}: {}", log.last_line())));
        }
        Ok(Self { _process: process, address, folder, log })
    }

    /// Base URL without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Output so far, both standard output and standard error.
    pub fn output(&self) -> String {
        self.log.text()
    }

    /// Returns a client with a connection of its own.
    pub fn client(&self) -> Result<Client> {
        Client::new(self.address)
    }

    /// Returns a client with the token of a user of the demo.
    pub async fn log_in(&self, username: &str) -> Result<Client> {
        let mut client = self.client()?;
        let credentials = json!({"Username": username, "Password": "password"});
        let response = client.send(Method::POST, "/login", &[], Some(&credentials), 200).await?;
        client.token = response["token"].as_str().map(str::to_owned);
        Ok(client)
    }
}

/// A client of one server.
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
}

impl Client {
    fn new(address: SocketAddr) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build().or_fail("cannot create an HTTP client")?;
        Ok(Self { http, base: format!("http://{address}"), token: None })
    }

    /// Sends a request and reads the whole response. Returns its body, or `Null` if that is not JSON.
    ///
    /// # Errors
    /// The response does not have the status `expected`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
        expected: u16,
    ) -> Result<Value> {
        let name = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.or_fail(&name)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.or_fail(&name)?;
        if status != expected {
            return Err(Failure::new(format_args!("{name} responded {status} instead of {expected}")));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends a GET that must succeed.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, &[], None, 200).await
    }
}

/// Returns a loopback address with a free port.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_fail("no free port")?;
    listener.local_addr().or_fail("no free port")
}
