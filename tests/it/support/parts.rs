//! Multipart, read strictly as this server must write it. Knows nothing of the framing crate: it is
//! the oracle for what that crate writes.

use std::{net::SocketAddr, time::Duration};

use super::http::{Head, Stream};

/// A multipart response, read strictly as this server must write it: dash-boundary first, head,
/// body by Content-Length, delimiter at once after it.
pub(crate) struct Parts {
    pub(crate) response: Head,
    pub(crate) boundary: String,
    pub(crate) stream: Stream,
    opened: bool,
}

/// One part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Parts {
    /// `GET target`, which must answer 200 with a multipart body.
    pub(crate) fn open(address: SocketAddr, target: &str) -> Self {
        Self::open_as(address, target, "")
    }

    /// The same with more header lines, each ended by CR LF.
    pub(crate) fn open_as(address: SocketAddr, target: &str, more: &str) -> Self {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n");
        let mut stream = Stream::send(address, request.as_bytes());
        let response = stream.read_head();
        assert_eq!(response.status(), 200, "{target}: {response:#?} {:?}", {
            String::from_utf8_lossy(stream.peek_for(Duration::from_millis(200)))
        });
        Self::over(stream, response)
    }

    /// Over a response whose head was already read.
    pub(crate) fn over(mut stream: Stream, response: Head) -> Self {
        // The boundary is what the body starts with; what the header says of it is checked where
        // that is the question. `/bytes` need not name it in its Content-Type.
        let first = stream.through(b"\r\n");
        let line = String::from_utf8_lossy(&first).trim_end().to_owned();
        let boundary = line
            .strip_prefix("--")
            .unwrap_or_else(|| panic!("the body must start with --boundary, not {line:?}"));
        Self {
            response,
            boundary: boundary.to_owned(),
            stream,
            opened: false,
        }
    }

    /// The next head, to its blank line.
    pub(crate) fn head(&mut self) -> Head {
        self.opened = true;
        let block = self.stream.through(b"\r\n\r\n");
        Head::parse(&block[..block.len() - 2])
    }

    /// The body that `head` promised, and the delimiter after it.
    pub(crate) fn body(&mut self, head: &Head) -> Vec<u8> {
        let length = usize::try_from(head.number("content-length")).expect("a length");
        let body = self.stream.exactly(length);
        let delimiter = format!("\r\n--{}\r\n", self.boundary);
        let found = self.stream.exactly(delimiter.len());
        assert_eq!(
            String::from_utf8_lossy(&found),
            delimiter,
            "a delimiter right after the {length} bytes that Content-Length named"
        );
        body
    }

    /// The next part.
    pub(crate) fn part(&mut self) -> Part {
        let head = self.head();
        let body = self.body(&head);
        Part { head, body }
    }
}
