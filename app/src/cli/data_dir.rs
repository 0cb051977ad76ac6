//! The data directory and its secret files, which only their owner can read.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use adapter_postgres::Options;
use tempfile::NamedTempFile;

use super::arguments::Store;
use super::failure::Failure;
use super::{drafts, known_stores};
use crate::stores::{Database, OpenError, Stores};

impl Store {
    /// The selected store. Creates the data directory (mode 0700) for the embedded store.
    pub fn database(&self) -> Result<Database, Failure> {
        if let Some(database) = &self.database {
            return Ok(database.clone());
        }
        self.data_dir()?;
        Ok(Database::Sqlite(self.embedded()))
    }

    /// Opens the selected store or creates it, unless it existed and is missing. The data directory remembers an embedded store.
    pub async fn open_or_create(&self, options: impl FnOnce(String) -> Options) -> Result<Stores, Failure> {
        let database = self.database()?;
        let Database::Sqlite(path) = &database else { return Ok(Stores::open_with(&database, options).await?) };
        known_stores::reject_missing(self, path)?;
        let stores = Stores::open_with(&database, options).await?;
        known_stores::remember(self, path)?;
        Ok(stores)
    }

    /// Opens the selected store, or returns `None` if it does not exist. Only `serve` and `migrate` create a store.
    pub async fn find(&self) -> Result<Option<Stores>, Failure> {
        match Stores::existing(&self.selected()).await {
            Ok(stores) => Ok(Some(stores)),
            Err(OpenError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the selected store, which must exist.
    pub async fn open_existing(&self) -> Result<Stores, Failure> {
        Stores::existing(&self.selected()).await.map_err(|error| match error {
            OpenError::Missing(_) => Failure::new(format!(
                "{error}; create it with `rollbook migrate` or `rollbook serve`, or select another one with --database or \
                 --data-dir"
            )),
            error => error.into(),
        })
    }

    /// The selected store, without a data directory.
    pub fn selected(&self) -> Database {
        self.database.clone().unwrap_or_else(|| Database::Sqlite(self.embedded()))
    }

    /// Path of the embedded store, which is used without `--database`.
    fn embedded(&self) -> PathBuf {
        self.data_dir.join("rollbook.sqlite3")
    }

    /// The data directory, created if missing, without what killed processes left.
    pub fn data_dir(&self) -> Result<&Path, Failure> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir);
        created.map_err(|error| {
            Failure::new(format!(
                "cannot create the data directory {}: {error}; select another one with --data-dir",
                self.data_dir.display()
            ))
        })?;
        drafts::delete_abandoned(&self.data_dir);
        Ok(&self.data_dir)
    }
}

/// Creates a file with mode 0600 atomically. Returns `false` without a change if the file exists.
pub fn write_secret_once(path: &Path, content: &[u8]) -> io::Result<bool> {
    SecretDraft::of_new(path, content)?.create()
}

/// A temporary file, synced to disk, with mode 0600 or the mode of the file it replaces. Deleted unless it is created or
/// replaces a file.
pub struct SecretDraft {
    file: NamedTempFile,
    path: PathBuf,
}

impl SecretDraft {
    /// Draft of a new file at `path`.
    pub fn of_new(path: &Path, content: &[u8]) -> io::Result<Self> {
        Self::write(drafts::file_in(directory_of(path))?, path, content)
    }

    /// Draft that remains if the process is killed, under the name of the file and a random suffix.
    pub fn recoverable(path: &Path, content: &[u8]) -> io::Result<Self> {
        let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
        Self::write(NamedTempFile::with_prefix_in(prefix, directory_of(path))?, path, content)
    }

    /// `tempfile` creates files with mode 0600 on every Unix.
    fn write(mut file: NamedTempFile, path: &Path, content: &[u8]) -> io::Result<Self> {
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Draft that replaces the file at `path` and keeps its owner and mode. For a symbolic link, the link's target is
    /// replaced.
    pub fn of_replacement(path: &Path, content: &[u8]) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let before = path.metadata()?;
        let draft = Self::of_new(&path, content)?;
        let file = draft.file.as_file();
        let created = file.metadata()?;
        if (created.uid(), created.gid()) != (before.uid(), before.gid()) {
            fchown(file, Some(before.uid()), Some(before.gid())).map_err(|error| {
                let message = format!("cannot keep the owner of the existing file: {error}");
                io::Error::new(error.kind(), message)
            })?;
        }
        file.set_permissions(before.permissions())?;
        Ok(draft)
    }

    /// Creates the file at its path. Returns `false` without a change if the path exists.
    pub fn create(self) -> io::Result<bool> {
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => {}
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(failed) => return Err(failed.error),
        }
        sync_directory(directory_of(&self.path))?;
        Ok(true)
    }

    /// Replaces the file at the path atomically.
    pub fn replace(self) -> io::Result<()> {
        self.file.persist(&self.path).map_err(|failed| failed.error)?;
        sync_directory(directory_of(&self.path))
    }
}

/// The parent directory; `.` for a bare file name.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the directory, so that its entries survive a power loss.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secret_is_written_once_with_mode_0600() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert!(write_secret_once(&path, b"one").unwrap());
        assert!(!write_secret_once(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft remains");
    }

    /// REQ 11.
    #[test]
    fn replaced_secret_keeps_owner_and_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for mode in [0o640, 0o600] {
            fs::write(&path, b"one").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            // Only root may change a file's owner.
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
    fn secret_behind_symlink_is_replaced_and_link_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("secret"), dir.path().join("link"));
        fs::write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        SecretDraft::of_replacement(&link, b"two").and_then(SecretDraft::replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no draft remains");
    }
}
