//! Contract mode: announcement of all test data, and cleanup on stop.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::program::Program;
use tests::server::Engine;

use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT, on_each_engine, stop};

/// Starts a server in contract mode and returns its announcement.
async fn serve(installation: &Installation) -> (Program, Value) {
    let server = Program::start(installation.serve_command(&["--contract"])).await;
    let announcement = serde_json::from_str(server.announcement()).expect("one line of JSON");
    (server, announcement)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

async fn announcement_matches_server_data(engine: Engine) {
    let installation = Installation::new(engine);
    let (server, announcement) = serve(&installation).await;
    assert_eq!(announcement["base_url"], server.url(""));
    let bearer = |name: &str| server.client(Some(text(&announcement["tokens"][name])));

    let users = announcement["users"].as_array().unwrap();
    let roles: Vec<_> = users.iter().map(|user| (text(&user["username"]), text(&user["role"]))).collect();
    let known = [("viewer", "viewer"), ("registrar", "registrar"), ("admin", "admin"), ("spare", "admin")];
    assert_eq!(roles, known.map(|(name, role)| (name.to_owned(), role.to_owned())));
    for user in users {
        let name = text(&user["username"]);
        let with_password = server.log_in(&name, &text(&user["password"])).await;
        for client in [with_password, bearer(&name)] {
            let me = client.get("/me").await.expect(200);
            let (id, role) = (&user["id"], &user["role"]);
            assert_eq!((&me["id"], &me["username"], &me["role"]), (id, &user["username"], role));
        }
        let refresh = json!({"refresh_token": announcement["refresh_tokens"][&name]});
        server.client(None).send("POST", "/token/refresh", &refresh).await.expect(200);
    }
    for name in ["expired", "forged"] {
        bearer(name).get("/me").await.expect_problem(401, "unauthorized");
    }

    let page = bearer("viewer").get("/students?limit=100").await.expect(200);
    let students = page["students"].as_array().unwrap();
    assert_eq!(announcement["student_ids"], students.iter().map(|student| student["id"].clone()).collect::<Value>());
    assert_eq!(students.len(), 25);
    let unused = announcement["unused_roll_numbers"].as_array().unwrap();
    assert!(unused.len() == 100 && students.iter().all(|student| !unused.contains(&student["roll_no"])), "{unused:?}");
    let feed = format!("/students/changes?after={}", text(&announcement["change_token"]));
    let changed = async || bearer("viewer").get(&feed).await.expect(200)["changes"].as_array().unwrap().len();
    // On PostgreSQL, transactions of other tests delay the feed.
    let all = async { while changed().await < 25 {} };
    timeout(TIMEOUT, all).await.expect("all students are changes");
    assert_eq!(announcement["clock"], "2030-01-01T00:00:00Z");
    assert!(students.iter().all(|student| student["created_at"] == announcement["clock"]), "{page}");
    stop(server).await;
}

async fn durable_token_survives_the_end_of_its_session(engine: Engine) {
    let installation = Installation::new(engine);
    let (server, announcement) = serve(&installation).await;
    let client = |tokens: &str| server.client(Some(text(&announcement[tokens]["viewer"])));
    for (tokens, status) in [("tokens", 401), ("durable_tokens", 200)] {
        let client = client(tokens);
        assert_eq!(client.send("POST", "/logout", &json!({})).await.status, 204);
        assert_eq!(client.get("/me").await.status, status, "{tokens}");
    }
    let admin = server.client(Some(text(&announcement["durable_tokens"]["admin"])));
    let viewer = format!("/users/{}", announcement["users"][0]["id"]);
    assert_eq!(admin.delete(&format!("{viewer}/sessions")).await.status, 204);
    client("durable_tokens").get("/me").await.expect(200);
    admin.send("PATCH", &viewer, &json!({"status": "disabled"})).await.expect(200);
    client("durable_tokens").get("/me").await.expect_problem(401, "unauthorized");
    stop(server).await;
}

async fn clock_advances_from_its_initial_time(engine: Engine) {
    let installation = Installation::new(engine);
    let (server, announcement) = serve(&installation).await;
    let registrar = server.client(Some(text(&announcement["tokens"]["registrar"])));
    let new = json!({"name": "Tara Rao", "email": "tara.rao@example.org", "roll_no": 999});
    let created = registrar.send("POST", "/students", &new).await.expect(201);
    let (start, created_at) = (text(&announcement["clock"]), text(&created["created_at"]));
    // RFC 3339 in UTC: later on the same day.
    assert!(created_at.starts_with("2030-01-01T0") && created_at > start.replace('Z', ""), "{created_at}");
    stop(server).await;
}

async fn failed_logins_are_not_throttled(engine: Engine) {
    let installation = Installation::new(engine);
    let (server, announcement) = serve(&installation).await;
    for username in ["viewer", "unknown"] {
        for _ in 0..7 {
            let wrong = json!({"Username": username, "Password": "wrong"});
            let response = server.client(None).send("POST", "/login", &wrong).await;
            response.expect_problem(401, "invalid-credentials");
        }
    }
    let password = text(&announcement["users"][0]["password"]);
    let viewer = server.log_in("viewer", &password).await;
    let change = |current: &str| json!({"current_password": current, "new_password": "four brisk otters on a log"});
    for _ in 0..7 {
        assert_eq!(viewer.send("PUT", "/me/password", &change("wrong")).await.status, 422);
    }
    assert_eq!(viewer.send("PUT", "/me/password", &change(&password)).await.status, 204);
    stop(server).await;
}

on_each_engine! {
    announcement_matches_server_data
    durable_token_survives_the_end_of_its_session
    clock_advances_from_its_initial_time
    failed_logins_are_not_throttled
}

#[tokio::test]
async fn contract_mode_deletes_its_files_on_stop() {
    let installation = Installation::new(Engine::Sqlite);
    let temporary = TempDir::new().unwrap();
    let mut command = installation.serve_command(&["--contract"]);
    command.env("TMPDIR", temporary.path());
    let server = Program::start(command).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    stop(server).await;
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert!(!installation.data("").exists());
}

#[tokio::test]
async fn contract_mode_drops_its_schema_on_stop() {
    let installation = Installation::new(Engine::Postgres);
    let pool = sqlx::PgPool::connect(&installation.database().url()).await.unwrap();
    let schemas = async || -> Vec<String> {
        let names = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1";
        sqlx::query_scalar(names).fetch_all(&pool).await.unwrap()
    };
    let before = schemas().await;
    let (server, _) = serve(&installation).await;
    assert_eq!(schemas().await.len(), before.len() + 1);
    stop(server).await;
    assert_eq!(schemas().await, before);
}

#[tokio::test]
async fn contract_mode_rejects_conflicting_options() {
    let installation = Installation::new(Engine::Sqlite);
    for (options, expected) in [
        (&["--demo"][..], "--demo"),
        (&["--keys", "ring.json"], "--keys"),
        (&["--database", "sqlite:x"], "--database"),
        (&["--listen", "0.0.0.0:0"], "--expose-demo-with-known-passwords"),
    ] {
        let rejected = installation.run(&[&["serve", "--contract"], options].concat(), None).await;
        assert!(matches!(rejected.status, Some(1 | 2)), "{options:?}: {rejected:?}");
        let is_one_line = rejected.stderr.lines().count() == 1;
        assert!(is_one_line && rejected.stderr.contains(expected), "{options:?}: {rejected:?}");
    }
    let permitted = ["--contract", "--listen", "0.0.0.0:0", "--expose-demo-with-known-passwords"];
    stop(Program::start(installation.command(&permitted)).await).await;
}
