//! Whoever guesses passwords.

use std::sync::Arc;

use app::http::EdgeConfig;
use domain::access::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::client::Answer;
use tests::clock::TestClock;
use tests::program;
use tests::server::{Engine, PASSWORD, Server, Setup};
use time::Duration;
use time::macros::datetime;

/// A server behind a trusted proxy, and its clock.
async fn start(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let proxies = vec!["127.0.0.1/32".parse().unwrap()].into();
    let config = EdgeConfig { proxies, ..Setup::default().config };
    (Server::start_with(engine, Setup { clock: clock.clone(), config, ..Setup::default() }).await, clock)
}

async fn log_in(server: &Server, name: &str, password: &str, from: &str) -> Answer {
    let body = json!({"Username": name, "Password": password}).to_string();
    Answer::to(server.anonymous().request("POST", "/login").header("x-forwarded-for", from).body(body)).await
}

/// Guesses one account's password 400 times from 50 addresses, on these nodes in turn, while the clock moves on.
async fn a_guessed_account_is_locked_after_100_and_nobody_else_waits(engine: Engine, count_of_nodes: usize) {
    let (server, clock) = start(engine).await;
    let mut nodes = vec![server];
    while nodes.len() < count_of_nodes {
        nodes.push(nodes[0].another_node().await);
    }
    for name in ["asha", "ravi"] {
        nodes[0].add_user(name, Role::Viewer).await;
    }
    let open = log_in(&nodes[0], "asha", PASSWORD, "203.0.113.7").await.expect(200);

    let (mut made, mut considered) = (0, 0);
    while made < 400 {
        // First the five that need not wait, among twenty at once; then the one that has waited, among four.
        let at_once = if made == 0 { 20 } else { 4 };
        let throttle = (made..made + at_once).map(|i| {
            let (node, from) = (&nodes[i % nodes.len()], format!("198.51.100.{}", i % 50));
            async move { log_in(node, "asha", "a wrong pass phrase", &from).await }
        });
        for answer in join_all(throttle).await {
            match answer.status.as_u16() {
                401 => considered += 1,
                429 => assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1),
                other => panic!("{other}"),
            }
        }
        made += at_once;
        clock.advance(Duration::seconds(300));
    }
    assert_eq!((made, considered), (400, 100));

    let refresh = json!({"refresh_token": open["refresh_token"]});
    let refreshed = nodes[0].anonymous().send("POST", "/token/refresh", &refresh).await.expect(200);
    for node in &nodes {
        log_in(node, "asha", PASSWORD, "203.0.113.7").await.expect_problem(429, "account-locked");
        node.bearer(refreshed["token"].as_str().unwrap()).get("/me").await.expect(200);
        // From an address that has guessed.
        log_in(node, "ravi", PASSWORD, "198.51.100.7").await.expect(200);
    }

    let home = TempDir::new().unwrap();
    let unlock = ["user", "unlock", "asha", "--database", &nodes[0].store()];
    let unlocked = program::run(home.path(), &unlock).await;
    assert_eq!((unlocked.status, &*unlocked.stderr), (Some(0), ""), "{unlocked:?}");
    for node in &nodes {
        log_in(node, "asha", PASSWORD, "203.0.113.7").await.expect(200);
    }
}

#[tokio::test]
async fn req_16_a_guessed_account_is_locked_after_100_and_nobody_else_waits_on_sqlite() {
    a_guessed_account_is_locked_after_100_and_nobody_else_waits(Engine::Sqlite, 1).await;
}

#[tokio::test]
async fn req_16_a_guessed_account_is_locked_after_100_and_nobody_else_waits_on_two_nodes() {
    a_guessed_account_is_locked_after_100_and_nobody_else_waits(Engine::Postgres, 2).await;
}

/// What nine wrong logins in a row are told, each when the one before has been answered.
async fn told(server: &Server, name: &str, from: &str) -> Vec<(u16, Option<String>, String, Value)> {
    let mut told = Vec::new();
    for _ in 0..9 {
        let answer = log_in(server, name, "a wrong pass phrase", from).await;
        let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let mut problem = answer.json();
        problem["request_id"].take();
        told.push((answer.status.as_u16(), header("retry-after"), header("ratelimit").unwrap(), problem));
    }
    told
}

