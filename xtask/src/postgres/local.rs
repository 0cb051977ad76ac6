//! Temporary clusters of an installed PostgreSQL server.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Server, USER, probe, random_password, settings, url};
use crate::failure::{Failure, Result, Settle};
use crate::log::Log;
use crate::process::{Process, read, run};
use crate::server::free_address;

/// Server packages of Debian and its derivatives: one folder for each major version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The oldest major version that Rollbook supports.
const OLDEST: u32 = 15;
const START: Duration = Duration::from_secs(30);
/// Start attempts: another program may bind the chosen port before the server does.
const ATTEMPTS: u32 = 3;
/// Users that run the server if xtask runs as root, which PostgreSQL does not support. The first existing one is used. The
/// number is that of the user without permissions on Linux.
const USERS: [&str; 2] = ["postgres", "65534"];

/// A running server and its data, both removed when this is dropped.
pub struct Cluster {
    // Declared first, so that the server ends before its folder is removed.
    _server: Process,
    _folder: TempDir,
}

/// The ids of a user.
#[derive(Debug, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

/// Starts the newest installed server on a free loopback port.
pub async fn start() -> Result<Server> {
    start_from(&newest()?).await
}

/// Starts a server of these programs on a free loopback port.
pub async fn start_from(programs: &Path) -> Result<Server> {
    let version = version(programs).await?;
    let folder = tempfile::Builder::new().prefix("rollbook-postgres-").tempdir().or_fail("cannot make a folder")?;
    let user = if geteuid().is_root() { Some(unprivileged().await?) } else { None };
    let password = random_password()?;
    initialise(programs, folder.path(), user.as_ref(), &password).await?;
    let (server, url) = serve(programs, folder.path(), user.as_ref(), &password).await?;
    Ok(Server {
        url,
        description: format!("PostgreSQL {version} from a temporary cluster ({})", programs.display()),
        _guard: Some(Box::new(Cluster { _server: server, _folder: folder })),
    })
}

/// The folder with the programs of the newest installed server.
///
/// # Errors
/// No server is installed.
pub fn newest() -> Result<PathBuf> {
    let majors: Vec<u32> = fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates(majors, std::env::split_paths(&path))
        .find(|folder| has_server(folder))
        .ok_or_else(|| Failure::new(format_args!("neither {VERSIONS} nor PATH has initdb and postgres")))
}

/// Whether the folder contains the programs of a server.
pub fn has_server(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| is_executable(&folder.join(program)))
}

/// The folders to search, in order of preference.
fn candidates(mut majors: Vec<u32>, path: impl Iterator<Item = PathBuf>) -> impl Iterator<Item = PathBuf> {
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.into_iter().map(|major| Path::new(VERSIONS).join(major.to_string()).join("bin")).chain(path)
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

async fn version(programs: &Path) -> Result<String> {
    let output = read("postgres --version", program(programs.join("postgres"), ["--version"])).await?;
    let version = output.split_whitespace().nth(2).unwrap_or_default().to_owned();
    let major = version.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(OLDEST..) => Ok(version),
        _ => Err(Failure::new(format_args!(
            "PostgreSQL in {} is version {version}; {OLDEST} or later is required",
            programs.display()
        ))),
    }
}

async fn unprivileged() -> Result<User> {
    for name in USERS {
        let id = |option| read("id", program("id", [option, name]));
        if let (Ok(uid), Ok(gid)) = (id("-u").await, id("-g").await) {
            return Ok(User { uid: uid.trim().parse().or_fail("id -u")?, gid: gid.trim().parse().or_fail("id -g")? });
        }
    }
    Err(Failure::new("PostgreSQL does not run as root, and there is no user postgres or 65534"))
}

fn program<const N: usize>(name: impl AsRef<OsStr>, arguments: [&str; N]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).stderr(Stdio::null());
    command
}

async fn initialise(programs: &Path, folder: &Path, user: Option<&User>, password: &str) -> Result<()> {
    let secret = folder.join("password");
    fs::write(&secret, password).or_fail("cannot write the password file")?;
    if let Some(User { uid, gid }) = user {
        for path in [folder, &secret] {
            chown(path, Some(*uid), Some(*gid)).or_fail("cannot change the owner of the cluster's folder")?;
        }
    }
    let log = Log::new(folder, "initdb.log");
    let mut initdb = as_user(programs.join("initdb"), folder, user);
    // Cleartext passwords suffice on loopback, and connecting is faster without the hash iterations of SCRAM.
    initdb.args(["--username", USER, "--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    initdb.arg("--pgdata").arg(folder.join("data")).arg("--pwfile").arg(&secret);
    log.catch(&mut initdb)?;
    let initialised = run("initdb", initdb).await;
    initialised.map_err(|failure| Failure::new(format_args!("{failure}: {}", log.last_line())))
}

async fn serve(programs: &Path, folder: &Path, user: Option<&User>, password: &str) -> Result<(Process, String)> {
    let log = Log::new(folder, "server.log");
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        let port = free_address()?.port();
        let url = url("127.0.0.1", port, password, "postgres");
        let options = url.parse().or_fail("the URL of the cluster")?;
        let mut postgres = as_user(programs.join("postgres"), folder, user);
        postgres.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]).args(settings());
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        log.catch(&mut postgres)?;
        // SIGINT requests a fast shutdown. On SIGTERM, PostgreSQL waits for its clients to disconnect.
        let mut server = Process::start("postgres", &mut postgres)?.stopped_by(Signal::INT);
        tokio::select! {
            ready = probe::until_ready(&options, START) => match ready {
                // If another process bound the port first, that process rejects the login.
                Ok(_) => return Ok((server, url)),
                Err(error) => reason = error,
            },
            () = server.until_ended() => reason = log.last_line(),
        }
    }
    Err(Failure::new(format_args!("the temporary cluster did not start: {reason}")))
}

/// `program`, run in `folder` as `user` (without supplementary groups) or as the current user.
fn as_user(program: PathBuf, folder: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    if let Some(User { uid, gid }) = user {
        command.uid(*uid).gid(*gid);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_version_is_searched_first_and_path_last() {
        let found: Vec<_> = candidates(vec![9, 15, 17, 16], [PathBuf::from("/opt/bin")].into_iter()).collect();
        let expected = ["17/bin", "16/bin", "15/bin", "9/bin"].map(|bin| Path::new(VERSIONS).join(bin));
        assert_eq!(found[..4], expected);
        assert_eq!(found[4], Path::new("/opt/bin"));
    }
}
