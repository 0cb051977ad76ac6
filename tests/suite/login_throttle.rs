//! Login throttle.

use std::sync::Arc;

use app::http::EdgeConfig;
use domain::access::Role;
use domain::user::{Account, UsernameDigest};
use domain::{Actor, ActorId, Clock as _, Origin};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::client::Response;
use tests::clock::TestClock;
use tests::program;
use tests::server::{Engine, PASSWORD, Server, Setup};
use time::Duration;
use time::macros::datetime;

use crate::installation::on_each_engine;

/// Starts a server behind a trusted proxy, and returns it with its clock.
async fn start(engine: Engine) -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at(datetime!(2026-11-24 12:00 UTC)));
    let proxies = vec!["127.0.0.1/32".parse().unwrap()].into();
    let config = EdgeConfig { proxies, ..Setup::default().config };
    (Server::start_with(engine, Setup { config, ..Setup::with_clock(&clock) }).await, clock)
}

async fn log_in(server: &Server, name: &str, password: &str, from: &str) -> Response {
    let body = json!({"Username": name, "Password": password}).to_string();
    Response::fetch(server.anonymous().request("POST", "/login").header("x-forwarded-for", from).body(body)).await
}

/// Sends 400 wrong passwords for one account from 50 addresses, to the nodes in turn, while the clock advances.
async fn account_locks_after_100_failed_logins(engine: Engine, node_count: usize) {
    let (server, clock) = start(engine).await;
    let mut nodes = vec![server];
    while nodes.len() < node_count {
        nodes.push(nodes[0].another_node().await);
    }
    for name in ["asha", "ravi"] {
        nodes[0].add_user(name, Role::Viewer).await;
    }
    let open = log_in(&nodes[0], "asha", PASSWORD, "203.0.113.7").await.expect(200);

    let (mut sent, mut checked) = (0, 0);
    while sent < 400 {
        // The first 20 concurrent attempts include 5 without a delay; each later batch of 4 includes 1 after its delay.
        let batch = if sent == 0 { 20 } else { 4 };
        let attempts = (sent..sent + batch).map(|i| {
            let (node, from) = (&nodes[i % nodes.len()], format!("198.51.100.{}", i % 50));
            async move { log_in(node, "asha", "a wrong pass phrase", &from).await }
        });
        for response in join_all(attempts).await {
            match response.status.as_u16() {
                401 => checked += 1,
                429 => assert!(response.header("retry-after").parse::<u32>().unwrap() >= 1),
                other => panic!("{other}"),
            }
        }
        sent += batch;
        clock.advance(Duration::seconds(300));
    }
    assert_eq!((sent, checked), (400, 100));

    let refresh = json!({"refresh_token": open["refresh_token"]});
    let refreshed = nodes[0].anonymous().send("POST", "/token/refresh", &refresh).await.expect(200);
    for node in &nodes {
        log_in(node, "asha", PASSWORD, "203.0.113.7").await.expect_problem(429, "account-locked");
        node.bearer(refreshed["token"].as_str().unwrap()).get("/me").await.expect(200);
        // The login comes from an address with failed logins.
        log_in(node, "ravi", PASSWORD, "198.51.100.7").await.expect(200);
    }

    let home = TempDir::new().unwrap();
    let unlock = ["user", "unlock", "asha", "--database", &nodes[0].store_url()];
    let unlocked = program::run(home.path(), &unlock).await;
    assert_eq!((unlocked.status, &*unlocked.stderr), (Some(0), ""), "{unlocked:?}");
    for node in &nodes {
        log_in(node, "asha", PASSWORD, "203.0.113.7").await.expect(200);
    }
}

/// REQ 16.
#[tokio::test]
async fn account_locks_after_100_failed_logins_on_sqlite() {
    account_locks_after_100_failed_logins(Engine::Sqlite, 1).await;
}

/// REQ 16.
#[tokio::test]
async fn account_locks_after_100_failed_logins_on_two_nodes() {
    account_locks_after_100_failed_logins(Engine::Postgres, 2).await;
}

/// Twenty correct logins of one account at the same time, after four wrong ones.
async fn correct_logins_in_flight_do_not_throttle_each_other(engine: Engine) {
    let (server, _) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    for _ in 0..4 {
        log_in(&server, "asha", "a wrong pass phrase", "203.0.113.7").await.expect_problem(401, "invalid-credentials");
    }
    for response in join_all((0..20).map(|_| log_in(&server, "asha", PASSWORD, "203.0.113.7"))).await {
        response.expect(200);
    }
}
on_each_engine!(correct_logins_in_flight_do_not_throttle_each_other);

