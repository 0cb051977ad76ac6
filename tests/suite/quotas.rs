//! Request quotas.

use std::sync::Arc;

use app::composition::Policies;
use domain::access::Role;
use domain::quota::RequestQuota;
use serde_json::json;
use tests::client::Response;
use tests::clock::TestClock;
use tests::server::{Engine, Server, Setup};
use time::Duration;
use time::macros::datetime;

async fn with_least(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let policies = Policies { requests: RequestQuota::MIN, ..Policies::default() };
    (Server::start_with(engine, Setup { clock: clock.clone(), policies, ..Setup::default() }).await, clock)
}

#[tokio::test]
async fn a_user_who_asks_too_often_is_a_429_and_nobody_else_waits() {
    let (server, clock) = with_least(Engine::Sqlite).await;
    let asha = server.add_user("asha", Role::Admin).await;
    let (first, second) = (server.client_of(&asha).await, server.client_of(&asha).await);
    for left in (0..60).rev() {
        // On whatever session, whatever is asked, and whatever is answered.
        let client = if left % 2 == 0 { &first } else { &second };
        let answer = client.get(["/me", "/students", "/students/999", "/nowhere"][left % 4]).await;
        assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=60;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"requests\";r={left};t=")), "{answer:?}");
    }
    let refused = first.get("/me").await;
    refused.expect_problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"requests\";r=0;t=1");
    second.delete("/students/1").await.expect_problem(429, "too-many-requests");
    server.client(Role::Viewer).await.get("/me").await.expect(200);
    server.anonymous().get("/health/live").await.expect(200);
    clock.advance(Duration::SECOND);
    first.get("/me").await.expect(200);
    first.get("/me").await.expect_problem(429, "too-many-requests");
}

#[tokio::test]
async fn anonymous_requests_are_limited_per_address() {
    let (server, _) = with_least(Engine::Sqlite).await;
    let asha = server.client(Role::Viewer).await;
    for _ in 0..60 {
        server.bearer("garbage").get("/me").await.expect_problem(401, "unauthorized");
    }
    server.bearer("garbage").get("/me").await.expect_problem(429, "too-many-requests");
    server.anonymous().get("/students").await.expect_problem(429, "too-many-requests");
    let credentials = json!({"Username": "asha", "Password": "x"});
    server.anonymous().send("POST", "/login", &credentials).await.expect_problem(429, "too-many-requests");
    asha.get("/me").await.expect(200);
    // The pages for people are no operations.
    let page = Response::to(server.anonymous().request("GET", "/docs/")).await;
    assert_eq!(page.status, 200);
    assert!(!page.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn a_login_tells_all_its_quotas() {
    let (server, _) = with_least(Engine::Sqlite).await;
    let credentials = json!({"Username": "nobody", "Password": "x"});
    let answer = server.anonymous().send("POST", "/login", &credentials).await;
    answer.expect_problem(401, "invalid-credentials");
    let policy = "\"account\";q=5;w=300, \"address\";q=300;w=600, \"requests\";q=60;w=60";
    assert_eq!(answer.header("ratelimit-policy"), policy);
    assert!(answer.header("ratelimit").ends_with(", \"requests\";r=59;t=1"), "{answer:?}");
}
