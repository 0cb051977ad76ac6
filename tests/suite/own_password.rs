//! Password changes by users and password resets by administrators.

use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use app::system::SystemRandom;
use domain::access::Role;
use domain::user::{Accounts, PasswordPolicy};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::clock::TestClock;
use tests::on_each_store;
use tests::server::{Engine, PASSWORD, Server, Setup};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NEXT: &str = "slow river under seven bridges";

async fn change(client: &Client, current: &str, new: &str) -> Response {
    client.send("PUT", "/me/password", &json!({"current_password": current, "new_password": new})).await
}

async fn log_in(server: &Server, name: &str, password: &str) -> Response {
    server.anonymous().send("POST", "/login", &json!({"Username": name, "Password": password})).await
}

fn bearer(server: &Server, grant: &Value) -> Client {
    server.bearer(grant["token"].as_str().unwrap())
}

/// The pointers of the field errors in a 422 response.
fn invalid_fields(response: &Response) -> Vec<Value> {
    let problem = response.expect_problem(422, "invalid-fields");
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect()
}

on_each_store! {
    /// REQ 18.
    async fn password_change_ends_other_sessions_only(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let [current, other] = [server.client_of(&user).await, server.client_of(&user).await];
        assert_eq!(change(&current, PASSWORD, NEXT).await.status, 204);
        current.get("/me").await.expect(200);
        other.get("/me").await.expect_problem(401, "unauthorized");
        log_in(&server, "asha", PASSWORD).await.expect_problem(401, "invalid-credentials");
        log_in(&server, "asha", NEXT).await.expect(200);
    }

    async fn password_change_requires_current_and_valid_new_password(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let asha = server.client_of(&user).await;
        assert_eq!(invalid_fields(&change(&asha, "a wrong pass phrase", NEXT).await), ["/current_password"]);
        assert_eq!(invalid_fields(&change(&asha, PASSWORD, "asha and her river").await), ["/new_password"]);
        assert_eq!(invalid_fields(&change(&asha, PASSWORD, "manchesterunited").await), ["/new_password"]);
        assert_eq!(invalid_fields(&change(&asha, PASSWORD, "short").await), ["/new_password"]);
        assert_eq!(invalid_fields(&change(&asha, PASSWORD, PASSWORD).await), ["/new_password"]);
        let unknown = json!({"current_password": PASSWORD, "new_password": NEXT, "role": "admin"});
        assert_eq!(invalid_fields(&asha.send("PUT", "/me/password", &unknown).await), ["/role"]);
        log_in(&server, "asha", PASSWORD).await.expect(200);
    }

    /// REQ 16.
    async fn wrong_current_password_counts_as_failed_login(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        let asha = server.client_of(&user).await;
        for _ in 0..5 {
            assert_eq!(invalid_fields(&change(&asha, "a wrong pass phrase", NEXT).await), ["/current_password"]);
        }
        for rejected in [change(&asha, PASSWORD, NEXT).await, log_in(&server, "asha", PASSWORD).await] {
            rejected.expect_problem(429, "too-many-attempts");
            assert_eq!(rejected.header("retry-after"), "1");
        }
        asha.get("/me").await.expect(200);
    }

    /// REQ 17.
    async fn due_password_change_blocks_other_operations(server) {
        server.add_user_with_due_password_change("newcomer", Role::Admin).await;
        let newcomer = bearer(&server, &log_in(&server, "newcomer", PASSWORD).await.expect(200));
        for path in ["/me", "/me/sessions", "/students", "/student", "/users", "/audit-events"] {
            newcomer.get(path).await.expect_problem(403, "password-change-due");
        }
        assert_eq!(change(&newcomer, PASSWORD, NEXT).await.status, 204);
        assert_eq!(newcomer.get("/me").await.expect(200)["role"], "admin");
        newcomer.get("/users").await.expect(200);
    }

    /// REQ 17.
    async fn user_with_due_password_change_can_log_out(server) {
        server.add_user_with_due_password_change("newcomer", Role::Viewer).await;
        let newcomer = bearer(&server, &log_in(&server, "newcomer", PASSWORD).await.expect(200));
        assert_eq!(newcomer.send("POST", "/logout", &json!({})).await.status, 204);
        newcomer.get("/me").await.expect_problem(401, "unauthorized");
    }
}

