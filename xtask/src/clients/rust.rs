//! Clients in Rust. They share one target folder, so that common dependencies are compiled once.

use std::fs;
use std::path::Path;

use tokio::process::Command;

use super::python::generate;
use super::workshop::{Workshop, clients_folder};
use crate::failure::{Result, Settle};
use crate::workspace::cargo;

/// Builds the scenario, in which the macro of progenitor generates the client; returns its command.
pub async fn progenitor(workshop: &Workshop) -> Result<Command> {
    compile(workshop, "progenitor-scenario").await
}

/// Generates a crate with openapi-generator; returns the command of the scenario that depends on it.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    // A fixed version: with the document's version, Cargo.lock would change with every release.
    generate(workshop, "rust", "packageName=rollbook_client,packageVersion=0.0.0").await?;
    compile(workshop, "openapi-generator-rust-scenario").await
}

/// Compiles the README's program; its macro reads openapi.yaml in the package folder.
pub async fn readme(workshop: &Workshop, program: &str) -> Result<Command> {
    fs::copy(workshop.document(), workshop.path("openapi.yaml")).or_fail("openapi.yaml")?;
    workshop.write("src/bin/readme.rs", program)?;
    compile(workshop, "readme").await
}

async fn compile(workshop: &Workshop, program: &str) -> Result<Command> {
    let target = clients_folder().join("cargo");
    let mut build = cargo(["build", "--locked", "--bin", program, "--target-dir"]);
    build.arg(&target).current_dir(workshop.path("."));
    build.env("ROLLBOOK_DOCUMENT", workshop.document());
    workshop.run("compile", build).await?;
    Ok(workshop.program(Path::new(&target).join("debug").join(program)))
}
