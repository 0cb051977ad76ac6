//! prism: a proxy that validates requests and responses against the document, and responds with a 4xx or 5xx if one
//! does not match.

use std::net::SocketAddr;
use std::time::Duration;

use super::typescript::install;
use super::workshop::Workshop;
use crate::failure::{Failure, Result};
use crate::log::Log;
use crate::loopback::free_address;
use crate::process::Process;

const START: Duration = Duration::from_mins(1);

/// An installed prism.
pub struct Prism(Workshop);

impl Prism {
    /// Installs prism in its folder, unless it is installed there.
    pub async fn installed(workshop: Workshop) -> Result<Self> {
        install(&workshop).await?;
        Ok(Self(workshop))
    }

    /// Starts a proxy in front of the server at `upstream`; it runs until the process is dropped.
    pub async fn before(&self, upstream: &str) -> Result<(SocketAddr, Process)> {
        let address = free_address()?;
        let log = Log::new(&self.0.path(""), "prism.log");
        let mut command = self.0.program(self.0.path("node_modules/.bin/prism"));
        command.args(["proxy", "--errors", "--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
        command.arg(self.0.document()).arg(upstream);
        log.catch(&mut command)?;
        let mut process = Process::start("prism", command)?;
        if process.listens(address, START).await {
            Ok((address, process))
        } else {
            Err(Failure::new(format_args!("prism: {}", log.last_line())))
        }
    }
}
