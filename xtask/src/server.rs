//! Servers that run until they are dropped, each on a free loopback port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::Process;
use crate::workspace::{built, program};

const START: Duration = Duration::from_mins(1);

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    /// An empty folder that is deleted with the server.
    pub folder: TempDir,
    _process: Process,
}

impl Server {
    /// Starts `rollbook` of the build of `profile` with the arguments of `serve`.
    pub async fn rollbook(profile: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = program(built(profile, "rollbook")?);
        command.arg("serve").args(arguments).arg("--listen");
        Self::start("rollbook", command).await
    }

    /// Starts a server whose address is its last argument, and waits until it accepts connections.
    pub async fn start(name: &str, mut command: Command) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir().or_fail("cannot create a folder")?;
        let log = Log::new(folder.path(), "log");
        log.catch(&mut command)?;
        command.arg(address.to_string());
        let mut process = Process::start(name, command)?;
        if !process.listens(address, START).await {
            return Err(Failure::new(format_args!("{name} does not listen on {address}: {}", log.last_line())));
        }
        Ok(Self { address, folder, _process: process })
    }
}

/// Returns a loopback address with a free port.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_fail("no free port")?;
    listener.local_addr().or_fail("no free port")
}
