//! Sessions over HTTP: list, end and limits.

use std::sync::Arc;

use app::composition::Policies;
use domain::access::Role;
use domain::session::SessionLimit;
use serde_json::{Value, json};
use tests::client::{Client, Response};
use tests::clock::TestClock;
use tests::on_each_store;
use tests::server::{Engine, PASSWORD, Server, Setup};
use time::Duration;
use time::macros::datetime;

use crate::installation::on_each_engine;

/// A server and its clock.
pub async fn with_clock(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    (Server::start_with(engine, Setup::with_clock(&clock)).await, clock)
}

pub async fn log_in(server: &Server, name: &str) -> Value {
    let credentials = json!({"Username": name, "Password": PASSWORD});
    server.anonymous().send("POST", "/login", &credentials).await.expect(200)
}

pub async fn refresh(server: &Server, grant: &Value) -> Response {
    server.anonymous().send("POST", "/token/refresh", &json!({"refresh_token": grant["refresh_token"]})).await
}

pub fn bearer(server: &Server, grant: &Value) -> Client {
    server.bearer(grant["token"].as_str().unwrap())
}

pub async fn sessions(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.expect(200)["sessions"].as_array().unwrap().clone()
}

async fn login_beyond_the_session_limit_ends_the_oldest_session(engine: Engine) {
    let policies = Policies { sessions: SessionLimit::new(2).unwrap(), ..Setup::default().policies };
    let server = Server::start_with(engine, Setup { policies, ..Setup::default() }).await;
    server.add_user("asha", Role::Viewer).await;
    let first = log_in(&server, "asha").await;
    bearer(&server, &first).get("/me").await.expect(200);
    let later = [log_in(&server, "asha").await, log_in(&server, "asha").await];
    bearer(&server, &first).get("/me").await.expect_problem(401, "unauthorized");
    refresh(&server, &first).await.expect_problem(401, "invalid-refresh-token");
    for grant in &later {
        assert_eq!(sessions(&bearer(&server, grant), "/me/sessions").await.len(), 2);
    }
}

on_each_engine! {
    login_beyond_the_session_limit_ends_the_oldest_session
}

on_each_store! {
    /// REQ 18.
    async fn logout_ends_only_its_own_session(server) {
        server.add_user("asha", Role::Viewer).await;
        let [grant, other] = [log_in(&server, "asha").await, log_in(&server, "asha").await];
        assert_eq!(bearer(&server, &grant).send("POST", "/logout", &json!({})).await.status, 204);
        let rejected = bearer(&server, &grant).get("/me").await;
        rejected.expect_problem(401, "unauthorized");
        assert!(rejected.header("www-authenticate").contains("error=\"invalid_token\""));
        refresh(&server, &grant).await.expect_problem(401, "invalid-refresh-token");
        bearer(&server, &other).get("/me").await.expect(200);
        refresh(&server, &other).await.expect(200);
    }

    /// REQ 18.
    async fn role_change_disable_and_delete_apply_to_open_sessions(server) {
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
    async fn user_can_list_and_end_only_own_sessions(server) {
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
    async fn administrator_can_list_and_end_sessions_of_any_user(server) {
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

    async fn session_pages_are_linked(server) {
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

async fn session_ends_at_limits(engine: Engine) {
    let (server, clock) = with_clock(engine).await;
    server.add_user("asha", Role::Viewer).await;

    let idle = log_in(&server, "asha").await;
    clock.advance(Duration::days(7));
    refresh(&server, &idle).await.expect_problem(401, "invalid-refresh-token");

    let mut grant = log_in(&server, "asha").await;
    for _ in 0..4 {
        clock.advance(Duration::days(7) - Duration::SECOND);
        grant = refresh(&server, &grant).await.expect(200);
        bearer(&server, &grant).get("/me").await.expect(200);
    }
    // Two days and four seconds of the maximum of 30 days remain: less than the idle limit of a week.
    assert_eq!(grant["refresh_expires_in"], 2 * 24 * 3600 + 4);
    clock.advance(Duration::days(2) - Duration::minutes(5));
    grant = refresh(&server, &grant).await.expect(200);
    assert_eq!(grant["expires_in"], 5 * 60 + 4, "a token does not outlive its session");
    clock.advance(Duration::seconds(5 * 60 + 4));
    refresh(&server, &grant).await.expect_problem(401, "invalid-refresh-token");
    bearer(&server, &grant).get("/me").await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn session_ends_at_idle_and_maximum_age_on_sqlite() {
    session_ends_at_limits(Engine::Sqlite).await;
}

#[tokio::test]
async fn session_ends_at_idle_and_maximum_age_on_postgres() {
    session_ends_at_limits(Engine::Postgres).await;
}
