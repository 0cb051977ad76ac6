//! Clients in Rust. They share one target folder, so that what both use is compiled once.

use std::path::Path;

use tokio::process::Command;

use super::python::generate;
use super::workshop::{Workshop, shelf};
use crate::failure::Result;
use crate::workspace::cargo;

/// progenitor writes its client while cargo builds the scenario.
pub async fn progenitor(workshop: &Workshop) -> Result<Command> {
    compile(workshop, "progenitor-scenario").await
}

/// openapi-generator writes a crate, on which the scenario depends.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    // A version of its own: with the document's, the lock file would change whenever that does.
    generate(workshop, "rust", "packageName=rollbook_client,packageVersion=0.0.0").await?;
    compile(workshop, "openapi-generator-rust-scenario").await
}

async fn compile(workshop: &Workshop, program: &str) -> Result<Command> {
    let target = shelf().join("cargo");
    let mut build = cargo(["build", "--locked", "--target-dir"]);
    build.arg(&target).current_dir(workshop.path("."));
    build.env("ROLLBOOK_DOCUMENT", workshop.document());
    workshop.run("compile", build).await?;
    Ok(workshop.program(Path::new(&target).join("debug").join(program)))
}
