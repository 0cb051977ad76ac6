//! Close of a connection without a reset.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Maximum time to wait until the client closes, too.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Size of the buffer for discarded bytes.
const BUFFER: usize = 16 * 1024;

/// A stream whose shutdown first ends the writing, and then reads until the client closes, for 2 seconds. A close with unread
/// data would reset the connection, and the client might not receive the last response (RFC 9112, section 9.6).
pub struct Lingering<S> {
    stream: S,
    /// Set once the writing has ended.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub const fn new(stream: S) -> Self {
        Self { stream, deadline: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, deadline } = &mut *self;
        if deadline.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(TIMEOUT)));
        let mut discarded = [0; BUFFER];
        loop {
            let mut buffer = ReadBuf::new(&mut discarded);
            let read = pin!(&mut *stream).poll_read(context, &mut buffer);
            let is_open = matches!(read, Poll::Ready(Ok(()))) && !buffer.filled().is_empty();
            match deadline.as_mut().poll(context) {
                Poll::Pending if read.is_pending() => return Poll::Pending,
                Poll::Pending if is_open => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
