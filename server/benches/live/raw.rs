//! A bare loop to compare the server with.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use super::Result;

/// A loop that takes what one sender sends and writes it to `n_viewers`, one after the other, whole pieces at a time. It
/// understands as much of a picture as its head says of its length.
pub fn raw(n_viewers: usize) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> Result<()> {
        let mut viewers = Vec::new();
        let mut sender = None;
        while viewers.len() < n_viewers || sender.is_none() {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            reader.read_line(&mut first)?;
            let mut line = String::new();
            while reader.read_line(&mut line)? > 2 {
                line.clear();
            }
            if first.starts_with("POST") {
                sender = Some(reader);
            } else {
                let mut stream = reader.into_inner();
                stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n--raw\r\n")?;
                viewers.push(stream);
            }
        }
        let mut sender = sender.ok_or("nobody sends")?;
        let mut part = Vec::new();
        loop {
            part.clear();
            let mut length = 0;
            loop {
                let begun = part.len();
                if sender.read_until(b'\n', &mut part)? == 0 {
                    return Ok(());
                }
                let line = String::from_utf8_lossy(&part[begun..]).to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse()?;
                }
                if line == "\r\n" && length > 0 {
                    break;
                }
            }
            let begun = part.len();
            part.resize(begun + length, 0);
            sender.read_exact(&mut part[begun..])?;
            for viewer in &mut viewers {
                // Viewers leave when they have seen enough.
                let _ = viewer.write_all(&part);
            }
        }
    });
    Ok(address)
}
