//! Clients in TypeScript, compiled with `tsc --strict`.

use tokio::process::Command;

use super::python::generate;
use super::workshop::Workshop;
use crate::failure::Result;

/// openapi-typescript writes the types, and openapi-fetch is the client.
pub async fn openapi_fetch(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    let mut types = workshop.program(workshop.path("node_modules/.bin/openapi-typescript"));
    types.arg(workshop.document()).args(["--output", "generated/rollbook.ts"]);
    workshop.run("generate", types).await?;
    compile(workshop).await
}

/// openapi-generator writes the client.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    generate(workshop, "typescript-fetch", "importFileExtension=.js").await?;
    compile(workshop).await
}

/// @hey-api/openapi-ts writes the client, and the zod schemas that validate what it sends and receives.
pub async fn hey_api(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    // Its package.json asks for Node 22; it runs on Node 20 too.
    let mut generate = workshop.program(workshop.path("node_modules/.bin/openapi-ts"));
    generate.arg("--input").arg(workshop.document()).args(["--file", "openapi-ts.config.js", "--no-log-file"]);
    workshop.run("generate", generate).await?;
    compile(workshop).await
}

/// The program that README.md shows, beside the types that it imports.
pub async fn readme(workshop: &Workshop, program: &str) -> Result<Command> {
    workshop.write("generated/readme.ts", program)?;
    let mut tsc = workshop.program(workshop.path("node_modules/.bin/tsc"));
    tsc.args(["--project", "tsconfig.readme.json"]);
    workshop.run("compile README.md", tsc).await?;
    let mut node = workshop.program("node");
    node.arg("compiled/readme.js");
    Ok(node)
}

/// What package-lock.json names.
pub async fn install(workshop: &Workshop) -> Result<()> {
    let mut npm = workshop.program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    workshop.install("package-lock.json", "node_modules", npm).await
}

async fn compile(workshop: &Workshop) -> Result<Command> {
    workshop.run("compile", workshop.program(workshop.path("node_modules/.bin/tsc"))).await?;
    let mut scenario = workshop.program("node");
    scenario.arg("compiled/scenario.js");
    Ok(scenario)
}
