//! Secrets do not appear in logs and responses.

use serde_json::{Value, json};
use tests::program::Program;
use tests::server::{Engine, SECRET};
use tokio::time::timeout;

use crate::installation::{ADMIN_PASSWORD, Installation, TIMEOUT, stop};

/// The trace log of a server that has received every kind of secret, and the secrets.
async fn log_and_secrets(engine: Engine) -> (String, Vec<String>) {
    let installation = Installation::new(engine);
    let command = installation.serve_command(&["--log", "trace"]);
    let server = timeout(TIMEOUT, Program::start(command)).await.expect("the server starts");
    let mut secrets = vec![installation.admin_password(), ADMIN_PASSWORD.to_owned()];
    let mut add = |value: &Value| secrets.push(value.as_str().unwrap().to_owned());

    let admin = installation.admin(&server).await;
    add(&json!(admin.token().unwrap()));
    let anonymous = server.client(None);
    let grant = anonymous.send("POST", "/login", &json!({"Username": "admin", "Password": ADMIN_PASSWORD})).await;
    let grant = grant.expect(200);
    let next = anonymous.send("POST", "/token/refresh", &json!({"refresh_token": grant["refresh_token"]})).await;
    let next = next.expect(200);
    for grant in [&grant, &next] {
        add(&grant["token"]);
        add(&grant["refresh_token"]);
    }
    let body = json!({"username": "asha", "password": "a first secret river", "role": "viewer"});
    let asha = admin.send("POST", "/users", &body).await.expect(201);
    add(&body["password"]);
    let reset = admin.send("POST", &format!("/users/{}/password-reset", asha["id"]), &json!({})).await.expect(200);
    add(&reset["password"]);

    // Secrets in a path, a query, an invalid body or a username, where the server rejects them.
    let token = admin.token().unwrap();
    for path in [format!("/me?access_token={token}"), format!("/{token}"), format!("/students/{token}")] {
        anonymous.get(&path).await.expect_problem(401, "unauthorized");
        admin.get(&path).await;
    }
    for body in [
        json!({"current_password": "one more secret typed", "new_password": "one more secret typed"}),
        json!({"current_password": "one more secret typed", "one more secret typed": 1}),
        json!(["one more secret typed"]),
    ] {
        let rejected = admin.send("PUT", "/me/password", &body).await;
        assert!(rejected.status.is_client_error());
    }
    let name = json!({"Username": "one more secret typed", "Password": "one more secret typed"});
    let rejected = anonymous.send("POST", "/login", &name).await;
    assert!(!rejected.text().contains("one more secret"), "{}", rejected.text());
    add(&json!("one more secret typed"));
    anonymous.send("POST", "/token/refresh", &json!({"refresh_token": token})).await;

    stop(server).await;
    secrets.push(if engine == Engine::Postgres {
        SECRET.to_owned()
    } else {
        std::fs::read_to_string(installation.data("jwt-secret")).unwrap().trim_end().to_owned()
    });
    (installation.log(), secrets)
}

async fn log_contains_no_secret(engine: Engine) {
    let (log, secrets) = log_and_secrets(engine).await;
    assert!(log.contains("/me/password"), "requests are logged: {log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log: {log}");
    }
}

/// REQ 3.
#[tokio::test]
async fn log_contains_no_secret_on_sqlite() {
    log_contains_no_secret(Engine::Sqlite).await;
}

/// REQ 3.
#[tokio::test]
async fn log_contains_no_secret_on_postgres() {
    log_contains_no_secret(Engine::Postgres).await;
}
