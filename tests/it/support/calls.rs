//! Calls over a WebSocket, each with a number that its answer repeats: what DevTools and WebDriver BiDi have in common.

use std::{
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::LIMIT;

/// A connection to a browser.
pub(crate) struct Calls {
    socket: WebSocket<TcpStream>,
    next_id: u64,
}

impl Calls {
    /// Connects to `url` at `address`.
    pub(crate) fn connect(address: SocketAddr, url: &str) -> Self {
        let socket = TcpStream::connect_timeout(&address, LIMIT).expect("to reach the browser");
        socket
            .set_read_timeout(Some(LIMIT))
            .expect("to set a time-out");
        let (socket, _) = tungstenite::client(url, socket)
            .unwrap_or_else(|error| panic!("the browser refused {url}: {error}"));
        Self { socket, next_id: 1 }
    }

    /// Sends a call without waiting for its answer; gives its number.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> Result<u64, tungstenite::Error> {
        let id = self.next_id;
        self.next_id += 1;
        let call = json!({"id": id, "method": method, "params": params});
        self.socket.send(Message::text(call.to_string()))?;
        Ok(id)
    }

    /// The whole answer to a call; `note` gets what else the browser tells meanwhile.
    pub(crate) fn call(
        &mut self,
        method: &str,
        params: &Value,
        mut note: impl FnMut(&mut Self, &Value),
    ) -> Value {
        let id = self
            .send(method, params)
            .unwrap_or_else(|error| panic!("{method} can't be sent: {error}"));
        let deadline = Instant::now() + LIMIT;
        loop {
            assert!(
                Instant::now() < deadline,
                "no answer to {method} within {LIMIT:?}"
            );
            let message = self
                .read()
                .unwrap_or_else(|error| panic!("the browser on {method}: {error}"));
            match message {
                Some(message) if message["id"] == id => return message,
                Some(message) => note(self, &message),
                None => {}
            }
        }
    }

    /// What the browser has told, and tells until it is silent for `span`.
    pub(crate) fn told(&mut self, span: Duration, mut note: impl FnMut(&mut Self, &Value)) {
        self.wait_at_most(span);
        while let Ok(message) = self.read() {
            if let Some(message) = message {
                note(self, &message);
            }
        }
        self.wait_at_most(LIMIT);
    }

    fn wait_at_most(&self, span: Duration) {
        let set = self.socket.get_ref().set_read_timeout(Some(span));
        set.expect("to set a time-out");
    }

    /// The next message, if it is one of the protocol's.
    fn read(&mut self) -> Result<Option<Value>, tungstenite::Error> {
        Ok(match self.socket.read()? {
            Message::Text(text) => {
                Some(serde_json::from_slice(text.as_bytes()).expect("JSON from the browser"))
            }
            _ => None,
        })
    }
}
