//! Output of a child process, kept in a file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Result, Settle};

/// File with the output of one process.
pub struct Log(PathBuf);

impl Log {
    /// The file `name` in `folder`. [`Log::catch`] creates it.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self(folder.join(name))
    }

    /// Redirects both outputs of `command` to the file, which is emptied first.
    pub fn catch(&self, command: &mut Command) -> Result<()> {
        let file = File::create(&self.0).or_fail(self.0.display())?;
        command.stdout(file.try_clone().or_fail(self.0.display())?).stderr(file);
        Ok(())
    }

    /// The output so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.0).unwrap_or_default()).into_owned()
    }

    /// The last line that is not blank.
    pub fn last_line(&self) -> String {
        self.text().lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output").to_owned()
    }
}
