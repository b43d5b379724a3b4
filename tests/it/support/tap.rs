//! A wire-tap: hands bytes on as they are, in both directions, keeps what the server said, and can
//! cut the line. What a browser was sent is read from here, with its own user agent and all.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use super::sight;

/// One connection that went through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// When the request's first bytes had come, in Unix milliseconds.
    pub(crate) asked_at: i64,
    /// What the client sent.
    pub(crate) request: Vec<u8>,
    /// What the server answered so far.
    pub(crate) answer: Vec<u8>,
}

/// A listening tap; its connections live as long as both ends do.
pub(crate) struct Tap {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    lines: Arc<Mutex<Vec<TcpStream>>>,
}

impl Tap {
    /// Between whoever connects and `server`.
    pub(crate) fn on(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let lines: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (kept_calls, kept_lines) = (Arc::clone(&calls), Arc::clone(&lines));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let no = {
                    let mut calls = kept_calls.lock().expect("no holder panics");
                    calls.push(Call::default());
                    calls.len() - 1
                };
                let mut lines = kept_lines.lock().expect("no holder panics");
                lines.extend([&client, &server].map(|line| line.try_clone().expect("a handle")));
                drop(lines);
                let there = [&client, &server].map(|line| line.try_clone().expect("a handle"));
                let calls = Arc::clone(&kept_calls);
                thread::spawn(move || {
                    let [from, to] = there;
                    pass(from, to, |bytes| {
                        let mut calls = calls.lock().expect("no holder panics");
                        let call = &mut calls[no];
                        if call.request.is_empty() {
                            call.asked_at = sight::now();
                        }
                        call.request.extend(bytes);
                    });
                });
                let calls = Arc::clone(&kept_calls);
                thread::spawn(move || {
                    pass(server, client, |bytes| {
                        let mut calls = calls.lock().expect("no holder panics");
                        calls[no].answer.extend(bytes);
                    });
                });
            }
        });
        Self {
            address,
            calls,
            lines,
        }
    }

    /// Every connection whose request begins with `start`, in order.
    pub(crate) fn calls(&self, start: &str) -> Vec<Call> {
        let calls = self.calls.lock().expect("no holder panics");
        calls
            .iter()
            .filter(|call| call.request.starts_with(start.as_bytes()))
            .cloned()
            .collect()
    }

    /// Cuts every connection there is, wherever it is.
    pub(crate) fn cut(&self) {
        let mut lines = self.lines.lock().expect("no holder panics");
        for line in lines.drain(..) {
            let _ = line.shutdown(Shutdown::Both);
        }
    }

    /// The address of something behind it.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }
}

impl Call {
    /// The pictures of a multipart answer, as far as they came, read strictly: each head is followed
    /// by as many bytes as it promised, and those by the delimiter. Second: whether a whole head came
    /// last, whose picture is still owed.
    pub(crate) fn pictures(&self) -> (Vec<Vec<u8>>, bool) {
        let body = at(&self.answer, b"\r\n\r\n").map_or(&[][..], |end| &self.answer[end + 4..]);
        let body = unchunked(body);
        let opening = at(&body, b"\r\n").expect("the dash-boundary");
        let delimiter = [b"\r\n", &body[..opening], b"\r\n"].concat();
        let mut rest = &body[opening + 2..];
        let mut pictures = Vec::new();
        while let Some(end) = at(rest, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .and_then(|length| length.parse::<usize>().ok())
                .unwrap_or_else(|| panic!("no length in {head:?}"));
            rest = &rest[end + 4..];
            let n_there = rest.len();
            if n_there < length + delimiter.len() {
                return (pictures, n_there == 0);
            }
            assert_eq!(
                String::from_utf8_lossy(&rest[length..length + delimiter.len()]),
                String::from_utf8_lossy(&delimiter),
                "a promise was broken after {} pictures: {head:?}",
                pictures.len()
            );
            pictures.push(rest[..length].to_vec());
            rest = &rest[length + delimiter.len()..];
        }
        (pictures, false)
    }
}

fn at(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

/// The bytes in whole and half chunks.
fn unchunked(mut wire: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(end) = at(wire, b"\r\n") {
        let size = String::from_utf8_lossy(&wire[..end]).into_owned();
        let size = usize::from_str_radix(&size, 16).expect("a chunk's size");
        wire = &wire[end + 2..];
        let n_there = size.min(wire.len());
        bytes.extend(&wire[..n_there]);
        wire = wire.get(size + 2..).unwrap_or_default();
    }
    bytes
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut keep: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n_bytes) = from.read(&mut buffer) {
        if n_bytes == 0 {
            break;
        }
        keep(&buffer[..n_bytes]);
        if to.write_all(&buffer[..n_bytes]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
