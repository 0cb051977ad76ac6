//! A release server in contract mode.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::Process;
use crate::workspace::{built, program};

const START: Duration = Duration::from_mins(1);

/// A server that answers until this is dropped.
pub struct Server {
    /// The line of JSON on its standard output.
    pub announcement: String,
    pub base_url: String,
    _process: Process,
    _folder: TempDir,
}

impl Server {
    /// On a schema of its own in this PostgreSQL database, or else on the embedded store.
    pub async fn start(postgres: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir().or_fail("cannot make a folder")?;
        let log = Log::new(folder.path(), "log");
        let mut command = program(built("release", "rollbook")?);
        log.catch(&mut command)?;
        command.stdout(Stdio::piped()).args(["serve", "--contract", "--listen", "127.0.0.1:0"]);
        command.env_remove("ROLLBOOK_DATABASE").env_remove("ROLLBOOK_DEMO").env_remove("ROLLBOOK_KEYS");
        if let Some(url) = postgres {
            command.env("ROLLBOOK_DATABASE", url);
        }
        let mut process = Process::start("rollbook", command)?;
        let announcement = match timeout(START, process.first_line()).await {
            Ok(line) => line?,
            Err(_) => String::new(),
        };
        let base_url = serde_json::from_str::<Value>(&announcement).ok();
        let base_url = base_url.and_then(|line| line["base_url"].as_str().map(str::to_owned));
        let base_url = base_url
            .ok_or_else(|| Failure::new(format_args!("rollbook --contract did not start: {}", log.last_line())))?;
        Ok(Self { announcement, base_url, _process: process, _folder: folder })
    }
}
