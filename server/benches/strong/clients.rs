//! Clients as they come: good ones, slow ones, ones that never read or hang up.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use socket2::SockRef;

/// How a viewer takes what it is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    Good,
    Slow,
    NeverReads,
}

fn ask(address: SocketAddr, target: &str) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    // Version 1.0: no chunks between a stream's parts.
    write!(socket, "GET {target} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    Ok(socket)
}

/// Views `target` until `end`.
pub fn view(address: SocketAddr, target: &str, manner: Manner, end: Instant) -> io::Result<()> {
    let mut socket = ask(address, target)?;
    let mut bytes = vec![0; 64 * 1024];
    while Instant::now() < end {
        match manner {
            Manner::Good => {
                if socket.read(&mut bytes)? == 0 {
                    break;
                }
            }
            Manner::Slow => {
                if socket.read(&mut bytes[..2048])? == 0 {
                    break;
                }
                sleep(Duration::from_millis(200));
            }
            Manner::NeverReads => sleep(Duration::from_millis(500)),
        }
    }
    Ok(())
}

/// Asks for `target` and resets the connection after 4 ms.
pub fn reset(address: SocketAddr, target: &str) -> io::Result<()> {
    let socket = ask(address, target)?;
    sleep(Duration::from_millis(4));
    SockRef::from(&socket).set_linger(Some(Duration::ZERO))
}

/// A connection that asks time and again.
pub struct Asker {
    address: SocketAddr,
    /// None once the server has said that it closes it, as it does after so many requests.
    connection: Option<BufReader<TcpStream>>,
}

impl Asker {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// The status and the body of what is answered, and how long that took.
    pub fn get(&mut self, target: &str) -> io::Result<(u16, Vec<u8>, Duration)> {
        let start = Instant::now();
        let address = self.address;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let socket = TcpStream::connect(address)?;
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(Duration::from_secs(60)))?;
                BufReader::new(socket)
            }
        };
        let socket = connection.get_mut();
        // In one piece: the kernel would hold a second one back until the first is acknowledged.
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        socket.write_all(request.as_bytes())?;
        let head = head(&mut connection)?;
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let length = number(&head, "content-length").unwrap_or(0);
        let mut body = vec![0; usize::try_from(length).unwrap_or(0)];
        connection.read_exact(&mut body)?;
        if !head.to_ascii_lowercase().contains("connection: close") {
            self.connection = Some(connection);
        }
        Ok((status.unwrap_or(0), body, start.elapsed()))
    }
}

/// Watches `/bytes` until `end`: by how much each slide came after its moment, in milliseconds.
pub fn lateness(address: SocketAddr, target: &str, end: Instant) -> io::Result<Vec<u64>> {
    let mut connection = BufReader::new(ask(address, target)?);
    head(&mut connection)?;
    let (mut late, mut shown) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let head = match head(&mut connection) {
            Ok(head) => head,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let mut body =
            vec![0; usize::try_from(number(&head, "content-length").unwrap_or(0)).unwrap_or(0)];
        connection.read_exact(&mut body)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis() as u64;
        let (slide, at) = (number(&head, "x-slide"), number(&head, "x-show-at"));
        // The first was on before this viewer came.
        if let (Some(slide), Some(at)) = (slide, at)
            && !shown.contains(&slide)
        {
            if !shown.is_empty() {
                late.push(now.saturating_sub(at));
            }
            shown.push(slide);
        }
    }
    Ok(late)
}

/// A head up to its empty line; what stands before it, a delimiter or nothing, is part of it.
fn head(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if connection.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = &head[before..];
        if line.trim().is_empty() && head.contains(':') {
            return Ok(head);
        }
    }
}

fn number(head: &str, name: &str) -> Option<u64> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().parse().ok())?
    })
}