/// REQ 17.
#[tokio::test]
async fn initial_password_expires_after_a_day() {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let server = Server::start_with(Engine::Sqlite, Setup::with_clock(&clock)).await;
    let accounts = Accounts {
        users: server.stores.users.clone(),
        credentials: server.stores.credentials.clone(),
        passwords: Arc::new(Argon2Hasher::new(Limits::default()).unwrap()),
        denied_access: server.denied_access.clone(),
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        policy: PasswordPolicy::default(),
    };
    let first = accounts.first_administrator().await.unwrap();
    assert_eq!(first.expires_at, datetime!(2026-11-25 12:00 UTC));
    accounts.create_first(&first).await.unwrap().unwrap();
    clock.advance(Duration::DAY - Duration::SECOND);
    log_in(&server, "admin", first.password.expose_secret()).await.expect(200);
    clock.advance(Duration::SECOND);
    log_in(&server, "admin", first.password.expose_secret()).await.expect_problem(401, "invalid-credentials");
}

async fn reset_password_expires(engine: Engine) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let server = Server::start_with(engine, Setup::with_clock(&clock)).await;
    let admin = server.add_user("administrator", Role::Admin).await;
    let user = server.add_user("asha", Role::Registrar).await;
    let asha = server.client_of(&user).await;
    let path = format!("/users/{}/password-reset", user.id);
    asha.send("POST", &path, &json!({})).await.expect_problem(403, "insufficient-role");

    let administrator = server.client_of(&admin).await;
    let response = administrator.send("POST", &path, &json!({})).await;
    let reset = response.expect(200);
    assert_eq!(response.header("cache-control"), "no-store");
    asha.get("/me").await.expect_problem(401, "unauthorized");
    log_in(&server, "asha", PASSWORD).await.expect_problem(401, "invalid-credentials");
    let expires_at = reset["expires_at"].as_str().unwrap();
    let expires_at = OffsetDateTime::parse(expires_at, &time::format_description::well_known::Rfc3339).unwrap();
    assert_eq!(expires_at, datetime!(2026-11-25 12:00 UTC));

    let one_time = reset["password"].as_str().unwrap();
    clock.advance(Duration::DAY - Duration::SECOND);
    let grant = log_in(&server, "asha", one_time).await.expect(200);
    let asha = bearer(&server, &grant);
    asha.get("/students").await.expect_problem(403, "password-change-due");
    clock.advance(Duration::SECOND);
    log_in(&server, "asha", one_time).await.expect_problem(401, "invalid-credentials");
    // A session that was opened before the expiry can use the password no longer.
    change(&asha, one_time, NEXT).await.expect_problem(422, "invalid-fields");
    let refresh = json!({"refresh_token": grant["refresh_token"]});
    let refreshed = server.anonymous().send("POST", "/token/refresh", &refresh).await;
    refreshed.expect_problem(401, "invalid-refresh-token");
    let administrator = server.client_of(&admin).await;
    let reset = administrator.send("POST", &path, &json!({})).await.expect(200);
    let one_time = reset["password"].as_str().unwrap();
    let asha = bearer(&server, &log_in(&server, "asha", one_time).await.expect(200));
    assert_eq!(change(&asha, one_time, NEXT).await.status, 204);
    asha.get("/students").await.expect(200);
    clock.advance(Duration::days(365));
    log_in(&server, "asha", NEXT).await.expect(200);
    let administrator = server.client_of(&admin).await;
    administrator.send("POST", "/users/999/password-reset", &json!({})).await.expect_problem(404, "record-not-found");
}

#[tokio::test]
async fn reset_password_expires_on_sqlite() {
    reset_password_expires(Engine::Sqlite).await;
}

#[tokio::test]
async fn reset_password_expires_on_postgres() {
    reset_password_expires(Engine::Postgres).await;
}
