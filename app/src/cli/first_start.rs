//! The first start on an empty store: it makes the administrator, and hands over the password once.

use std::io::{self, IsTerminal, Write};

use domain::user::Accounts;
use secrecy::ExposeSecret;

use super::arguments::Store;
use super::data_dir::write_secret_once;
use super::failure::Failure;
use super::output;

/// Makes `admin` where there is no user at all. The password is shown once on a terminal; without one it is
/// written to a file (mode 0600) in the data directory; never to a log.
pub async fn administrator(accounts: &Accounts, store: &Store) -> Result<(), Failure> {
    // A node of a store that is in use needs no data directory, and may have no place for one.
    if !accounts.is_empty().await? {
        return Ok(());
    }
    let show = io::stderr().is_terminal();
    // Before the account is made: a password that nobody can be given locks everybody out.
    let file = if show { None } else { Some(store.data_dir()?.join("initial-admin-password")) };
    let Some(first) = accounts.first_administrator().await? else { return Ok(()) };
    let (name, password) = (&first.user.username, first.password.expose_secret());
    let Some(file) = file else {
        writeln!(
            io::stderr().lock(),
            "The first administrator is {name}, with the password {password}\nIt is shown this once, and has to be \
             changed before anything else: log in and PUT /me/password, or run: rollbook user set-password {name}"
        )?;
        return Ok(());
    };
    let _ = std::fs::remove_file(&file);
    let written = write_secret_once(&file, format!("{password}\n").as_bytes());
    written.map_err(|error| {
        Failure::new(format!(
            "made the administrator {name}, but cannot write the password to {}: {error}; set one with: rollbook \
             user set-password {name}",
            file.display()
        ))
    })?;
    output::tell(format_args!(
        "The first administrator is {name}; the password is in {}, and has to be changed before anything else",
        file.display()
    ));
    Ok(())
}
