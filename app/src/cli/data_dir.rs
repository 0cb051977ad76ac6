//! The data directory, and the files in it that nobody else may read.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::arguments::Store;
use super::failure::Failure;
use crate::stores::Database;

impl Store {
    /// The store that is meant; makes the data directory (mode 0700) where the store lives in it.
    pub fn database(&self) -> Result<Database, Failure> {
        match &self.database {
            Some(database) => Ok(database.clone()),
            None => Ok(Database::Sqlite(self.data_dir()?.join("rollbook.sqlite3"))),
        }
    }

    /// The data directory, made where it is missing.
    pub fn data_dir(&self) -> Result<&Path, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir);
        made.map_err(|error| {
            Failure::new(format!(
                "cannot make the data directory {}: {error}; choose another with --data-dir",
                self.data_dir.display()
            ))
        })?;
        Ok(&self.data_dir)
    }
}

/// Writes a file with mode 0600 that appears whole or not at all; `false`, and nothing written, where it
/// exists already.
pub fn write_secret_once(path: &Path, content: &[u8]) -> io::Result<bool> {
    let directory = path.parent().unwrap_or(Path::new("."));
    // Made with mode 0600 on every Unix.
    let mut draft = NamedTempFile::new_in(directory)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Ok(_) => {}
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(failed) => return Err(failed.error),
    }
    // The name, too, outlives a loss of power.
    File::open(directory)?.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_written_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert!(write_secret_once(&path, b"one").unwrap());
        assert!(!write_secret_once(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}
