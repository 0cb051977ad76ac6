//! Cross-origin requests, and malformed queries.

use domain::access::Role;
use reqwest::header;
use tests::client::{Client, Response};
use tests::on_each_store;
use tests::program::Program;
use tests::server::{Engine, ORIGIN, Server, Setup};

use app::http::EdgeConfig;

use crate::installation::{Installation, stop};

async fn request_from(client: &Client, origin: &str, method: &str) -> Response {
    let mut request = client.request(method, "/students/1").build().unwrap();
    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    request.headers_mut().insert("access-control-request-method", "PATCH".parse().unwrap());
    Response::fetch(reqwest::RequestBuilder::from_parts(reqwest::Client::new(), request)).await
}

/// REQ 32.
#[tokio::test]
async fn configured_origin_gets_cors_headers() {
    let server = Server::start(Engine::Sqlite).await;
    let response = request_from(&server.anonymous(), ORIGIN, "GET").await;
    assert_eq!(response.header("access-control-allow-origin"), ORIGIN);
    assert!(response.header("access-control-expose-headers").contains("WWW-Authenticate"));
    for name in ["ETag", "Link", "Location", "RateLimit", "Retry-After", "Allow", "X-Request-Id"] {
        assert!(response.header("access-control-expose-headers").contains(name), "{name}: {response:?}");
    }
    let rejected = Response::fetch(server.anonymous().request("PUT", "/login")).await;
    rejected.expect_problem(405, "method-not-allowed");
    assert!(rejected.header("access-control-expose-headers").contains("Allow"), "{rejected:?}");
}

/// REQ 24.
#[tokio::test]
async fn options_describe_every_documented_path() {
    let server = Server::start(Engine::Sqlite).await;
    for (template, item) in app::http::document::tree()["paths"].as_object().unwrap() {
        let path = template.replace("{id}", "1");
        let mut methods: Vec<_> = item.as_object().unwrap().keys().map(|method| method.to_ascii_uppercase()).collect();
        methods.extend(methods.contains(&"GET".to_owned()).then(|| "HEAD".to_owned()));
        methods.push("OPTIONS".to_owned());
        methods.sort();
        let options = Response::fetch(server.anonymous().request("OPTIONS", &path)).await;
        assert_eq!((options.status.as_u16(), options.header("allow")), (204, &*methods.join(", ")), "{path}");
        let content = item["patch"]["requestBody"]["content"].as_object();
        let media_types = content.map(|content| content.keys().cloned().collect::<Vec<_>>().join(", "));
        let accept_patch = options.headers.get("accept-patch").map(|value| value.to_str().unwrap());
        assert_eq!(accept_patch, media_types.as_deref(), "{path}");
        for method in &methods {
            let preflight = server.anonymous().request("OPTIONS", &path).header(header::ORIGIN, ORIGIN);
            let preflight = preflight.header("access-control-request-method", method);
            let preflight = preflight.header("access-control-request-headers", "authorization,content-type,if-match");
            let preflight = Response::fetch(preflight).await;
            assert_eq!(preflight.status, 204, "{method} {path}");
            assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
            assert_eq!(preflight.header("access-control-allow-methods"), methods.join(", "), "{method} {path}");
            for name in ["Authorization", "Content-Type", "If-Match", "If-None-Match", "X-Request-Id"] {
                assert!(preflight.header("access-control-allow-headers").contains(name), "{name}: {preflight:?}");
            }
        }
    }
    // Not a preflight request.
    let options = request_from(&server.anonymous(), ORIGIN, "OPTIONS").await;
    assert!(!options.headers.contains_key("access-control-expose-headers"), "{options:?}");
    let options = Response::fetch(server.anonymous().request("OPTIONS", "/me").header(header::ORIGIN, ORIGIN)).await;
    assert!(options.header("access-control-expose-headers").contains("Allow"), "{options:?}");
    assert!(!options.headers.contains_key("access-control-allow-methods"), "{options:?}");
}

#[tokio::test]
async fn failed_preflight_request_is_logged() {
    let installation = Installation::new(Engine::Sqlite);
    let command = installation.serve_command(&["--demo", "--cors-origin", "https://roll.example.org"]);
    let server = Program::start(command).await;
    let preflight = request_from(&server.client(None), "http://roll.example.org", "OPTIONS").await;
    assert!(!preflight.headers.contains_key("access-control-allow-origin"), "{preflight:?}");
    stop(server).await;
    let log = installation.log();
    let line = log.lines().find(|line| line.contains("preflight")).unwrap();
    for part in ["http://roll.example.org", "/students/1", "the origin is not allowed", "--cors-origin"] {
        assert!(line.contains(part), "{line}");
    }
}

/// REQ 32.
#[tokio::test]
async fn other_origin_gets_no_cors_headers() {
    let configured = Server::start(Engine::Sqlite).await;
    let without_cors = Setup { config: EdgeConfig::default(), ..Setup::default() };
    let without_cors = Server::start_with(Engine::Sqlite, without_cors).await;
    for (server, origin) in [(&configured, "https://evil.example.org"), (&configured, "null"), (&without_cors, ORIGIN)]
    {
        for method in ["GET", "OPTIONS"] {
            let response = request_from(&server.anonymous(), origin, method).await;
            let count = response.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).count();
            assert_eq!(count, 0, "{method} from {origin}: {response:?}");
        }
    }
}

on_each_store! {
    async fn malformed_query_returns_400(server) {
        let client = server.client(Role::Admin).await;
        for path in ["/students?name=%ff", "/me?x=%", "/users?after=%zz", "/health/live?%f0"] {
            client.get(path).await.expect_problem(400, "malformed-query");
        }
        server.anonymous().get("/students?name=%ff").await.expect_problem(401, "unauthorized");
    }
}
