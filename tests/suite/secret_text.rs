//! Secrets and passwords as text: byte order marks, line ends, and empty ones.

use std::fs;

use tests::program::Program;
use tests::server::{Engine, SECRET};

use crate::cli::error_line_of;
use crate::installation::{ADMIN_PASSWORD, Installation, stop};

#[tokio::test]
async fn secret_is_read_alike_from_file_and_variable() {
    let installation = Installation::new(Engine::Sqlite);
    let file = installation.data("").with_file_name("secret");
    fs::write(&file, SECRET).unwrap();
    let with_file = || {
        let mut command = installation.serve_command(&[]);
        command.env("ROLLBOOK_JWT_SECRET_FILE", &file);
        command
    };
    let first = Program::start(with_file()).await;
    let token = installation.admin(&first).await.token().map(str::to_owned);
    stop(first).await;
    // Earlier releases ignored all white space at the end of a file.
    for text in ["{}", "{}\n", "{}\r\n", "\u{feff}{}", "\u{feff}{}\r\n", "{} \n\n"] {
        let text = text.replace("{}", SECRET);
        fs::write(&file, &text).unwrap();
        let mut with_variable = installation.serve_command(&[]);
        with_variable.env("ROLLBOOK_JWT_SECRET", &text);
        for command in [with_file(), with_variable] {
            let server = Program::start(command).await;
            assert_eq!(server.client(token.clone()).get("/me").await.status, 200, "{text:?}");
            stop(server).await;
        }
    }
}

#[tokio::test]
async fn password_on_standard_input_ends_at_the_line_end() {
    let installation = Installation::new(Engine::Sqlite);
    let server = installation.serve().await;
    installation.admin(&server).await;
    let create = async |name: &str, line: &str| {
        installation.run(&["user", "create", name, "--password-stdin"], Some(line)).await
    };
    for (name, line) in [("one", "{}"), ("two", "{}\r"), ("three", "\u{feff}{}"), ("four", "\u{feff}{}\r\nmore")] {
        let created = create(name, &line.replace("{}", ADMIN_PASSWORD)).await;
        assert_eq!(created.status, Some(0), "{created:?}");
        server.log_in(name, ADMIN_PASSWORD).await;
    }
    for line in ["", "\r", "\u{feff}"] {
        let rejected = create("five", line).await;
        assert!(rejected.status == Some(1) && rejected.stderr.contains("standard input is empty"), "{rejected:?}");
    }
    stop(server).await;
}

#[tokio::test]
async fn secret_above_one_mebibyte_is_rejected_with_the_limit() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    let file = installation.data("").with_file_name("secret");
    fs::write(&file, format!("{SECRET}{}", "x".repeat(1 << 20))).unwrap();
    let path = file.to_str().unwrap();
    for command in [
        &["serve", "--jwt-secret-file", path][..],
        &["serve", "--keys", path],
        &["keys", "list", "--keys", path],
        &["token", "verify", "--jwks", path],
    ] {
        let line = error_line_of(&installation, command).await;
        assert!(line.contains("limit of 1 MiB") && line.contains(path), "{line}");
    }
    let long = "x".repeat((1 << 20) + 1);
    let rejected = installation.run(&["user", "create", "asha", "--password-stdin"], Some(&long)).await;
    assert!(rejected.status == Some(1) && rejected.stderr.contains("limit of 1 MiB"), "{}", rejected.stderr);
}
