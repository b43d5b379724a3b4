//! A web site of one page, on an origin of its own: somebody else's page with our stream in it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// Answers every request with `html` until the test binary ends.
pub(crate) fn serve(html: &str) -> SocketAddr {
    let html = html.to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let _ = answer(&socket, &html);
        }
    });
    address
}

fn answer(mut socket: &TcpStream, html: &str) -> std::io::Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(socket);
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let length = html.len();
    write!(
        socket,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{html}"
    )
}
