//! Ends a connection whose peer takes nothing while there is something to send.
//!
//! Otherwise a TV that is asleep keeps its connection and its frames for ever. The watch costs a
//! look at the clock when a socket is full, and a timer that is set again only when it has rung: no
//! lock and no allocation a frame.

#![expect(
    clippy::disallowed_methods,
    reason = "a peer that takes nothing is given up by the clock"
)]

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::{
    cut::Cut,
    limits::{ConnectionCounts, Reason},
};

/// A socket that is given up when it stays full for too long.
#[derive(Debug)]
pub(super) struct Stall<T> {
    io: T,
    limit: Duration,
    blocked_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    counts: Arc<ConnectionCounts>,
    cut: Cut,
}

impl<T> Stall<T> {
    pub(super) fn new(io: T, limit: Duration, counts: Arc<ConnectionCounts>, cut: Cut) -> Self {
        Self {
            io,
            limit,
            blocked_since: None,
            alarm: Box::pin(sleep(limit)),
            counts,
            cut,
        }
    }

    pub(super) fn get_ref(&self) -> &T {
        &self.io
    }

    /// Passes on the result of a write, or an error when the socket has been full for too long.
    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        match written {
            Poll::Ready(Ok(done)) => {
                self.blocked_since = None;
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => {
                // The kernel's own limit (TCP_USER_TIMEOUT) may be reached first.
                if error.kind() == io::ErrorKind::TimedOut {
                    self.counts.refuse(Reason::Stalled);
                }
                Poll::Ready(Err(error))
            }
            Poll::Pending => self.wait(cx),
        }
    }

    fn wait<R>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        if self.cut.is_cut(cx) {
            self.counts.refuse(Reason::Memory);
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the memory of what the peer does not take is needed",
            )));
        }
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        // The alarm may ring for an earlier stop that is over; then it is set again, for this one.
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let due = since + self.limit;
            if Instant::now() >= due {
                self.counts.refuse(Reason::Stalled);
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "the peer takes nothing any more",
                )));
            }
            self.alarm.as_mut().reset(due);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stall<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stall<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.judge(cx, written)
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

    const LIMIT: Duration = Duration::from_secs(2);

    fn stalled(counts: &ConnectionCounts) -> u64 {
        counts.refusals().find(|row| row.0 == "stalled").unwrap().1
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let counts = Arc::new(ConnectionCounts::default());
        let (ours, _theirs) = duplex(100);
        let mut ours = Stall::new(ours, LIMIT, counts.clone(), Cut::default());
        let start = Instant::now();
        ours.write_all(&[0; 1000]).await.unwrap_err();
        assert!(start.elapsed() >= LIMIT);
        assert_eq!(stalled(&counts), 1);
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_ends_however_full_it_is() {
        let counts = Arc::new(ConnectionCounts::default());
        let (ours, _theirs) = duplex(100);
        let cut = Cut::default();
        let mut ours = Stall::new(ours, Duration::MAX, counts.clone(), cut.clone());
        let writer = tokio::spawn(async move { ours.write_all(&[0; 1000]).await });
        tokio::task::yield_now().await;
        assert!(!writer.is_finished());
        cut.cut();
        let error = writer.await.expect("no panic").expect_err("it was cut");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(stalled(&counts), 0);
        let memory = counts.refusals().find(|row| row.0 == "memory");
        assert_eq!(memory, Some(("memory", 1)));
    }

    #[tokio::test]
    async fn a_peer_that_takes_a_little_now_and_then_is_not() {
        let counts = Arc::new(ConnectionCounts::default());
        let (ours, mut theirs) = duplex(10);
        let mut ours = Stall::new(ours, LIMIT, counts.clone(), Cut::default());
        let slow = tokio::spawn(async move {
            let mut byte = [0];
            for _ in 0..12 {
                tokio::time::sleep(LIMIT / 6).await;
                theirs.read_exact(&mut byte).await.unwrap();
            }
        });
        // The socket is full all the time, and for longer than the limit in all.
        ours.write_all(&[0; 21]).await.unwrap();
        slow.await.unwrap();
        // Having nothing to send is no stall.
        tokio::time::sleep(LIMIT * 2).await;
        assert_eq!(stalled(&counts), 0);
    }
}
