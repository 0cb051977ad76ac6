//! `rollbook backup` and `rollbook restore`: copies of the embedded store in a file.

mod archive;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adapter_sqlite::{SqliteStore, backup};
use domain::Clock;
use tempfile::NamedTempFile;
use time::format_description::well_known::Rfc3339;

use archive::{ArchiveError, Manifest};

use super::arguments::{Backup, Restore, Store};
use super::data_dir::{directory_of, sync_directory, write_secret_once};
use super::drafts::DraftDirectory;
use super::failure::Failure;
use super::output::progress;
use super::settings::Sources;
use super::signing_key::{KeySource, VARIABLE};
use super::{known_stores, output};
use crate::stores::Database;
use crate::system::SystemClock;

/// Names of the files in a backup.
const STORE: &str = "rollbook.sqlite3";
const SECRET: &str = "jwt-secret";
const KEY_RING: &str = "keys.json";

/// Creates a backup, and reads it back before it reports success.
pub fn back_up(arguments: &Backup, sources: &Sources) -> Result<(), Failure> {
    let source = embedded(&arguments.store)?;
    if !SqliteStore::exists(&source) {
        return Err(Failure::new(format!("the store {} does not exist", source.display())));
    }
    let target = &arguments.file;
    let cannot_write = |error: io::Error| Failure::new(format!("cannot write {}: {error}", target.display()));
    if target.exists() {
        return Err(Failure::new(format!("{} exists; choose another file", target.display())));
    }
    let key = if arguments.with_keys { Some(key_file(arguments, sources)?) } else { None };
    let directory = DraftDirectory::new_in(directory_of(target)).map_err(cannot_write)?;
    let copy = NamedTempFile::new_in(directory.path()).map_err(cannot_write)?;
    progress("Copying the store");
    backup::copy(&source, copy.path())?;
    let contents = backup::verify(copy.path())?;
    let key = key.as_ref().map(|(name, path)| (*name, path.as_path()));
    let files: Vec<_> = [(STORE, copy.path())].into_iter().chain(key).collect();
    let manifest = Manifest::new(SystemClock.now().format(&Rfc3339)?, contents, &files);
    progress("Compressing the copy");
    let draft = NamedTempFile::new_in(directory.path()).map_err(cannot_write)?;
    archive::write(draft.as_file(), &manifest, &files).map_err(cannot_write)?;
    draft.as_file().sync_all().map_err(cannot_write)?;
    progress("Reading the backup back");
    let extracted = directory.path().join("extracted");
    fs::create_dir(&extracted).map_err(cannot_write)?;
    archive::extract(draft.path(), &extracted).map_err(|error| unusable(target, &error))?;
    draft.persist_noclobber(target).map_err(|error| cannot_write(error.error))?;
    sync_directory(directory_of(target)).map_err(cannot_write)?;
    let keys = if arguments.with_keys { ", with the signing keys" } else { "" };
    let (students, users) = (manifest.students, manifest.users);
    output::line(format_args!("Backed up {students} students and {users} users to {}{keys}.", target.display()))
}

/// Restores a backup where no store exists, and migrates its schema.
pub fn restore(arguments: &Restore) -> Result<(), Failure> {
    let (source, target) = (&arguments.file, embedded(&arguments.store)?);
    let data_dir = arguments.store.data_dir()?;
    for existing in [target.clone(), with_suffix(&target, "-wal"), with_suffix(&target, "-shm")] {
        reject_existing(&existing)?;
    }
    let cannot_write = |error: io::Error| Failure::new(format!("cannot restore {}: {error}", target.display()));
    let extracted = DraftDirectory::new_in(directory_of(&target)).map_err(cannot_write)?;
    progress("Verifying the backup");
    let manifest = archive::extract(source, extracted.path()).map_err(|error| unusable(source, &error))?;
    let store = extracted.path().join(STORE);
    backup::verify(&store)?;
    let keys: Vec<_> = [SECRET, KEY_RING].into_iter().filter(|name| manifest.contains(name)).collect();
    keys.iter().try_for_each(|name| reject_existing(&data_dir.join(name)))?;
    // Migrated before it is moved, so that a backup of a newer release is rejected without a trace.
    progress("Migrating the store");
    backup::adopt(&store)?;
    for name in &keys {
        let key = data_dir.join(name);
        // Copied, because the data directory may be on another file system than the store.
        let content = fs::read(extracted.path().join(name)).map_err(cannot_write)?;
        if !write_secret_once(&key, &content).map_err(cannot_write)? {
            return Err(exists(&key));
        }
    }
    // Fails if the target exists.
    fs::hard_link(&store, &target).map_err(cannot_write)?;
    sync_directory(directory_of(&target)).map_err(cannot_write)?;
    known_stores::remember(&arguments.store, &target)?;
    let Manifest { created_at, students, users, .. } = &manifest;
    output::line(format_args!(
        "Restored {students} students and {users} users as of {created_at} to {}.",
        target.display()
    ))?;
    match keys.first() {
        Some(&KEY_RING) => output::line(format_args!(
            "The key ring is in {}; start the server with --keys.",
            data_dir.join(KEY_RING).display()
        )),
        Some(_) => output::line(format_args!("The signing secret is in {}.", data_dir.join(SECRET).display())),
        None => Ok(()),
    }
}

/// Path of the embedded store. PostgreSQL has its own tools.
fn embedded(store: &Store) -> Result<PathBuf, Failure> {
    match store.selected() {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres(_) => Err(Failure::new(
            "PostgreSQL stores are backed up and restored with its own tools, such as pg_dump and pg_restore"
                .to_owned(),
        )),
    }
}

/// The file with the signing keys, and its name in the backup.
fn key_file(arguments: &Backup, sources: &Sources) -> Result<(&'static str, PathBuf), Failure> {
    let selected = KeySource::selected(arguments.keys.as_ref(), arguments.jwt_secret_file.as_ref(), sources)?;
    let (name, path) = match selected {
        Some(KeySource::Ring(ring)) => (KEY_RING, ring),
        Some(KeySource::File(secret) | KeySource::Generated(secret)) => (SECRET, secret),
        Some(KeySource::Variable) => {
            return Err(Failure::new(format!(
                "the secret is in {VARIABLE}; --with-keys cannot back it up: keep a copy of it"
            )));
        }
        None => (SECRET, arguments.store.data_dir.join(SECRET)),
    };
    match path.metadata() {
        Ok(_) => Ok((name, path)),
        Err(error) => Err(Failure::new(format!("cannot read the signing keys in {}: {error}", path.display()))),
    }
}

fn reject_existing(path: &Path) -> Result<(), Failure> {
    if path.exists() { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{} exists, and is not overwritten; move it away", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unusable(file: &Path, error: &ArchiveError) -> Failure {
    Failure::new(format!("the backup {} cannot be used: {error}", file.display()))
}
