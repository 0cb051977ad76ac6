//! Cross-origin requests, and malformed queries.

use domain::access::Role;
use reqwest::header;
use tests::client::Response;
use tests::on_each_store;
use tests::server::{Engine, ORIGIN, Server, Setup};

use app::http::EdgeConfig;

async fn request_from(server: &Server, origin: &str, method: &str) -> Response {
    let mut request = server.anonymous().request(method, "/students/1").build().unwrap();
    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    request.headers_mut().insert("access-control-request-method", "PATCH".parse().unwrap());
    Response::fetch(reqwest::RequestBuilder::from_parts(reqwest::Client::new(), request)).await
}

/// REQ 32.
#[tokio::test]
async fn configured_origin_gets_cors_headers() {
    let server = Server::start(Engine::Sqlite).await;
    let response = request_from(&server, ORIGIN, "GET").await;
    assert_eq!(response.header("access-control-allow-origin"), ORIGIN);
    assert!(response.header("access-control-expose-headers").contains("WWW-Authenticate"));
    let preflight = request_from(&server, ORIGIN, "OPTIONS").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-methods"), preflight.header("allow"));
    assert!(preflight.header("access-control-allow-headers").contains("Authorization"));
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
            let response = request_from(server, origin, method).await;
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
