//! Clients in Rust. They share one target folder, so that what both use is compiled once.

use std::fs;
use std::path::Path;

use tokio::process::Command;

use super::python::generate;
use super::workshop::{Workshop, shelf};
use crate::failure::{Result, Settle};
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

/// The program that README.md shows, whose macro reads the document beside it.
pub async fn readme(workshop: &Workshop, program: &str) -> Result<Command> {
    fs::copy(workshop.document(), workshop.path("openapi.yaml")).or_fail("openapi.yaml")?;
    workshop.write("src/bin/readme.rs", program)?;
    compile(workshop, "readme").await
}

async fn compile(workshop: &Workshop, program: &str) -> Result<Command> {
    let target = shelf().join("cargo");
    let mut build = cargo(["build", "--locked", "--bin", program, "--target-dir"]);
    build.arg(&target).current_dir(workshop.path("."));
    build.env("ROLLBOOK_DOCUMENT", workshop.document());
    workshop.run("compile", build).await?;
    Ok(workshop.program(Path::new(&target).join("debug").join(program)))
}
