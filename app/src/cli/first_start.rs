//! First start on an empty store: creates the administrator and outputs the password once.

use std::io::{self, IsTerminal, Write};

use domain::user::Accounts;
use secrecy::ExposeSecret;

use super::arguments::Store;
use super::data_dir::write_secret_once;
use super::failure::Failure;
use super::output;

/// Creates `admin` if the store has no users. The password is printed once to a terminal or, without one, written to a
/// file (mode 0600) in the data directory. It is never logged.
pub async fn administrator(accounts: &Accounts, store: &Store) -> Result<(), Failure> {
    // A node of a PostgreSQL store in use needs no data directory and may be unable to create one.
    if !accounts.is_empty().await? {
        return Ok(());
    }
    let is_terminal = io::stderr().is_terminal();
    // Done before the account is created: an administrator with an unknown password could not log in.
    let file = if is_terminal { None } else { Some(store.data_dir()?.join("initial-admin-password")) };
    let Some(first) = accounts.first_administrator().await? else { return Ok(()) };
    let (name, password) = (&first.user.username, first.password.expose_secret());
    let Some(file) = file else {
        writeln!(
            io::stderr().lock(),
            "The first administrator is {name}, with the password {password}\nIt is shown only once and must be \
             changed first: log in and PUT /me/password, or run: rollbook user set-password {name}"
        )?;
        return Ok(());
    };
    let _ = std::fs::remove_file(&file);
    let written = write_secret_once(&file, format!("{password}\n").as_bytes());
    written.map_err(|error| {
        Failure::new(format!(
            "created the administrator {name}, but cannot write the password to {}: {error}; set one with: rollbook \
             user set-password {name}",
            file.display()
        ))
    })?;
    output::message(format_args!(
        "The first administrator is {name}; the password is in {} and must be changed at the first login",
        file.display()
    ));
    Ok(())
}
