//! Refresh tokens over HTTP: rotation, replay and storage.

use std::collections::HashSet;

use domain::access::Role;
use futures_util::future::join_all;
use serde_json::json;
use tests::database::PostgresDatabase;
use tests::on_each_store;
use tests::server::{Engine, Server};
use time::Duration;

use crate::installation::{Installation, stop};
use crate::sessions::{bearer, log_in, refresh, sessions, with_clock};

on_each_store! {
    /// REQ 4.
    async fn login_and_refresh_return_token_lifetimes(server) {
        server.add_user("asha", Role::Viewer).await;
        let grant = log_in(&server, "asha").await;
        let response = refresh(&server, &grant).await;
        let next = response.expect(200);
        assert_eq!(response.header("cache-control"), "no-store");
        for grant in [&grant, &next] {
            assert_eq!((&grant["token_type"], &grant["expires_in"]), (&json!("Bearer"), &json!(900)));
            assert_eq!(grant["refresh_expires_in"], 7 * 24 * 3600);
            assert_eq!(bearer(&server, grant).get("/me").await.expect(200)["username"], "asha");
        }
        assert_ne!(grant["token"], next["token"]);
        assert_ne!(grant["refresh_token"], next["refresh_token"]);
    }

    /// REQ 12.
    async fn refresh_and_access_tokens_are_not_interchangeable(server) {
        server.add_user("asha", Role::Viewer).await;
        let grant = log_in(&server, "asha").await;
        server.bearer(grant["refresh_token"].as_str().unwrap()).get("/me").await.expect_problem(401, "unauthorized");
        for (wrong, status, slug) in [
            (&grant["token"], 422, "invalid-fields"),
            (&json!(""), 422, "invalid-fields"),
            (&json!("0".repeat(64)), 401, "invalid-refresh-token"),
        ] {
            let response = server.anonymous().send("POST", "/token/refresh", &json!({"refresh_token": wrong})).await;
            response.expect_problem(status, slug);
        }
    }
}

async fn replay_after_grace_period_ends_session(engine: Engine) {
    let (server, clock) = with_clock(engine).await;
    server.add_user("asha", Role::Viewer).await;
    let first = log_in(&server, "asha").await;
    let second = refresh(&server, &first).await.expect(200);
    clock.advance(Duration::milliseconds(9_999));
    let again = refresh(&server, &first).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"], "a retry within the grace period");
    let third = refresh(&server, &second).await.expect(200);
    clock.advance(Duration::MILLISECOND);
    refresh(&server, &first).await.expect_problem(401, "invalid-refresh-token");
    for grant in [&first, &second, &third] {
        bearer(&server, grant).get("/me").await.expect_problem(401, "unauthorized");
        refresh(&server, grant).await.expect_problem(401, "invalid-refresh-token");
    }
}

/// REQ 12.
#[tokio::test]
async fn replay_after_grace_period_ends_session_on_sqlite() {
    replay_after_grace_period_ends_session(Engine::Sqlite).await;
}

/// REQ 12.
#[tokio::test]
async fn replay_after_grace_period_ends_session_on_postgres() {
    replay_after_grace_period_ends_session(Engine::Postgres).await;
}

/// Sends 1,000 concurrent refreshes of one token to these nodes in turn. The clock MUST be stopped, because the requests
/// can take longer than the grace period.
async fn thousand_concurrent_refreshes(nodes: &[&Server]) {
    nodes[0].add_user("asha", Role::Viewer).await;
    let first = log_in(nodes[0], "asha").await;
    let responses = join_all((0..1_000).map(|i| refresh(nodes[i % nodes.len()], &first))).await;
    let grants: Vec<_> = responses.iter().map(|response| response.expect(200)).collect();
    let successors: HashSet<_> = grants.iter().map(|grant| grant["refresh_token"].as_str().unwrap()).collect();
    assert_eq!(successors.len(), 1);
    let asha = bearer(nodes[0], &grants[0]);
    assert_eq!(sessions(&asha, "/me/sessions").await.len(), 1, "one family");
    let next = refresh(nodes[0], &grants[0]).await.expect(200);
    assert_eq!(refresh(nodes[0], &grants[999]).await.expect(200)["refresh_token"], next["refresh_token"], "one branch");
}

/// REQ 12.
#[tokio::test]
async fn thousand_concurrent_refreshes_get_one_successor_on_sqlite() {
    let (node, _) = with_clock(Engine::Sqlite).await;
    thousand_concurrent_refreshes(&[&node]).await;
}

/// REQ 12.
#[tokio::test]
async fn thousand_concurrent_refreshes_get_one_successor_on_two_nodes() {
    let (node, _) = with_clock(Engine::Postgres).await;
    thousand_concurrent_refreshes(&[&node, &node.another_node().await]).await;
}

/// The refresh tokens of a login and of two refreshes.
async fn issued_refresh_tokens(installation: &Installation) -> Vec<String> {
    let server = installation.serve().await;
    let first = json!({"Username": "admin", "Password": installation.admin_password()});
    let mut grant = server.client(None).send("POST", "/login", &first).await.expect(200);
    let mut tokens = vec![grant["refresh_token"].as_str().unwrap().to_owned()];
    for _ in 0..2 {
        let body = json!({"refresh_token": grant["refresh_token"]});
        grant = server.client(None).send("POST", "/token/refresh", &body).await.expect(200);
        tokens.push(grant["refresh_token"].as_str().unwrap().to_owned());
    }
    stop(server).await;
    tokens
}

/// REQ 12.
#[tokio::test]
async fn refresh_tokens_are_stored_as_hashes_only_on_sqlite() {
    let installation = Installation::new(Engine::Sqlite);
    let tokens = issued_refresh_tokens(&installation).await;
    let stored = std::fs::read(installation.data("rollbook.sqlite3")).unwrap();
    let contains = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    assert!(contains(b"session.refreshed"), "the file contains the audit event of the refreshes");
    for token in tokens {
        let bits: Vec<_> = (0..32).map(|i| u8::from_str_radix(&token[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert!(!contains(token.as_bytes()) && !contains(&bits), "{token}");
    }
}

/// REQ 12.
#[tokio::test]
async fn refresh_tokens_are_stored_as_hashes_only_on_postgres() {
    let installation = Installation::new(Engine::Postgres);
    let tokens = issued_refresh_tokens(&installation).await;
    // PostgreSQL prints bytes as hexadecimal digits.
    let stored = all_rows(installation.database()).await;
    assert!(stored.contains("session.refreshed"));
    for token in tokens {
        assert!(!stored.contains(&token), "{token}");
    }
}

/// Every row of every table as text.
async fn all_rows(database: &PostgresDatabase) -> String {
    let tables = "SELECT string_agg(format('SELECT t::text FROM %I t', tablename), ' UNION ALL ') FROM pg_tables \
                  WHERE schemaname = current_schema()";
    let statement = database.texts(tables).await.concat();
    database.texts(&statement).await.join("\n")
}
