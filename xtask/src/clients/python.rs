//! Clients in Python, checked with mypy, and the generators that are distributed as Python packages.

use std::ffi::OsStr;
use std::path::PathBuf;

use tokio::process::Command;

use super::workshop::{GENERATED, Workshop};
use crate::failure::Result;

/// Subfolder of the installed packages.
const PACKAGES: &str = "packages";

/// Generates a client with openapi-python-client; returns the command of the scenario.
pub async fn openapi_python_client(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    let mut generate = program(workshop, "openapi-python-client");
    generate.args([
        "generate",
        "--meta",
        "none",
        "--overwrite",
        "--output-path",
        "generated/rollbook_client",
        "--path",
    ]);
    generate.arg(workshop.document());
    workshop.run("generate", generate).await?;
    check(workshop).await
}

/// Generates a client with openapi-generator; returns the command of the scenario.
pub async fn openapi_generator(workshop: &Workshop) -> Result<Command> {
    install(workshop).await?;
    generate(workshop, "python", "packageName=rollbook_client").await?;
    check(workshop).await
}

/// Returns the command of the README's program.
pub fn readme(workshop: &Workshop, program: &str) -> Result<Command> {
    workshop.write("generated/readme.py", program)?;
    let mut python = workshop.program("python3");
    python.arg("generated/readme.py");
    Ok(with_packages(workshop, python))
}

/// Runs openapi-generator with the generator named `generator`.
pub async fn generate(workshop: &Workshop, generator: &str, settings: &str) -> Result<()> {
    // The generator needs Java, which its requirements.txt includes.
    let home = workshop.beside("openapi-generator")?;
    install(&home).await?;
    let mut generate = program(&home, "openapi-generator-cli");
    generate.args(["generate", "--generator-name", generator, "--additional-properties", settings]);
    generate.arg("--input-spec").arg(workshop.document());
    generate.arg("--output").arg(workshop.path(GENERATED));
    workshop.run("generate", generate).await
}

/// Installs the packages of requirements.txt.
async fn install(workshop: &Workshop) -> Result<()> {
    let mut pip = workshop.program("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--target", PACKAGES, "--requirement", "requirements.txt"]);
    workshop.install("requirements.txt", PACKAGES, pip).await
}

async fn check(workshop: &Workshop) -> Result<Command> {
    let mut mypy = program(workshop, "mypy");
    mypy.args(["--strict", "scenario.py"]);
    workshop.run("compile", mypy).await?;
    let mut scenario = workshop.program("python3");
    scenario.arg("scenario.py");
    Ok(with_packages(workshop, scenario))
}

/// A program of the installed packages.
fn program(workshop: &Workshop, name: &str) -> Command {
    with_packages(workshop, workshop.program(workshop.path(PACKAGES).join("bin").join(name)))
}

fn with_packages(workshop: &Workshop, mut command: Command) -> Command {
    let folders = [workshop.path(GENERATED), workshop.path(PACKAGES)];
    let folders = folders.map(PathBuf::into_os_string);
    command.env("PYTHONPATH", folders.join(OsStr::new(":")));
    command
}
