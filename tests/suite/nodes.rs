//! Two nodes on one database: what ends on one has ended on the other.

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

/// What the look-up of a bearer reads.
const LOOK_UP: &str = "FROM sessions";

/// Node A straight on the database, node B behind a proxy.
struct Nodes {
    installation: Installation,
    proxy: PostgresProxy,
    a: Program,
    b: Program,
}

impl Nodes {
    async fn start() -> Self {
        let installation = Installation::new(Engine::Postgres);
        let proxy = PostgresProxy::before(&installation.database().url()).await;
        let b = installation.serving(&["--database", proxy.url()]);
        let a = installation.serve().await;
        let b = timeout(TIMEOUT, Program::start(b)).await.expect("a start of the server");
        Self { installation, proxy, a, b }
    }

    /// A new user, logged in on A, whose token B knows already.
    async fn user(&self, name: &str, role: &str) -> Both {
        let arguments = ["user", "create", name, "--role", role, "--password-stdin"];
        let added = self.installation.run(&arguments, Some(PASSWORD)).await;
        assert_eq!(added.status, Some(0), "{added:?}");
        let a = self.a.log_in(name, PASSWORD).await;
        let b = self.b.client(a.token().map(str::to_owned));
        b.get("/me").await.expect(200);
        Both { a, b }
    }

    /// Waits until B judges tokens without the database, or until it asks for each.
    async fn until_b_asks(&self, client: &Client, asks: bool) {
        until(&format!("B asks for each token: {asks}"), || async {
            let before = self.proxy.executed(LOOK_UP);
            for _ in 0..20 {
                client.get("/me").await.expect(200);
            }
            let asked = self.proxy.executed(LOOK_UP) - before;
            if asks { asked == 20 } else { asked == 0 }
        })
        .await;
    }

    async fn stop(self) {
        stop(self.a).await;
        stop(self.b).await;
    }
}

/// One user on both nodes, with one token.
struct Both {
    a: Client,
    b: Client,
}

impl Both {
    async fn log_out(&self) {
        assert_eq!(self.a.send("POST", "/logout", &json!({})).await.status, 204);
    }
}

async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waited = timeout(TIMEOUT, async {
        let mut again = interval(Duration::from_millis(10));
        while !is_so().await {
            again.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// REQ 18.
#[tokio::test]
async fn revocation_applies_on_other_node_within_a_second() {
    let nodes = Nodes::start().await;
    let (root, asha, ravi) =
        (nodes.user("root", "admin").await, nodes.user("asha", "registrar").await, nodes.user("ravi", "viewer").await);

    asha.log_out().await;
    within_revocation_bound(401, || async { asha.b.get("/me").await.status.as_u16() }).await;

    let meera = nodes.user("meera", "registrar").await;
    let id = meera.a.get("/me").await.expect(200)["id"].clone();
    let remove = || async { meera.b.delete("/students/999").await.status.as_u16() };
    assert_eq!(remove().await, 404);
    root.a.send("PATCH", &format!("/users/{id}"), &json!({"role": "viewer"})).await.expect(200);
    within_revocation_bound(403, remove).await;
    meera.b.get("/me").await.expect(200);

    let id = ravi.a.get("/me").await.expect(200)["id"].clone();
    root.a.send("PATCH", &format!("/users/{id}"), &json!({"status": "disabled"})).await.expect(200);
    within_revocation_bound(401, || async { ravi.b.get("/me").await.status.as_u16() }).await;

    // A change by the command line takes effect too.
    let ended = nodes.installation.run(&["user", "delete-sessions", "meera"], None).await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    within_revocation_bound(401, || async { meera.b.get("/me").await.status.as_u16() }).await;
    within_revocation_bound(401, || async { meera.a.get("/me").await.status.as_u16() }).await;
    nodes.stop().await;
}

#[tokio::test]
async fn a_token_that_is_known_costs_no_query() {
    const REQUESTS: u64 = 10_000;
    let nodes = Nodes::start().await;
    let user = nodes.user("asha", "viewer").await;
    nodes.until_b_asks(&user.b, false).await;
    let before = nodes.proxy.statements();
    futures_util::future::join_all((0..8).map(|_| async {
        for _ in 0..REQUESTS / 8 {
            user.b.get("/me").await.expect(200);
        }
    }))
    .await;
    for (statement, executed) in nodes.proxy.statements() {
        let executed = executed - before.get(&statement).copied().unwrap_or_default();
        // The heartbeat, and periodic tasks.
        let by_the_clock = ["pg_notify", "audit_events", "DELETE FROM sessions", "BEGIN", "COMMIT"];
        assert!(
            executed == 0 || by_the_clock.iter().any(|known| statement.contains(known)),
            "{executed} times in {REQUESTS} requests: {statement}"
        );
    }
    println!("0 authentication queries in {REQUESTS} requests");
    nodes.stop().await;
}

#[tokio::test]
async fn disconnected_feed_disables_session_cache_until_reconnect() {
    let nodes = Nodes::start().await;
    let (asha, ravi) = (nodes.user("asha", "viewer").await, nodes.user("ravi", "viewer").await);
    nodes.until_b_asks(&asha.b, false).await;

    // A new connection through the proxy receives nothing: the feed of B stays disconnected during the test.
    nodes.proxy.freeze_listeners();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'";
    nodes.installation.database().execute(cut).await;
    nodes.until_b_asks(&ravi.b, true).await;
    asha.log_out().await;
    assert_eq!(asha.b.get("/me").await.status, 401, "at the next request");

    nodes.proxy.thaw();
    nodes.until_b_asks(&ravi.b, false).await;
    assert_eq!(asha.b.get("/me").await.status, 401);
    nodes.stop().await;
}

#[tokio::test]
async fn silent_feed_disables_session_cache_and_fails_closed() {
    let nodes = Nodes::start().await;
    let (asha, ravi) = (nodes.user("asha", "viewer").await, nodes.user("ravi", "viewer").await);
    nodes.until_b_asks(&asha.b, false).await;

    nodes.proxy.freeze_listeners();
    asha.log_out().await;
    within_revocation_bound(401, || async { asha.b.get("/me").await.status.as_u16() }).await;
    nodes.until_b_asks(&ravi.b, true).await;

    nodes.proxy.freeze();
    ravi.b.get("/me").await.expect_problem(503, "store-unavailable");

    nodes.proxy.thaw();
    nodes.until_b_asks(&ravi.b, false).await;
    nodes.stop().await;
}
