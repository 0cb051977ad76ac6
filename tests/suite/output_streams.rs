//! Standard output and standard error of the command line, also closed or full.

use std::fs;
use std::process::Stdio;

use tests::program::{Program, workspace};
use tests::server::Engine;

use crate::installation::{Installation, stop};

#[tokio::test]
async fn openapi_prints_yaml_and_json() {
    let installation = Installation::new(Engine::Sqlite);
    let yaml = installation.run(&["openapi"], None).await;
    assert_eq!((yaml.status, &*yaml.stderr), (Some(0), ""));
    let checked_in = fs::read_to_string(workspace().join("openapi.yaml")).unwrap();
    assert!(yaml.stdout == checked_in, "it differs from openapi.yaml");
    let json = installation.run(&["openapi", "--format", "json"], None).await;
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let yaml: serde_json::Value = yaml_serde::from_str(&yaml.stdout).unwrap();
    assert_eq!(json, yaml);
}

/// A pipe with a closed reader.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn closed_stdout_is_not_an_error() {
    let installation = Installation::new(Engine::Sqlite);
    for arguments in [&["openapi"][..], &["openapi", "--format", "json"], &["migrate"], &["--help"]] {
        let mut command = installation.command(arguments);
        command.stdout(closed_pipe());
        let output = command.spawn().unwrap().wait_with_output().await.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn write_error_on_stdout_is_reported_in_one_line() {
    let installation = Installation::new(Engine::Sqlite);
    for arguments in [&["openapi"][..], &["openapi", "--format", "json"], &["migrate"]] {
        let mut command = installation.command(arguments);
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let output = command.spawn().unwrap().wait_with_output().await.unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
    }
}

#[tokio::test]
async fn server_continues_with_closed_stderr() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = installation.serve_command(&["--demo", "--log", "debug"]);
    command.stderr(closed_pipe());
    let server = Program::start(command).await;
    server.log_in("shantanu", "password").await.get("/students").await.expect(200);
    stop(server).await;
}

#[tokio::test]
async fn log_without_terminal_has_no_colors() {
    let installation = Installation::new(Engine::Sqlite);
    stop(installation.serve().await).await;
    let log = installation.log();
    assert!(log.contains("stopping") && !log.contains('\u{1b}'), "{log:?}");
}
