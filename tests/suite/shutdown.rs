//! Graceful shutdown: running requests complete, and new connections are rejected.

use std::time::Duration;

use rustix::process::Signal;
use tests::client::Client;
use tests::program::Program;
use tests::recording::RecordedRequest;
use tests::server::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::connections::{answer, connect};
use crate::installation::{Installation, TIMEOUT, ended, signal};

/// Waits until the address accepts no connections.
async fn closed(address: &str) {
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(TIMEOUT, closed).await.expect("a closed port");
}

/// A request whose body the server waits for, and the rest of the body.
async fn half_sent(server: &Program, client: &Client) -> (TcpStream, &'static str) {
    let (first, second) = r#"{"name": "Ravi", "email": "ravi@example.org", "roll_no": 7}"#.split_at(20);
    let head = format!(
        "POST /students HTTP/1.1\r\nHost: rollbook\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n{first}",
        client.token().unwrap(),
        first.len() + second.len(),
    );
    let mut connection = connect(server.address()).await;
    connection.write_all(head.as_bytes()).await.unwrap();
    // The server asks for a body when it has begun to read it.
    assert!(answer(&mut connection).await.starts_with("HTTP/1.1 100 "));
    (connection, second)
}

async fn a_request_under_way_is_finished(by: Signal) {
    let mut server = Program::demo().await;
    let client = server.log_in("shantanu", "password").await;
    let (mut under_way, rest) = half_sent(&server, &client).await;
    signal(&server.process, by);
    closed(server.address()).await;
    under_way.write_all(rest.as_bytes()).await.unwrap();
    let answer = answer(&mut under_way).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    RecordedRequest::record_raw("POST", "/students", &answer);
    assert_eq!(ended(&mut server.process).await, Some(0));
}

#[tokio::test]
async fn at_sigterm_a_request_under_way_is_finished() {
    a_request_under_way_is_finished(Signal::TERM).await;
}

#[tokio::test]
async fn at_sigint_a_request_under_way_is_finished() {
    a_request_under_way_is_finished(Signal::INT).await;
}

#[tokio::test]
async fn a_connection_without_a_request_does_not_hold_up_the_end() {
    let mut server = Program::demo().await;
    let mut idle = connect(server.address()).await;
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: rollbook\r\n\r\n").await.unwrap();
    assert!(answer(&mut idle).await.starts_with("HTTP/1.1 200 "));
    let mut silent = connect(server.address()).await;
    let asked = Instant::now();
    signal(&server.process, Signal::TERM);
    assert_eq!(ended(&mut server.process).await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(8), "it waited for its grace to end");
    for connection in [&mut idle, &mut silent] {
        assert_eq!(connection.read(&mut [0]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once() {
    // Not a demo, which could not throw its store away.
    let installation = Installation::new(Engine::Sqlite);
    let mut server = installation.serve().await;
    let admin = installation.admin(&server).await;
    let _under_way = half_sent(&server, &admin).await;
    signal(&server.process, Signal::TERM);
    closed(server.address()).await;
    signal(&server.process, Signal::TERM);
    assert_eq!(ended(&mut server.process).await, Some(130));
}

/// On a clock that jumps to whatever is waited for next.
#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_after_ten_seconds() {
    let listener = app::server::Listener::bind(([127, 0, 0, 1], 0).into(), 64).await.unwrap();
    let address = listener.address().to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (begun, mut running) = tokio::sync::mpsc::unbounded_channel();
    let endpoint = poem::endpoint::make(move |_| {
        begun.send(()).unwrap();
        std::future::pending::<poem::Result<poem::Response>>()
    });
    let serving = tokio::spawn(app::server::serve(listener, endpoint, async {
        let _ = stopped.await;
    }));
    let mut client = connect(&address).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: rollbook\r\n\r\n").await.unwrap();
    running.recv().await.unwrap();
    tokio::time::pause();
    let asked = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap();
    let waited = asked.elapsed();
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&waited), "{waited:?}");
}
