//! Command line: one-line errors, help and environment variables.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use tests::client::Client;
use tests::program::{self, Program};
use tests::server::{Engine, SECRET};
use tokio::process::Command;
use tokio::time::timeout;

use crate::installation::{ADMIN_PASSWORD, Installation, TIMEOUT, on_each_engine, stop};

/// A secret that is long enough, but a published example.
const KNOWN_SECRET: &str = "your-256-bit-secret-your-256-bit-secret";

/// Asserts that the program fails with exactly one line on stderr, and returns that line.
pub async fn error_line(mut command: Command) -> String {
    let description = format!("{command:?}");
    command.env("RUST_BACKTRACE", "full");
    let outcome = timeout(TIMEOUT, program::outcome(command)).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{description} does not exit"));
    assert!(matches!(outcome.status, Some(1 | 2)), "{description}: {outcome:?}");
    assert_eq!(outcome.stdout, "", "{description}");
    let line = outcome.stderr.strip_prefix("rollbook: ").and_then(|rest| rest.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("{description}: {outcome:?}"));
    assert!(!line.contains('\n') && !line.is_empty(), "{description}: {outcome:?}");
    line.to_owned()
}

pub async fn error_line_of(installation: &Installation, arguments: &[&str]) -> String {
    error_line(installation.command(arguments)).await
}

#[tokio::test]
async fn invalid_argument_is_reported_in_one_line() {
    let installation = Installation::new(Engine::Sqlite);
    for (arguments, expected) in [
        (&["nonsense"][..], "nonsense"),
        (&["--nonsense"], "--nonsense"),
        (&["serve", "--nonsense=hunter2"], "--nonsense"),
        (&["serve", "--listen", "x"], "--listen"),
        (&["serve", "--listen"], "--listen"),
        (&["serve", "--token-ttl", "0s"], "1 second"),
        (&["serve", "--token-ttl", "x"], "15m"),
        (&["serve", "--token-leeway", "61s"], "60 seconds"),
        (&["serve", "--session-idle-ttl", "1m"], "as long as its token"),
        (&["serve", "--session-ttl", "1d", "--session-idle-ttl", "2d"], "--session-ttl"),
        (&["serve", "--session-ttl", "4000d"], "3650 days"),
        (&["serve", "--revocation-bound", "99ms"], "100ms to 60s"),
        (&["serve", "--revocation-bound", "61s"], "100ms to 60s"),
        (&["serve", "--max-sessions", "0"], "1 to 10000"),
        (&["serve", "--drain-delay", "61s"], "60s"),
        (&["serve", "--issuer", ""], "issuer"),
        (&["serve", "--trusted-proxy", "x"], "--trusted-proxy"),
        (&["serve", "--max-connections", "0"], "--max-connections"),
        (&["serve", "--log", "=="], "--log"),
        (&["serve", "--log", "verbose"], "info,rollbook::access=debug"),
        (&["serve", "--log", "nonsense=5"], "info,rollbook::access=debug"),
        (&["serve", "--log", "rollbook::acess=debug"], "rollbook::access"),
        (&["serve", "--log-format", "xml"], "--log-format"),
        (&["serve", "--expose-demo-with-known-passwords"], "--demo"),
        (&["user"], "subcommand"),
        (&["user", "create"], "USERNAME"),
        (&["user", "create", "asha", "--role", "king"], "registrar"),
        (&["user", "create", "two words"], "USERNAME"),
        (&["user", "create", "asha", "--password-min-length", "7"], "from 8 to 64"),
        (&["user", "--password-min-length", "65", "create", "asha"], "from 8 to 64"),
        (&["user", "set-password", "asha", "--password-min-length", "x"], "from 8 to 64"),
        (&["user", "list", "more"], "unexpected argument"),
        (&["openapi", "--format", "xml"], "--format"),
    ] {
        let line = error_line_of(&installation, arguments).await;
        assert!(line.contains(expected) && !line.contains("hunter2"), "{arguments:?}: {line}");
    }
    assert!(!installation.data("").exists(), "a rejected start creates no file");
}

#[tokio::test]
async fn invalid_database_url_is_rejected_without_password() {
    let installation = Installation::new(Engine::Sqlite);
    for url in ["mysql://asha:hunter2@x/d", "hunter2", "sqlite:", "postgres:hunter2@x/d"] {
        for command in ["serve", "migrate"] {
            let line = error_line_of(&installation, &[command, "--database", url]).await;
            assert!(line.contains("postgres://") && !line.contains("hunter2"), "{line}");
        }
        let mut with_variable = installation.command(&["user", "list"]);
        with_variable.env("ROLLBOOK_DATABASE", url);
        let line = error_line(with_variable).await;
        assert!(line.contains("--database") && !line.contains("hunter2"), "{line}");
    }
}

