//! Browsers without the DevTools protocol: Firefox by WebDriver BiDi, WebKitGTK's MiniBrowser by WebKitWebDriver.

use std::{process::Command, sync::Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    bidi::BiDi,
    classic::{Session, free_address},
    clients::{Client, Permit, require},
    devtools::VIEWPORT,
    pixels::Picture,
    process::Process,
    sight::{Display, SCREEN},
};

/// A browser with one window. Killed on drop.
pub(crate) struct Driver {
    // Dropped in this order: a session before its browser, and both before their files.
    way: Way,
    _process: Process,
    _home: TempDir,
    _permit: Permit,
}

/// How the browser is spoken to.
enum Way {
    BiDi(Box<Mutex<BiDi>>),
    Classic(Session),
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
        let mut command = Command::new(&programs[0]);
        command
            .args(["--no-remote", "--remote-debugging-port=0", "--profile"])
            .arg(home.path())
            .env("HOME", home.path());
        if let Some(display) = display {
            command.env("DISPLAY", display.name());
        } else {
            command.arg("--headless");
        }
        let (width, height) = if display.is_some() { SCREEN } else { VIEWPORT };
        command.args([format!("--width={width}"), format!("--height={height}")]);
        let mut process = Process::start(command);
        let address = process.await_line("Firefox's address", |line| {
            let (_, address) = line.split_once("BiDi listening on ws://")?;
            address.trim().parse().ok()
        });
        Some(Self {
            way: Way::BiDi(Box::new(Mutex::new(BiDi::begin(address)))),
            _process: process,
            _home: home,
            _permit: permit,
        })
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
        let process = Process::start(command);
        Some(Self {
            way: Way::Classic(Session::begin(&process, address, &capabilities)),
            _process: process,
            _home: home,
            _permit: permit,
        })
    }

    /// Opens `url` without waiting for it to load.
    pub(crate) fn open(&self, url: &str) {
        match &self.way {
            Way::BiDi(firefox) => locked(firefox).open(url),
            Way::Classic(session) => session.open(url),
        }
    }

    /// The value of an expression, or the exception that it throws.
    pub(crate) fn eval(&self, expression: &str) -> Result<Value, String> {
        match &self.way {
            Way::BiDi(firefox) => locked(firefox).eval(expression),
            Way::Classic(session) => session.eval(expression),
        }
    }

    /// Puts the window into the corner of its screen, as large as can be.
    pub(crate) fn fill_screen(&self) {
        match &self.way {
            Way::BiDi(firefox) => locked(firefox).fill(SCREEN),
            Way::Classic(session) => session.fill(SCREEN),
        }
    }

    /// What is on the screen. While a page comes, there may be nothing to take.
    pub(crate) fn screenshot(&self) -> Result<Picture, String> {
        Picture::from_png(&self.screenshot_png()?)
    }

    /// The same, as a PNG.
    pub(crate) fn screenshot_png(&self) -> Result<Vec<u8>, String> {
        match &self.way {
            Way::BiDi(firefox) => locked(firefox).screenshot_png(),
            Way::Classic(session) => session.screenshot_png(),
        }
    }
}

fn locked(firefox: &Mutex<BiDi>) -> std::sync::MutexGuard<'_, BiDi> {
    firefox.lock().expect("no call has panicked")
}
