//! The reverse proxies of README.md, and haproxy, in front of a server.

use serde_json::json;
use tests::reverse_proxy::{ReverseProxy, ReverseProxyKind};

/// Uses the documentation page, the document, a session, pages and conditional updates through a proxy.
async fn assert_works_behind(kind: ReverseProxyKind) {
    let server = ReverseProxyKind::server().await;
    let proxy = ReverseProxy::start(kind, server.address()).await;
    let outcome =
        proxy.run_client(("shantanu", "password"), &[]).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    assert_eq!(outcome["lost"], json!([]));
    // The client sends from 127.0.0.5, with forged forwarding headers.
    let admin = server.log_in("admin", "password").await;
    let logins = admin.get("/audit-events?action=session.opened").await.expect(200);
    let clients: Vec<_> = logins["events"].as_array().unwrap().iter().map(|event| &event["client"]).collect();
    assert_eq!(clients, ["127.0.0.5", "127.0.0.1"]);
}

/// REQ 30.
#[tokio::test]
async fn service_works_behind_nginx_as_in_readme() {
    assert_works_behind(ReverseProxyKind::Nginx).await;
}

/// HTTP/1.0 requires no `Host`, HTTP/1.1 does.
#[tokio::test]
async fn http_1_0_without_host_is_valid_behind_nginx() {
    let server = ReverseProxyKind::server().await;
    let proxy = ReverseProxy::start(ReverseProxyKind::Nginx, server.address()).await;
    let response = proxy.send("GET /roll/health/live HTTP/1.0\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

/// REQ 30.
#[tokio::test]
async fn service_works_behind_caddy_as_in_readme() {
    assert_works_behind(ReverseProxyKind::Caddy).await;
}

/// REQ 30.
#[tokio::test]
async fn service_works_behind_haproxy() {
    assert_works_behind(ReverseProxyKind::Haproxy).await;
}
