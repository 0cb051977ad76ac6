//! Log files of child processes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Result, Settle};

/// Log file with the output of one process.
pub struct Log(PathBuf);

impl Log {
    /// The file `name` in `folder`; [`Self::catch`] creates it.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self(folder.join(name))
    }

    /// Redirects standard output and standard error of `command` into the file, which is truncated first.
    pub fn catch(&self, command: &mut Command) -> Result<()> {
        let file = File::create(&self.0).or_fail("cannot create a log file")?;
        command.stdout(file.try_clone().or_fail("cannot share a log file")?).stderr(file);
        Ok(())
    }

    /// The last line that is not blank.
    pub fn last_line(&self) -> String {
        let log = fs::read(&self.0).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output").to_owned()
    }
}
