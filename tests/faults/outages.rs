//! Outages of PostgreSQL with two nodes behind haproxy.

use std::time::Duration;

use rustix::process::Signal;
use tests::client::Client;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::exclusive;
use crate::forwarder::Forwarder;
use crate::haproxy::Haproxy;
use crate::load::{Exchanges, Load};
use crate::nodes::Nodes;

/// Maximum time from the end of a fault to the first success of each node.
const MAX_RECOVERY: Duration = Duration::from_secs(2);
/// Duration of the load before and after a fault.
const LOAD_BEFORE: Duration = Duration::from_secs(3);
const LOAD_AFTER: Duration = Duration::from_secs(8);
/// Interval of the requests that measure the recovery of a node.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);
/// Kinds of requests that are sent to one node.
const PROBES: [&str; 2] = ["create on node 0", "create on node 1"];

/// Runs a fault under load, which is over when `fault` returns, and checks what clients and the database have received.
async fn assert_recovery(fault_name: &str, hosts: &str, survivor: &Cluster, fault: impl AsyncFnOnce()) {
    let mut nodes = Nodes::start(&Cluster::url_of(hosts), PROBES.len()).await;
    let haproxy = Haproxy::start(&nodes, 2).await;
    let load = start_load(&nodes, &haproxy.client(nodes.token()));
    sleep(LOAD_BEFORE).await;
    fault().await;
    let end = Instant::now();
    sleep(LOAD_AFTER).await;
    let exchanges = load.stop().await;

    let (created, stored) = (exchanges.created(), survivor.roll_numbers().await);
    let lost: Vec<_> = created.difference(&stored).collect();
    println!("{fault_name}: {} acknowledged, {} lost, {:?}", created.len(), lost.len(), exchanges.statuses());
    let recoveries = PROBES.map(|probe| recovery(&exchanges, probe, end));
    exchanges.assert_success_or_unavailable();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(recoveries.iter().all(|recovery| *recovery <= MAX_RECOVERY), "{recoveries:?}\n{}", nodes.log());
    nodes.assert_running();
}

fn start_load(nodes: &Nodes, client: &Client) -> Load {
    let mut load = Load::default();
    load.add_creates("create", 12, Duration::ZERO, client);
    load.add_reads("read", 4, Duration::ZERO, client, "/students?limit=5");
    for (probe, client) in PROBES.into_iter().zip(nodes.clients()) {
        load.add_creates(probe, 1, PROBE_INTERVAL, &client);
    }
    load
}

/// Time from the end of the fault to the first success of a node. Also prints the time of the last failure.
fn recovery(exchanges: &Exchanges, probe: &str, end: Instant) -> Duration {
    let after = || exchanges.of_kind(probe).filter(|exchange| exchange.ended > end);
    let first = after().filter(|exchange| exchange.is_success()).map(|exchange| exchange.ended - end).min();
    let last_failure = after().filter(|exchange| !exchange.is_success()).map(|exchange| exchange.ended - end).max();
    println!("  {probe}: first success after {first:?}, last failure after {last_failure:?}");
    first.unwrap_or(Duration::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_after_fast_restart() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let restart = async || cluster.control(&["restart", "-m", "fast"]).await;
    assert_recovery("fast restart", &cluster.host(), &cluster, restart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_after_stop_of_30_seconds() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let stop_and_start = async || {
        cluster.control(&["stop", "-m", "fast"]).await;
        sleep(Duration::from_secs(30)).await;
        cluster.control(&["start"]).await;
    };
    assert_recovery("stop of 30 s", &cluster.host(), &cluster, stop_and_start).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_after_suspension_of_10_seconds() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let suspend = async || {
        cluster.signal_all(Signal::STOP);
        sleep(Duration::from_secs(10)).await;
        cluster.signal_all(Signal::CONT);
    };
    assert_recovery("suspension of 10 s", &cluster.host(), &cluster, suspend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_after_silent_loss_of_connections() {
    let _exclusive = exclusive().await;
    let cluster = Cluster::start().await;
    let forwarder = Forwarder::start(cluster.port()).await;
    let lose_connections = async || {
        forwarder.lose_connections();
        sleep(Duration::from_secs(10)).await;
        forwarder.accept_new();
    };
    assert_recovery("silent loss of connections", &forwarder.host(), &cluster, lose_connections).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_recover_after_promotion_of_synchronous_standby() {
    let _exclusive = exclusive().await;
    let primary = Cluster::start().await;
    let standby = primary.start_synchronous_standby().await;
    let hosts = format!("{},{}", primary.host(), standby.host());
    let fail_over = async || {
        primary.control(&["stop", "-m", "immediate"]).await;
        // The failure has to be detected before a promotion.
        sleep(Duration::from_secs(5)).await;
        standby.control(&["promote"]).await;
    };
    assert_recovery("promotion of a synchronous standby", &hosts, &standby, fail_over).await;
}
