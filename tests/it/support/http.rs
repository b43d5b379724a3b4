//! HTTP by hand: what goes over the wire is what the tests are about, so no library stands
//! between.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::LIMIT;

/// The head of a response, or of a part: its lines without their ends.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) lines: Vec<String>,
}

impl Head {
    pub(super) fn parse(block: &[u8]) -> Self {
        let text = String::from_utf8(block.to_vec()).expect("a head is text");
        let lines = text.split_terminator("\r\n").map(str::to_owned).collect();
        Self { lines }
    }

    /// The value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of all headers of this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.lines
            .iter()
            .filter_map(|line| line.split_once(':'))
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The number in a header that must be there.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:#?}"));
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {value}"))
    }

    /// The status code of a response.
    pub(crate) fn status(&self) -> u16 {
        let code = self.lines.first().and_then(|line| line.split(' ').nth(1));
        code.and_then(|code| code.parse().ok())
            .unwrap_or_else(|| panic!("no status: {self:#?}"))
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

/// Requests `target` with more header lines, each ended by CR LF, and reads all of the response.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    more: &str,
    body: &str,
) -> Reply {
    let mut stream = Stream::send(
        address,
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}{}\r\n{body}",
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) },
        )
        .as_bytes(),
    );
    let head = stream.read_head();
    // Not to the end of the connection: some servers that tests talk to leave it open.
    let length = head
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let body = match length {
        Some(length) if method != "HEAD" => stream.exactly(length),
        _ => stream.rest(),
    };
    Reply { head, body }
}

/// `GET target`.
pub(crate) fn get(address: SocketAddr, target: &str) -> Reply {
    request(address, "GET", target, "", "")
}

/// `POST /control` with a JSON text.
pub(crate) fn control(address: SocketAddr, json: &str) -> Reply {
    control_at(address, "/control", json)
}

/// The same for a channel that the address names.
pub(crate) fn control_at(address: SocketAddr, target: &str, json: &str) -> Reply {
    request(
        address,
        "POST",
        target,
        "Content-Type: application/json\r\n",
        json,
    )
}

/// What reading for a moment brought.
#[derive(Debug, PartialEq, Eq)]
enum Fill {
    Bytes,
    End,
    Silence,
}

/// A connection with a response coming in, its chunks already joined.
pub(crate) struct Stream {
    socket: TcpStream,
    /// Bytes as they came, not yet taken out of their chunks.
    wire: Vec<u8>,
    /// Bytes of the body, or of the head until it was read.
    ready: Vec<u8>,
    framing: Framing,
    at_end: bool,
    ended_well: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// Bytes pass as they are: the head, or a body that ends with the connection.
    Raw,
    /// So many bytes of the chunk are still to come.
    Chunk(usize),
    /// A chunk's size line is next.
    ChunkSize,
}

impl Stream {
    /// Connects and sends `bytes`.
    pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> Self {
        let mut socket = TcpStream::connect_timeout(&address, LIMIT).expect("to connect");
        socket.set_nodelay(true).expect("to set TCP_NODELAY");
        // A server that refuses the connection may close before all is written.
        let _ = socket.write_all(bytes);
        Self {
            socket,
            wire: Vec::new(),
            ready: Vec::new(),
            framing: Framing::Raw,
            at_end: false,
            ended_well: false,
        }
    }

    /// Sends more.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Reads the head of the response.
    pub(crate) fn read_head(&mut self) -> Head {
        let block = self.through(b"\r\n\r\n");
        let head = Head::parse(&block[..block.len() - 2]);
        if head.get("transfer-encoding") == Some("chunked") {
            self.framing = Framing::ChunkSize;
            self.wire = std::mem::take(&mut self.ready);
            self.unchunk();
        }
        head
    }

