//! `PgBouncer` between a node and the server.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Stdio;

use adapter_postgres::{Options, PostgresStore};
use domain::Probe as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::cluster::{Cluster, USER};
use crate::programs::postgres_user;
use crate::{exclusive, until};
use tests::program::{find, free_port};

/// A pooler in front of a cluster. Dropping it kills the process.
struct PgBouncer {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    async fn start(cluster: &Cluster, mode: &str) -> Self {
        let (port, folder) = (free_port(), TempDir::new().unwrap());
        let file = folder.path().join("pgbouncer.ini");
        let server = cluster.host();
        let (host, server_port) = server.split_once(':').unwrap();
        let configuration = format!(
            "[databases]\npostgres = host={host} port={server_port} user={USER}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\n"
        );
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(find("pgbouncer", "pgbouncer"));
        // It does not run as root.
        if let Some((user, group)) = postgres_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let process = command.arg("-q").arg(&file).stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        until("PgBouncer listens", async || tokio::net::TcpStream::connect(&address).await.is_ok()).await;
        Self { port, _process: process, _folder: folder }
    }

    async fn open(&self) -> Result<PostgresStore, String> {
        let url = Cluster::url_of(&format!("127.0.0.1:{}", self.port));
        PostgresStore::connect(Options::new(url)).await.map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn session_mode_works_and_the_others_are_rejected_by_name() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    for mode in ["transaction", "statement"] {
        let error = PgBouncer::start(&cluster, mode).await.open().await.map(drop).unwrap_err();
        assert!(error.contains("pool_mode = session"), "{mode}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let bouncer = PgBouncer::start(&cluster, "session").await;
    let store = bouncer.open().await.unwrap();
    store.ready().await.unwrap();
    store.close().await;
}
