//! Clients in TypeScript, compiled with `tsc --strict`.

use tokio::process::Command;

use super::python::generate;
use super::workshop::Workshop;
use crate::failure::Result;

/// Generates types for openapi-fetch with openapi-typescript; returns the command of the scenario.
pub async fn openapi_fetch(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    let mut types = workshop.program(workshop.path("node_modules/.bin/openapi-typescript"));
    types.arg(workshop.document()).args(["--output", "generated/rollbook.ts"]);
    workshop.run("generate", types).await?;
    compile(workshop).await
}

/// Generates a client with openapi-generator; returns the command of the scenario.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    generate(workshop, "typescript-fetch", "importFileExtension=.js").await?;
    compile(workshop).await
}

/// Generates a client and zod schemas for its requests and responses with @hey-api/openapi-ts; returns the command of
/// the scenario.
pub async fn hey_api(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    // Its package.json requires Node 22, but it also runs on Node 20.
    let mut generate = workshop.program(workshop.path("node_modules/.bin/openapi-ts"));
    generate.arg("--input").arg(workshop.document()).args(["--file", "openapi-ts.config.js", "--no-log-file"]);
    workshop.run("generate", generate).await?;
    compile(workshop).await
}

/// Compiles the README's program next to the generated types that it imports.
pub async fn readme(workshop: &Workshop, program: &str) -> Result<Command> {
    workshop.write("generated/readme.ts", program)?;
    let mut tsc = workshop.program(workshop.path("node_modules/.bin/tsc"));
    tsc.args(["--project", "tsconfig.readme.json"]);
    workshop.run("compile README.md", tsc).await?;
    let mut node = workshop.program("node");
    node.arg("compiled/readme.js");
    Ok(node)
}

/// Installs the packages of package-lock.json.
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
