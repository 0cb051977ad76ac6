//! Connections that are idle for about as long as a proxy or the server keeps them.

use serde_json::json;
use tests::reverse_proxy::{ReverseProxy, ReverseProxyKind};

/// 10,000 requests over 16 connections, each with five idle times of 55 to 80 seconds.
#[tokio::test]
async fn no_request_is_lost_after_an_idle_time_behind_a_proxy() {
    let proxies = [ReverseProxyKind::Nginx, ReverseProxyKind::Caddy, ReverseProxyKind::Haproxy].map(async |kind| {
        let server = ReverseProxyKind::server().await;
        let proxy = ReverseProxy::start(kind, server.address()).await;
        proxy.run_client(("shantanu", "password"), &["10000", "16", "55", "80"]).await
    });
    let outcomes = futures_util::future::join_all(proxies).await;
    println!("{outcomes:?}");
    for outcome in outcomes {
        assert_eq!(outcome.unwrap()["lost"], json!([]));
    }
}
