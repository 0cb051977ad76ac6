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

async fn with_minimum_quota(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let policies = Policies { requests: RequestQuota::MIN, ..Policies::default() };
    (Server::start_with(engine, Setup { policies, ..Setup::with_clock(&clock) }).await, clock)
}

#[tokio::test]
async fn request_quota_is_per_user() {
    let (server, clock) = with_minimum_quota(Engine::Sqlite).await;
    let asha = server.add_user("asha", Role::Admin).await;
    let (first, second) = (server.client_of(&asha).await, server.client_of(&asha).await);
    for left in (0..60).rev() {
        // The quota is independent of the session, the operation and the status of the response.
        let client = if left % 2 == 0 { &first } else { &second };
        let response = client.get(["/me", "/students", "/students/999", "/nowhere"][left % 4]).await;
        assert_eq!(response.header("ratelimit-policy"), "\"requests\";q=60;w=60");
        assert!(response.header("ratelimit").starts_with(&format!("\"requests\";r={left};t=")), "{response:?}");
    }
    let rejected = first.get("/me").await;
    rejected.expect_problem(429, "too-many-requests");
    assert_eq!(rejected.header("retry-after"), "1");
    assert_eq!(rejected.header("ratelimit"), "\"requests\";r=0;t=1");
    second.delete("/students/1").await.expect_problem(429, "too-many-requests");
    server.client(Role::Viewer).await.get("/me").await.expect(200);
    server.anonymous().get("/health/live").await.expect(200);
    clock.advance(Duration::SECOND);
    first.get("/me").await.expect(200);
    first.get("/me").await.expect_problem(429, "too-many-requests");
}

#[tokio::test]
async fn anonymous_requests_are_limited_per_address() {
    let (server, _) = with_minimum_quota(Engine::Sqlite).await;
    let asha = server.client(Role::Viewer).await;
    for _ in 0..60 {
        server.bearer("garbage").get("/me").await.expect_problem(401, "unauthorized");
    }
    server.bearer("garbage").get("/me").await.expect_problem(429, "too-many-requests");
    server.anonymous().get("/students").await.expect_problem(429, "too-many-requests");
    let credentials = json!({"Username": "asha", "Password": "x"});
    server.anonymous().send("POST", "/login", &credentials).await.expect_problem(429, "too-many-requests");
    asha.get("/me").await.expect(200);
    // The quota does not apply to the documentation pages.
    let page = Response::fetch(server.anonymous().request("GET", "/docs/")).await;
    assert_eq!(page.status, 200);
    assert!(!page.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn clock_step_does_not_change_quotas() {
    let (server, clock) = with_minimum_quota(Engine::Sqlite).await;
    let asha = server.client(Role::Viewer).await;
    let steps = [-Duration::HOUR, Duration::HOUR, -Duration::seconds(90), Duration::seconds(90)];
    for (number, step) in steps.into_iter().enumerate() {
        asha.get("/me").await.expect(200);
        server.anonymous().get("/openapi.json").await.expect(200);
        clock.step(step);
        let left = asha.get("/me").await;
        assert!(left.header("ratelimit").starts_with(&format!("\"requests\";r={};t=1", 58 - 2 * number)), "{left:?}");
    }
}

#[tokio::test]
async fn health_checks_are_never_metered() {
    let (server, _) = with_minimum_quota(Engine::Sqlite).await;
    for _ in 0..60 {
        server.anonymous().get("/nowhere").await.expect_problem(401, "unauthorized");
    }
    server.anonymous().get("/nowhere").await.expect_problem(429, "too-many-requests");
    for path in ["/health/live", "/health/ready"] {
        let response = server.anonymous().get(path).await;
        response.expect(200);
        assert!(!response.headers.contains_key("ratelimit"), "{response:?}");
    }
}

#[tokio::test]
async fn login_response_lists_all_its_quotas() {
    let (server, _) = with_minimum_quota(Engine::Sqlite).await;
    let credentials = json!({"Username": "unknown", "Password": "x"});
    let response = server.anonymous().send("POST", "/login", &credentials).await;
    response.expect_problem(401, "invalid-credentials");
    let policy = "\"account\";q=5;w=300, \"address\";q=300;w=600, \"requests\";q=60;w=60";
    assert_eq!(response.header("ratelimit-policy"), policy);
    assert!(response.header("ratelimit").ends_with(", \"requests\";r=59;t=1"), "{response:?}");
}
