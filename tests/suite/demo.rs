//! Demo mode: known passwords, 25 students, and cleanup on stop.

use std::fs;

use domain::access::Role;
use tempfile::TempDir;
use tests::client::Response;
use tests::database::PostgresDatabase;
use tests::program::{self, Program};
use tests::server::Engine;

use crate::installation::{Installation, stop};

/// Logs in with the command of the articles, which sends JSON with the media type of a form.
async fn log_in_with_form_media_type(server: &Program) -> String {
    let login = server.client(None).request("POST", "/login");
    let login = login.header("content-type", "application/x-www-form-urlencoded");
    let body = r#"{"Username": "shantanu", "Password": "password"}"#;
    Response::fetch(login.body(body)).await.expect(200)["token"].as_str().unwrap().to_owned()
}

async fn assert_demo_data(server: &Program) {
    let client = server.client(Some(log_in_with_form_media_type(server).await));
    assert_eq!(client.get("/me").await.expect(200)["role"], Role::Registrar.as_str());
    assert_eq!(client.get("/students").await.expect(200)["students"].as_array().unwrap().len(), 25);
    assert_eq!(client.get("/student").await.expect(200)["Students"].as_array().unwrap().len(), 25);
    let admin = server.log_in("admin", "password").await;
    assert_eq!(admin.get("/me").await.expect(200)["role"], Role::Admin.as_str());
}

#[tokio::test]
async fn demo_deletes_its_files_on_stop() {
    let installation = Installation::new(Engine::Sqlite);
    let temporary = TempDir::new().unwrap();
    let mut command = installation.serve_command(&["--demo"]);
    command.env("TMPDIR", temporary.path());
    let server = Program::start(command).await;
    assert_demo_data(&server).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    stop(server).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert!(!installation.data("").exists());
}

#[tokio::test]
async fn demo_on_postgres_drops_its_schema_on_stop() {
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
    assert_demo_data(&server).await;
    assert_eq!(schemas().await.len(), before.len() + 1);
    stop(server).await;
    assert_eq!(schemas().await, before);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