    /// The rest of the body, to the end of the response.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let deadline = Instant::now() + LIMIT;
        while self.fill(deadline) == Fill::Bytes {}
        assert!(self.at_end, "the response did not end within {LIMIT:?}");
        std::mem::take(&mut self.ready)
    }

    /// Bytes up to and with `pattern`.
    pub(crate) fn through(&mut self, pattern: &[u8]) -> Vec<u8> {
        let deadline = Instant::now() + LIMIT;
        let mut searched = 0;
        loop {
            let from = usize::saturating_sub(searched, pattern.len());
            let hit = self.ready[from..]
                .windows(pattern.len())
                .position(|bytes| bytes == pattern);
            if let Some(at) = hit {
                return self.ready.drain(..from + at + pattern.len()).collect();
            }
            searched = self.ready.len();
            let fill = self.fill(deadline);
            assert!(
                fill == Fill::Bytes,
                "{fill:?} before {:?}; so far {:?}",
                String::from_utf8_lossy(pattern),
                String::from_utf8_lossy(&self.ready[..self.ready.len().min(300)]),
            );
        }
    }

    /// Exactly `n` bytes.
    pub(crate) fn exactly(&mut self, n: usize) -> Vec<u8> {
        let deadline = Instant::now() + LIMIT;
        while self.ready.len() < n {
            let fill = self.fill(deadline);
            assert!(
                fill == Fill::Bytes,
                "{fill:?} after {} of {n} bytes",
                self.ready.len()
            );
        }
        self.ready.drain(..n).collect()
    }

    /// What comes within `span` and is not yet taken, left in place.
    pub(crate) fn peek_for(&mut self, span: Duration) -> &[u8] {
        let deadline = Instant::now() + span;
        while self.fill(deadline) == Fill::Bytes {}
        &self.ready
    }

    /// Waits until the peer has closed the connection; whatever comes before is dropped.
    pub(crate) fn closed_within(&mut self, span: Duration) -> bool {
        let deadline = Instant::now() + span;
        while self.fill(deadline) == Fill::Bytes {
            self.ready.clear();
        }
        self.at_end
    }

    /// Whether a chunked response came to its last chunk, rather than being cut off.
    pub(crate) fn ended_well(&self) -> bool {
        self.ended_well
    }

    fn fill(&mut self, deadline: Instant) -> Fill {
        if self.at_end {
            return Fill::End;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Fill::Silence;
        }
        self.socket
            .set_read_timeout(Some(left))
            .expect("to set a time-out");
        let mut buffer = [0; 65536];
        match self.socket.read(&mut buffer) {
            Ok(0) => self.at_end = true,
            Ok(n_bytes) => {
                if self.framing == Framing::Raw {
                    self.ready.extend(&buffer[..n_bytes]);
                } else {
                    self.wire.extend(&buffer[..n_bytes]);
                    self.unchunk();
                }
                return Fill::Bytes;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Fill::Silence;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Fill::Bytes,
            Err(_) => self.at_end = true,
        }
        Fill::End
    }

    fn unchunk(&mut self) {
        loop {
            match self.framing {
                Framing::Raw => return,
                Framing::Chunk(left) => {
                    let n_bytes = left.min(self.wire.len());
                    self.ready.extend(self.wire.drain(..n_bytes));
                    if n_bytes < left {
                        self.framing = Framing::Chunk(left - n_bytes);
                        return;
                    }
                    if self.wire.len() < 2 {
                        self.framing = Framing::Chunk(0);
                        return;
                    }
                    assert_eq!(
                        self.wire.drain(..2).collect::<Vec<_>>(),
                        b"\r\n",
                        "a chunk's end"
                    );
                    self.framing = Framing::ChunkSize;
                }
                Framing::ChunkSize => {
                    let Some(end) = self.wire.windows(2).position(|pair| pair == b"\r\n") else {
                        return;
                    };
                    let line: Vec<u8> = self.wire.drain(..end + 2).collect();
                    let line = String::from_utf8_lossy(&line[..end]).into_owned();
                    let size = usize::from_str_radix(line.trim(), 16)
                        .unwrap_or_else(|_| panic!("a chunk size of {line:?}"));
                    if size == 0 {
                        self.at_end = true;
                        self.ended_well = true;
                        return;
                    }
                    self.framing = Framing::Chunk(size);
                }
            }
        }
    }
}
