//! `rollbook migrate`: migrates the schema and the stored search forms, and lists equal usernames.

use adapter_postgres::Options;
use domain::access::Principal;
use domain::user::PasswordPolicy;

use super::arguments::Store;
use super::failure::Failure;
use super::{output, user};

/// Opens the store, which migrates its schema.
pub async fn run(store: &Store) -> Result<(), Failure> {
    let stores = store.open_or_create(Options::new).await?;
    stores.search_forms.fill_all().await?;
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
