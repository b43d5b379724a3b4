//! A wire-tap: hands bytes on as they are, in both directions, keeps what the server said, and can
//! cut the line. What a browser was sent is read from here, with its own user agent and all.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

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
