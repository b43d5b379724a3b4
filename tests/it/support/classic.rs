//! A small client of classic WebDriver, as WebKitWebDriver has it. Protocol: <https://www.w3.org/TR/webdriver2/>.

use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

use super::{devtools::unbase64, eventually, http, process::Process};

const JSON: &str = "Content-Type: application/json\r\n";

/// A session with a browser that a driver has started. Ended on drop, and with it the browser.
pub(crate) struct Session {
    /// The driver's.
    address: SocketAddr,
    id: String,
}

impl Session {
    /// Begins one by the driver `process`, which listens on `address`.
    pub(crate) fn begin(process: &Process, address: SocketAddr, capabilities: &Value) -> Self {
        eventually("the driver to listen", || {
            TcpStream::connect(address).map_err(|error| format!("{error}\n{}", process.output()))
        });
        let body = json!({"capabilities": {"alwaysMatch": capabilities}}).to_string();
        let reply = http::request(address, "POST", "/session", JSON, &body);
        assert_eq!(
            reply.status(),
            200,
            "no session: {}\n{}",
            reply.text(),
            process.output()
        );
        let value = reply.json();
        let id = value["value"]["sessionId"].as_str().expect("a session");
        Self {
            address,
            id: id.to_owned(),
        }
    }

    /// Opens `url`; whether that is waited for, the session's capabilities say.
    pub(crate) fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    /// The value of an expression, or the exception that it throws.
    pub(crate) fn eval(&self, expression: &str) -> Result<Value, String> {
        self.try_post(
            "execute/sync",
            &json!({"script": format!("return ({expression})"), "args": []}),
        )
    }

    /// Puts the window into the corner of its screen, of this width and height.
    pub(crate) fn fill(&self, (width, height): (u32, u32)) {
        self.post(
            "window/rect",
            &json!({"x": 0, "y": 0, "width": width, "height": height}),
        );
    }

    /// What is on the screen, as a PNG.
    pub(crate) fn screenshot_png(&self) -> Result<Vec<u8>, String> {
        let target = format!("/session/{}/screenshot", self.id);
        let reply = http::get(self.address, &target);
        let value = reply.json();
        match value["value"].as_str() {
            Some(png) if reply.status() == 200 => Ok(unbase64(png)),
            _ => Err(value.to_string()),
        }
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_post(&self, command: &str, body: &Value) -> Result<Value, String> {
        let target = format!("/session/{}/{command}", self.id);
        let reply = http::request(self.address, "POST", &target, JSON, &body.to_string());
        if reply.status() == 200 {
            Ok(reply.json()["value"].take())
        } else {
            Err(format!("{command}: {}", reply.text()))
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Lets the browser clean up; what is left is killed with the driver's group.
        if !std::thread::panicking() {
            let target = format!("/session/{}", self.id);
            let _ = http::request(self.address, "DELETE", &target, "", "");
        }
    }
}

/// An address that was free a moment ago: drivers take a port, not a listener.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}
