//! The log of the server: JSON lines, and warnings about exposed files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tests::program::{self, Program};
use tests::server::{Engine, SECRET};
use tokio::process::Command;

use crate::installation::{Installation, stop};

/// Parses each line of a log.
fn lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let lines: Vec<Value> = lines.collect();
    for line in &lines {
        for member in ["timestamp", "level", "target"] {
            assert!(line[member].is_string(), "{line}");
        }
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    lines
}

#[tokio::test]
async fn every_line_of_json_log_is_json_with_numbers() {
    let installation = Installation::new(Engine::Sqlite);
    let arguments = ["--log-format", "json", "--log", "trace"];
    let server = Program::start(installation.serve_command(&arguments)).await;
    installation.admin(&server).await.get("/students").await.expect(200);
    server.client(None).get("/students").await;
    stop(server).await;
    let log = lines(&installation.log());
    let first = log.iter().find(|line| line["fields"]["message"].as_str().unwrap().contains("first administrator"));
    assert!(first.is_some_and(|line| line["level"] == "INFO"), "{first:?}");
    let access: Vec<_> = log.iter().filter(|line| line["target"] == "rollbook::access").collect();
    assert!(access.len() >= 4, "{access:?}");
    for line in access {
        assert!(line["fields"]["status"].is_number() && line["fields"]["microseconds"].is_number(), "{line}");
    }
    for line in &log {
        let fields = line["fields"].as_object().unwrap();
        // A request id can look like a number with an exponent.
        let values = fields.iter().filter(|(name, _)| *name != "request_id");
        let number =
            values.into_iter().find(|(_, value)| value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()));
        assert_eq!(number, None, "{line}");
    }
}

#[tokio::test]
async fn failed_start_is_one_line_of_json() {
    let installation = Installation::new(Engine::Sqlite);
    let file = installation.data("").with_file_name("rollbook.toml");
    fs::write(&file, "log-format = \"json\"\nissuer = \"\"\n").unwrap();
    let json = ["serve", "--log-format", "json"];
    let mut by_variable = installation.command(&["--nonsense"]);
    by_variable.env("ROLLBOOK_LOG_FORMAT", "json");
    let mut by_file = installation.command(&[]);
    by_file.env("ROLLBOOK_CONFIG", &file);
    let with = |more: &[&str]| installation.command(&[&json[..], more].concat());
    for command in [
        with(&["--listen", "no-such-host.invalid:0"]),
        with(&["--data-dir", "/dev/null/data"]),
        with(&["--jwt-secret-file", "no-such-file"]),
        with(&["--token-ttl", "soon"]),
        with(&["--config", "no-such-file"]),
        by_variable,
        by_file,
    ] {
        let description = format!("{command:?}");
        let failed = program::outcome(command).await;
        assert!(matches!(failed.status, Some(1 | 2)) && failed.stdout.is_empty(), "{description}: {failed:?}");
        let log = lines(&failed.stderr);
        assert_eq!((log.len(), &log[0]["level"]), (1, &"ERROR".into()), "{description}: {failed:?}");
        assert!(log[0]["fields"]["message"].as_str().unwrap().starts_with("rollbook: "), "{description}: {failed:?}");
    }
    // The format applies to the log of the server, not to other commands.
    let mut list = installation.command(&["user", "list"]);
    list.env("ROLLBOOK_LOG_FORMAT", "json");
    assert!(program::outcome(list).await.stderr.starts_with("rollbook: "));
}

async fn warnings(installation: &Installation, command: Command) -> String {
    let before = fs::read_to_string(installation.data("").with_file_name("log")).unwrap_or_default().len();
    stop(Program::start(command).await).await;
    installation.log()[before..].to_owned()
}

#[tokio::test]
async fn exposed_file_is_reported_once_at_start() {
    let installation = Installation::new(Engine::Sqlite);
    let log = warnings(&installation, installation.serve_command(&[])).await;
    assert!(!log.contains("other users"), "{log}");

    let expose = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for name in ["jwt-secret", "rollbook.sqlite3"] {
        let path = installation.data(name);
        expose(&path, 0o644);
        let log = warnings(&installation, installation.serve_command(&[])).await;
        let expected = format!("{} (mode 0644); correct it with: chmod 600", path.display());
        assert_eq!((log.matches(&expected).count(), log.matches("other users").count()), (1, 1), "{log}");
        expose(&path, 0o600);
    }
    expose(&installation.data(""), 0o777);
    let log = warnings(&installation, installation.serve_command(&[])).await;
    assert!(log.contains("other users can replace the signing keys") && log.contains("0777"), "{log}");
    expose(&installation.data(""), 0o700);

    let secret = installation.data("").with_file_name("secret");
    fs::write(&secret, SECRET).unwrap();
    expose(&secret, 0o620);
    let file = installation.data("").with_file_name("rollbook.toml");
    fs::write(&file, "issuer = \"rollbook\"\n").unwrap();
    for (mode, count) in [(0o644, 1), (0o664, 2)] {
        expose(&file, mode);
        let mut command = installation.serve_command(&["--config", file.to_str().unwrap()]);
        command.env("ROLLBOOK_JWT_SECRET_FILE", &secret);
        let log = warnings(&installation, command).await;
        assert_eq!((log.matches("mode 0620").count(), log.matches("other users").count()), (1, count), "{log}");
    }
}
