//! A small client of the DevTools protocol: starts a headless Chromium of any age, opens pages,
//! evaluates scripts, takes screenshots, and keeps what the page complained about.
//!
//! Protocol: <https://chromedevtools.github.io/devtools-protocol/>; only methods that Chromium 67
//! has.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    calls::Calls,
    clients::{Client, Permit, require},
    eventually, http,
    pixels::Picture,
    process::Process,
    sight::{Sighting, Witness},
};

/// Width and height of the page, in CSS pixels, at a pixel ratio of 1.
pub(crate) const VIEWPORT: (u32, u32) = (640, 360);

/// A running Chromium. Killed on drop.
pub(crate) struct Browser {
    address: SocketAddr,
    // Dropped in this order: the process before its profile.
    process: Process,
    _profile: TempDir,
    _permit: Permit,
}

impl Browser {
    /// Starts one, or says that it was left out.
    pub(crate) fn start(client: Client) -> Option<Self> {
        let programs = require(client)?;
        Some(Self::launch(
            &programs[0],
            client,
            Permit::for_browsers(1),
            &[],
        ))
    }

    /// Starts one whose WebGL is done in software: there is no graphics processor where tests run.
    pub(crate) fn start_with_gl(client: Client) -> Option<Self> {
        let programs = require(client)?;
        let permit = Permit::for_browsers(1);
        Some(Self::launch(&programs[0], client, permit, &WITH_GL))
    }

    /// Starts two: two screens of a house.
    pub(crate) fn start_two(client: Client) -> Option<(Self, Self)> {
        let programs = require(client)?;
        let (first, second) = Permit::for_browsers(2).split();
        let launch = |permit| Self::launch(&programs[0], client, permit, &[]);
        Some((launch(first), launch(second)))
    }

    fn launch(program: &Path, client: Client, permit: Permit, more: &[&str]) -> Self {
        let profile = TempDir::with_prefix("mantel-chromium-").expect("a profile directory");
        let mut command = Command::new(program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--enable-precise-memory-info",
            "--remote-debugging-port=0",
        ]);
        command.args(if more.is_empty() {
            &["--disable-gpu"]
        } else {
            more
        });
        if client != Client::Chromium {
            // These packages were made to run where a process may not have children.
            command.args(["--single-process", "--no-zygote"]);
        }
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg("about:blank").env("HOME", profile.path());
        let mut process = Process::start(command);
        let address = process.await_line("Chromium's DevTools address", |line| {
            let (_, rest) = line.split_once("DevTools listening on ws://")?;
            rest.split('/').next()?.parse().ok()
        });
        Self {
            address,
            process,
            _profile: profile,
            _permit: permit,
        }
    }

    /// Of the browser's first process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Opens `url`.
    pub(crate) fn open(&self, url: &str) -> Page {
        self.open_after(url, "")
    }

    /// Opens `url` in an engine that has lost something: `script` runs before any of the page's.
    pub(crate) fn open_after(&self, url: &str, script: &str) -> Page {
        self.open_with(url, script, |_| ())
    }

    /// Opens `url` with the compositor telling from the start what it shows.
    pub(crate) fn open_filmed(&self, url: &str) -> Page {
        self.open_with(url, "", Page::screencast)
    }

    /// Opens `url` for somebody whose device says that things should not move.
    pub(crate) fn open_reduced(&self, url: &str) -> Page {
        let reduce = json!({"name": "prefers-reduced-motion", "value": "reduce"});
        self.open_with(url, "", |page| {
            page.call("Emulation.setEmulatedMedia", &json!({"features": [reduce]}));
        })
    }

    /// Opens `url` for somebody whose browser speaks this language.
    pub(crate) fn open_in(&self, url: &str, language: &str) -> Page {
        self.open_with(url, "", |page| {
            let agent = page.eval("navigator.userAgent").expect("an agent");
            page.call(
                "Emulation.setUserAgentOverride",
                &json!({"userAgent": agent, "acceptLanguage": language}),
            );
        })
    }

    fn open_with(&self, url: &str, script: &str, prepare: impl FnOnce(&mut Page)) -> Page {
        let mut page = self.attach();
        page.begin(url, script, prepare);
        page
    }

    /// Opens `url` in one more tab, in front of the others.
    pub(crate) fn open_tab(&self, url: &str) -> Page {
        let tab = http::request(self.address, "PUT", "/json/new?about:blank", "", "").json();
        let mut page = self.attach_to(tab["webSocketDebuggerUrl"].as_str().expect("a tab"));
        page.begin(url, "", |_| ());
        page
    }

    fn attach(&self) -> Page {
        let path = eventually("a tab", || {
            let tabs = http::get(self.address, "/json/list").json();
            let tab = tabs
                .as_array()
                .into_iter()
                .flatten()
                .find(|tab| tab["type"] == "page");
            let url = tab.and_then(|tab| tab["webSocketDebuggerUrl"].as_str());
            url.map(str::to_owned).ok_or_else(|| tabs.to_string())
        });
        self.attach_to(&path)
    }

    fn attach_to(&self, path: &str) -> Page {
        Page {
            calls: Calls::connect(self.address, path),
            notes: Notes::default(),
        }
    }
}

const WITH_GL: [&str; 4] = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
];

/// A tab.
pub(crate) struct Page {
    calls: Calls,
    notes: Notes,
}

/// What a page tells by itself.
#[derive(Default)]
struct Notes {
    complaints: Vec<String>,
    /// What the compositor showed, once a screencast was asked for.
    sightings: Vec<Sighting>,
}

