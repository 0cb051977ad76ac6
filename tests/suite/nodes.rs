//! Two nodes on one database: revocation and the session cache.

use std::time::Duration;

use serde_json::json;
use tests::client::Client;
use tests::postgres_proxy::PostgresProxy;
use tests::program::Program;
use tests::server::Engine;
use tokio::time::{interval, timeout};

use crate::bound::within_revocation_bound;
use crate::installation::{Installation, TIMEOUT, stop};

const PASSWORD: &str = "slow river under seven bridges";

/// Part of the statement of a session lookup.
const SESSION_LOOKUP: &str = "FROM sessions";

/// Node A is connected to the database directly, node B through a proxy.
struct Nodes {
    installation: Installation,
    proxy: PostgresProxy,
    a: Program,
    b: Program,
}

impl Nodes {
    async fn start() -> Self {
        let installation = Installation::new(Engine::Postgres);
        let proxy = PostgresProxy::start(&installation.database().url()).await;
        let b = installation.serve_command(&["--database", proxy.url()]);
        let a = installation.serve().await;
        let b = timeout(TIMEOUT, Program::start(b)).await.expect("the server starts");
        Self { installation, proxy, a, b }
    }

    /// Creates a user, logs in on A, and sends one request with the token to B.
    async fn add_user(&self, name: &str, role: &str) -> UserClients {
        let arguments = ["user", "create", name, "--role", role, "--password-stdin"];
        let added = self.installation.run(&arguments, Some(PASSWORD)).await;
        assert_eq!(added.status, Some(0), "{added:?}");
        let a = self.a.log_in(name, PASSWORD).await;
        let b = self.b.client(a.token().map(str::to_owned));
        b.get("/me").await.expect(200);
        UserClients { a, b }
    }

    /// Waits until B looks up sessions in the database on every request, or on no request.
    async fn until_b_queries(&self, client: &Client, queries: bool) {
        wait_until(&format!("B looks up each session in the database: {queries}"), || async {
            let before = self.proxy.execution_count(SESSION_LOOKUP);
            for _ in 0..20 {
                client.get("/me").await.expect(200);
            }
            let lookups = self.proxy.execution_count(SESSION_LOOKUP) - before;
            if queries { lookups == 20 } else { lookups == 0 }
        })
        .await;
    }

    async fn stop(self) {
        stop(self.a).await;
        stop(self.b).await;
    }
}

/// Clients of one user on both nodes, with the same token.
struct UserClients {
    a: Client,
    b: Client,
}

impl UserClients {
    async fn log_out(&self) {
        assert_eq!(self.a.send("POST", "/logout", &json!({})).await.status, 204);
    }
}

async fn wait_until<F: Future<Output = bool>>(description: &str, condition: impl Fn() -> F) {
    let result = timeout(TIMEOUT, async {
        let mut retry = interval(Duration::from_millis(10));
        while !condition().await {
            retry.tick().await;
        }
    });
    result.await.unwrap_or_else(|_| panic!("timeout: {description}"));
}

/// REQ 18.
#[tokio::test]
async fn revocation_applies_on_other_node_within_a_second() {
    let nodes = Nodes::start().await;
    let root = nodes.add_user("root", "admin").await;
    let asha = nodes.add_user("asha", "registrar").await;
    let ravi = nodes.add_user("ravi", "viewer").await;

    asha.log_out().await;
    within_revocation_bound(401, || async { asha.b.get("/me").await.status.as_u16() }).await;

    let meera = nodes.add_user("meera", "registrar").await;
    let id = meera.a.get("/me").await.expect(200)["id"].clone();
    let delete = || async { meera.b.delete("/students/999").await.status.as_u16() };
    assert_eq!(delete().await, 404);
    root.a.send("PATCH", &format!("/users/{id}"), &json!({"role": "viewer"})).await.expect(200);
    within_revocation_bound(403, delete).await;
    meera.b.get("/me").await.expect(200);

    let id = ravi.a.get("/me").await.expect(200)["id"].clone();
    root.a.send("PATCH", &format!("/users/{id}"), &json!({"status": "disabled"})).await.expect(200);
    within_revocation_bound(401, || async { ravi.b.get("/me").await.status.as_u16() }).await;

    // Revocation by the command line also applies to both nodes.
    let outcome = nodes.installation.run(&["user", "delete-sessions", "meera"], None).await;
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    within_revocation_bound(401, || async { meera.b.get("/me").await.status.as_u16() }).await;
    within_revocation_bound(401, || async { meera.a.get("/me").await.status.as_u16() }).await;
    nodes.stop().await;
}

#[tokio::test]
async fn cached_session_causes_no_query() {
    const REQUESTS: u64 = 10_000;
    let nodes = Nodes::start().await;
    let user = nodes.add_user("asha", "viewer").await;
    nodes.until_b_queries(&user.b, false).await;
    let before = nodes.proxy.execution_counts();
    futures_util::future::join_all((0..8).map(|_| async {
        for _ in 0..REQUESTS / 8 {
            user.b.get("/me").await.expect(200);
        }
    }))
    .await;
    for (statement, executed) in nodes.proxy.execution_counts() {
        let executed = executed - before.get(&statement).copied().unwrap_or_default();
        // Statements of the heartbeat and of periodic tasks. One of them watches for the change of the initial password.
        let periodic = [
            "pg_notify",
            "audit_events",
            "DELETE FROM sessions",
            "BEGIN",
            "COMMIT",
            "WHERE username_folded",
            "WHERE name_search IS NULL",
            "student_feed",
        ];
        assert!(
            executed == 0 || periodic.iter().any(|known| statement.contains(known)),
            "{executed} times in {REQUESTS} requests: {statement}"
        );
    }
    println!("0 authentication queries in {REQUESTS} requests");
    nodes.stop().await;
}

#[tokio::test]
async fn disconnected_feed_disables_session_cache_until_reconnect() {
    let nodes = Nodes::start().await;
    let (asha, ravi) = (nodes.add_user("asha", "viewer").await, nodes.add_user("ravi", "viewer").await);
    nodes.until_b_queries(&asha.b, false).await;

    // The proxy forwards nothing on new connections that listen, so the feed of B stays disconnected.
    nodes.proxy.pause_listeners();
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'";
    nodes.installation.database().execute(terminate).await;
    nodes.until_b_queries(&ravi.b, true).await;
    asha.log_out().await;
    assert_eq!(asha.b.get("/me").await.status, 401, "at the next request");

    nodes.proxy.resume();
    nodes.until_b_queries(&ravi.b, false).await;
    assert_eq!(asha.b.get("/me").await.status, 401);
    nodes.stop().await;
}

#[tokio::test]
async fn silent_feed_disables_session_cache_and_fails_closed() {
    let nodes = Nodes::start().await;
    let (asha, ravi) = (nodes.add_user("asha", "viewer").await, nodes.add_user("ravi", "viewer").await);
    nodes.until_b_queries(&asha.b, false).await;

    nodes.proxy.pause_listeners();
    asha.log_out().await;
    within_revocation_bound(401, || async { asha.b.get("/me").await.status.as_u16() }).await;
    nodes.until_b_queries(&ravi.b, true).await;

    nodes.proxy.pause();
    ravi.b.get("/me").await.expect_problem(503, "store-unavailable");
    wait_until("B is not ready", || async { ravi.b.get("/health/ready").await.status == 503 }).await;

    nodes.proxy.resume();
    wait_until("B is ready", || async { ravi.b.get("/health/ready").await.status == 200 }).await;
    nodes.until_b_queries(&ravi.b, false).await;
    nodes.stop().await;
}
