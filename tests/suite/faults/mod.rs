//! Fault injection: every problem that the API document lists for an operation is provoked on that operation.

mod operation;
mod scene;

use std::collections::BTreeSet;

use domain::quota::RequestQuota;
use serde_json::json;
use tests::client::Response;
use tests::faults::Fault;

use operation::{Operation, operations};
use scene::{ADMIN_SESSIONS, Scene};

/// Problems that require a separate clock or quota. Each has a separate test.
const SEPARATE: [&str; 3] = ["too-many-requests", "request-timeout", "deadline-exceeded"];

/// One message for each response that is not the expected problem.
fn mismatches(operation: &Operation, status: u16, slug: &str, responses: &[Response]) -> Vec<String> {
    if responses.is_empty() {
        return vec![format!("no request to {} provokes {status} {slug}", operation.id)];
    }
    let is_expected = |response: &Response| {
        response.status.as_u16() == status && response.json()["type"] == format!("/problems/{slug}")
    };
    let others = responses.iter().filter(|response| !is_expected(response));
    let messages = others
        .map(|other| format!("{} should return {status} {slug}, not {}: {}", operation.id, other.status, other.text()));
    messages.collect()
}

#[tokio::test]
async fn documented_problems_can_be_provoked() {
    let scene = Scene::start(RequestQuota::MAX).await;
    let (mut combinations, mut faults) = (0, Vec::new());
    for operation in operations() {
        for (status, slug) in operation.problems.iter().filter(|(_, slug)| !SEPARATE.contains(&slug.as_str())) {
            let responses = scene.provoke(&operation, slug).await;
            faults.extend(mismatches(&operation, *status, slug, &responses));
            combinations += 1;
        }
    }
    println!("{combinations} combinations");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(combinations > 200, "only {combinations} combinations");
}

#[tokio::test]
async fn operations_except_health_checks_are_rate_limited() {
    let scene = Scene::start(RequestQuota::MIN).await;
    let anonymous = scene.server.anonymous();
    for client in [&scene.client, &anonymous] {
        for _ in 0..RequestQuota::MIN.get() {
            client.get("/me").await;
        }
    }
    let mut unmetered = Vec::new();
    for operation in operations() {
        let caller = if operation.public { &anonymous } else { &scene.client };
        let response = Response::fetch(scene.valid(&operation, caller)).await;
        if operation.documents("too-many-requests") {
            assert_eq!(mismatches(&operation, 429, "too-many-requests", &[response]), [""; 0]);
        } else {
            response.expect(200);
            unmetered.push(operation.id);
        }
    }
    assert_eq!(unmetered, ["getLiveness", "getReadiness"]);
}

#[tokio::test]
async fn stalled_body_returns_408() {
    let scene = Scene::start(RequestQuota::MAX).await;
    // The paused clock advances to the next timer.
    tokio::time::pause();
    let mut timed_out = BTreeSet::new();
    for operation in operations().into_iter().filter(|operation| operation.documents("request-timeout")) {
        let body = reqwest::Body::wrap_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let request = scene.bare(&operation, &scene.client).header("content-type", "application/json").body(body);
        let response = Response::fetch(request).await;
        assert_eq!(mismatches(&operation, 408, "request-timeout", &[response]), [""; 0]);
        timed_out.insert(operation.id);
    }
    assert_eq!(timed_out, operations().into_iter().filter(|it| it.has_body).map(|it| it.id).collect());
}

#[tokio::test]
async fn server_is_live_while_its_store_hangs_or_fails() {
    let scene = Scene::start(RequestQuota::MAX).await;
    for fault in [Fault::Hang, Fault::Unavailable, Fault::Failed] {
        scene.faults.stores.inject(fault);
        scene.faults.session_lookup.inject(fault);
        for client in [&scene.server.anonymous(), &scene.fresh[0]] {
            assert_eq!(client.get("/health/live").await.expect(200), json!({ "status": "live" }), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn unresponsive_store_returns_503() {
    let mut scene = Scene::start(RequestQuota::MAX).await;
    let operations: Vec<_> =
        operations().into_iter().filter(|operation| operation.documents("deadline-exceeded")).collect();
    assert!(operations.len() <= ADMIN_SESSIONS, "each operation needs an uncached session");
    scene.faults.stores.inject(Fault::Hang);
    scene.faults.session_lookup.inject(Fault::Hang);
    tokio::time::pause();
    for operation in operations {
        let caller = scene.fresh.pop().unwrap();
        let response = Response::fetch(scene.valid(&operation, &caller)).await;
        assert_eq!(mismatches(&operation, 503, "deadline-exceeded", &[response]), [""; 0]);
    }
}
