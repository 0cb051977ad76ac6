//! The embedded stores that exist, in a file beside the secret, so that a missing one is not replaced by an empty store.

use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use adapter_sqlite::SqliteStore;

use super::arguments::Store;
use super::data_dir::SecretDraft;
use super::failure::Failure;

/// Name of the file in the data directory: a path on each line, relative to the data directory if it is in there.
const FILE: &str = "known-stores";

/// Rejects a store that existed, and whose file is missing or empty.
pub fn reject_missing(store: &Store, path: &Path) -> Result<(), Failure> {
    let file = file(store);
    if SqliteStore::exists(path) || !lines(&file)?.contains(&line(store, path)) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the store {} existed and is missing: move its file back, or restore a backup with `rollbook restore`; to start with an \
         empty store, delete {}",
        path.display(),
        file.display()
    )))
}

/// Adds a store that exists.
pub fn remember(store: &Store, path: &Path) -> Result<(), Failure> {
    store.data_dir()?;
    let file = file(store);
    let mut known = lines(&file)?;
    let line = line(store, path);
    if known.contains(&line) {
        return Ok(());
    }
    known.push(line);
    let draft = SecretDraft::of_new(&file, format!("{}\n", known.join("\n")).as_bytes());
    draft.and_then(SecretDraft::replace).map_err(|error| cannot("write", &file, &error))
}

fn file(store: &Store) -> PathBuf {
    store.data_dir.join(FILE)
}

fn lines(file: &Path) -> Result<Vec<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(cannot("read", file, &error)),
    }
}

fn line(store: &Store, path: &Path) -> String {
    let absolute = |path: &Path| path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let path = absolute(path);
    path.strip_prefix(absolute(&store.data_dir)).unwrap_or(&path).to_string_lossy().into_owned()
}

fn cannot(action: &str, file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {action} {}: {error}", file.display()))
}
