//! What the document promises of failure: each problem that it tells of an operation is provoked there.

mod operation;
mod scene;

use std::collections::BTreeSet;

use domain::quota::RequestQuota;
use tests::client::Answer;
use tests::faults::Fault;

use operation::{Operation, operations};
use scene::{ADMIN_SESSIONS, Scene};

/// Problems that need a clock of their own, each with a test of its own.
const APART: [&str; 3] = ["too-many-requests", "request-timeout", "deadline-exceeded"];

/// What is wrong with answers that should all be one problem.
fn wrong(operation: &Operation, status: u16, slug: &str, answers: &[Answer]) -> Vec<String> {
    if answers.is_empty() {
        return vec![format!("nothing makes {} a {status} {slug}", operation.id)];
    }
    let is_it =
        |answer: &Answer| answer.status.as_u16() == status && answer.json()["type"] == format!("/problems/{slug}");
    let others = answers.iter().filter(|answer| !is_it(answer));
    let told = others
        .map(|other| format!("{} should be a {status} {slug} and is {}: {}", operation.id, other.status, other.text()));
    told.collect()
}

#[tokio::test]
async fn every_problem_that_the_document_tells_of_an_operation_can_be_provoked() {
    let scene = Scene::set(RequestQuota::MOST).await;
    let (mut cells, mut faults) = (0, Vec::new());
    for operation in operations() {
        for (status, slug) in operation.problems.iter().filter(|(_, slug)| !APART.contains(&slug.as_str())) {
            let answers = scene.provoke(&operation, slug).await;
            faults.extend(wrong(&operation, *status, slug, &answers));
            cells += 1;
        }
    }
    println!("{cells} cells");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cells > 200, "{cells} cells alone");
}

#[tokio::test]
async fn every_operation_is_refused_to_whoever_has_asked_too_often() {
    let scene = Scene::set(RequestQuota::LEAST).await;
    let anonymous = scene.server.anonymous();
    for (client, path) in [(&scene.client, "/me"), (&anonymous, "/health/live")] {
        while client.get(path).await.status != 429 {}
    }
    let mut refused = 0;
    for operation in operations().iter().filter(|operation| operation.tells("too-many-requests")) {
        let caller = if operation.public { &anonymous } else { &scene.client };
        let answer = Answer::to(scene.good(operation, caller)).await;
        assert_eq!(wrong(operation, 429, "too-many-requests", &[answer]), [""; 0]);
        refused += 1;
    }
    assert_eq!(refused, operations().len());
}

#[tokio::test]
async fn every_operation_that_takes_a_body_gives_up_one_that_stands_still() {
    let scene = Scene::set(RequestQuota::MOST).await;
    // From here on the clock jumps to whatever is waited for.
    tokio::time::pause();
    let mut given_up = BTreeSet::new();
    for operation in operations().into_iter().filter(|operation| operation.tells("request-timeout")) {
        let body = reqwest::Body::wrap_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let request = scene.bare(&operation, &scene.client).header("content-type", "application/json").body(body);
        let answer = Answer::to(request).await;
        assert_eq!(wrong(&operation, 408, "request-timeout", &[answer]), [""; 0]);
        given_up.insert(operation.id);
    }
    assert_eq!(given_up, operations().into_iter().filter(|it| it.takes_body).map(|it| it.id).collect());
}

#[tokio::test]
async fn every_operation_that_a_store_leaves_waiting_is_given_up() {
    let mut scene = Scene::set(RequestQuota::MOST).await;
    let operations: Vec<_> =
        operations().into_iter().filter(|operation| operation.tells("deadline-exceeded")).collect();
    assert!(operations.len() <= ADMIN_SESSIONS, "one session for each, for whoever is known needs no store");
    scene.faults.stores.break_by(Fault::Silent);
    scene.faults.session_lookup.break_by(Fault::Silent);
    tokio::time::pause();
    for operation in operations {
        let caller = scene.fresh.pop().unwrap();
        let answer = Answer::to(scene.good(&operation, &caller)).await;
        assert_eq!(wrong(&operation, 503, "deadline-exceeded", &[answer]), [""; 0]);
    }
}
