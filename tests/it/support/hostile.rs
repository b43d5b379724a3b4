//! A server that is not well: the real page and its parts, and on `/bytes` whatever a test wants. It
//! knows no right answer.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::http;

/// What one connection to `/bytes` is answered with: it writes to the socket, and then the connection
/// is closed. Its argument counts the connections since the behaviour was set.
pub(crate) type Behaviour = Box<dyn Fn(&mut TcpStream, usize) -> std::io::Result<()> + Send + Sync>;

/// The server; it lives until the test binary ends.
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    behaviour: Arc<Mutex<Arc<Behaviour>>>,
    n_calls: Arc<AtomicUsize>,
    is_newer: Arc<AtomicBool>,
}

impl Hostile {
    /// Everything but `/bytes` is asked of `real`.
    pub(crate) fn start(real: SocketAddr, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let behaviour = Arc::new(Mutex::new(Arc::new(behaviour)));
        let n_calls = Arc::new(AtomicUsize::new(0));
        let is_newer = Arc::new(AtomicBool::new(false));
        let (held, counted) = (Arc::clone(&behaviour), Arc::clone(&n_calls));
        let newer = Arc::clone(&is_newer);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (held, counted) = (Arc::clone(&held), Arc::clone(&counted));
                let newer = Arc::clone(&newer);
                thread::spawn(move || answer(socket, real, &held, &counted, &newer));
            }
        });
        Self {
            address,
            behaviour,
            n_calls,
            is_newer,
        }
    }

    /// From now on the page's script has another name, as that of a newer program has.
    pub(crate) fn become_newer(&self) {
        self.is_newer.store(true, Ordering::SeqCst);
    }

    /// From now on connections are answered like this.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.n_calls.store(0, Ordering::SeqCst);
        *self.behaviour.lock().expect("no holder panics") = Arc::new(behaviour);
    }

    /// Connections since the behaviour was set.
    pub(crate) fn n_calls(&self) -> usize {
        self.n_calls.load(Ordering::SeqCst)
    }
}

fn answer(
    mut socket: TcpStream,
    real: SocketAddr,
    behaviour: &Mutex<Arc<Behaviour>>,
    n_calls: &AtomicUsize,
    is_newer: &AtomicBool,
) -> Option<()> {
    socket
        .set_write_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let target = first.split(' ').nth(1)?;
    if target.starts_with("/bytes") {
        let behaviour = Arc::clone(&*behaviour.lock().ok()?);
        let number = n_calls.fetch_add(1, Ordering::SeqCst);
        return behaviour(&mut socket, number).ok();
    }
    let mut reply = http::get(real, &target.replace("page-newer-", "page-"));
    let is_page = reply
        .head
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    if is_newer.load(Ordering::SeqCst) && is_page {
        reply.body = reply.text().replace("page-", "page-newer-").into_bytes();
    }
    let kind = reply.head.get("content-type").unwrap_or("text/plain");
    write!(
        socket,
        "HTTP/1.1 {} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.status(),
        reply.body.len()
    )
    .ok()?;
    socket.write_all(&reply.body).ok()
}

/// The head of a response whose end is the connection's.
pub(crate) fn begin(socket: &mut TcpStream, kind: &str) -> std::io::Result<()> {
    write!(
        socket,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
    )
}

/// A stream of slides begins.
pub(crate) fn begin_slides(socket: &mut TcpStream) -> std::io::Result<()> {
    begin(socket, "application/octet-stream")?;
    socket.write_all(b"--frame\r\n")
}

/// One part of it, and the delimiter behind it; `more` are header lines.
pub(crate) fn slide(
    socket: &mut TcpStream,
    number: u64,
    more: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let length = body.len();
    write!(
        socket,
        "Content-Type: image/jpeg\r\nContent-Length: {length}\r\nX-Slide: {number}\r\n"
    )?;
    write!(socket, "X-Dwell-Ms: 2000\r\n{more}\r\n")?;
    socket.write_all(body)?;
    socket.write_all(b"\r\n--frame\r\n")
}

/// Keeps the connection open without a word.
pub(crate) fn hold() -> std::io::Result<()> {
    thread::sleep(Duration::from_secs(60));
    Ok(())
}