/// One address sends more logins at the same time than the hashing queue holds, with right and wrong passwords.
async fn flood_of_logins_rejects_no_login_of_other_addresses(engine: Engine) {
    let (server, _) = start(engine).await;
    let names: Vec<_> = (0..5).map(|n| format!("user{n}")).collect();
    // Every second of these accounts exists.
    let flooding: Vec<_> = (0..100).map(|n| format!("flood{n}")).collect();
    for name in names.iter().chain(flooding.iter().step_by(2)) {
        server.add_user(name, Role::Viewer).await;
    }
    let flood = join_all(flooding.iter().map(async |name| {
        loop {
            log_in(&server, name, PASSWORD, "198.51.100.7").await;
        }
    }));
    let others = async {
        for (n, name) in names.iter().enumerate().cycle().take(10) {
            log_in(&server, name, PASSWORD, &format!("203.0.113.{n}")).await.expect(200);
        }
    };
    tokio::select! {
        _ = flood => unreachable!("the flood does not end"),
        () = others => {}
    }
}
on_each_engine!(flood_of_logins_rejects_no_login_of_other_addresses);

/// The responses to nine consecutive failed logins, sent to the nodes in turn: status, `Retry-After`, `RateLimit` and problem.
async fn responses(nodes: &[Server], name: &str, from: &str) -> Vec<(u16, Option<String>, String, Value)> {
    let mut responses = Vec::new();
    for node in nodes.iter().cycle().take(9) {
        let response = log_in(node, name, "a wrong pass phrase", from).await;
        let header = |name: &str| response.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let mut problem = response.json();
        problem["request_id"].take();
        responses.push((response.status.as_u16(), header("retry-after"), header("ratelimit").unwrap(), problem));
    }
    responses
}

/// On two nodes, which are replaced by new ones after each round.
/// REQ 16.
async fn unknown_usernames_are_throttled_alike(engine: Engine) {
    let (server, clock) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    let mut nodes = [server.another_node().await, server];
    let mut all = Vec::new();
    for _ in 0..3 {
        let [known, unknown, impossible] = [
            responses(&nodes, "asha", "198.51.100.1").await,
            responses(&nodes, "unknown", "198.51.100.2").await,
            responses(&nodes, "no name at all", "198.51.100.3").await,
        ];
        assert_eq!(known, unknown);
        assert_eq!(known, impossible);
        all.extend(known.into_iter().map(|(status, ..)| status));
        clock.advance(Duration::seconds(300));
        nodes = [nodes[0].another_node().await, nodes[0].another_node().await];
    }
    let early = [429; 8];
    assert_eq!(all[..9], [401, 401, 401, 401, 401, 429, 429, 429, 429]);
    assert_eq!((all[9], &all[10..18]), (401, &early[..]));
    assert_eq!((all[18], &all[19..]), (401, &early[..]));
}
on_each_engine!(unknown_usernames_are_throttled_alike);

/// REQ 16.
#[tokio::test]
async fn concurrent_logins_with_unknown_username_count_on_two_nodes() {
    let (server, clock) = start(Engine::Postgres).await;
    let nodes = [server.another_node().await, server];
    let by = Actor { id: ActorId::Anonymous, at: clock.now(), origin: Origin::default() };
    for name in 0..20 {
        let account = Account::Unknown(UsernameDigest::new([name; 32]));
        let admissions = nodes.iter().cycle().take(8).map(|node| node.stores.credentials.admit_login(account, &by));
        let mut counts: Vec<_> =
            join_all(admissions).await.into_iter().filter_map(|admission| admission.unwrap().ok()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2, 3, 4, 5]);
    }
}

/// The status and the account's remaining quota in the responses to concurrent failed logins with these usernames.
async fn concurrent_quotas(server: &Server, names: &[&str]) -> Vec<(u16, String)> {
    let logins = names.iter().map(|name| log_in(server, name, "a wrong pass phrase", "198.51.100.9"));
    let mut responses: Vec<_> = join_all(logins)
        .await
        .iter()
        .map(|response| {
            let account = response.header("ratelimit").split(',').next().unwrap().to_owned();
            (response.status.as_u16(), account)
        })
        .collect();
    responses.sort();
    responses
}

