//! Identity of the database file and of its log while they are open.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Free space in bytes below which the disk counts as full: room for the log of a few writes.
const MIN_FREE_SPACE: u64 = 1 << 20;

/// The database file and its log at opening, identified by device and inode. SQLite replaces neither while a connection is open.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    files: [(PathBuf, FileId); 2],
    number: i64,
    /// Time of the last write when the files were last found, in nanoseconds since the Unix epoch.
    last_write: Arc<AtomicI64>,
}

/// Device and inode.
type FileId = (u64, u64);

/// A path no longer leads to the open file. Data written to the open file is lost when it is closed.
#[derive(Debug, Clone, Error)]
#[error(
    "the database file {} was deleted, moved or replaced while it was in use: the last write known to be in it is of {}; later \
     writes are not in the file at this path, and are rejected until it is moved back or the server is restarted; if writes \
     are missing then, restore a backup",
    .path.display(), utc(*.last_write)
)]
pub struct FileLost {
    path: PathBuf,
    last_write: i64,
}

impl DatabaseFile {
    /// Identifies the file at this path, and its log, which exists once a connection has read.
    ///
    /// # Errors
    /// [`io::Error`] if one of them does not exist.
    pub fn at(path: &Path) -> io::Result<Self> {
        // SQLite creates the log beside the target of a symbolic link.
        let mut log = path.canonicalize()?.into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        let (main, last_write) = examine(path)?;
        let (log_id, last_logged) = examine(&log)?;
        let last_write = Arc::new(last_write.max(last_logged).into());
        let number = number_of(&fs::metadata(path)?);
        Ok(Self { files: [(path.to_owned(), main), (log, log_id)], number, last_write })
    }

    /// Path of the database.
    pub fn path(&self) -> &Path {
        &self.files[0].0
    }

    /// A number that a copy of the file does not have: of its inode and the time of its creation, if the file system has one.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// Checks that the paths still lead to the same files.
    ///
    /// # Errors
    /// [`FileLost`]
    pub fn check(&self) -> Result<(), FileLost> {
        let mut last_write = 0;
        for (path, id) in &self.files {
            match examine(path) {
                Ok((found, modified)) if found == *id => last_write = modified.max(last_write),
                _ => return Err(FileLost { path: path.clone(), last_write: self.last_write.load(Ordering::Relaxed) }),
            }
        }
        self.last_write.store(last_write, Ordering::Relaxed);
        Ok(())
    }

    /// Checks that the file's disk has space and accepts writes.
    ///
    /// # Errors
    /// [`DiskError`]
    pub fn check_disk(&self) -> Result<(), DiskError> {
        let [(path, _), _] = &self.files;
        check_disk(&statvfs(path).map_err(io::Error::from)?)
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

/// Identity, and time of the last modification in nanoseconds. Uses `stat` alone: closing any descriptor of the file would
/// release SQLite's locks on it (POSIX).
fn examine(path: &Path) -> io::Result<(FileId, i64)> {
    let found = fs::metadata(path)?;
    let modified = found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec());
    Ok(((found.dev(), found.ino()), modified))
}

/// Combines the inode and the time of creation, in nanoseconds since the Unix epoch.
fn number_of(file: &Metadata) -> i64 {
    let created = file.created().ok().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
    #[expect(clippy::cast_possible_truncation, reason = "any number will do")]
    let created = created.unix_timestamp_nanos() as i64;
    created ^ file.ino().cast_signed()
}

/// A time in nanoseconds since the Unix epoch, in RFC 3339 format.
fn utc(nanoseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds.into());
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
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