/// REQ 6.
#[tokio::test]
async fn weak_secret_prevents_start_and_is_not_printed() {
    let installation = Installation::new(Engine::Sqlite);
    let file = installation.data("").with_file_name("secret");
    let path = file.to_str().unwrap();
    for weak in ["hunter2", KNOWN_SECRET, ""] {
        let mut with_variable = installation.command(&["serve", "--listen", "127.0.0.1:0"]);
        with_variable.env("ROLLBOOK_JWT_SECRET", weak);
        fs::write(&file, weak).unwrap();
        let with_file = installation.command(&["serve", "--listen", "127.0.0.1:0", "--jwt-secret-file", path]);
        for (command, place) in [(with_variable, "ROLLBOOK_JWT_SECRET"), (with_file, path)] {
            let line = error_line(command).await;
            assert!(line.contains(place), "{line}");
            assert!(weak.is_empty() || !line.contains(weak), "{line}");
        }
    }
}

#[tokio::test]
async fn missing_or_duplicate_secret_prevents_start() {
    let installation = Installation::new(Engine::Sqlite);
    let serve = ["--listen", "127.0.0.1:0"];
    let missing = error_line_of(&installation, &[&serve[..], &["--jwt-secret-file", "no-such-file"]].concat()).await;
    assert!(missing.contains("no-such-file"), "{missing}");
    let mut both = installation.command(&serve);
    both.env("ROLLBOOK_JWT_SECRET", SECRET).env("ROLLBOOK_JWT_SECRET_FILE", "no-such-file");
    let both = error_line(both).await;
    assert!(both.contains("ROLLBOOK_JWT_SECRET and --jwt-secret-file") && !both.contains(SECRET), "{both}");
    // The secret is checked before the connection to this closed port.
    let postgres = ["--database", "postgres://asha:hunter2@127.0.0.1:1/d"];
    let none = error_line_of(&installation, &[serve, postgres].concat()).await;
    assert!(none.contains("--jwt-secret-file") && !none.contains("hunter2"), "{none}");
}

/// A port without a listener, bound while the socket is held.
fn closed_port() -> (tokio::net::TcpSocket, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn only_serve_and_migrate_create_a_store(engine: Engine) {
    let installation = Installation::new(engine);
    for command in [&["user", "list"][..], &["user", "create", "asha", "--password-stdin"], &["audit", "list"]] {
        let missing = installation.run(command, Some(ADMIN_PASSWORD)).await;
        let is_one_line = missing.stderr.lines().count() == 1;
        assert!(missing.status == Some(1) && is_one_line && missing.stderr.contains("does not exist"), "{missing:?}");
        assert!(missing.stderr.contains("rollbook migrate") && missing.stderr.contains("--data-dir"), "{missing:?}");
        assert!(!installation.data("").exists(), "{command:?}");
    }
    installation.migrate().await;
    assert_eq!(installation.run(&["user", "list"], None).await.status, Some(0));
}

on_each_engine! {
    only_serve_and_migrate_create_a_store
}

#[tokio::test]
async fn unavailable_store_is_reported_in_one_line() {
    let installation = Installation::new(Engine::Sqlite);
    let (_socket, address) = closed_port();
    let url = format!("postgres://asha:hunter2@{address}/roll");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["user", "list"]] {
        let mut unavailable = installation.command(&[command, &["--database", &url]].concat());
        if command[0] == "serve" {
            unavailable.env("ROLLBOOK_JWT_SECRET", SECRET).env("ROLLBOOK_DATABASE_WAIT", "0s");
        }
        let line = error_line(unavailable).await;
        assert!(line.contains(&address.to_string()) && !line.contains("hunter2"), "{line}");
        let line = error_line_of(&installation, &[command, &["--database", "sqlite:no/such/dir.db"]].concat()).await;
        assert!(line.contains("no/such/dir.db"), "{line}");
        let line = error_line_of(&installation, &[command, &["--data-dir", "/dev/null/data"]].concat()).await;
        assert!(line.contains("/dev/null/data") && line.contains("--data-dir"), "{line}");
    }
}

