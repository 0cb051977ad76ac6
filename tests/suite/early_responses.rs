//! Responses before the whole request was read: the client receives them, and the connection remains usable.

use tests::recording::RecordedRequest;
use tests::server::{Engine, Server};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, pause};

use crate::connections::{connect, is_about, read_response, read_to_close};

const GOOD: &str = "GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n";

/// A request without a token, with a body of this size.
fn request(method: &str, path: &str, headers: &str, size: usize) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: rollbook\r\n{headers}Content-Length: {size}\r\n\r\n");
    let mut request = head.into_bytes();
    request.resize(request.len() + size, b' ');
    request
}

async fn exchange(connection: &mut TcpStream, request: &[u8]) -> String {
    connection.write_all(request).await.unwrap();
    read_response(connection).await
}

async fn connected() -> (Server, TcpStream) {
    let server = Server::start(Engine::Sqlite).await;
    let connection = connect(&server.address().to_string()).await;
    (server, connection)
}

#[tokio::test]
async fn connection_is_usable_after_early_responses() {
    let (_server, mut connection) = connected().await;
    for _ in 0..20 {
        for (method, path, headers, size, status) in [
            ("POST", "/students", "", 100_000, 401),
            ("GET", "/nowhere", "", 100_000, 401),
            ("POST", "/docs/nothing.css", "", 100_000, 405),
            ("GET", "/health/live", "Accept: text/css\r\n", 100_000, 406),
            ("POST", "/token/refresh", "Content-Type: text/css\r\n", 100_000, 415),
            ("POST", "/login", "", 8_000_000, 413),
        ] {
            let response = exchange(&mut connection, &request(method, path, headers, size)).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {response}");
            let next = exchange(&mut connection, GOOD.as_bytes()).await;
            assert!(next.starts_with("HTTP/1.1 200 "), "after {method} {path}: {next}");
        }
    }
}

#[tokio::test]
async fn response_is_readable_if_the_rest_is_too_large() {
    for size in [12_000_000, 40_000_000] {
        let (_server, mut connection) = connected().await;
        let response = exchange(&mut connection, &request("POST", "/login", "", size)).await;
        assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
        assert!(response.contains("connection: close\r\n"), "{response}");
    }
}

#[tokio::test]
async fn body_that_awaits_continue_is_not_requested() {
    let (_server, mut connection) = connected().await;
    let mut head = request("POST", "/students", "Expect: 100-continue\r\n", 100_000);
    head.truncate(head.len() - 100_000);
    let response = exchange(&mut connection, &head).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(response.contains("connection: close\r\n"), "{response}");
    RecordedRequest::record_raw("POST", "/students", &response);
}

#[tokio::test]
async fn rest_of_a_body_is_awaited_for_5_seconds_after_the_response() {
    let (_server, mut connection) = connected().await;
    let mut incomplete = request("POST", "/students", "", 100_000);
    incomplete.pop();
    pause();
    let start = Instant::now();
    let response = exchange(&mut connection, &incomplete).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(is_about(start.elapsed(), 0), "{:?}", start.elapsed());
    let (rest, waited) = read_to_close(connection).await;
    assert!(rest.is_empty() && is_about(waited, 5), "{rest} {waited:?}");
}
