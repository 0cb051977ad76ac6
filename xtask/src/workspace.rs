//! Paths of the workspace, and commands that run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Failure, Result, Settle};

/// The workspace root.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Path of a build artifact: `program` in the output directory of `profile` (`debug` or `release`).
///
/// # Errors
/// This executable is not in an output directory of cargo.
pub fn built(profile: &str, program: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().or_fail("cannot find the path of this executable")?;
    let target = own.parent().and_then(Path::parent);
    let target = target.ok_or_else(|| Failure::new("this executable is not in cargo's target directory"))?;
    Ok(target.join(profile).join(program))
}

/// Cargo with these arguments, in the workspace root.
pub fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut cargo = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    // `cargo run` sets these variables for xtask. Inherited, they would cause rebuilds.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A program that runs in the workspace root with empty standard input.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(std::process::Stdio::null());
    command
}

/// Fills `folder` from the package list `list` with `command`, unless it was filled from the same list.
pub async fn install(list: &Path, folder: &Path, command: impl Future<Output = Result<()>>) -> Result<()> {
    let stamp = folder.join(".installed");
    let wanted = fs::read(list).or_fail(list.display())?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).or_fail(folder.display())?;
    }
    command.await?;
    fs::write(&stamp, wanted).or_fail(stamp.display())
}

/// `python3 -m pip install` into a folder.
pub fn pip(folder: &Path) -> Command {
    let mut pip = program("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]);
    pip.args(["--no-warn-script-location", "--no-deps", "--target"]).arg(folder);
    pip
}

/// `npm ci` in a folder.
pub fn npm_ci(folder: &Path) -> Command {
    let mut npm = program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    npm
}
