//! Sessions over HTTP: opened by a login, refreshed, listed and ended.

use std::collections::HashSet;
use std::sync::Arc;

use domain::access::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::clock::TestClock;
use tests::database::PostgresDatabase;
use tests::on_each_store;
use tests::server::{Engine, PASSWORD, Server, Setup};
use time::Duration;
use time::macros::datetime;

use crate::installation::{Installation, stop};

/// A server whose clock a test moves.
async fn with_clock(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    (Server::start_with(engine, Setup { clock: clock.clone(), ..Setup::default() }).await, clock)
}

async fn log_in(server: &Server, name: &str) -> Value {
    let credentials = json!({"Username": name, "Password": PASSWORD});
    server.anonymous().send("POST", "/login", &credentials).await.expect(200)
}

async fn refresh(server: &Server, grant: &Value) -> Response {
    server.anonymous().send("POST", "/token/refresh", &json!({"refresh_token": grant["refresh_token"]})).await
}

fn bearer(server: &Server, grant: &Value) -> Client {
    server.bearer(grant["token"].as_str().unwrap())
}

async fn sessions(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.expect(200)["sessions"].as_array().unwrap().clone()
}

on_each_store! {
    /// REQ 4.
    async fn login_and_a_refresh_say_how_long_their_tokens_are_good_for(server) {
        server.add_user("asha", Role::Viewer).await;
        let grant = log_in(&server, "asha").await;
        let answer = refresh(&server, &grant).await;
        let next = answer.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        for grant in [&grant, &next] {
            assert_eq!((&grant["token_type"], &grant["expires_in"]), (&json!("Bearer"), &json!(900)));
            assert_eq!(grant["refresh_expires_in"], 7 * 24 * 3600);
            assert_eq!(bearer(&server, grant).get("/me").await.expect(200)["username"], "asha");
        }
        assert_ne!(grant["token"], next["token"]);
        assert_ne!(grant["refresh_token"], next["refresh_token"]);
    }

    /// REQ 12.
    async fn refresh_token_is_no_access_token_and_the_other_way_round(server) {
        server.add_user("asha", Role::Viewer).await;
        let grant = log_in(&server, "asha").await;
        server.bearer(grant["refresh_token"].as_str().unwrap()).get("/me").await.expect_problem(401, "unauthorized");
        for (wrong, status, slug) in [
            (&grant["token"], 422, "invalid-fields"),
            (&json!(""), 422, "invalid-fields"),
            (&json!("0".repeat(64)), 401, "invalid-refresh-token"),
        ] {
            let answer = server.anonymous().send("POST", "/token/refresh", &json!({"refresh_token": wrong})).await;
            answer.expect_problem(status, slug);
        }
    }

    /// REQ 18.
    async fn logout_ends_the_session_at_once_and_no_other(server) {
        server.add_user("asha", Role::Viewer).await;
        let [grant, other] = [log_in(&server, "asha").await, log_in(&server, "asha").await];
        assert_eq!(bearer(&server, &grant).send("POST", "/logout", &json!({})).await.status, 204);
        let refused = bearer(&server, &grant).get("/me").await;
        refused.expect_problem(401, "unauthorized");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
        refresh(&server, &grant).await.expect_problem(401, "invalid-refresh-token");
        bearer(&server, &other).get("/me").await.expect(200);
        refresh(&server, &other).await.expect(200);
    }

    /// REQ 18.
    async fn disabled_or_deleted_user_loses_sessions_and_role_applies(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Registrar).await;
        let path = format!("/users/{}", user.id);
        let grant = log_in(&server, "asha").await;
        let asha = bearer(&server, &grant);
        assert_eq!(asha.delete("/students/999").await.status, 404);
        admin.send("PATCH", &path, &json!({"role": "viewer"})).await.expect(200);
        asha.delete("/students/999").await.expect_problem(403, "insufficient-role");
        asha.get("/me").await.expect(200);
        admin.send("PATCH", &path, &json!({"status": "disabled"})).await.expect(200);
        asha.get("/me").await.expect_problem(401, "unauthorized");
        admin.send("PATCH", &path, &json!({"status": "active"})).await.expect(200);
        asha.get("/me").await.expect_problem(401, "unauthorized");
        refresh(&server, &grant).await.expect_problem(401, "invalid-refresh-token");
        let again = bearer(&server, &log_in(&server, "asha").await);
        again.get("/me").await.expect(200);
        assert_eq!(admin.delete(&path).await.status, 204);
        again.get("/me").await.expect_problem(401, "unauthorized");
    }

    /// REQ 19.
    async fn users_list_and_end_their_own_sessions_alone(server) {
        server.add_user("asha", Role::Viewer).await;
        server.add_user("ravi", Role::Viewer).await;
        let ravi = bearer(&server, &log_in(&server, "ravi").await);
        let [asha, lost] = [log_in(&server, "asha").await, log_in(&server, "asha").await];
        let [asha, lost] = [&asha, &lost].map(|grant| bearer(&server, grant));
        let own = sessions(&asha, "/me/sessions").await;
        assert_eq!(own.iter().map(|session| &session["current"]).collect::<Vec<_>>(), [true, false]);
        assert!(own.iter().all(|session| session["client"] == "127.0.0.1" && session["opened_at"].is_string()));
        let path = |session: &Value| format!("/me/sessions/{}", session["id"]);
        ravi.delete(&path(&own[1])).await.expect_problem(404, "record-not-found");
        lost.get("/me").await.expect(200);
        assert_eq!(asha.delete(&path(&own[1])).await.status, 204);
        lost.get("/me").await.expect_problem(401, "unauthorized");
        asha.delete(&path(&own[1])).await.expect_problem(404, "record-not-found");
        assert_eq!(sessions(&asha, "/me/sessions").await.len(), 1);
        assert_eq!(asha.delete(&path(&own[0])).await.status, 204);
        asha.get("/me").await.expect_problem(401, "unauthorized");
    }

    /// REQ 19.
    async fn administrator_lists_and_ends_sessions_of_every_user(server) {
        let admin = server.client(Role::Admin).await;
        let user = server.add_user("asha", Role::Registrar).await;
        let [asha, also] = [log_in(&server, "asha").await, log_in(&server, "asha").await];
        let [asha, also] = [&asha, &also].map(|grant| bearer(&server, grant));
        let path = format!("/users/{}/sessions", user.id);
        asha.get(&path).await.expect_problem(403, "insufficient-role");
        asha.delete(&path).await.expect_problem(403, "insufficient-role");
        let listed = sessions(&admin, &path).await;
        assert_eq!(listed.iter().map(|session| &session["current"]).collect::<Vec<_>>(), [false, false]);
        assert_eq!(admin.delete(&path).await.status, 204);
        for ended in [asha, also] {
            ended.get("/me").await.expect_problem(401, "unauthorized");
        }
        assert_eq!(sessions(&admin, &path).await, [] as [Value; 0]);
        admin.get("/users/999/sessions").await.expect_problem(404, "record-not-found");
        admin.delete("/users/999/sessions").await.expect_problem(404, "record-not-found");
        admin.get("/me").await.expect(200);
    }

    async fn pages_of_sessions_are_linked(server) {
        let user = server.add_user("asha", Role::Viewer).await;
        for _ in 0..4 {
            server.token_of(&user).await;
        }
        let asha = server.client_of(&user).await;
        let admin = server.client(Role::Admin).await;
        for (client, list) in [(asha, "/me/sessions".to_owned()), (admin, format!("/users/{}/sessions", user.id.get()))] {
            let (mut ids, mut path) = (Vec::new(), format!("{list}?limit=2"));
            loop {
                let page = client.get(&path).await;
                ids.extend(page.expect(200)["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_i64().unwrap()));
                let Some(next) = page.next_page() else { break };
                path = next;
            }
            assert_eq!(ids.len(), 5, "{list}");
            assert!(ids.is_sorted());
        }
    }
}

async fn a_replay_ends_the_family(engine: Engine) {
    let (server, clock) = with_clock(engine).await;
    server.add_user("asha", Role::Viewer).await;
    let first = log_in(&server, "asha").await;
    let second = refresh(&server, &first).await.expect(200);
    clock.advance(Duration::milliseconds(9_999));
    let again = refresh(&server, &first).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"], "a lost answer is no theft");
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
async fn replay_after_the_grace_ends_the_whole_family_on_sqlite() {
    a_replay_ends_the_family(Engine::Sqlite).await;
}

/// REQ 12.
#[tokio::test]
async fn replay_after_the_grace_ends_the_whole_family_on_postgres() {
    a_replay_ends_the_family(Engine::Postgres).await;
}

/// Refreshes one token 1,000 times at once, on these nodes in turn. Their clock MUST stand still: how long a machine takes
/// for so many is not what is asked.
async fn a_thousand_at_once(nodes: &[&Server]) {
    nodes[0].add_user("asha", Role::Viewer).await;
    let first = log_in(nodes[0], "asha").await;
    let answers = join_all((0..1_000).map(|i| refresh(nodes[i % nodes.len()], &first))).await;
    let grants: Vec<_> = answers.iter().map(|answer| answer.expect(200)).collect();
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
    a_thousand_at_once(&[&node]).await;
}

/// REQ 12.
#[tokio::test]
async fn thousand_concurrent_refreshes_get_one_successor_on_two_nodes() {
    let (node, _) = with_clock(Engine::Postgres).await;
    a_thousand_at_once(&[&node, &node.another_node().await]).await;
}

async fn lifetimes_hold(engine: Engine) {
    let (server, clock) = with_clock(engine).await;
    server.add_user("asha", Role::Viewer).await;

    let rested = log_in(&server, "asha").await;
    clock.advance(Duration::days(7));
    refresh(&server, &rested).await.expect_problem(401, "invalid-refresh-token");

    let mut grant = log_in(&server, "asha").await;
    for _ in 0..4 {
        clock.advance(Duration::days(7) - Duration::SECOND);
        grant = refresh(&server, &grant).await.expect(200);
        bearer(&server, &grant).get("/me").await.expect(200);
    }
    // Two days and four seconds are left of thirty, whatever a week says.
    assert_eq!(grant["refresh_expires_in"], 2 * 24 * 3600 + 4);
    clock.advance(Duration::days(2) - Duration::minutes(5));
    grant = refresh(&server, &grant).await.expect(200);
    assert_eq!(grant["expires_in"], 5 * 60 + 4, "a token does not outlive its session");
    clock.advance(Duration::seconds(5 * 60 + 4));
    refresh(&server, &grant).await.expect_problem(401, "invalid-refresh-token");
    bearer(&server, &grant).get("/me").await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn session_ends_when_idle_and_at_its_maximum_on_sqlite() {
    lifetimes_hold(Engine::Sqlite).await;
}

#[tokio::test]
async fn session_ends_when_idle_and_at_its_maximum_on_postgres() {
    lifetimes_hold(Engine::Postgres).await;
}

/// The refresh tokens of a login and of what came after it.
async fn refreshed(installation: &Installation) -> Vec<String> {
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
    let tokens = refreshed(&installation).await;
    let stored = std::fs::read(installation.data("rollbook.sqlite3")).unwrap();
    let holds = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"session.refreshed"), "the store is looked at where it is");
    for token in tokens {
        let bits: Vec<_> = (0..32).map(|i| u8::from_str_radix(&token[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert!(!holds(token.as_bytes()) && !holds(&bits), "{token}");
    }
}

/// REQ 12.
#[tokio::test]
async fn refresh_tokens_are_stored_as_hashes_only_on_postgres() {
    let installation = Installation::new(Engine::Postgres);
    let tokens = refreshed(&installation).await;
    // Bytes are written as hexadecimal digits there.
    let stored = everything_in(installation.database()).await;
    assert!(stored.contains("session.refreshed"));
    for token in tokens {
        assert!(!stored.contains(&token), "{token}");
    }
}

/// Every row of every table as text.
async fn everything_in(database: &PostgresDatabase) -> String {
    let tables = "SELECT string_agg(format('SELECT t::text FROM %I t', tablename), ' UNION ALL ') FROM pg_tables \
                  WHERE schemaname = current_schema()";
    let statement = database.texts(tables).await.concat();
    database.texts(&statement).await.join("\n")
}
