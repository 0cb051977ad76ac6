//! Anonymous requests: the 401 of the legacy API precedes every other check of the request.

use std::fs;
use std::time::Duration;

use domain::access::Role;
use tests::client::Response;
use tests::program::workspace;
use tests::server::{Engine, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The method, the path, and whether it is public, of every operation of the API document.
fn operations() -> Vec<(String, String, bool)> {
    let document = app::http::document::tree();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let public = operation["security"].as_array().unwrap().is_empty();
            operations.push((method.to_ascii_uppercase(), path.replace("{id}", "1"), public));
        }
    }
    operations
}

fn expect_unauthorized(response: &Response) {
    let problem = response.expect_problem(401, "unauthorized");
    assert_eq!(problem["title"], "Unauthorized");
    assert_eq!(
        problem["description"],
        "The provided auth token is not valid.Please request a new token and try again."
    );
}

#[tokio::test]
async fn only_protected_operations_return_401_without_token() {
    let server = Server::start(Engine::Sqlite).await;
    let (mut protected, mut public) = (0, Vec::new());
    for (method, path, is_public) in operations() {
        let response = Response::fetch(server.anonymous().request(&method, &path)).await;
        if is_public {
            assert_ne!(response.status, 401, "{method} {path}");
            public.push(path);
        } else {
            expect_unauthorized(&response);
            protected += 1;
        }
    }
    let table = fs::read_to_string(workspace().join("tests/permissions.txt")).unwrap();
    let rows = table.lines().filter(|row| !row.starts_with('#'));
    assert_eq!(protected, rows.filter(|row| row.split_whitespace().nth(1) != Some("public")).count());
    assert_eq!(
        public,
        [
            "/login",
            "/token/refresh",
            "/health/live",
            "/health/ready",
            "/openapi.json",
            "/openapi.yaml",
            "/openapi-3.1.yaml",
            "/.well-known/jwks.json"
        ]
    );
}

#[tokio::test]
async fn invalid_anonymous_request_returns_401() {
    let server = Server::start(Engine::Sqlite).await;
    for (method, path) in [
        ("GET", "/nowhere"),
        ("OPTIONS", "/nowhere"),
        ("PATCH", "/students"),
        ("TRACE", "/me"),
        ("BREW", "/student"),
        ("GET", "/docs.html"),
        ("GET", "/loginx"),
        ("GET", "//login"),
        ("GET", "/health"),
    ] {
        expect_unauthorized(&Response::fetch(server.anonymous().request(method, path)).await);
    }
    let malformed = server.anonymous().request("POST", "/students").body("{").header("content-type", "text/plain");
    expect_unauthorized(&Response::fetch(malformed).await);
}

#[tokio::test]
async fn large_anonymous_body_is_rejected_unread() {
    let server = Server::start(Engine::Sqlite).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    // The body is announced and never sent: the server must not wait for it.
    let head = "POST /students HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 921600\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = vec![0; 64];
    timeout(Duration::from_secs(5), stream.read_exact(&mut response)).await.expect("a response").unwrap();
    assert!(response.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&response));

    let body = vec![b' '; 900 * 1024];
    expect_unauthorized(&Response::fetch(server.anonymous().request("POST", "/students").body(body)).await);
}

/// REQ 2.
#[tokio::test]
async fn challenge_has_error_code_only_for_invalid_token() {
    let server = Server::start(Engine::Sqlite).await;
    let challenge = |response: Response| response.header("www-authenticate").to_owned();
    assert_eq!(challenge(server.anonymous().get("/me").await), "Bearer realm=\"rollbook\"");
    let basic = server.anonymous().request("GET", "/me").basic_auth("a", Some("b"));
    assert_eq!(challenge(Response::fetch(basic).await), "Bearer realm=\"rollbook\"");
    let bad = "Bearer realm=\"rollbook\", error=\"invalid_token\"";
    assert_eq!(challenge(server.bearer("x.y.z").get("/me").await), bad);
}

/// REQ 1.
#[tokio::test]
async fn token_in_query_or_body_is_ignored() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Viewer).await;
    let token = client.token().unwrap();
    expect_unauthorized(&server.anonymous().get(&format!("/me?access_token={token}")).await);
    let body = format!("access_token={token}");
    let form = server.anonymous().request("POST", "/students").body(body);
    expect_unauthorized(&Response::fetch(form.header("content-type", "application/x-www-form-urlencoded")).await);
}

/// REQ 24.
#[tokio::test]
async fn anonymous_options_request_returns_allow() {
    let server = Server::start(Engine::Sqlite).await;
    let response = Response::fetch(server.anonymous().request("OPTIONS", "/students/7")).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
}
