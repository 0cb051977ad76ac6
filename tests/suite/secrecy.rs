//! Secrets do not appear in logs and responses.

use serde_json::{Value, json};
use tests::program::Program;
use tests::server::{Engine, SECRET};
use tokio::time::timeout;

use crate::installation::{ADMIN_PASSWORD, Installation, TIMEOUT, stop};

/// The complete log of a server that has received every kind of secret.
async fn log_of_everything(engine: Engine) -> (String, Vec<String>) {
    let installation = Installation::new(engine);
    let talkative = installation.serving(&["--log", "trace"]);
    let server = timeout(TIMEOUT, Program::start(talkative)).await.expect("a start of the server");
    let mut secrets = vec![installation.admin_password(), ADMIN_PASSWORD.to_owned()];
    let mut keep = |value: &Value| secrets.push(value.as_str().unwrap().to_owned());

    let admin = installation.admin(&server).await;
    keep(&json!(admin.token().unwrap()));
    let anonymous = server.client(None);
    let grant = anonymous.send("POST", "/login", &json!({"Username": "admin", "Password": ADMIN_PASSWORD})).await;
    let grant = grant.expect(200);
    let next = anonymous.send("POST", "/token/refresh", &json!({"refresh_token": grant["refresh_token"]})).await;
    let next = next.expect(200);
    for grant in [&grant, &next] {
        keep(&grant["token"]);
        keep(&grant["refresh_token"]);
    }
    let made = json!({"username": "asha", "password": "a first secret river", "role": "viewer"});
    let asha = admin.send("POST", "/users", &made).await.expect(201);
    keep(&made["password"]);
    let reset = admin.send("POST", &format!("/users/{}/password-reset", asha["id"]), &json!({})).await.expect(200);
    keep(&reset["password"]);

    // Where they do not belong, and are refused: in a path, a query, a body that breaks rules, a name.
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
        let refused = admin.send("PUT", "/me/password", &body).await;
        assert!(refused.status.is_client_error());
    }
    let name = json!({"Username": "one more secret typed", "Password": "one more secret typed"});
    let refused = anonymous.send("POST", "/login", &name).await;
    assert!(!refused.text().contains("one more secret"), "{}", refused.text());
    keep(&json!("one more secret typed"));
    anonymous.send("POST", "/token/refresh", &json!({"refresh_token": token})).await;

    stop(server).await;
    secrets.push(if engine == Engine::Postgres {
        SECRET.to_owned()
    } else {
        std::fs::read_to_string(installation.data("jwt-secret")).unwrap().trim_end().to_owned()
    });
    (installation.log(), secrets)
}

async fn holds_no_secret(engine: Engine) {
    let (log, secrets) = log_of_everything(engine).await;
    assert!(log.contains("/me/password"), "requests are logged: {log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log: {log}");
    }
}

/// REQ 3.
#[tokio::test]
async fn no_token_and_no_password_is_in_the_log_on_sqlite() {
    holds_no_secret(Engine::Sqlite).await;
}

/// REQ 3.
#[tokio::test]
async fn no_token_and_no_password_is_in_the_log_on_postgres() {
    holds_no_secret(Engine::Postgres).await;
}
