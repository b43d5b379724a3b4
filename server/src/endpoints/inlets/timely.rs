//! A WebSocket's bytes in time: a message may take only so long from its first byte to its last, however it trickles. Between
//! messages a sender may be silent.
//!
//! The library tells of messages that are whole; that one has begun is read here, from the heads of frames (RFC 6455, 5.2).
//! What they hold is the library's affair.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell of a sender: messages are timed as they come"
)]

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::{net::Wire, source::live::MAX_PICTURE_TIME};

/// The wire of a WebSocket, which fails with [`ErrorKind::TimedOut`] where a message takes too long to come.
pub(super) struct Timely<W> {
    wire: W,
    frames: Frames,
    late: Pin<Box<Sleep>>,
}

impl<W> Timely<W> {
    /// The wire on which these bytes have come already.
    pub(super) fn new(wire: W, come: &[u8]) -> Self {
        let mut frames = Frames::default();
        frames.take(come);
        Self {
            wire,
            frames,
            late: Box::pin(sleep(MAX_PICTURE_TIME)),
        }
    }

    /// Counts from now on: whatever has begun to come was not waited for while the message before it was worked at.
    pub(super) fn count_anew(&mut self) {
        self.late.as_mut().reset(Instant::now() + MAX_PICTURE_TIME);
    }
}

impl<W: Wire> AsyncRead for Timely<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n_before = buffer.filled().len();
        let Poll::Ready(result) = Pin::new(&mut self.wire).poll_read(context, buffer) else {
            let is_late = self.frames.is_inside() && self.late.as_mut().poll(context).is_ready();
            return if is_late {
                Poll::Ready(Err(ErrorKind::TimedOut.into()))
            } else {
                Poll::Pending
            };
        };
        let was_inside = self.frames.is_inside();
        let has_ended = self.frames.take(&buffer.filled()[n_before..]);
        if has_ended || !was_inside {
            self.count_anew();
        }
        Poll::Ready(result)
    }
}

impl<W: Wire> AsyncWrite for Timely<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

/// The place in a sender's frames, by their heads alone.
#[derive(Debug, Default)]
struct Frames {
    /// The bytes that have come of a head that is not whole.
    head: [u8; MAX_HEAD],
    n_head: usize,
    /// How many bytes of the frame are still to come behind its head.
    n_left: u64,
    /// Whether the frame ends what it belongs to: a control frame is whole in itself.
    ends: Ends,
    /// Whether parts of a message have come, and not the last one.
    is_in_parts: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ends {
    /// Itself alone: a control frame, which may come between a message's parts.
    #[default]
    Itself,
    /// A part of a message.
    Part,
    /// The message.
    Message,
}

/// The longest head: two bytes, eight of length, four of mask.
const MAX_HEAD: usize = 14;

impl Frames {
    /// Whether a frame or a message has begun that is not whole.
    fn is_inside(&self) -> bool {
        self.is_in_parts || self.n_head > 0 || self.n_left > 0
    }

    /// Takes what has come; whether a message ended in it.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        let mut has_ended = false;
        while !bytes.is_empty() {
            if self.n_left > 0 {
                let n_left = usize::try_from(self.n_left).unwrap_or(usize::MAX);
                let n = bytes.len().min(n_left);
                bytes = &bytes[n..];
                self.n_left -= n as u64;
            } else {
                self.head[self.n_head] = bytes[0];
                self.n_head += 1;
                bytes = &bytes[1..];
                let Some(n_left) = self.whole_head() else {
                    continue;
                };
                self.n_head = 0;
                self.n_left = n_left;
            }
            if self.n_left == 0 {
                has_ended |= self.ends == Ends::Message;
                self.is_in_parts = match self.ends {
                    Ends::Itself => self.is_in_parts,
                    Ends::Part => true,
                    Ends::Message => false,
                };
            }
        }
        has_ended
    }

