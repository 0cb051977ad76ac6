//! Clients in Go, checked with `go vet`.

use tokio::process::Command;

use super::python::generate;
use super::workshop::Workshop;
use crate::failure::Result;

/// openapi-generator writes the client, as a package of the scenario's module.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    // Its own go.mod asks for a newer Go than Debian's and for modules that only its tests need.
    generate(workshop, "go", "packageName=rollbook,withGoMod=false").await?;
    let mut vet = go(workshop);
    // Not `./...`, which has those tests.
    vet.args(["vet", ".", "./generated"]);
    workshop.run("compile", vet).await?;
    let mut build = go(workshop);
    build.args(["build", "-buildvcs=false", "-o", "compiled/scenario", "."]);
    workshop.run("link", build).await?;
    Ok(workshop.program(workshop.path("compiled/scenario")))
}

/// Go as it is installed: without a module or a newer Go from elsewhere.
fn go(workshop: &Workshop) -> Command {
    let mut go = workshop.program("go");
    go.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")]);
    go
}