async fn concurrent_logins_do_not_reveal_usernames(engine: Engine) {
    let (server, _) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    server.add_user("moses", Role::Viewer).await;
    let known = concurrent_quotas(&server, &["asha"; 8]).await;
    assert_eq!(known, concurrent_quotas(&server, &["unknown"; 8]).await);
    let left: Vec<_> = known.iter().filter(|(status, _)| *status == 401).map(|(_, left)| &**left).collect();
    let each = [0, 1, 2, 3, 4].map(|left| format!("\"account\";r={left};t={}", i32::from(left == 0)));
    assert_eq!(left, each);
    // Spellings that fold to the same username share a quota, whether the user exists or not.
    let known = concurrent_quotas(&server, &["mo\u{17f}es", "Moses", "MOSES"]).await;
    assert_eq!(known, concurrent_quotas(&server, &["ro\u{17f}es", "Roses", "ROSES"]).await);
}

/// REQ 15.
#[tokio::test]
async fn concurrent_logins_do_not_reveal_usernames_on_sqlite() {
    concurrent_logins_do_not_reveal_usernames(Engine::Sqlite).await;
}

/// REQ 15.
#[tokio::test]
async fn concurrent_logins_do_not_reveal_usernames_on_postgres() {
    concurrent_logins_do_not_reveal_usernames(Engine::Postgres).await;
}

/// REQ 16.
async fn clock_set_back_does_not_extend_a_delay(engine: Engine) {
    let (server, clock) = start(engine).await;
    server.add_user("asha", Role::Viewer).await;
    for name in ["asha", "unknown"] {
        for _ in 0..7 {
            log_in(&server, name, "a wrong pass phrase", "198.51.100.1")
                .await
                .expect_problem(401, "invalid-credentials");
            clock.advance(Duration::seconds(2));
        }
        // The delay after seven failures is 4 seconds, of which 2 are over.
        clock.step(-Duration::HOUR);
        let throttled = log_in(&server, name, "a wrong pass phrase", "198.51.100.1").await;
        throttled.expect_problem(429, "too-many-attempts");
        let wait: i64 = throttled.header("retry-after").parse().unwrap();
        assert!((2..=4).contains(&wait), "{name}: {wait}");
        clock.advance(Duration::seconds(wait));
        let response = log_in(&server, name, "a wrong pass phrase", "198.51.100.1").await;
        response.expect_problem(401, "invalid-credentials");
    }
}

#[tokio::test]
async fn clock_set_back_does_not_extend_a_delay_on_sqlite() {
    clock_set_back_does_not_extend_a_delay(Engine::Sqlite).await;
}

#[tokio::test]
async fn clock_set_back_does_not_extend_a_delay_on_postgres() {
    clock_set_back_does_not_extend_a_delay(Engine::Postgres).await;
}

/// REQ 16.
#[tokio::test]
async fn successful_login_or_unlock_resets_throttle() {
    let (server, clock) = start(Engine::Sqlite).await;
    let user = server.add_user("asha", Role::Viewer).await;
    let admin = server.add_user("admin", Role::Admin).await;
    let wrong = || log_in(&server, "asha", "a wrong pass phrase", "198.51.100.1");
    // The quota of all requests follows the two of the throttle.
    let left = |response: &Response| response.header("ratelimit").split(", \"requests\"").next().unwrap().to_owned();
    for _ in 0..4 {
        wrong().await.expect_problem(401, "invalid-credentials");
    }
    assert_eq!(left(&wrong().await), "\"account\";r=0;t=1, \"address\";r=295;t=2");
    clock.advance(Duration::SECOND);
    let success = log_in(&server, "asha", PASSWORD, "198.51.100.1").await;
    success.expect(200);
    assert!(left(&success).starts_with("\"account\";r=5;t=0"), "{}", left(&success));
    assert_eq!(
        success.header("ratelimit-policy"),
        "\"account\";q=5;w=300, \"address\";q=300;w=600, \"requests\";q=10000000;w=60"
    );

    for _ in 0..5 {
        wrong().await.expect_problem(401, "invalid-credentials");
    }
    wrong().await.expect_problem(429, "too-many-attempts");
    let admin = server.client_of(&admin).await;
    admin.send("POST", &format!("/users/{}/unlock", user.id), &json!({})).await.expect(200);
    wrong().await.expect_problem(401, "invalid-credentials");
    admin.send("POST", "/users/999/unlock", &json!({})).await.expect_problem(404, "record-not-found");
}
