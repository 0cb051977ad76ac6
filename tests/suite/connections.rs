//! Timeouts and maximum number of connections.
//!
//! The tests of timeouts run on a paused clock that advances to the next timer.

use std::time::Duration;

use domain::access::Role;
use tests::program::Program;
use tests::recording::RecordedRequest;
use tests::server::{Engine, IDLE_TIMEOUT, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, pause, timeout};

use crate::installation::{Installation, TIMEOUT, stop};

pub async fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Reads one response up to its `Content-Length`.
pub async fn read_response(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        let more = timeout(TIMEOUT, connection.read_buf(&mut read)).await.expect("a response in time").unwrap();
        assert_ne!(more, 0, "the connection ended: {}", String::from_utf8_lossy(&read));
    }
}

/// Reads until the server closes the connection. Returns the text and the elapsed time.
pub async fn read_to_close(mut connection: TcpStream) -> (String, Duration) {
    let start = Instant::now();
    let mut read = Vec::new();
    // A reset also closes the connection.
    let _ = connection.read_to_end(&mut read).await;
    (String::from_utf8(read).unwrap(), start.elapsed())
}

/// Sends the text at one byte per second, until the connection is closed.
async fn send_slowly(connection: &mut (impl AsyncWriteExt + Unpin), text: &str) {
    let mut seconds = interval(Duration::from_secs(1));
    for byte in text.bytes() {
        seconds.tick().await;
        if connection.write_all(&[byte]).await.is_err() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn server() -> (Server, TcpStream, String) {
    let server = Server::start(Engine::Sqlite).await;
    let token = server.client(Role::Registrar).await.token().unwrap().to_owned();
    let connection = connect(&server.address().to_string()).await;
    (server, connection, token)
}

pub fn is_about(waited: Duration, seconds: u64) -> bool {
    (Duration::from_secs(seconds)..Duration::from_secs(seconds + 2)).contains(&waited)
}

#[tokio::test]
async fn slow_request_head_times_out_after_30_seconds() {
    let (_server, connection, _) = server().await;
    pause();
    let start = Instant::now();
    let (mut reader, mut writer) = connection.into_split();
    let head = format!("GET /health/live HTTP/1.1\r\nHost: rollbook\r\nX-Long: {}", "x".repeat(500));
    let mut read = Vec::new();
    tokio::select! {
        _ = reader.read_to_end(&mut read) => {}
        () = send_slowly(&mut writer, &head) => {}
    }
    assert!(is_about(start.elapsed(), 30), "{:?}", start.elapsed());
    assert!(!String::from_utf8(read).unwrap().contains(" 200 "));
}

#[tokio::test]
async fn idle_connection_is_closed_after_75_seconds() {
    let (server, mut kept, _) = server().await;
    kept.write_all(b"GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n").await.unwrap();
    assert!(read_response(&mut kept).await.starts_with("HTTP/1.1 200 "));
    let fresh = connect(&server.address().to_string()).await;
    pause();
    let (kept, fresh) = tokio::join!(read_to_close(kept), read_to_close(fresh));
    for (text, waited) in [kept, fresh] {
        assert!(is_about(waited, IDLE_TIMEOUT.as_secs()) || is_about(waited, IDLE_TIMEOUT.as_secs() - 1), "{waited:?}");
        assert_eq!(text, "");
    }
}

#[tokio::test]
async fn slow_request_body_returns_408_after_10_seconds() {
    let (_server, mut connection, token) = server().await;
    let head = format!(
        "POST /students HTTP/1.1\r\nHost: rollbook\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    );
    pause();
    let start = Instant::now();
    connection.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = connection.into_split();
    let (mut read, body) = (Vec::new(), "x".repeat(500));
    tokio::select! {
        _ = reader.read_to_end(&mut read) => {}
        () = send_slowly(&mut writer, &body) => {}
    }
    let text = String::from_utf8(read).unwrap();
    assert!(text.starts_with("HTTP/1.1 408 ") && text.contains("/problems/request-timeout"), "{text}");
    RecordedRequest::record_raw("POST", "/students", &text);
    assert!(is_about(start.elapsed(), 10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn unread_response_is_abandoned_after_30_seconds() {
    let (_server, mut connection, _) = server().await;
    let large = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: rollbook\r\n\r\n".repeat(64);
    connection.write_all(&large).await.unwrap();
    pause();
    let start = Instant::now();
    // Nothing is read: a write fails only if the server closes the connection.
    let mut seconds = interval(Duration::from_secs(1));
    while start.elapsed() < Duration::from_mins(1) {
        seconds.tick().await;
        if connection.write_all(b"x").await.is_err() {
            return;
        }
    }
    panic!("the connection was still open after {:?}", start.elapsed());
}

#[tokio::test]
async fn connection_above_limit_waits_for_free_slot() {
    let installation = Installation::new(Engine::Sqlite);
    let server = Program::start(installation.serve_command(&["--demo", "--max-connections", "1"])).await;
    let request = b"GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n";
    let mut first = connect(server.address()).await;
    first.write_all(request).await.unwrap();
    assert!(read_response(&mut first).await.starts_with("HTTP/1.1 200 "));

    let mut second = connect(server.address()).await;
    second.write_all(request).await.unwrap();
    for _ in 0..20 {
        first.write_all(request).await.unwrap();
        assert!(read_response(&mut first).await.starts_with("HTTP/1.1 200 "));
        assert!(second.try_read(&mut [0]).is_err(), "the second connection was served before the first was closed");
    }
    drop(first);
    assert!(read_response(&mut second).await.starts_with("HTTP/1.1 200 "));
    drop(second);
    stop(server).await;
}

#[tokio::test]
async fn connections_of_a_client_are_limited_unless_it_is_a_proxy() {
    let installation = Installation::new(Engine::Sqlite);
    let request = b"GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n";
    let limited = ["--demo", "--max-connections-per-client", "2", "--max-connections", "3"];
    let server = Program::start(installation.serve_command(&limited)).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut connection = connect(server.address()).await;
        connection.write_all(request).await.unwrap();
        assert!(read_response(&mut connection).await.starts_with("HTTP/1.1 200 "));
        open.push(connection);
    }
    for _ in 0..3 {
        let mut connection = connect(server.address()).await;
        connection.write_all(request).await.unwrap();
        let (text, _) = timeout(TIMEOUT, read_to_close(connection)).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 503 ") && text.contains("Retry-After: 1\r\n"), "{text}");
    }
    let log = installation.log();
    assert_eq!(log.matches("--max-connections-per-client").count(), 1, "{log}");
    drop(open.pop());
    // The server notices the end of the other connection at some time.
    timeout(TIMEOUT, async {
        loop {
            let mut connection = connect(server.address()).await;
            let _ = connection.write_all(request).await;
            let mut start = [0; 12];
            if connection.read_exact(&mut start).await.is_ok() && start == *b"HTTP/1.1 200" {
                return;
            }
        }
    })
    .await
    .unwrap();
    stop(server).await;

    let server =
        Program::start(installation.serve_command(&[&limited[..], &["--trusted-proxy", "127.0.0.0/8"]].concat())).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut connection = connect(server.address()).await;
        connection.write_all(request).await.unwrap();
        assert!(read_response(&mut connection).await.starts_with("HTTP/1.1 200 "));
        open.push(connection);
    }
    drop(open);
    stop(server).await;
}
