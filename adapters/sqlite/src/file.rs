//! Identity of the database file while it is open.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The database file at opening, identified by device and inode.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    path: PathBuf,
    id: (u64, u64),
}

/// The path no longer leads to the open file. Data written to the open file is lost when it is closed.
#[derive(Debug, Clone, Error)]
#[error(
    "the database file {} was deleted, moved or replaced while it was in use; move it back, or restore a backup and restart",
    .0.display()
)]
pub struct FileLost(PathBuf);

impl DatabaseFile {
    /// Identifies the file at this path.
    ///
    /// # Errors
    /// [`io::Error`] if there is none.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), id: id(path)? })
    }

    /// Checks that the path still leads to the same file.
    ///
    /// # Errors
    /// [`FileLost`]
    pub fn check(&self) -> Result<(), FileLost> {
        if id(&self.path).is_ok_and(|id| id == self.id) { Ok(()) } else { Err(FileLost(self.path.clone())) }
    }
}

/// Device and inode. Uses `stat` alone: closing any descriptor of the file would release SQLite's locks on it (POSIX).
fn id(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}
