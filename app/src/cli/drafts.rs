//! Temporary files and directories beside the files that they become. A process that is killed leaves them, so each of them is
//! locked while its process runs, and the next command that uses the directory deletes those that are not.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

/// Prefix of the names.
const PREFIX: &str = ".rollbook-draft-";

/// A temporary directory, deleted on drop.
pub struct DraftDirectory {
    directory: TempDir,
    _lock: File,
}

impl DraftDirectory {
    /// Creates a directory with mode 0700, and deletes abandoned drafts beside it.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        delete_abandoned(parent);
        loop {
            let directory = TempDir::with_prefix_in(PREFIX, parent)?;
            let lock = File::open(directory.path())?;
            if is_locked(&lock, directory.path()) {
                return Ok(Self { directory, _lock: lock });
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Deletes the directory.
    pub fn close(self) -> io::Result<()> {
        self.directory.close()
    }
}

/// Creates an empty file with mode 0600, and deletes abandoned drafts beside it.
pub fn file_in(directory: &Path) -> io::Result<NamedTempFile> {
    delete_abandoned(directory);
    loop {
        let file = NamedTempFile::with_prefix_in(PREFIX, directory)?;
        if is_locked(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// Locks a new draft. Returns `false` if another process deleted it before. On a file system without locks, abandoned drafts are
/// not deleted.
fn is_locked(file: &File, path: &Path) -> bool {
    let _ = file.lock();
    path.exists()
}

/// Deletes the drafts of processes that were killed. Those that this process may not delete remain.
pub fn delete_abandoned(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        // Opening another kind of file, such as a named pipe in a shared directory, may wait.
        let kind = entry.file_type();
        if !kind.is_ok_and(|kind| kind.is_file() || kind.is_dir()) {
            continue;
        }
        let Ok(draft) = File::open(&path) else { continue };
        if draft.try_lock().is_ok() {
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drafts_of_ended_processes_are_deleted() {
        let parent = tempfile::tempdir().unwrap();
        let (file, directory) = (file_in(parent.path()).unwrap(), DraftDirectory::new_in(parent.path()).unwrap());
        let [abandoned, abandoned_directory, other] =
            [".rollbook-draft-aB3dE6", ".rollbook-draft-x", "ring.json.backup"].map(|name| parent.path().join(name));
        fs::write(&abandoned, "secret").unwrap();
        fs::create_dir(&abandoned_directory).unwrap();
        fs::write(abandoned_directory.join("store"), "").unwrap();
        fs::write(&other, "").unwrap();
        delete_abandoned(parent.path());
        assert!(!abandoned.exists() && !abandoned_directory.exists());
        assert!(file.path().exists() && directory.path().exists() && other.exists());
    }
}
