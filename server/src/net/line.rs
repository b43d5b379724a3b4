//! The line under hyper: what it answers by itself, and what a peer was saying when time ran out.
//!
//! hyper answers a request that it can't read with a bare status. Here that is held back, so that
//! the accept loop can answer with a sentence. All our own answers say `nosniff`; hyper's don't.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection as hyper sees it.
#[derive(Debug)]
pub(super) struct Line<T> {
    io: T,
    /// Some of a request has come that is not answered yet.
    pub(super) has_heard: bool,
    /// Something was answered.
    pub(super) has_spoken: bool,
    /// The status with which hyper would have answered by itself.
    pub(super) held_back: Option<u16>,
}

impl<T> Line<T> {
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            has_heard: false,
            has_spoken: false,
            held_back: None,
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.io
    }

    /// Whether `bytes` are hyper's own words, which are kept back.
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
        self.has_heard |= buf.filled().len() > before;
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
        let mut line = Line::new(ours);
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
