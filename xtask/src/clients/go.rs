//! Clients in Go, checked with `go vet`.

use tokio::process::Command;

use super::python::generate;
use super::workshop::Workshop;
use crate::failure::Result;

/// Generates a package of the scenario's module with openapi-generator; returns the command of the scenario.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    // The generated go.mod requires a newer Go than Debian's, and modules that only the generated tests use.
    generate(workshop, "go", "packageName=rollbook,withGoMod=false").await?;
    let mut vet = go(workshop);
    // Not `./...`, which includes those tests.
    vet.args(["vet", ".", "./generated"]);
    workshop.run("compile", vet).await?;
    let mut build = go(workshop);
    build.args(["build", "-buildvcs=false", "-o", "compiled/scenario", "."]);
    workshop.run("link", build).await?;
    Ok(workshop.program(workshop.path("compiled/scenario")))
}

/// The installed Go, which must not download modules or another toolchain.
fn go(workshop: &Workshop) -> Command {
    let mut go = workshop.program("go");
    go.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")]);
    go
}
