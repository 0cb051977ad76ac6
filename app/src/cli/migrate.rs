//! `rollbook migrate`: migrates the schema, indexes names, and lists equal usernames.

use std::io::{self, IsTerminal as _};

use adapter_postgres::Options;
use domain::access::Principal;
use domain::user::PasswordPolicy;

use super::arguments::{LogFormat, Store};
use super::failure::Failure;
use super::log::LogFilter;
use super::{log, output, user};
use crate::background_tasks::log_indexing;

/// Opens the store, which migrates its schema, and indexes its names.
pub async fn run(store: &Store) -> Result<(), Failure> {
    // A large store takes minutes, of which the log shows the progress.
    if io::stderr().is_terminal() {
        log::start(&LogFilter::default(), LogFormat::Text);
    }
    let stores = store.open_or_create(Options::new).await?;
    stores.name_index.index_all(log_indexing).await?;
    let policy = PasswordPolicy::default();
    let collisions = user::accounts(stores, policy)?.username_collisions(&Principal::operator().grant()?).await?;
    for users in collisions {
        let users: Vec<_> = users.iter().map(|user| format!("{} ({})", user.username, user.id)).collect();
        output::line(format_args!(
            "These users have equal usernames by RFC 8265, and log in with the exact spelling: {}.",
            users.join(", ")
        ))?;
    }
    output::line("The schema is up to date.")
}