async fn names_that_do_not_exist_wait_too(engine: Engine) {
    let (server, clock) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    for _ in 0..3 {
        let [known, unknown, impossible] = [
            told(&server, "asha", "198.51.100.1").await,
            told(&server, "nobody", "198.51.100.2").await,
            told(&server, "no name at all", "198.51.100.3").await,
        ];
        assert_eq!(known, unknown);
        assert_eq!(known, impossible);
        let statuses: Vec<_> = known.iter().map(|(status, ..)| *status).collect();
        assert_eq!(statuses.last(), Some(&429));
        assert!(statuses.contains(&401), "{statuses:?}");
        clock.advance(Duration::seconds(300));
    }
}

#[tokio::test]
async fn req_16_names_that_do_not_exist_wait_like_others_on_sqlite() {
    names_that_do_not_exist_wait_too(Engine::Sqlite).await;
}

#[tokio::test]
async fn req_16_names_that_do_not_exist_wait_like_others_on_postgres() {
    names_that_do_not_exist_wait_too(Engine::Postgres).await;
}

/// What is told to be left of the account, over wrong logins under these names at once.
async fn left_at_once(server: &Server, names: &[&str]) -> Vec<(u16, String)> {
    let tries = names.iter().map(|name| log_in(server, name, "a wrong pass phrase", "198.51.100.9"));
    let mut told: Vec<_> = join_all(tries)
        .await
        .iter()
        .map(|answer| {
            let account = answer.header("ratelimit").split(',').next().unwrap().to_owned();
            (answer.status.as_u16(), account)
        })
        .collect();
    told.sort();
    told
}

async fn what_is_left_tells_no_name_from_another(engine: Engine) {
    let (server, _) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    server.add_user("moses", Role::Viewer).await;
    let known = left_at_once(&server, &["asha"; 8]).await;
    assert_eq!(known, left_at_once(&server, &["nobody"; 8]).await);
    let left: Vec<_> = known.iter().filter(|(status, _)| *status == 401).map(|(_, left)| &**left).collect();
    let each = [0, 1, 2, 3, 4].map(|left| format!("\"account\";r={left};t={}", i32::from(left == 0)));
    assert_eq!(left, each);
    // Written otherwise, it is the same name, whether it is anybody's or not.
    let known = left_at_once(&server, &["mo\u{17f}es", "Moses", "MOSES"]).await;
    assert_eq!(known, left_at_once(&server, &["ro\u{17f}es", "Roses", "ROSES"]).await);
}

#[tokio::test]
async fn req_15_tries_at_once_tell_no_name_from_another_on_sqlite() {
    what_is_left_tells_no_name_from_another(Engine::Sqlite).await;
}

#[tokio::test]
async fn req_15_tries_at_once_tell_no_name_from_another_on_postgres() {
    what_is_left_tells_no_name_from_another(Engine::Postgres).await;
}

#[tokio::test]
async fn req_16_a_good_login_begins_anew_and_an_administrator_unlocks() {
    let (server, clock) = start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let boss = server.add_user("boss", Role::Admin).await;
    let wrong = || log_in(&server, "asha", "a wrong pass phrase", "198.51.100.1");
    // Behind them stands the quota of all requests.
    let left = |answer: &Answer| answer.header("ratelimit").split(", \"requests\"").next().unwrap().to_owned();
    for _ in 0..4 {
        wrong().await.expect_problem(401, "invalid-credentials");
    }
    assert_eq!(left(&wrong().await), "\"account\";r=0;t=1, \"address\";r=295;t=2");
    clock.advance(Duration::SECOND);
    let good = log_in(&server, "asha", PASSWORD, "198.51.100.1").await;
    good.expect(200);
    assert!(left(&good).starts_with("\"account\";r=5;t=0"), "{}", left(&good));
    assert_eq!(
        good.header("ratelimit-policy"),
        "\"account\";q=5;w=300, \"address\";q=300;w=600, \"requests\";q=10000000;w=60"
    );

    for _ in 0..5 {
        wrong().await.expect_problem(401, "invalid-credentials");
    }
    wrong().await.expect_problem(429, "too-many-attempts");
    let boss = server.client_of(&boss).await;
    boss.send("POST", &format!("/users/{}/unlock", user.id), &json!({})).await.expect(200);
    wrong().await.expect_problem(401, "invalid-credentials");
    boss.send("POST", "/users/999/unlock", &json!({})).await.expect_problem(404, "record-not-found");
}
