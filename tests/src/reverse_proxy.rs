//! Reverse proxies in front of a server, configured as in README.md.

#![expect(clippy::expect_used, reason = "a test panics if it cannot start a proxy")]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::program::{Program, find, free_port, workspace};

/// Time for a proxy to start.
const START: Duration = Duration::from_secs(30);

/// Program of a reverse proxy.
#[derive(Debug, Clone, Copy)]
pub enum ReverseProxyKind {
    Nginx,
    Caddy,
    Haproxy,
}

/// A proxy that publishes a server with TLS under `/roll`. Dropping it kills the process.
pub struct ReverseProxy {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

impl ReverseProxy {
    /// Starts a proxy, and waits until it accepts connections.
    pub async fn start(kind: ReverseProxyKind, upstream: &str) -> Self {
        let (port, folder) = (free_port(), TempDir::new().expect("a folder"));
        create_certificate(folder.path());
        let mut command = kind.command(folder.path(), port, upstream);
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("a proxy");
        let accepts = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(START, accepts).await.expect("the proxy accepts connections");
        Self { port, _process: process, _folder: folder }
    }

    /// Sends a request as it is, and returns everything that the proxy sends until it closes the connection.
    pub async fn send(&self, request: &str) -> String {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", self.port)]);
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut client = openssl.spawn().expect("openssl");
        let mut input = client.stdin.take().expect("its standard input");
        input.write_all(request.as_bytes()).await.expect("an open connection");
        let output = timeout(START, client.wait_with_output()).await.expect("a response").expect("its output");
        drop(input);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Uses the service as a client of the proxy, see `tests/reverse_proxy/client.py`, with further arguments.
    ///
    /// # Errors
    /// The client's message.
    pub async fn run_client(&self, (username, password): (&str, &str), arguments: &[&str]) -> Result<Value, String> {
        let base = format!("https://127.0.0.1:{}/roll", self.port);
        let mut python = Command::new("python3");
        python.arg(workspace().join("tests/reverse_proxy/client.py")).args([&base, username, password]).args(arguments);
        let output = python.kill_on_drop(true).output().await.expect("python3");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        } else {
            Err(text(&output.stderr) + &text(&output.stdout))
        }
    }
}

impl ReverseProxyKind {
    /// A server that trusts these proxies, with known users.
    pub async fn server() -> Program {
        Program::demo_with(&["--trusted-proxy", "127.0.0.1/32"]).await
    }

    fn command(self, folder: &Path, port: u16, upstream: &str) -> Command {
        let path = |name: &str| folder.join(name).display().to_string();
        let local = |sample: String| {
            let sample = sample.replace("/etc/ssl/certs/school.pem", &path("cert.pem"));
            sample.replace("/etc/ssl/private/school.key", &path("key.pem")).replace("127.0.0.1:8000", upstream)
        };
        match self {
            Self::Nginx => {
                let site = local(sample("nginx")).replace("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"));
                // The temporary folders are those of the package, which only root can write.
                let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {};\n", path(name)))
                    .concat();
                let main = format!(
                    "daemon off;\nmaster_process off;\npid {};\nerror_log stderr error;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n",
                    path("pid")
                );
                fs::write(path("nginx.conf"), main).expect("a configuration");
                let mut command = Command::new(find("nginx", "nginx-light"));
                command.args(["-c", &path("nginx.conf")]);
                command
            }
            Self::Caddy => {
                let options = "{\n    admin off\n    auto_https disable_redirects\n}\n";
                let site = local(sample("caddy")).replace("school.example.org", &format!("https://127.0.0.1:{port}"));
                fs::write(path("Caddyfile"), format!("{options}{site}")).expect("a configuration");
                let mut command = Command::new(find("caddy", "caddy"));
                command.args(["run", "--adapter", "caddyfile", "--config", &path("Caddyfile")]);
                command.env("HOME", folder).stderr(Stdio::null());
                command
            }
            Self::Haproxy => {
                let bundle = ["cert.pem", "key.pem"].map(|name| fs::read(path(name)).expect("a certificate")).concat();
                fs::write(path("bundle.pem"), bundle).expect("a certificate");
                let configuration = format!(
                    "defaults\n mode http\n timeout connect 1s\n timeout client 90s\n timeout server 40s\n \
                     timeout http-keep-alive 90s\nlisten rollbook\n bind 127.0.0.1:{port} ssl crt {}\n \
                     http-request set-header X-Forwarded-For %[src]\n http-request set-header X-Forwarded-Prefix /roll\n \
                     http-request replace-path /roll/(.*) /\\1\n http-reuse safe\n server rollbook {upstream}\n",
                    path("bundle.pem")
                );
                fs::write(path("haproxy.cfg"), configuration).expect("a configuration");
                let mut command = Command::new(find("haproxy", "haproxy"));
                command.args(["-db", "-f", &path("haproxy.cfg")]);
                command
            }
        }
    }
}

/// A block of README.md in this language.
fn sample(language: &str) -> String {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let (_, rest) = readme.split_once(&format!("```{language}\n")).expect("a sample");
    rest.split("```").next().unwrap_or_default().to_owned()
}

/// Writes a self-signed certificate `cert.pem` and its key `key.pem`.
fn create_certificate(folder: &Path) {
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(folder).stderr(Stdio::null());
    assert!(openssl.status().expect("openssl").success(), "openssl cannot create a certificate");
}
