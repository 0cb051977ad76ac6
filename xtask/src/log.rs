//! What a child process says, kept in a file for the case that it fails.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Result, Settle};

/// A file for one process's output.
pub struct Log(PathBuf);

impl Log {
    /// The file `name` in `folder`; it is made when a command is given to it.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self(folder.join(name))
    }

    /// Sends both outputs of `command` into the file, emptied before.
    pub fn catch(&self, command: &mut Command) -> Result<()> {
        let file = File::create(&self.0).or_fail("cannot make a log")?;
        command.stdout(file.try_clone().or_fail("cannot share a log")?).stderr(file);
        Ok(())
    }

    /// The last line that says anything.
    pub fn last_line(&self) -> String {
        let log = fs::read(&self.0).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
    }
}
