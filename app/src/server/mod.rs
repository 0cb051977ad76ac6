//! Serving an endpoint over HTTP/1.1: connections are bounded in number and in patience, and end well.

mod listener;
mod signals;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

pub use listener::{BindError, Listener};
pub use signals::asked_to_stop;

/// How long a connection may take to send the head of a request, or stay idle between two.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer may go on without the client taking any of it.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes: room for the largest token and its company.
const MAX_HEAD: usize = 64 * 1024;

/// How long requests may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves `endpoint` on `listener` until `stop` is done; then accepts nobody more and lets what runs finish,
/// 10 seconds at most.
pub async fn serve<E>(mut listener: Listener, endpoint: E, stop: impl Future<Output = ()>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let endpoint = Arc::new(endpoint);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            () = &mut stop => break,
        };
        let served = connection_future(connection.stream, connection.peer, Arc::clone(&endpoint));
        let watched = graceful.watch(served);
        let place = connection.place;
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in {} seconds and were cut off", GRACE.as_secs());
    }
}

fn connection_future<E>(
    stream: TcpStream,
    peer: SocketAddr,
    endpoint: Arc<E>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send
where
    E: Endpoint<Output = Response> + 'static,
{
    let local = LocalAddr(stream.local_addr().map(Into::into).unwrap_or_default());
    let remote = RemoteAddr(peer.into());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (endpoint, local, remote) = (Arc::clone(&endpoint), local.clone(), remote.clone());
        async move {
            let answer = endpoint.get_response((request, local, remote, Scheme::HTTP).into()).await;
            Ok::<hyper::Response<BoxBody<_, _>>, Infallible>(answer.into())
        }
    });
    let mut patient = TimeoutStream::new(stream);
    patient.set_write_timeout(Some(READ_PATIENCE));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Box::pin(patient)), service)
}