impl Page {
    fn begin(&mut self, url: &str, script: &str, prepare: impl FnOnce(&mut Self)) {
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        let (width, height) = VIEWPORT;
        self.resize(width, height);
        if !script.is_empty() {
            self.call(
                "Page.addScriptToEvaluateOnNewDocument",
                &json!({"source": script}),
            );
        }
        prepare(self);
        self.call("Page.navigate", &json!({"url": url}));
    }

    /// Has the person look at this tab.
    pub(crate) fn bring_to_front(&mut self) {
        self.call("Page.bringToFront", &json!({}));
    }

    /// Moves or presses the mouse: `mouseMoved`, `mousePressed`, `mouseReleased`.
    pub(crate) fn pointer(&mut self, kind: &str, x: f64, y: f64) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        self.call(
            "Input.dispatchMouseEvent",
            &json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": 1}),
        );
    }

    /// Gives the page another size, in CSS pixels, as a turned tablet does.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        self.resize_dense(width, height, 1);
    }

    /// The same on a screen with `ratio` pixels to each CSS pixel.
    pub(crate) fn resize_dense(&mut self, width: u32, height: u32, ratio: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": false}),
        );
    }

    /// An attribute of the page's root; empty where it has none, the complaint where the page can't be asked.
    pub(crate) fn root(&mut self, name: &str) -> String {
        let value = self.eval(&format!("document.documentElement.getAttribute('{name}')"));
        value.map_or_else(
            |error| error,
            |value| value.as_str().unwrap_or("").to_owned(),
        )
    }

    /// The value of an expression; promises are waited for.
    pub(crate) fn eval(&mut self, expression: &str) -> Result<Value, String> {
        // A page that goes away meanwhile is no reason to end a test: whoever waits asks again.
        let result = self.try_call(
            "Runtime.evaluate",
            &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        )?;
        match result.get("exceptionDetails") {
            Some(details) => Err(details.to_string()),
            None => Ok(result["result"]["value"].clone()),
        }
    }

    /// The viewer's figures; nothing as long as there are none.
    pub(crate) fn stats(&mut self) -> Value {
        self.eval("window.mantel && mantel.stats ? mantel.stats() : {}")
            .unwrap_or_default()
    }

    /// Bytes of JavaScript's heap after what is not needed was collected.
    pub(crate) fn heap_bytes(&mut self) -> f64 {
        for _ in 0..2 {
            self.call("HeapProfiler.collectGarbage", &json!({}));
        }
        let size = match self.try_call("Runtime.getHeapUsage", &json!({})) {
            Ok(usage) => usage["usedSize"].as_f64(),
            // Chromium 64 has only this, which is told exactly with a flag of its own.
            Err(_) => self
                .eval("performance.memory.usedJSHeapSize")
                .ok()
                .and_then(|size| size.as_f64()),
        };
        size.expect("a size")
    }

    /// Presses and releases a key, named as `KeyboardEvent.key` and `keyCode` have it: remotes of
    /// TVs are known by their codes alone.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if key.len() == 1 && kind == "keyDown" {
                event["text"] = key.into();
            }
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// What a person in front of the screen sees, as a PNG. While a page comes, there may be
    /// nothing to take.
    pub(crate) fn screenshot_png(&mut self) -> Result<Vec<u8>, String> {
        let result = self.try_call("Page.captureScreenshot", &json!({"format": "png"}))?;
        result["data"]
            .as_str()
            .map(unbase64)
            .ok_or_else(|| result.to_string())
    }

    /// The same, decoded.
    pub(crate) fn screenshot(&mut self) -> Result<Picture, String> {
        Picture::from_png(&self.screenshot_png()?)
    }

    /// Uncaught exceptions and error messages of the page so far.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // Whatever was sent before the answer to this has arrived with it.
        let _ = self.eval("0");
        self.notes.complaints.clone()
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let mut answer = self
            .calls
            .call(method, params, |calls, event| self.notes.add(calls, event));
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Has the compositor tell of every picture that it shows from here on, and when it did.
    pub(crate) fn screencast(&mut self) {
        self.call(
            "Page.startScreencast",
            &json!({"format": "jpeg", "quality": 90, "maxWidth": 160, "maxHeight": 90}),
        );
    }
}

impl Notes {
    fn add(&mut self, calls: &mut Calls, event: &Value) {
        let params = &event["params"];
        if event["method"] == "Page.screencastFrame" {
            self.show(calls, params);
            return;
        }
        let complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => &params["exceptionDetails"],
            Some("Runtime.consoleAPICalled") if params["type"] == "error" => &params["args"],
            _ => return,
        };
        self.complaints.push(complaint.to_string());
    }

    fn show(&mut self, calls: &mut Calls, params: &Value) {
        let session = json!({"sessionId": params["sessionId"]});
        let _ = calls.send("Page.screencastFrameAck", &session);
        let jpeg = unbase64(params["data"].as_str().unwrap_or(""));
        let seconds = params["metadata"]["timestamp"].as_f64();
        if let (Ok(picture), Some(seconds)) = (Picture::from_jpeg(&jpeg), seconds) {
            #[expect(clippy::cast_possible_truncation)]
            let at = (seconds * 1000.0) as i64;
            let colour = picture.middle();
            self.sightings.push(Sighting { at, colour });
        }
    }
}

impl Witness for Page {
    fn sightings(&mut self) -> Vec<Sighting> {
        let silence = Duration::from_millis(50);
        self.calls
            .told(silence, |calls, event| self.notes.add(calls, event));
        self.notes.sightings.clone()
    }
}

/// Decodes standard base64, which is how both drivers' protocols carry screenshots.
pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits & 0xFF) as u8);
        }
    }
    bytes
}
