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

/// A running server, stopped when this is dropped.
pub struct Server {
    /// The first line of the standard output: JSON with the base URL and credentials.
    pub announcement: String,
    pub base_url: String,
    _process: Process,
    _folder: TempDir,
}

impl Server {
    /// Starts a server on a new schema of this PostgreSQL database, or on SQLite if there is none.
    pub async fn start(postgres: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir().or_fail("cannot create a temporary folder")?;
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
