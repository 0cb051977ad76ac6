//! `rollbook migrate`: migrates the schema and the stored search forms.

use adapter_postgres::Options;

use super::arguments::Store;
use super::failure::Failure;
use super::output;

/// Opens the store, which migrates its schema.
pub async fn run(store: &Store) -> Result<(), Failure> {
    let stores = store.open_or_create(Options::new).await?;
    stores.search_forms.fill_all().await?;
    output::line("The schema is up to date.")
}
