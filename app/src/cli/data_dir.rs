//! The data directory, and the files in it that nobody else may read.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::arguments::Store;
use super::failure::Failure;
use crate::stores::Database;

impl Store {
    /// The store that is meant; makes the data directory (mode 0700) where the store lives in it.
    pub fn database(&self) -> Result<Database, Failure> {
        if let Some(database) = &self.database {
            return Ok(database.clone());
        }
        self.data_dir()?;
        Ok(Database::Sqlite(self.embedded()))
    }

    /// Whether this store is there already: a database that is named is.
    pub fn exists(&self) -> bool {
        self.database.is_some() || self.embedded().exists()
    }

    /// Where the embedded store is, unless a database is named.
    pub fn embedded(&self) -> PathBuf {
        self.data_dir.join("rollbook.sqlite3")
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
    SecretDraft::of_new(path, content)?.appear()
}

/// A file with mode 0600, or that of the one that it replaces, that is whole on the disk, and goes away unless it gets its
/// name.
pub struct SecretDraft {
    file: NamedTempFile,
    path: PathBuf,
}

impl SecretDraft {
    /// A file that is to appear at `path`.
    pub fn of_new(path: &Path, content: &[u8]) -> io::Result<Self> {
        // Made with mode 0600 on every Unix.
        let mut file = NamedTempFile::new_in(directory_of(path))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// A file that is to replace the one at `path`, for whoever may read that one. A link stays one, and what it leads to
    /// is replaced.
    pub fn of_replacement(path: &Path, content: &[u8]) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let before = path.metadata()?;
        let draft = Self::of_new(&path, content)?;
        let file = draft.file.as_file();
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
            fchown(file, Some(before.uid()), Some(before.gid())).map_err(|error| {
                let why = format!("the one that is there belongs to somebody else, and so must this: {error}");
                io::Error::new(error.kind(), why)
            })?;
        }
        file.set_permissions(before.permissions())?;
        Ok(draft)
    }

    /// Gives the file its name; `false`, and nothing written, where it is somebody else's already.
    pub fn appear(self) -> io::Result<bool> {
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => {}
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(failed) => return Err(failed.error),
        }
        keep_names(directory_of(&self.path))?;
        Ok(true)
    }

    /// Gives the file the name of another: whoever reads it finds the old or the new, whole.
    pub fn replace(self) -> io::Result<()> {
        self.file.persist(&self.path).map_err(|failed| failed.error)?;
        keep_names(directory_of(&self.path))
    }
}

/// A path of one name alone is in the working directory.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The names in a directory, too, outlive a loss of power.
fn keep_names(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
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

    #[test]
    fn req_11_whoever_may_read_a_secret_may_read_what_replaces_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for mode in [0o640, 0o600] {
            fs::write(&path, b"one").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            // Only root may give a file away; for everybody else it is their own before and after.
            let owner =
                if fs::metadata(&path).unwrap().uid() == 0 { 65_534 } else { fs::metadata(&path).unwrap().uid() };
            std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
            SecretDraft::of_replacement(&path, b"two").and_then(SecretDraft::replace).unwrap();
            let after = fs::metadata(&path).unwrap();
            assert_eq!((after.uid(), after.permissions().mode() & 0o777), (owner, mode));
            assert_eq!(fs::read(&path).unwrap(), b"two");
        }
    }

    #[test]
    fn a_secret_is_replaced_whole_and_a_link_to_it_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("secret"), dir.path().join("link"));
        fs::write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        SecretDraft::of_replacement(&link, b"two").and_then(SecretDraft::replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no draft is left");
    }
}
