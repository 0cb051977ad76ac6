//! Forwarding headers of trusted proxies, and forged ones.

use app::http::{EdgeConfig, ForwardedHeader, TrustedProxies};
use domain::access::Role;
use serde_json::{Value, json};
use tests::client::Response;
use tests::server::{Engine, Server, Setup};

/// Address of the test client, and of the proxy if there is one.
const PEER: &str = "127.0.0.1";
/// Address that the proxy forwards.
const CLIENT: &str = "203.0.113.9";

async fn server_behind(proxies: TrustedProxies) -> Server {
    let config = EdgeConfig { proxies, ..EdgeConfig::default() };
    Server::start_with(Engine::Sqlite, Setup { config, ..Setup::default() }).await
}

fn trusted(header: ForwardedHeader) -> TrustedProxies {
    TrustedProxies::from(vec!["127.0.0.0/8".parse().unwrap()]).with_header(header)
}

/// The addresses in the audit log after denied requests with these headers.
async fn audited_clients(proxies: TrustedProxies, requests: &[Vec<(&str, String)>]) -> Vec<Value> {
    let server = server_behind(proxies).await;
    let viewer = server.client(Role::Viewer).await;
    for headers in requests {
        let mut request = viewer.request("GET", "/users");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Response::fetch(request).await.expect_problem(403, "insufficient-role");
    }
    server.denied_access.flush().await.unwrap();
    let admin = server.client(Role::Admin).await;
    let page = admin.get("/audit-events?action=access.refused&limit=100").await.expect(200);
    let events = page["events"].as_array().unwrap();
    let counted: u64 = events.iter().map(|event| event["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, requests.len() as u64);
    events.iter().map(|event| event["client"].clone()).collect()
}

/// REQ 30.
#[tokio::test]
async fn forged_forwarding_headers_do_not_change_the_audited_address() {
    let names = ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"];
    let values = [
        "1.1.1.1",
        "for=1.1.1.1",
        "for=\"1.1.1.1",
        "1.1.1.1, 127.0.0.1",
        "for=127.0.0.1, for=1.1.1.1",
        "for=1.1.1.1;x=\"",
        "unknown",
        "127.0.0.1",
        "[::1]:80",
        ",",
        "for=\"[2001:db8::1]\"",
        "2001:db8::1",
        "::ffff:1.1.1.1",
        "localhost",
    ];
    let forged = || names.iter().flat_map(|name| values.map(|value| (*name, value)));
    let direct: Vec<_> = forged().map(|(name, value)| vec![(name, value.to_owned())]).collect();
    assert_eq!(audited_clients(TrustedProxies::default(), &direct).await, [json!(PEER)]);
    let elsewhere = TrustedProxies::from(vec!["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(audited_clients(elsewhere, &direct).await, [json!(PEER)]);

    for (header, name, own) in [
        (ForwardedHeader::XForwardedFor, "x-forwarded-for", CLIENT),
        (ForwardedHeader::Forwarded, "forwarded", "for=203.0.113.9;proto=https"),
        (ForwardedHeader::XRealIp, "x-real-ip", CLIENT),
    ] {
        // The proxy appends to its header, or replaces it, and passes on the others.
        let proxied: Vec<_> = forged()
            .map(|(forged, value)| match (forged == name, header) {
                (false, _) => vec![(forged, value.to_owned()), (name, own.to_owned())],
                (true, ForwardedHeader::XRealIp) => vec![(name, own.to_owned())],
                (true, _) => vec![(name, format!("{value}, {own}"))],
            })
            .collect();
        let clients = audited_clients(trusted(header), &proxied).await;
        assert!(clients.contains(&json!(CLIENT)), "{name}: {clients:?}");
        assert!(clients.iter().all(|client| client == CLIENT || client == PEER), "{name}: {clients:?}");
    }
}

/// REQ 30.
#[tokio::test]
async fn document_and_links_contain_the_forwarded_prefix() {
    let server = server_behind(trusted(ForwardedHeader::default())).await;
    let client = server.client(Role::Registrar).await;
    let get = async |path: &str, prefix: &str| {
        Response::fetch(client.request("GET", path).header("x-forwarded-prefix", prefix)).await
    };
    for roll_no in [7, 8] {
        let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": roll_no});
        let create = client.request("POST", "/students").header("x-forwarded-prefix", "/roll/").json(&student);
        let created = Response::fetch(create).await;
        assert_eq!(created.header("location"), format!("/roll/students/{}", created.expect(201)["id"]));
    }
    assert!(get("/students?limit=1", "/roll").await.header("link").starts_with("</roll/students?"));
    for path in ["/openapi.json", "/openapi.yaml", "/openapi-3.1.yaml"] {
        for (prefix, url) in
            [("/roll", "/roll"), ("/roll/book/", "/roll/book"), ("/../..", "/"), ("//evil.example", "/")]
        {
            let document: Value = yaml_serde::from_str(&get(path, prefix).await.text()).unwrap();
            assert_eq!(
                document["servers"],
                json!([{"url": url, "description": document["servers"][0]["description"], "x-internal": false}]),
                "{path} {prefix}"
            );
        }
    }
}

/// REQ 30.
#[tokio::test]
async fn forwarded_prefix_of_another_peer_is_ignored() {
    let server = Server::start(Engine::Sqlite).await;
    let request = server.anonymous().request("GET", "/openapi.json").header("x-forwarded-prefix", "/roll");
    assert_eq!(Response::fetch(request).await.expect(200)["servers"][0]["url"], "/");
}