    /// Reads the head once it is whole: how many bytes follow it.
    fn whole_head(&mut self) -> Option<u64> {
        let head = &self.head[..self.n_head];
        let (first, second) = (*head.first()?, *head.get(1)?);
        let n_length = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let n_mask = if second & 0x80 == 0 { 0 } else { 4 };
        if head.len() < 2 + n_length + n_mask {
            return None;
        }
        let (is_control, is_last) = (first & 0x08 != 0, first & 0x80 != 0);
        self.ends = match (is_control, is_last) {
            (true, _) => Ends::Itself,
            (false, false) => Ends::Part,
            (false, true) => Ends::Message,
        };
        let length = &head[2..2 + n_length];
        Some(match n_length {
            0 => u64::from(second & 0x7f),
            _ => length.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use tokio_tungstenite::{
        WebSocketStream,
        tungstenite::{
            Error, Message,
            protocol::{CloseFrame, Role, frame::coding::CloseCode},
        },
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A frame as clients send it: its first byte, and so many bytes behind its head.
    fn frame(first: u8, n_bytes: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match n_bytes {
            0..126 => frame.push(0x80 | n_bytes as u8),
            126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((n_bytes as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((n_bytes as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(vec![b'x'; n_bytes]);
        frame
    }

    const WHOLE: u8 = 0x82;
    const BEGINS: u8 = 0x02;
    const GOES_ON: u8 = 0x00;
    const ENDS: u8 = 0x80;
    const PING: u8 = 0x89;

    #[test]
    fn a_message_is_begun_from_its_first_byte_until_its_last_wherever_it_is_cut() {
        for n_bytes in [0, 1, 125, 126, 300, 65535, 65536] {
            let mut wire = frame(WHOLE, n_bytes);
            let mut ends = vec![wire.len()];
            wire.extend(frame(BEGINS, n_bytes));
            wire.extend(frame(PING, 5));
            wire.extend(frame(GOES_ON, 3));
            wire.extend(frame(PING, 0));
            wire.extend(frame(ENDS, 2));
            ends.push(wire.len());
            wire.extend(frame(PING, 100));
            // Between messages a ping is begun and ends like one, though it is none.
            let rests = [ends[0], ends[1], wire.len()];
            for cut in 0..=wire.len().min(1000) {
                let mut frames = Frames::default();
                let has_ended = frames.take(&wire[..cut]);
                assert_eq!(
                    has_ended,
                    ends.iter().any(|end| *end <= cut),
                    "{n_bytes} {cut}"
                );
                let is_at_rest = cut == 0 || rests.contains(&cut);
                assert_eq!(frames.is_inside(), !is_at_rest, "{n_bytes} {cut}");
                let has_ended = frames.take(&wire[cut..]);
                assert_eq!(
                    has_ended,
                    ends.iter().any(|end| *end > cut),
                    "{n_bytes} {cut}"
                );
                assert!(!frames.is_inside(), "{n_bytes} {cut}");
            }
            let mut frames = Frames::default();
            let n_ended = wire.iter().filter(|byte| frames.take(&[**byte])).count();
            assert_eq!(n_ended, 2, "{n_bytes}");
        }
    }

    #[test]
    fn no_bytes_are_too_odd() {
        let mut frames = Frames::default();
        frames.take(&[0xff; 100]);
        frames.take(&[0; 100]);
        assert!(frames.is_inside());
    }

    async fn server(wire: DuplexStream) -> WebSocketStream<Timely<DuplexStream>> {
        let wire = Timely::new(wire, &[]);
        WebSocketStream::from_raw_socket(wire, Role::Server, None).await
    }

    fn is_late(message: Option<Result<Message, Error>>) -> bool {
        matches!(message, Some(Err(Error::Io(error))) if error.kind() == ErrorKind::TimedOut)
    }

    /// Sends these bytes, one every second.
    async fn trickle(wire: &mut DuplexStream, bytes: &[u8]) {
        for byte in bytes {
            wire.write_all(&[*byte]).await.unwrap();
            tokio::time::sleep(SECOND).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_trickles_is_given_up_and_its_sender_hears_why() {
        let wires = [
            frame(WHOLE, 500),
            // In parts, with pings between them; and a ping.
            [frame(BEGINS, 9), frame(PING, 3).repeat(20)].concat(),
            [frame(BEGINS, 0), frame(GOES_ON, 0).repeat(40)].concat(),
            frame(PING, 120),
        ];
        for bytes in wires {
            let (mut client, wire) = duplex(1 << 16);
            let mut socket = server(wire).await;
            // As long as nothing has begun, there is all the time of the world.
            tokio::time::sleep(MAX_PICTURE_TIME * 10).await;
            let begun = Instant::now();
            let given_up = async {
                let message = loop {
                    match socket.next().await {
                        Some(Ok(Message::Ping(_))) => {}
                        other => break other,
                    }
                };
                assert!(is_late(message));
                let after = begun.elapsed();
                assert!(after >= MAX_PICTURE_TIME && after < MAX_PICTURE_TIME + SECOND * 2);
                let close = CloseFrame {
                    code: CloseCode::Policy,
                    reason: "too slow".into(),
                };
                socket.close(Some(close)).await.unwrap();
            };
            tokio::select! {
                () = given_up => {}
                () = trickle(&mut client, &bytes) => panic!("it was waited for"),
            }
            let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
            let told = loop {
                match client.next().await {
                    Some(Ok(Message::Pong(_))) => {}
                    other => break other,
                }
            };
            match told {
                Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.reason, "too slow"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_in_time_is_taken_however_many_come_and_however_long_it_is_silent() {
        let (client, wire) = duplex(1 << 16);
        let mut socket = server(wire).await;
        let sends = async move {
            let mut client = client;
            for _ in 0..20 {
                // Nearly too slow, each with the first byte of the next one right behind it.
                trickle(&mut client, &frame(WHOLE, 50)).await;
            }
            tokio::time::sleep(MAX_PICTURE_TIME * 5).await;
            let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
            for _ in 0..20 {
                client.send(Message::Ping("x".into())).await.unwrap();
                tokio::time::sleep(MAX_PICTURE_TIME / 3).await;
            }
            client.send(Message::binary("x")).await.unwrap();
        };
        let takes = async {
            let mut n = 0;
            while let Some(message) = socket.next().await {
                if message.unwrap().is_binary() {
                    n += 1;
                    socket.get_mut().count_anew();
                }
                if n == 21 {
                    return;
                }
            }
            panic!("it ended");
        };
        tokio::join!(sends, takes);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_not_listened_to_is_not_late() {
        let (mut client, wire) = duplex(1 << 16);
        let mut socket = server(wire).await;
        let next = frame(WHOLE, 50);
        client.write_all(&frame(WHOLE, 5)).await.unwrap();
        client.write_all(&next[..9]).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().is_binary());
        // The picture waits for a slow viewer.
        tokio::time::sleep(MAX_PICTURE_TIME * 3).await;
        socket.get_mut().count_anew();
        let ends = async {
            tokio::time::sleep(SECOND).await;
            client.write_all(&next[9..]).await.unwrap();
        };
        let (message, ()) = tokio::join!(socket.next(), ends);
        assert!(message.unwrap().unwrap().is_binary());
    }
}
