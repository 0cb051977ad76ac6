//! A student whose row another session locks.

use std::time::Duration;

use serde_json::json;
use sqlx::Executor;
use tests::server::PASSWORD;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::exclusive;
use crate::load::{Load, student};
use crate::nodes::Nodes;

const LOCKED: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread")]
async fn eight_writers_of_locked_row_delay_no_other_request() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let nodes = Nodes::start(&Cluster::url_of(&cluster.host()), 1).await;
    nodes.add_user("asha", "viewer").await;
    let client = nodes.clients().next().unwrap();
    client.send("POST", "/students", &student(1_000_000_000)).await.expect(201);
    let mut other = cluster.connect().await;
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT FROM students WHERE id = 1 FOR UPDATE").await.unwrap();

    let mut load = Load::default();
    let writer = client.clone();
    load.add("update", 8, Duration::ZERO, move |number| {
        writer.request("PATCH", "/students/1").json(&json!({"age": 20 + number % 50}))
    });
    load.add_creates("create", 4, PAUSE, &client);
    load.add_reads("read", 4, PAUSE, &client, "/students/1");
    load.add_reads("readiness", 1, PAUSE, &client, "/health/ready");
    let anonymous = client.clone();
    let credentials = json!({"Username": "asha", "Password": PASSWORD});
    load.add("login", 1, PAUSE, move |_| anonymous.request("POST", "/login").json(&credentials));
    sleep(LOCKED).await;
    let exchanges = load.stop().await;
    drop(other);

    println!("locked row: {:?}", exchanges.statuses());
    for kind in ["create", "read", "readiness", "login", "update"] {
        let [median, p99, maximum] = exchanges.durations(kind);
        println!("  {kind}: p50 {median:?}, p99 {p99:?}, maximum {maximum:?}");
        let is_expected = |exchange: &&crate::load::Exchange| match kind {
            "update" => exchange.status == Some(503) && exchange.has_retry_after,
            "create" => exchange.status == Some(201),
            _ => exchange.status == Some(200),
        };
        let unexpected = exchanges.of_kind(kind).find(|exchange| !is_expected(exchange));
        assert!(unexpected.is_none(), "{unexpected:?}\n{}", nodes.log());
    }
}