#[tokio::test]
async fn address_in_use_is_reported() {
    let installation = Installation::new(Engine::Sqlite);
    let first = installation.serve().await;
    for demo in [&[][..], &["--demo"]] {
        let line = error_line_of(&installation, &[&["serve", "--listen", first.address()], demo].concat()).await;
        assert!(line.contains(first.address()) && line.contains("--listen"), "{line}");
    }
    stop(first).await;
}

#[tokio::test]
async fn demo_requires_flag_for_non_loopback_address() {
    let installation = Installation::new(Engine::Sqlite);
    let line = error_line_of(&installation, &["--demo", "--listen", "0.0.0.0:0"]).await;
    assert!(line.contains("--expose-demo-with-known-passwords"), "{line}");
    let line = error_line_of(&installation, &["--demo", "--listen", "127.0.0.1:0", "--database", "sqlite:x"]).await;
    assert!(line.contains("--database"), "{line}");

    let permitted = ["--demo", "--listen", "0.0.0.0:0", "--expose-demo-with-known-passwords"];
    let exposed = Program::start(installation.command(&permitted)).await;
    let port = exposed.address().strip_prefix("0.0.0.0:").unwrap();
    let client = Client::new(reqwest::Client::new(), format!("http://127.0.0.1:{port}"), None);
    client.get("/health/live").await.expect(200);
    stop(exposed).await;
}

#[tokio::test]
async fn prompt_without_terminal_suggests_password_stdin() {
    let installation = Installation::new(Engine::Sqlite);
    for command in ["create", "set-password"] {
        let line = error_line_of(&installation, &["user", command, "asha"]).await;
        assert!(line.contains("--password-stdin"), "{line}");
    }
}

#[tokio::test]
async fn flags_can_be_set_by_environment_variables() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = installation.command(&[]);
    command.envs([
        ("ROLLBOOK_LISTEN", "127.0.0.1:0"),
        ("ROLLBOOK_DATA_DIR", "elsewhere"),
        ("ROLLBOOK_TOKEN_TTL", "90s"),
        ("ROLLBOOK_TRUSTED_PROXY", " 192.0.2.0/24 , 127.0.0.1 "),
    ]);
    let server = Program::start(command).await;
    let password = installation.data("").with_file_name("elsewhere").join("initial-admin-password");
    let password = fs::read_to_string(password).unwrap();
    let credentials = serde_json::json!({"Username": "admin", "Password": password.trim_end()});
    let grant = server.client(None).send("POST", "/login", &credentials).await.expect(200);
    assert_eq!(grant["expires_in"], 90);

    // The second network in the list is trusted.
    let client = server.client(grant["token"].as_str().map(str::to_owned));
    let change = serde_json::json!({"current_password": password.trim_end(), "new_password": ADMIN_PASSWORD});
    assert_eq!(client.send("PUT", "/me/password", &change).await.status, 204);
    let student = serde_json::json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    let created = client.request("POST", "/students").header("x-forwarded-prefix", "/roll").json(&student);
    let created = tests::client::Response::fetch(created).await;
    assert!(created.header("location").starts_with("/roll/students/"), "{created:?}");
    stop(server).await;
}

#[tokio::test]
async fn boolean_variables_accept_true_false_and_1() {
    let installation = Installation::new(Engine::Sqlite);
    for enabled in ["true", "1"] {
        let mut command = installation.command(&["--listen", "127.0.0.1:0"]);
        command.env("ROLLBOOK_DEMO", enabled).env("ROLLBOOK_EXPOSE_DEMO_WITH_KNOWN_PASSWORDS", "false");
        let server = Program::start(command).await;
        server.log_in("shantanu", "password").await;
        stop(server).await;
    }
    let mut command = installation.command(&["--listen", "127.0.0.1:0"]);
    command.env("ROLLBOOK_DEMO", "perhaps");
    assert!(error_line(command).await.contains("--demo"));
    assert!(!installation.data("").exists());
}

#[tokio::test]
async fn help_lists_environment_variable_of_each_flag() {
    let installation = Installation::new(Engine::Sqlite);
    for command in [&["serve"][..], &["user"], &["user", "list"], &["user", "disable"], &["migrate"]] {
        let help = installation.run(&[command, &["--help"]].concat(), None).await;
        assert_eq!(help.status, Some(0));
        let options = help.stdout.split("Options:").nth(1).unwrap();
        for option in options.split("\n      --").skip(1) {
            let name = option.split_whitespace().next().unwrap();
            let variable = format!("[env: ROLLBOOK_{}", name.to_ascii_uppercase().replace('-', "_"));
            let text = option.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&variable), "{command:?} --{name}: {text}");
        }
        assert!(options.contains("--data-dir"), "{options}");
    }
}
