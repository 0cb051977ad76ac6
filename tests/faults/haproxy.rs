//! haproxy in front of the nodes.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tests::client::Client;
use tokio::process::{Child, Command};

use crate::nodes::Nodes;
use crate::until;
use tests::program::{find, free_port};

/// A load balancer. Dropping it kills the process.
pub struct Haproxy {
    port: u16,
    statistics: String,
    _process: Child,
    _folder: TempDir,
}

impl Haproxy {
    /// Starts haproxy with health checks every 500 ms. A node that fails `fall` of them receives no requests until one
    /// succeeds. A request is sent once, to one node. The limit for a response is above that of Rollbook (30 s).
    pub async fn start(nodes: &Nodes, fall: u32) -> Self {
        let (port, statistics, folder) = (free_port(), free_port(), TempDir::new().unwrap());
        let servers =
            nodes.addresses().enumerate().map(|(number, address)| format!("server node{number} {address} check"));
        let configuration = format!(
            "defaults\n mode http\n retries 0\n no option redispatch\n timeout connect 1s\n timeout client 60s\n \
             timeout server 40s\n\
             listen nodes\n bind 127.0.0.1:{port}\n option httpchk GET /health/ready\n http-check expect status 200\n \
             default-server inter 500ms fall {fall} rise 1\n {}\n\
             listen statistics\n bind 127.0.0.1:{statistics}\n stats enable\n stats uri /\n",
            servers.collect::<Vec<_>>().join("\n "),
        );
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(find("haproxy", "haproxy"));
        command.arg("-db").arg("-f").arg(&file).stdin(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().unwrap();
        let statistics = format!("http://127.0.0.1:{statistics}/;csv");
        let haproxy = Self { port, statistics, _process: process, _folder: folder };
        haproxy.until_all_up(nodes.addresses().count()).await;
        haproxy
    }

    /// A client with this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(reqwest::Client::new(), format!("http://127.0.0.1:{}", self.port), Some(token.to_owned()))
    }

    /// Waits until this number of nodes have passed their health checks.
    pub async fn until_all_up(&self, nodes: usize) {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        until("all nodes pass the health checks", async || {
            let Ok(response) = http.get(&self.statistics).send().await else { return false };
            let statistics = response.text().await.unwrap_or_default();
            // Columns of the state of a server, and of its last health check.
            let is_up =
                |line: &&str| line.starts_with("nodes,node") && line.contains(",UP,") && line.contains(",L7OK,");
            statistics.lines().filter(is_up).count() == nodes
        })
        .await;
    }
}
