//! `cargo xtask postman`: the Postman collection, made of openapi.yaml, and run against a demo.
//!
//! Made here, and not by `openapi-to-postmanv2`: that makes other ids and other values at each run, asserts nothing,
//! keeps nothing of an answer for the next request, and writes each documented answer out, 890 kB of them. All that would
//! be left of its work after a pass that mends this are the names and descriptions.

mod assertions;
mod collection;
mod document;
mod newman;
mod report;
mod request;
mod schema;
mod step;
mod story;

use std::fs;

use clap::Args;

use crate::failure::{Failure, Result, Settle};
use crate::openapi::first_difference;
use crate::postgres::Source;
use crate::workspace::root;
use document::Document;

/// The collection, in the root of the workspace.
const FILE: &str = "tests/postman/rollbook.postman_collection.json";

/// Write the Postman collection from openapi.yaml, or run it with newman
#[derive(Debug, Args)]
pub struct Postman {
    /// Only compare it with openapi.yaml, and fail where they differ
    #[arg(long)]
    pub check: bool,
    /// Run the one that is checked in against demos on both stores (needs `npm`)
    #[arg(long, conflicts_with = "check")]
    pub run: bool,
    /// Where the PostgreSQL of --run comes from
    #[arg(long, value_enum, default_value_t = Source::Auto, requires = "run")]
    pub postgres: Source,
}

impl Postman {
    /// Only compares it with the document.
    pub fn check() -> Self {
        Self { check: true, run: false, postgres: Source::Auto }
    }

    pub async fn run(self) -> Result<()> {
        if self.run {
            return newman::run(self.postgres).await;
        }
        let made = format!("{:#}\n", collection::collection(&Document::read()?)?);
        let file = root().join(FILE);
        if !self.check {
            return fs::write(&file, made).or_fail(FILE);
        }
        let checked_in = fs::read_to_string(&file).or_fail(FILE)?;
        match first_difference(&checked_in, &made) {
            None => Ok(()),
            Some(line) => Err(Failure::new(format_args!(
                "{FILE} is not of openapi.yaml at line {line}: run `cargo xtask postman` and check it in"
            ))),
        }
    }
}
