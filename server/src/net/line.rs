//! The line between hyper and a socket: holds back answers that hyper gives by itself, and tells
//! whether a request was coming when time ran out.
//!
//! hyper answers a request that it can't read with a bare status. Here that is held back, so that
//! the accept loop can answer with a sentence. All our own answers say `nosniff`; hyper's don't.
//!
//! A peer that closes its sending side may have gone, as browsers go, or still want its answer, as
//! scripts do that pipe a request into a socket. Nothing tells them apart until something is sent,
//! and a slide may stand for hours. So an answer that is on its way has some seconds more, and then
//! the connection ends: a client that has gone isn't counted as a viewer, and nothing is rendered
//! for it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long an answer may still take once its peer has closed its sending side.
const PARTING: Duration = Duration::from_secs(5);

/// A flag of a connection: whether a request is being answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<AtomicBool>);

impl Busy {
    /// Sets the flag: a request has come.
    pub(super) fn begin(&self) {
        self.0.store(true, Relaxed);
    }

    /// Wraps the answer's `body`: once it is written or given up, the flag is cleared.
    pub(super) fn until_written<B>(&self, body: B) -> Answering<B> {
        Answering {
            body,
            busy: self.clone(),
        }
    }
}

/// The body of an answer; clears the connection's [`Busy`] flag on drop.
#[derive(Debug)]
pub(super) struct Answering<B> {
    body: B,
    busy: Busy,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Answering<B> {
    fn drop(&mut self) {
        self.busy.0.store(false, Relaxed);
    }
}

/// A connection as hyper sees it.
#[derive(Debug)]
pub(super) struct Line<T> {
    io: T,
    /// Whether some of a request has come that is not answered yet.
    pub(super) has_heard: bool,
    /// Whether anything was answered.
    pub(super) has_spoken: bool,
    /// The status with which hyper would have answered by itself.
    pub(super) held_back: Option<u16>,
    busy: Busy,
    /// The timer of an answer whose peer has closed its sending side.
    parting: Option<Pin<Box<Sleep>>>,
}

impl<T> Line<T> {
    pub(super) fn new(io: T, busy: Busy) -> Self {
        Self {
            io,
            busy,
            parting: None,
            has_heard: false,
            has_spoken: false,
            held_back: None,
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.io
    }

    /// Whether `bytes`, about to be written, belong to an answer of hyper's own, which is held
    /// back.
    fn listens(&mut self, bytes: &[u8]) -> bool {
        if !bytes.starts_with(b"HTTP/1.") {
            return self.held_back.is_some();
        }
        let bare =
            bytes.get(8..10) == Some(b" 4") && memchr::memmem::find(bytes, b"nosniff").is_none();
        if bare {
            let code = bytes
                .get(9..12)
                .and_then(|code| std::str::from_utf8(code).ok());
            self.held_back = code.and_then(|code| code.parse().ok());
        } else {
            self.has_heard = false;
            self.has_spoken = true;
        }
        self.held_back.is_some()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Line<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        let is_end = matches!(read, Poll::Ready(Ok(()))) && buf.filled().len() == before;
        self.has_heard |= buf.filled().len() > before;
        if is_end && buf.remaining() > 0 && self.busy.0.load(Relaxed) {
            let parting = self.parting.get_or_insert_with(|| Box::pin(sleep(PARTING)));
            return parting.as_mut().poll(cx).map(Ok);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Line<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.listens(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = slices.iter().find(|slice| !slice.is_empty())
            && self.listens(first)
        {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn bare_errors_are_held_back_and_nothing_else() {
        let (ours, mut theirs) = duplex(1000);
        let mut line = Line::new(ours, Busy::default());
        theirs.write_all(b"GET").await.unwrap();
        line.read_exact(&mut [0; 3]).await.unwrap();
        assert!(line.has_heard);
        let spoken =
            b"HTTP/1.1 404 Not Found\r\nx-content-type-options: nosniff\r\n\r\nHTTP/1.1 431";
        line.write_all(spoken).await.unwrap();
        line.write_all(b"\xff\xd8 HTTP/1.1 400").await.unwrap();
        assert_eq!(
            (line.has_heard, line.has_spoken, line.held_back),
            (false, true, None)
        );
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        line.write_all(bare).await.unwrap();
        assert_eq!(line.held_back, Some(431));
        drop(line);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        assert!(heard.starts_with(spoken) && heard.ends_with(b"HTTP/1.1 400"));
    }
}
