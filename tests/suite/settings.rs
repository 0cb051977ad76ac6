//! Settings from options, variables and the configuration file.

use std::fs;
use std::path::PathBuf;

use tests::program::{Outcome, Program};
use tests::server::Engine;
use tokio::process::Command;

use crate::cli::{error_line, error_line_of};
use crate::installation::{Installation, stop};

/// Variables that select a store or a file with secrets.
const NEVER_EMPTY: [&str; 6] = [
    "ROLLBOOK_CONFIG",
    "ROLLBOOK_DATABASE",
    "ROLLBOOK_DATA_DIR",
    "ROLLBOOK_JWT_SECRET",
    "ROLLBOOK_JWT_SECRET_FILE",
    "ROLLBOOK_KEYS",
];

pub async fn outcome(command: Command) -> Outcome {
    let outcome = tests::program::outcome(command).await;
    assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""), "{outcome:?}");
    outcome
}

/// Writes a configuration file, and returns its path.
pub fn file(installation: &Installation, text: &str) -> PathBuf {
    let path = installation.data("").with_file_name("rollbook.toml");
    fs::write(&path, text).unwrap();
    path
}

/// A command without the settings of the harness, which would take precedence over the file.
pub fn with_file(installation: &Installation, arguments: &[&str], text: &str) -> Command {
    let mut command = installation.command(arguments);
    command.env("ROLLBOOK_CONFIG", file(installation, text));
    for variable in ["ROLLBOOK_LISTEN", "ROLLBOOK_DRAIN_DELAY", "ROLLBOOK_REQUEST_QUOTA"] {
        command.env_remove(variable);
    }
    command
}

#[tokio::test]
async fn empty_variable_is_unset_unless_it_selects_a_store_or_secret() {
    let installation = Installation::new(Engine::Sqlite);
    let baseline = with_file(&installation, &["config"], "");
    let baseline = outcome(baseline).await.stdout;
    let help = outcome(installation.command(&["serve", "--help"])).await.stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let variables: Vec<_> = help.split("[env: ").skip(1).filter_map(|rest| rest.split(']').next()).collect();
    assert!(variables.len() >= 25, "{variables:?}");
    for variable in variables.into_iter().chain(["ROLLBOOK_JWT_SECRET"]) {
        let mut command = with_file(&installation, &["config"], "");
        command.env(variable, "");
        if NEVER_EMPTY.contains(&variable) {
            let line = error_line(command).await;
            assert!(line.contains(variable) && line.contains("empty"), "{variable}: {line}");
        } else {
            assert_eq!(outcome(command).await.stdout, baseline, "{variable}");
        }
    }
}

#[tokio::test]
async fn empty_variables_apply_to_every_command() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let mut list = installation.command(&["user", "list"]);
    list.env("ROLLBOOK_PASSWORD_MIN_LENGTH", "");
    outcome(list).await;
    for command in [&["user", "list"][..], &["audit", "list"], &["migrate"], &["backup", "x"], &["keys", "list"]] {
        for variable in ["ROLLBOOK_DATABASE", "ROLLBOOK_DATA_DIR"] {
            let mut command = installation.command(command);
            command.env(variable, "");
            assert!(error_line(command).await.contains(variable));
        }
    }
    // The option takes precedence.
    let data_dir = installation.data("");
    let mut list = installation.command(&["user", "list", "--data-dir", data_dir.to_str().unwrap()]);
    list.env("ROLLBOOK_DATA_DIR", "");
    outcome(list).await;
}

#[tokio::test]
async fn settings_of_the_file_apply_to_the_server() {
    let installation = Installation::new(Engine::Sqlite);
    let text = "listen = \"localhost:0\"\ndrain-delay = \"0s\"\ndemo = true\ntoken-ttl = \"90s\"\nlog-format = \"json\"\n\
                trusted-proxy = [\"192.0.2.0/24\", \"127.0.0.1\"]\nsession-ttl = \"8h\"\n";
    let server = Program::start(with_file(&installation, &[], text)).await;
    let credentials = serde_json::json!({"Username": "shantanu", "Password": "password"});
    let grant = server.client(None).send("POST", "/login", &credentials).await.expect(200);
    assert_eq!((&grant["expires_in"], &grant["refresh_expires_in"]), (&90.into(), &28_800.into()));
    stop(server).await;
}

