//! A scenario through prism, a proxy that holds every request and every answer against the document.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::server::Server;
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::loopback::free_address;
use crate::process::{Process, run as run_command};
use crate::workspace::{built, program, root};

/// Its pinned versions, and the scenario.
const FOLDER: &str = "tests/prism";
const START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// Runs the scenario on each store; fails on the first violation that prism or the scenario tells.
pub async fn run<'u>(stores: &[&'static str], url_of: impl Fn(&'static str) -> Option<&'u str>) -> Result<()> {
    let prism = installed().await?;
    for store in stores {
        eprintln!("xtask: prism, {store}");
        let server = Server::start(url_of(store)).await?;
        let folder = tempfile::tempdir().or_fail("cannot make a folder")?;
        let (proxy, _process) = proxy(&prism, &server, folder.path()).await?;
        let mut scenario = program("node");
        scenario.arg(root().join(FOLDER).join("scenario.mjs"));
        scenario.arg(format!("http://{proxy}")).arg(&server.announcement);
        run_command("the scenario through prism", scenario).await?;
    }
    Ok(())
}

/// The program, installed under `target` unless it is there.
async fn installed() -> Result<PathBuf> {
    let folder = built("contract", "")?.join("prism");
    fs::create_dir_all(&folder).or_fail(folder.display())?;
    let lock = "package-lock.json";
    let wanted = fs::read(root().join(FOLDER).join(lock)).or_fail(lock)?;
    if fs::read(folder.join("installed")).ok().as_ref() != Some(&wanted) {
        for file in ["package.json", lock] {
            fs::copy(root().join(FOLDER).join(file), folder.join(file)).or_fail(file)?;
        }
        let mut npm = program("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&folder);
        run_command("npm ci", npm).await?;
        fs::write(folder.join("installed"), wanted).or_fail("installed")?;
    }
    Ok(folder.join("node_modules/.bin/prism"))
}

/// Starts the proxy before a server, and waits until it takes connections.
async fn proxy(prism: &Path, server: &Server, folder: &Path) -> Result<(SocketAddr, Process)> {
    let address = free_address()?;
    let log = Log::new(folder, "prism.log");
    let mut command = program(prism);
    command.args(["proxy", "--errors", "--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.arg(root().join("openapi.yaml")).arg(&server.base_url);
    log.catch(&mut command)?;
    let mut process = Process::start("prism", command)?;
    let listens = async {
        while TcpStream::connect(address).await.is_err() {
            sleep(POLL).await;
        }
    };
    let started = tokio::select! {
        started = timeout(START, listens) => started.is_ok(),
        () = process.until_ended() => false,
    };
    if started { Ok((address, process)) } else { Err(Failure::told(format_args!("prism: {}", log.last_line()))) }
}
