//! The demo: known passwords, 25 students, and nothing left behind.

use std::fs;
use std::process::Stdio;

use domain::access::Role;
use tempfile::TempDir;
use tests::database::PostgresDatabase;
use tests::program::{self, Program};
use tests::server::Engine;
use tokio::process::Command;

use crate::installation::{Installation, stop};

/// The articles' login, word for word; curl says that it is a form.
async fn log_in_with_curl(server: &Program) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail-with-body", "--noproxy", "*", &server.url("/login")]);
    curl.args(["-d", r#"{"Username": "shantanu", "Password": "password"}"#]);
    let output = curl.stdin(Stdio::null()).output().await.expect("a run of curl");
    assert!(output.status.success(), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

async fn shows_its_students(server: &Program) {
    let client = server.client(Some(log_in_with_curl(server).await));
    assert_eq!(client.get("/me").await.expect(200)["role"], Role::Registrar.as_str());
    assert_eq!(client.get("/students").await.expect(200)["students"].as_array().unwrap().len(), 25);
    assert_eq!(client.get("/student").await.expect(200)["Students"].as_array().unwrap().len(), 25);
    let admin = server.log_in("admin", "password").await;
    assert_eq!(admin.get("/me").await.expect(200)["role"], Role::Admin.as_str());
}

#[tokio::test]
async fn a_demo_leaves_no_file_behind() {
    let installation = Installation::new(Engine::Sqlite);
    let temporary = TempDir::new().unwrap();
    let mut command = installation.serving(&["--demo"]);
    command.env("TMPDIR", temporary.path());
    let server = Program::start(command).await;
    shows_its_students(&server).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    stop(server).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert!(!installation.data("").exists());
}

#[tokio::test]
async fn a_demo_on_postgres_leaves_no_schema_behind() {
    let database = PostgresDatabase::create();
    let home = TempDir::new().unwrap();
    let url = database.url();
    let schemas = async || -> Vec<String> {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        let tables = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1";
        let schemas = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
        pool.close().await;
        schemas
    };
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--database", &url];
    let before = schemas().await;
    let server = Program::start(program::command(home.path(), &serve)).await;
    shows_its_students(&server).await;
    assert_eq!(schemas().await.len(), before.len() + 1);
    stop(server).await;
    assert_eq!(schemas().await, before);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
