//! The part of a request body that its response did not need.

use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::Request;
use poem::http::header;
use tokio::time::timeout;

/// Maximum number of bytes that are discarded.
const MAX_BYTES: u64 = 10_000_000;

/// Maximum time to receive them.
const TIMEOUT: Duration = Duration::from_secs(5);

type RequestBody = BoxBody<Bytes, io::Error>;

/// The body of a request, to be discarded as far as it is not read. Otherwise the connection would end after the response while
/// the client still sends, and the client would see an error in place of the response.
pub struct UnreadBody {
    rest: Arc<Mutex<Rest>>,
    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110, section 10.1.1).
    awaits_continue: bool,
}

#[derive(Default)]
struct Rest {
    is_read: bool,
    /// `None` while the body is in use.
    body: Option<RequestBody>,
}

/// A body that is returned when it is dropped.
struct Lent {
    body: RequestBody,
    rest: Arc<Mutex<Rest>>,
    is_read: bool,
}

impl UnreadBody {
    /// `None` if the request has no body.
    pub fn of(request: &mut Request) -> Option<Self> {
        let body = RequestBody::from(request.take_body());
        if body.is_end_stream() {
            return None;
        }
        let expected = request.headers().get(header::EXPECT);
        let awaits_continue = expected.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        let rest = Arc::<Mutex<Rest>>::default();
        request.set_body(RequestBody::new(Lent { body, rest: Arc::clone(&rest), is_read: false }));
        Some(Self { rest, awaits_continue })
    }

    /// Receives and discards the rest in the background. Returns `false` if the connection is to be closed after the response,
    /// because the rest is too large, or because the client waits for 100 (Continue).
    pub fn discard(self) -> bool {
        let Rest { is_read, body } = mem::take(&mut *lock(&self.rest));
        let is_discardable =
            |body: &RequestBody| body.size_hint().lower() <= MAX_BYTES && (is_read || !self.awaits_continue);
        let Some(mut body) = body.filter(is_discardable) else { return false };
        if !body.is_end_stream() {
            // Dropping an incomplete body closes the connection.
            tokio::spawn(timeout(TIMEOUT, async move {
                let mut left = MAX_BYTES;
                while let Some(Ok(frame)) = body.frame().await {
                    let received = frame.data_ref().map_or(0, Bytes::len) as u64;
                    let Some(rest) = left.checked_sub(received) else { break };
                    left = rest;
                }
            }));
        }
        true
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.is_read = true;
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *lock(&self.rest) = Rest { is_read: self.is_read, body: Some(mem::take(&mut self.body)) };
    }
}

fn lock(rest: &Mutex<Rest>) -> MutexGuard<'_, Rest> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}
