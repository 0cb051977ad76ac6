//! Heads of requests that are rejected before their operation is known, and what the HTTP library rejects itself.

use tests::client::Response;
use tests::recording::RecordedRequest;
use tests::server::{Engine, Server};
use tokio::io::AsyncWriteExt;

use crate::connections::{connect, read_response, read_to_close};

/// Sends a head, and returns the response.
async fn response_to(server: &Server, head: &str) -> Response {
    let mut connection = connect(&server.address().to_string()).await;
    connection.write_all(head.as_bytes()).await.unwrap();
    let text = read_response(&mut connection).await;
    let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    if text.contains("application/problem+json") {
        RecordedRequest::record_raw("GET", path, &text);
    }
    Response::parse(&text)
}

/// REQ 24.
#[tokio::test]
async fn request_without_exactly_one_valid_host_returns_400() {
    let server = Server::start(Engine::Sqlite).await;
    for hosts in ["", "Host:\r\n", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: user@a\r\n", "Host: a:x\r\n"] {
        for path in ["/health/live", "/nowhere", "/docs/", "http://rollbook/health/live"] {
            let response = response_to(&server, &format!("GET {path} HTTP/1.1\r\n{hosts}\r\n")).await;
            response.expect_problem(400, "invalid-host");
        }
    }
    for (version, hosts) in [("1.0", ""), ("1.0", "Host: a\r\n"), ("1.1", "Host: roll.example.org:8000\r\n")] {
        let response = response_to(&server, &format!("GET /health/live HTTP/{version}\r\n{hosts}\r\n")).await;
        assert_eq!(response.status, 200, "HTTP/{version} {hosts:?}");
    }
}

/// REQ 24.
#[tokio::test]
async fn transfer_coding_other_than_chunked_returns_501() {
    let server = Server::start(Engine::Sqlite).await;
    let request = |coding: &str| {
        format!("POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n")
    };
    for coding in ["gzip, chunked", "chunked, chunked", "x-other,chunked", "gzip\r\nTransfer-Encoding: chunked"] {
        response_to(&server, &request(coding)).await.expect_problem(501, "unsupported-transfer-coding");
    }
    for coding in ["chunked", "Chunked"] {
        response_to(&server, &request(coding)).await.expect_problem(400, "incomplete-credentials");
    }
}

#[tokio::test]
async fn large_head_returns_414_or_431_and_keeps_the_connection() {
    let server = Server::start(Engine::Sqlite).await;
    let x = |length: usize| "x".repeat(length);
    let lines = |number: usize| "X: y\r\n".repeat(number);
    let mut connection = connect(&server.address().to_string()).await;
    for (path, fields, expected) in [
        (format!("/health/live?{}", x(16 * 1024 - 13)), String::new(), None),
        (format!("/health/live?{}", x(16 * 1024 - 12)), String::new(), Some((414, "target-too-long"))),
        ("/health/live".to_owned(), format!("X: {}\r\n", x(48 * 1024 - 6)), None),
        ("/health/live".to_owned(), format!("X: {}\r\n", x(48 * 1024 - 5)), Some((431, "head-too-large"))),
        ("/health/live".to_owned(), lines(89), None),
        ("/health/live".to_owned(), lines(90), Some((431, "head-too-large"))),
    ] {
        connection.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).await.unwrap();
        let text = read_response(&mut connection).await;
        match expected {
            None => assert!(text.starts_with("HTTP/1.1 200 "), "{text}"),
            Some((status, slug)) => {
                RecordedRequest::record_raw("GET", "/health/live", &text);
                Response::parse(&text).expect_problem(status, slug);
            }
        }
    }
}

/// The responses of the HTTP library, as the document describes them.
#[tokio::test]
async fn head_that_cannot_be_parsed_gets_response_without_body() {
    let server = Server::start(Engine::Sqlite).await;
    let long = |length: usize| "x".repeat(length);
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n".to_owned(), 400),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(65_534)), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", long(256 * 1024)), 431),
    ] {
        let mut connection = connect(&server.address().to_string()).await;
        // The server may respond before it has read everything.
        let _ = connection.write_all(request.as_bytes()).await;
        let (text, _) = read_to_close(connection).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {text}");
        assert!(text.ends_with("\r\n\r\n") && text.contains("content-length: 0"), "{text}");
    }
}
