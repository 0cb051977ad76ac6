//! Rolling restarts of two nodes behind haproxy.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::haproxy::Haproxy;
use crate::load::Load;
use crate::nodes::Nodes;
use crate::{exclusive, until};

const RESTARTS: usize = 10;
const REQUESTS: i64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn rolling_restarts_fail_no_request() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let mut nodes = Nodes::start(&Cluster::url_of(&cluster.host()), 2).await;
    let haproxy = Haproxy::start(&nodes, 1).await;
    let mut load = Load::default();
    load.add_reads("read", 8, Duration::from_millis(20), &haproxy.client(nodes.token()), "/students?limit=5");
    for _ in 0..RESTARTS {
        for node in 0..2 {
            nodes.restart(node).await;
            haproxy.until_all_up(2).await;
        }
    }
    until("the requests are sent", async || load.sent() >= REQUESTS).await;
    let exchanges = load.stop().await;
    let statuses = exchanges.statuses();
    println!("{RESTARTS} rolling restarts: {statuses:?}");
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&("read", Some(200))], "{}", nodes.log());
}
