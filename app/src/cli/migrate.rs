//! `rollbook migrate`: migrates the schema.

use super::arguments::Store;
use super::failure::Failure;
use super::output;
use crate::stores::Stores;

/// Opens the store, which migrates its schema.
pub async fn run(store: &Store) -> Result<(), Failure> {
    Stores::open(&store.database()?).await?;
    output::line("The schema is up to date.")
}
