//! HTTP/1.1 server with a connection limit, timeouts, graceful shutdown, and connections that survive early responses.

mod clients;
mod drain;
mod head_timer;
mod lingering;
mod listener;
mod readiness;
mod signals;
mod unread_body;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_util::io::InspectReader;

pub use drain::Drain;
pub use listener::{BindError, ConnectionLimits, Listener};
pub use readiness::Readiness;
pub use signals::stop_signal;

use head_timer::HeadTimer;
use lingering::Lingering;
use listener::Connection;
use unread_body::UnreadBody;

/// Timeout for a write while the client does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum size of a request head in bytes, above the limits of the edge. hyper responds with 431 and no body.
const MAX_HEAD: usize = 128 * 1024;

/// Time for running requests to finish after the stop signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves `endpoint` on `listener` until `stop` completes. Then it accepts no more connections, and running requests have 10 seconds
/// to finish. From the beginning of `drain` on, each connection is closed after its response.
pub async fn serve<E>(mut listener: Listener, endpoint: E, stop: impl Future<Output = ()>, drain: Drain)
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
        let Connection { stream, peer, slot } = connection;
        let driver = connection_future(stream, peer, listener.idle_timeout(), Arc::clone(&endpoint), drain.clone());
        let watched = graceful.watch(driver);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {} seconds and were aborted", GRACE.as_secs());
    }
}

fn connection_future<E>(
    stream: TcpStream,
    peer: SocketAddr,
    idle_timeout: Duration,
    endpoint: Arc<E>,
    drain: Drain,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send
where
    E: Endpoint<Output = Response> + 'static,
{
    let local = LocalAddr(stream.local_addr().map(Into::into).unwrap_or_default());
    let remote = RemoteAddr(peer.into());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (endpoint, local, remote) = (Arc::clone(&endpoint), local.clone(), remote.clone());
        let drain = drain.clone();
        async move {
            let mut request = Request::from((request, local, remote, Scheme::HTTP));
            let unread = UnreadBody::of(&mut request);
            let mut response = endpoint.get_response(request).await;
            let is_reusable = match unread {
                None => true,
                // The body was already awaited for long enough.
                Some(_) if response.status() == StatusCode::REQUEST_TIMEOUT => false,
                Some(unread) => unread.discard(),
            };
            if drain.has_begun() || !is_reusable {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<hyper::Response<BoxBody<_, _>>, Infallible>(response.into())
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let timer = HeadTimer::default();
    let received = timer.clone();
    let stream = InspectReader::new(Lingering::new(Box::pin(stream)), move |_: &[u8]| received.receive());
    http1::Builder::new()
        .timer(timer)
        .header_read_timeout(idle_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}