#[tokio::test]
async fn file_serves_every_command() {
    let installation = Installation::new(Engine::Sqlite);
    // `max-sessions` and `keys` are settings of other commands.
    let text = "data-dir = \"elsewhere\"\nmax-sessions = 7\nkeys = \"ring.json\"\n";
    let elsewhere = installation.data("").with_file_name("elsewhere");
    for command in [&["migrate"][..], &["user", "list"], &["audit", "list"]] {
        outcome(with_file(&installation, command, text)).await;
    }
    assert!(elsewhere.join("rollbook.sqlite3").exists() && !installation.data("").exists());
    outcome(with_file(&installation, &["keys", "generate"], text)).await;
    assert!(elsewhere.with_file_name("ring.json").exists());
    let config = file(&installation, text);
    let mut list = installation.command(&["keys", "--config", config.to_str().unwrap(), "list"]);
    list.env("ROLLBOOK_CONFIG", "no/such/file");
    outcome(list).await;
}

#[tokio::test]
async fn invalid_file_is_reported_with_line_and_setting() {
    let installation = Installation::new(Engine::Sqlite);
    for (text, line, expected) in [
        ("\nlistn = \"x\"", 2, "unknown setting listn; the nearest one is listen"),
        ("token_ttl = \"1h\"", 1, "token-ttl"),
        ("jwt-secret = \"x\"", 1, "jwt-secret-file"),
        ("config = \"x\"", 1, "unknown setting config"),
        ("[serve]\nlisten = \"x\"", 1, "unknown setting serve"),
        ("demo = \"yes\"", 1, "demo must be true or false"),
        ("issuer = true", 1, "issuer must be a string or a number"),
        ("issuer = [\"a\"]", 1, "issuer must be a string or a number"),
        ("issuer = 1979-05-27", 1, "issuer must be a string or a number"),
        ("trusted-proxy = [[]]", 1, "trusted-proxy must be a list of strings"),
        ("listen = 127.0.0.1:8000", 1, "is not valid TOML"),
        ("listen = \"a\"\nlisten = \"b\"", 2, "is not valid TOML"),
        ("\n\nmax-sessions = 0", 3, "1 to 10000"),
        ("log = \"loud\"", 1, "--log"),
        ("listen = \"x\"", 1, "localhost:8000"),
        ("trusted-proxy = [\"10.0.0.0/8\", \"x\"]", 1, "10.0.0.7"),
        ("demo = true\ncontract = true", 0, "cannot be used with"),
        ("expose-demo-with-known-passwords = true", 0, "--demo"),
        ("demo = true\nlisten = \"0.0.0.0:0\"", 0, "--expose-demo-with-known-passwords"),
        ("session-ttl = \"1s\"", 0, "--session-ttl"),
    ] {
        for command in ["serve", "config"] {
            let found = error_line(with_file(&installation, &[command], text)).await;
            let place = format!("rollbook.toml, line {line}: ");
            assert!((line == 0 || found.contains(&place)) && found.contains(expected), "{text:?}: {found}");
        }
    }
    for arguments in [&["serve", "--config", "no/such/file"][..], &["config", "--config=no/such/file"]] {
        let line = error_line_of(&installation, arguments).await;
        assert!(line.contains("no/such/file") && line.contains("ROLLBOOK_CONFIG"), "{line}");
    }
    assert!(!installation.data("").exists(), "a rejected start creates no file");
    let mut help = installation.command(&["serve", "--help"]);
    help.env("ROLLBOOK_CONFIG", "no/such/file");
    outcome(help).await;
}

#[tokio::test]
async fn invalid_variable_is_reported_with_its_name() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = with_file(&installation, &["serve"], "token-ttl = \"1h\"");
    command.env("ROLLBOOK_TOKEN_TTL", "soon");
    let line = error_line(command).await;
    assert!(line.starts_with("variable ROLLBOOK_TOKEN_TTL: invalid value 'soon' for '--token-ttl <TIME>'"), "{line}");
}

#[tokio::test]
async fn host_name_in_listen_is_resolved() {
    let installation = Installation::new(Engine::Sqlite);
    let server = Program::start(installation.command(&["--demo", "--listen", "localhost:0"])).await;
    assert!(server.address().starts_with("127.0.0.1:"), "{}", server.address());
    server.log_in("shantanu", "password").await;
    let again = format!("localhost:{}", server.address().rsplit(':').next().unwrap());
    let line = error_line_of(&installation, &["--demo", "--listen", &again]).await;
    assert!(line.contains("already in use"), "{line}");
    stop(server).await;
    let line = error_line_of(&installation, &["--listen", "no-such-host.invalid:0"]).await;
    assert!(line.contains("no-such-host.invalid") && line.contains("--listen"), "{line}");
}
