//! Timeouts while a connection waits for the head of a request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;
use pin_project_lite::pin_project;

/// Maximum time from the first byte of a request head to its last.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The timer of one HTTP/1 connection. hyper uses it only for its timeout from the moment at which the connection is idle until
/// the next head is complete. The first byte that is received in this time replaces the timeout by that of the head.
#[derive(Debug, Clone, Default)]
pub struct HeadTimer {
    has_received: Arc<AtomicBool>,
}

impl HeadTimer {
    /// Records that bytes were received.
    pub fn receive(&self) {
        self.has_received.store(true, Ordering::Relaxed);
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.has_received.store(false, Ordering::Relaxed);
        let sleep = tokio::time::sleep_until(deadline.into());
        Box::pin(HeadSleep { sleep, has_received: Arc::clone(&self.has_received), is_idle: true })
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}

pin_project! {
    struct HeadSleep {
        #[pin]
        sleep: tokio::time::Sleep,
        has_received: Arc<AtomicBool>,
        is_idle: bool,
    }
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if *this.is_idle && this.has_received.load(Ordering::Relaxed) {
            *this.is_idle = false;
            this.sleep.as_mut().reset(tokio::time::Instant::now() + HEAD_TIMEOUT);
        }
        this.sleep.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{BodyExt as _, Empty};
    use hyper::body::{Bytes, Incoming};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::sleep;
    use tokio_util::io::InspectReader;

    use super::*;

    const IDLE: Duration = Duration::from_secs(75);

    async fn respond(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let _ = request.into_body().collect().await;
        Ok(Response::new(Empty::new()))
    }

    /// Time from the last response, or from the start, until the server closes a connection to which `end` is sent after a
    /// number of requests. Each request begins after `idle`, and its parts are sent with a pause of `between`.
    async fn time_to_close(requests: usize, idle: Duration, between: Duration, end: &[u8]) -> Duration {
        let (mut client, server) = duplex(1_024);
        let timer = HeadTimer::default();
        let received = timer.clone();
        let server = InspectReader::new(server, move |_: &[u8]| received.receive());
        let mut builder = http1::Builder::new();
        builder.timer(timer).header_read_timeout(IDLE);
        tokio::spawn(builder.serve_connection(TokioIo::new(server), service_fn(respond)));
        for _ in 0..requests {
            sleep(idle).await;
            for part in ["POST / HT", "TP/1.1\r\nContent-Length: 2\r\n\r\n", "{}"] {
                sleep(between).await;
                client.write_all(part.as_bytes()).await.unwrap();
            }
            let mut response = Vec::new();
            while !response.ends_with(b"\r\n\r\n") {
                assert_ne!(client.read_buf(&mut response).await.unwrap(), 0, "the connection was closed");
            }
        }
        let start = tokio::time::Instant::now();
        client.write_all(end).await.unwrap();
        client.read_to_end(&mut Vec::new()).await.unwrap();
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn head_has_30_seconds_from_its_first_byte_after_an_idle_time() {
        let (idle, between) = (Duration::from_secs(45), Duration::from_secs(25));
        assert!(between < HEAD_TIMEOUT && HEAD_TIMEOUT < idle && idle + between < IDLE);
        for requests in [0, 2] {
            for (end, expected) in [(&b""[..], IDLE), (b"P", HEAD_TIMEOUT)] {
                let waited = time_to_close(requests, idle, between, end).await;
                let difference = waited.abs_diff(expected);
                assert!(difference < Duration::from_millis(100), "{requests} {end:?}: {waited:?}");
            }
        }
    }
}
