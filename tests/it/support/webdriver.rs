//! A small WebDriver client for browsers without the DevTools protocol: geckodriver with Firefox,
//! WebKitWebDriver with its MiniBrowser. Protocol: <https://www.w3.org/TR/webdriver2/>.

use std::{
    net::{SocketAddr, TcpListener},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    clients::{Client, Permit, require},
    devtools::{VIEWPORT, unbase64},
    eventually, http,
    pixels::Picture,
    process::Process,
    sight::{Display, SCREEN},
};

/// A browser behind a driver, with one window. Both are killed on drop.
pub(crate) struct Driver {
    address: SocketAddr,
    session: String,
    _process: Process,
    _home: TempDir,
    _permit: Permit,
}

impl Driver {
    /// Starts Firefox without a window, or says that it was left out.
    pub(crate) fn firefox() -> Option<Self> {
        Self::firefox_on(None)
    }

    /// The same, in a window on `display` where there is one.
    pub(crate) fn firefox_on(display: Option<&Display>) -> Option<Self> {
        let programs = require(Client::Firefox)?;
        let permit = Permit::for_browsers(1);
        let home = TempDir::with_prefix("mantel-firefox-").expect("a home directory");
        let address = free_address();
        let mut command = Command::new(&programs[0]);
        command
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            // A second geckodriver would find the default port taken.
            .args(["--websocket-port", "0"])
            .arg("--binary")
            .arg(&programs[1])
            .env("HOME", home.path());
        let mut args = Vec::new();
        if let Some(display) = display {
            command.env("DISPLAY", display.name());
        } else {
            command.env("MOZ_HEADLESS", "1");
            args.push("-headless".to_owned());
        }
        let (width, height) = if display.is_some() { SCREEN } else { VIEWPORT };
        args.extend([format!("--width={width}"), format!("--height={height}")]);
        let capabilities = json!({
            // A page with a stream in it never finishes loading.
            "pageLoadStrategy": "none",
            "moz:firefoxOptions": {"args": args},
        });
        Some(Self::launch(command, address, &capabilities, home, permit))
    }

    /// Starts WebKitGTK's MiniBrowser on a virtual display, or says that it was left out.
    pub(crate) fn webkit() -> Option<Self> {
        Self::webkit_on(None)
    }

    /// The same on `display`, where there is one.
    pub(crate) fn webkit_on(display: Option<&Display>) -> Option<Self> {
        let programs = require(Client::WebKit)?;
        let permit = Permit::for_browsers(1);
        let home = TempDir::with_prefix("mantel-webkit-").expect("a home directory");
        let address = free_address();
        let mut command = if let Some(display) = display {
            let mut command = Command::new(&programs[1]);
            command.env("DISPLAY", display.name());
            command
        } else {
            let mut command = Command::new(&programs[0]);
            command.arg("--auto-servernum").arg(&programs[1]);
            command
        };
        command
            .args(["--host=127.0.0.1", &format!("--port={}", address.port())])
            .env("HOME", home.path());
        let capabilities = json!({
            "pageLoadStrategy": "none",
            "webkitgtk:browserOptions": {"binary": programs[2], "args": ["--automation"]},
        });
        Some(Self::launch(command, address, &capabilities, home, permit))
    }

    /// Starts a driver that listens on `address`, and a session with `capabilities`.
    fn launch(
        command: Command,
        address: SocketAddr,
        capabilities: &Value,
        home: TempDir,
        permit: Permit,
    ) -> Self {
        let process = Process::start(command);
        eventually("the driver to listen", || {
            std::net::TcpStream::connect(address)
                .map_err(|error| format!("{error}\n{}", process.output()))
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
        let session = value["value"]["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        Self {
            address,
            session,
            _process: process,
            _home: home,
            _permit: permit,
        }
    }

    /// Opens `url` without waiting for it to load.
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

    /// Puts the window into the corner of its screen, as large as can be.
    pub(crate) fn fill_screen(&self) {
        let (width, height) = SCREEN;
        self.post(
            "window/rect",
            &json!({"x": 0, "y": 0, "width": width, "height": height}),
        );
    }

    /// What is on the screen. While a page comes, there may be nothing to take.
    pub(crate) fn screenshot(&self) -> Result<Picture, String> {
        Picture::from_png(&self.screenshot_png()?)
    }

    /// The same, as a PNG.
    pub(crate) fn screenshot_png(&self) -> Result<Vec<u8>, String> {
        let target = format!("/session/{}/screenshot", self.session);
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
        let target = format!("/session/{}/{command}", self.session);
        let reply = http::request(self.address, "POST", &target, JSON, &body.to_string());
        if reply.status() == 200 {
            Ok(reply.json()["value"].take())
        } else {
            Err(format!("{command}: {}", reply.text()))
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Lets the browser clean up; what is left is killed with the driver's group.
        if !std::thread::panicking() {
            let target = format!("/session/{}", self.session);
            let _ = http::request(self.address, "DELETE", &target, "", "");
        }
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

/// An address that was free a moment ago: drivers take a port, not a listener.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}
