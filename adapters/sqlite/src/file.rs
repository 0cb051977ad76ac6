//! Identity of the database file while it is open.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use thiserror::Error;

/// Free space in bytes below which the disk counts as full: room for the log of a few writes.
const MIN_FREE_SPACE: u64 = 1 << 20;

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

    /// Checks that the file's disk has space and accepts writes.
    ///
    /// # Errors
    /// [`DiskError`]
    pub fn check_disk(&self) -> Result<(), DiskError> {
        check_disk(&statvfs(&self.path).map_err(io::Error::from)?)
    }
}

/// The disk does not accept writes.
#[derive(Debug, Error)]
pub enum DiskError {
    #[error("the disk of the database file is full: fewer than {MIN_FREE_SPACE} bytes are free; free some space")]
    Full,
    #[error("the file system of the database file is read-only")]
    ReadOnly,
    #[error("the disk of the database file cannot be examined: {0}")]
    Io(#[from] io::Error),
}

fn check_disk(disk: &StatVfs) -> Result<(), DiskError> {
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(DiskError::ReadOnly);
    }
    if disk.f_bavail.saturating_mul(disk.f_frsize) < MIN_FREE_SPACE { Err(DiskError::Full) } else { Ok(()) }
}

/// Device and inode. Uses `stat` alone: closing any descriptor of the file would release SQLite's locks on it (POSIX).
fn id(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_that_is_full_or_read_only_is_rejected() {
        let disk = statvfs(std::env::temp_dir()).unwrap();
        let space = |bytes: u64| StatVfs { f_frsize: 1, f_bavail: bytes, f_flag: StatVfsMountFlags::empty(), ..disk };
        assert!(check_disk(&space(MIN_FREE_SPACE)).is_ok());
        assert!(matches!(check_disk(&space(MIN_FREE_SPACE - 1)), Err(DiskError::Full)));
        let read_only = StatVfs { f_flag: StatVfsMountFlags::RDONLY, ..space(MIN_FREE_SPACE) };
        assert!(matches!(check_disk(&read_only), Err(DiskError::ReadOnly)));
    }
}
