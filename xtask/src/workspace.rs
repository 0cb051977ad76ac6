//! Where the workspace lies, and cargo run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Failure, Result, Settle};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// A program that `cargo build` has put into the folder of `profile` (`debug`, `release`), by its path there.
///
/// # Errors
/// When this program itself does not lie in a profile's folder.
pub fn built(profile: &str, program: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().or_fail("cannot find this program")?;
    let target = own.parent().and_then(Path::parent);
    let target = target.ok_or_else(|| Failure::new("this program was not started by cargo"))?;
    Ok(target.join(profile).join(program))
}

/// Cargo with these arguments, in the root of the workspace.
pub fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut cargo = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    // `cargo run` describes xtask in these; to the crates built next they would be a change.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Any program, in the root of the workspace, with nothing to read.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(std::process::Stdio::null());
    command
}
