//! First start on an empty store: creates the administrator and outputs the password once.
//!
//! The password is stored in a draft file before the account is created, so that it is known whenever the process is killed: the
//! next start publishes the draft whose password is valid.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::user::{Accounts, FirstAdministrator};
use secrecy::ExposeSecret;
use time::format_description::well_known::Rfc3339;
use tokio::time::sleep;

use super::arguments::Store;
use super::data_dir::SecretDraft;
use super::failure::Failure;
use super::output;
use crate::stores::Database;

/// Name of the file with the initial password. A draft has a random suffix.
const FILE: &str = "initial-admin-password";
/// Interval at which the server checks whether the initial password was changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Creates `admin` if the store has no users. The password is printed once to a terminal or, without one, written to a
/// file (mode 0600) in the data directory, which is deleted when the password was changed. It is never logged.
pub async fn administrator(accounts: &Accounts, store: &Store) -> Result<(), Failure> {
    // A node of a PostgreSQL store in use needs no data directory and may be unable to create one.
    let file = store.data_dir.join(FILE);
    if accounts.is_empty().await? {
        create(accounts, store, &file).await?;
    }
    publish_drafts(accounts, &file).await?;
    if file.exists() {
        tokio::spawn(delete_after_change(accounts.clone(), file));
    }
    Ok(())
}

async fn create(accounts: &Accounts, store: &Store, file: &Path) -> Result<(), Failure> {
    let first = accounts.first_administrator().await?;
    let draft = || SecretDraft::recoverable(file, format!("{}\n", first.password.expose_secret()).as_bytes());
    let draft = store.data_dir().and_then(|_| draft().map_err(|error| cannot_write(file, &error)));
    let draft = match (draft, store.selected()) {
        (Ok(draft), _) => draft,
        // A container with a read-only file system. Without a file, nothing would keep the password.
        (Err(failure), Database::Postgres(_)) => {
            output::message(format_args!(
                "The store has no users, and no administrator was created, because its password cannot be stored: {failure}; \
                 or create the administrator with: rollbook user create NAME --role admin"
            ));
            return Ok(());
        }
        (Err(failure), Database::Sqlite(_)) => return Err(failure),
    };
    if accounts.create_first(&first).await?.is_none() {
        return Ok(());
    }
    if io::stderr().is_terminal() && !output::writes_json() {
        return print(&first);
    }
    match draft.replace() {
        Ok(()) => announce(file),
        // Another process has published it.
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.exists() => {}
        Err(error) => return Err(cannot_write(file, &error)),
    }
    Ok(())
}

fn print(first: &FirstAdministrator) -> Result<(), Failure> {
    let FirstAdministrator { new, password, expires_at } = first;
    writeln!(
        io::stderr().lock(),
        "The first administrator is {name}, with the password {password}\nIt is shown only once, expires at {expiry}, and must \
         be changed first: log in and PUT /me/password, or run: rollbook user set-password {name}",
        name = new.username,
        password = password.expose_secret(),
        expiry = expires_at.format(&Rfc3339)?,
    )?;
    Ok(())
}

fn announce(file: &Path) {
    output::message(format_args!(
        "The first administrator is admin; the password is in {} and must be changed at the first login, within 24 hours",
        file.display()
    ));
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the initial password to {}: {error}", file.display()))
}

/// Renames the draft of a killed start whose administrator was created, and deletes those of others.
async fn publish_drafts(accounts: &Accounts, file: &Path) -> Result<(), Failure> {
    for draft in drafts(file) {
        let text = fs::read_to_string(&draft).unwrap_or_default();
        if accounts.is_initial_password(text.trim_end()).await? {
            match fs::rename(&draft, file) {
                Ok(()) => announce(file),
                // The process that wrote it has published it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot_write(file, &error)),
            }
        } else {
            let _ = fs::remove_file(&draft);
        }
    }
    Ok(())
}

fn drafts(file: &Path) -> Vec<PathBuf> {
    let entries = file.parent().and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten();
    let is_draft = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == FILE) && path.extension().is_some();
    entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_draft).collect()
}

/// Deletes the file once the initial password was changed, on this node or another.
async fn delete_after_change(accounts: Accounts, file: PathBuf) {
    while accounts.has_initial_password().await.unwrap_or(true) {
        sleep(CHECK_INTERVAL).await;
    }
    if fs::remove_file(&file).is_ok() {
        tracing::info!("deleted {}: the initial password was changed", file.display());
    }
}
