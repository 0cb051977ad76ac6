//! The data directory, and the files in it that nobody else may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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
    let draft = draft_of(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.draft", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
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
