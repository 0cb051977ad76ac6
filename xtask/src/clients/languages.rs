//! Compilation of clients in each language. Each function returns the command that runs the compiled program.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use tokio::process::Command;

use super::workshop::{GENERATED, PACKAGES, Workshop, clients_folder};
use crate::failure::{Result, Settle};
use crate::workspace::cargo;

/// Compiles a package with the installed Go, without downloads.
pub async fn go(workshop: &Workshop) -> Result<Command> {
    let go = || {
        let mut go = workshop.program("go");
        go.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")]);
        go
    };
    let mut vet = go();
    // Not `./...`, which includes the generated tests.
    vet.args(["vet", ".", "./generated"]);
    workshop.run("compile", vet).await?;
    let mut build = go();
    build.args(["build", "-buildvcs=false", "-o", "compiled/scenario", "."]);
    workshop.run("link", build).await?;
    Ok(workshop.program(workshop.path("compiled/scenario")))
}

/// Checks a scenario with mypy.
pub async fn python(workshop: &Workshop) -> Result<Command> {
    let mut mypy = python_program(workshop, "mypy");
    mypy.args(["--strict", "scenario.py"]);
    workshop.run("compile", mypy).await?;
    Ok(with_packages(workshop, "python3", ["scenario.py"]))
}

/// Compiles a program. All packages share one target folder, so that common dependencies are compiled once.
pub async fn rust(workshop: &Workshop, program: &str) -> Result<Command> {
    let target = clients_folder().join("cargo");
    let mut build = cargo(["build", "--locked", "--bin", program, "--target-dir"]);
    build.arg(&target).current_dir(workshop.path("."));
    build.env("ROLLBOOK_DOCUMENT", workshop.document());
    workshop.run("compile", build).await?;
    Ok(workshop.program(target.join("debug").join(program)))
}

/// Compiles a scenario with `tsc --strict`.
pub async fn typescript(workshop: &Workshop) -> Result<Command> {
    workshop.run("compile", npm_program(workshop, "tsc")).await?;
    let mut scenario = workshop.program("node");
    scenario.arg("compiled/scenario.js");
    Ok(scenario)
}

/// Compiles a client shown in README.md, together with the generated code that it uses.
pub async fn readme(workshop: &Workshop, language: &str, client: &str) -> Result<Command> {
    match language {
        "rust" => {
            // Its macro reads openapi.yaml in the package folder.
            fs::copy(workshop.document(), workshop.path("openapi.yaml")).or_fail("openapi.yaml")?;
            workshop.write("src/bin/readme.rs", client)?;
            rust(workshop, "readme").await
        }
        "ts" => {
            workshop.write("generated/readme.ts", client)?;
            let mut tsc = npm_program(workshop, "tsc");
            tsc.args(["--project", "tsconfig.readme.json"]);
            workshop.run("compile README.md", tsc).await?;
            let mut node = workshop.program("node");
            node.arg("compiled/readme.js");
            Ok(node)
        }
        _ => {
            workshop.write("generated/readme.py", client)?;
            Ok(with_packages(workshop, "python3", ["generated/readme.py"]))
        }
    }
}

/// A program of the installed npm packages.
pub fn npm_program(workshop: &Workshop, name: &str) -> Command {
    workshop.program(workshop.path("node_modules/.bin").join(name))
}

/// A program of the installed Python packages.
pub fn python_program(workshop: &Workshop, name: &str) -> Command {
    with_packages(workshop, workshop.path(PACKAGES).join("bin").join(name), [])
}

fn with_packages<const N: usize>(workshop: &Workshop, program: impl AsRef<OsStr>, arguments: [&str; N]) -> Command {
    let mut command = workshop.program(program);
    let folders = [workshop.path(GENERATED), workshop.path(PACKAGES)].map(PathBuf::into_os_string);
    command.args(arguments).env("PYTHONPATH", folders.join(OsStr::new(":")));
    command
}
