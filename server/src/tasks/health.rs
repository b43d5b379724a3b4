//! `mantel health`: asks a server whether it is well, for containers that hold no other program to
//! ask with.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// The limit of waiting for each step of an answer: shorter than the time-outs of health checks,
/// so that the error tells what was the matter.
const PATIENCE: Duration = Duration::from_secs(4);
/// The limit of an answer, in bytes; that of a server that is well is much shorter.
const MAX_ANSWER: u64 = 4096;

/// Why a server does not count as well.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The text is no address and port, or its name has no address.
    #[error("{address}: no address and port, such as 127.0.0.1:8080")]
    Address {
        /// The text that was given.
        address: String,
    },
    /// No server answers.
    #[error("{address} does not answer: {source}")]
    Silent {
        /// The address that was asked.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The answer is another program's, or that of a server that is not well.
    #[error("{address} is not well: {answer}")]
    Unwell {
        /// The address that was asked.
        address: SocketAddr,
        /// The answer's first line.
        answer: String,
    },
}

/// Asks `/healthz` of the server at `address`.
///
/// # Errors
/// It is not well, or there is none.
pub fn health(address: &str) -> Result<(), HealthError> {
    let found = address.to_socket_addrs().ok();
    let found = found.and_then(|mut found| found.next());
    let address = found.ok_or_else(|| HealthError::Address {
        address: address.to_owned(),
    })?;
    let answer = ask(address).map_err(|source| HealthError::Silent { address, source })?;
    let answer = String::from_utf8_lossy(&answer);
    let first = answer.lines().next().unwrap_or_default();
    // The line is `HTTP/1.1 200 OK`.
    if first.starts_with("HTTP/1.") && first.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    Err(HealthError::Unwell {
        address,
        answer: if first.is_empty() { "no answer" } else { first }.to_owned(),
    })
}

fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// Asks a server that gives this answer.
    fn of(answer: &'static str) -> Result<(), HealthError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        });
        let said = health(&address);
        server.join().unwrap();
        said
    }

    #[test]
    fn only_a_server_that_says_so_is_well() {
        of("HTTP/1.1 200 OK\r\n\r\nok\n").unwrap();
        of("HTTP/1.0 200 OK\r\n\r\nok\n").unwrap();
        for answer in [
            "",
            "HTTP/1.1 503 Service Unavailable\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "SSH-2.0 200 OK\r\n",
        ] {
            let error = of(answer).unwrap_err();
            assert!(matches!(error, HealthError::Unwell { .. }), "{answer:?}");
        }
    }

    #[test]
    fn what_is_no_server_is_not_well() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let error = health(&port.unwrap().to_string()).unwrap_err();
        assert!(matches!(error, HealthError::Silent { .. }), "{error}");
        for address in ["", "8080", "no port", "localhost:99999"] {
            let error = health(address).unwrap_err();
            assert!(matches!(error, HealthError::Address { .. }), "{address}");
        }
    }
}
