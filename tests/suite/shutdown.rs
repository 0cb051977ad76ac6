//! Graceful shutdown: running requests complete, and new connections are rejected.

use std::time::Duration;

use app::http::EdgeConfig;
use rustix::process::Signal;
use tests::client::Client;
use tests::program::Program;
use tests::recording::RecordedRequest;
use tests::server::{Engine, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::connections::{connect, read_response};
use crate::installation::{Installation, TIMEOUT, signal, wait_for_exit};

/// Waits until the address accepts no connections.
async fn wait_until_closed(address: &str) {
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(TIMEOUT, closed).await.expect("the port is closed");
}

/// Sends a request without the end of its body. Returns the connection and the rest of the body.
async fn send_incomplete_request(server: &Program, client: &Client) -> (TcpStream, &'static str) {
    let (first, second) = r#"{"name": "Ravi", "email": "ravi@example.org", "roll_no": 7}"#.split_at(20);
    let head = format!(
        "POST /students HTTP/1.1\r\nHost: rollbook\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n{first}",
        client.token().unwrap(),
        first.len() + second.len(),
    );
    let mut connection = connect(server.address()).await;
    connection.write_all(head.as_bytes()).await.unwrap();
    // The server sends 100 (Continue) when it starts to read the body.
    assert!(read_response(&mut connection).await.starts_with("HTTP/1.1 100 "));
    (connection, second)
}

async fn request_in_progress_completes(after: Signal) {
    let mut server = Program::demo().await;
    let client = server.log_in("shantanu", "password").await;
    let (mut in_progress, rest) = send_incomplete_request(&server, &client).await;
    signal(&server.process, after);
    wait_until_closed(server.address()).await;
    in_progress.write_all(rest.as_bytes()).await.unwrap();
    let response = read_response(&mut in_progress).await;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    RecordedRequest::record_raw("POST", "/students", &response);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(0));
}

#[tokio::test]
async fn request_in_progress_completes_after_sigterm() {
    request_in_progress_completes(Signal::TERM).await;
}

#[tokio::test]
async fn request_in_progress_completes_after_sigint() {
    request_in_progress_completes(Signal::INT).await;
}

#[tokio::test]
async fn idle_connection_does_not_delay_shutdown() {
    let mut server = Program::demo().await;
    let mut idle = connect(server.address()).await;
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n").await.unwrap();
    assert!(read_response(&mut idle).await.starts_with("HTTP/1.1 200 "));
    let mut silent = connect(server.address()).await;
    let start = Instant::now();
    signal(&server.process, Signal::TERM);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(0));
    assert!(start.elapsed() < Duration::from_secs(8), "the server waited for the grace period");
    for connection in [&mut idle, &mut silent] {
        assert_eq!(connection.read(&mut [0]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn second_signal_ends_server_immediately() {
    // Not a demo: after the second signal, a demo would not delete its store.
    let installation = Installation::new(Engine::Sqlite);
    let mut server = installation.serve().await;
    let admin = installation.admin(&server).await;
    let _in_progress = send_incomplete_request(&server, &admin).await;
    signal(&server.process, Signal::TERM);
    wait_until_closed(server.address()).await;
    signal(&server.process, Signal::TERM);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(130));
}

#[tokio::test]
async fn draining_server_is_not_ready_and_closes_connections() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = installation.serve_command(&[]);
    command.env("ROLLBOOK_DRAIN_DELAY", "60s");
    let mut server = timeout(TIMEOUT, Program::start(command)).await.expect("the server starts");
    let admin = installation.admin(&server).await;
    assert_eq!(admin.get("/health/ready").await.status, 200);
    signal(&server.process, Signal::TERM);
    let not_ready = async { while admin.get("/health/ready").await.status != 503 {} };
    timeout(TIMEOUT, not_ready).await.expect("the server is not ready");
    for path in ["/me", "/health/live"] {
        // Each on a new connection, because the previous response closed its connection.
        let response = admin.get(path).await;
        assert_eq!((response.status.as_u16(), response.header("connection")), (200, "close"), "{path}");
    }
    signal(&server.process, Signal::TERM);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(130));
}

#[tokio::test]
async fn request_that_waits_for_changes_does_not_delay_shutdown() {
    let mut server = Program::demo().await;
    let admin = server.log_in("admin", "password").await;
    let token = admin.get("/students/changes/latest").await.expect(200)["token"].as_str().unwrap().to_owned();
    let path = format!("/students/changes?after={token}&wait=20");
    let start = Instant::now();
    // The request may arrive after the signal: the server accepts connections for 5 more seconds.
    let (waited, ()) = tokio::join!(admin.get(&path), async { signal(&server.process, Signal::TERM) });
    assert_eq!(waited.expect(200)["next"], token);
    assert_eq!(wait_for_exit(&mut server.process).await, Some(0));
    assert!(start.elapsed() < Duration::from_secs(8), "the server waited for the grace period");
}

/// Pauses Tokio's clock, which then advances to the next timer.
#[tokio::test]
async fn endless_request_is_aborted_10_seconds_after_the_drain_delay() {
    let limits = limits(&EdgeConfig::default());
    let listener = app::server::Listener::bind(([127, 0, 0, 1], 0).into(), limits).await.unwrap();
    let address = listener.address().to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (begun, mut running) = tokio::sync::mpsc::unbounded_channel();
    let endpoint = poem::endpoint::make(move |_| {
        begun.send(()).unwrap();
        std::future::pending::<poem::Result<poem::Response>>()
    });
    let drain = app::server::Drain::new(Duration::from_secs(5));
    let draining = drain.clone();
    let stopped = async move {
        let _ = stopped.await;
        draining.run().await;
    };
    let serving = tokio::spawn(app::server::serve(listener, endpoint, stopped, drain));
    let mut client = connect(&address).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: rollbook\r\n\r\n").await.unwrap();
    running.recv().await.unwrap();
    tokio::time::pause();
    let start = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap();
    let waited = start.elapsed();
    assert!((Duration::from_secs(15)..Duration::from_secs(16)).contains(&waited), "{waited:?}");
}
