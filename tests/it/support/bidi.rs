//! A small client of WebDriver BiDi, which Firefox speaks by itself: one window, one connection.
//! Protocol: <https://www.w3.org/TR/webdriver-bidi/>.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{calls::Calls, devtools::unbase64};

/// A session with the only window of a browser.
pub(crate) struct BiDi {
    calls: Calls,
    /// The window's page, whatever it shows.
    context: String,
}

impl BiDi {
    /// Begins a session with the browser that listens on `address`.
    pub(crate) fn begin(address: SocketAddr) -> Self {
        let mut session = Self {
            calls: Calls::connect(address, &format!("ws://{address}/session")),
            context: String::new(),
        };
        session.call("session.new", &json!({"capabilities": {}}));
        let tree = session.call("browsingContext.getTree", &json!({"maxDepth": 0}));
        let context = tree["contexts"][0]["context"].as_str().expect("a window");
        context.clone_into(&mut session.context);
        session
    }

    /// Opens `url` without waiting for it: a page with a stream in it never finishes loading.
    pub(crate) fn open(&mut self, url: &str) {
        let at = json!({"context": self.context, "url": url, "wait": "none"});
        self.call("browsingContext.navigate", &at);
    }

    /// The value of an expression, or the exception that it throws; promises are waited for.
    pub(crate) fn eval(&mut self, expression: &str) -> Result<Value, String> {
        // The protocol's own notation of values tells types apart, which no test asks for.
        let result = self.try_call(
            "script.evaluate",
            &json!({
                "expression": format!("(async () => JSON.stringify(await ({expression})))()"),
                "target": {"context": self.context},
                "awaitPromise": true,
            }),
        )?;
        match (result["type"].as_str(), result["result"]["value"].as_str()) {
            (Some("success"), Some(value)) => {
                serde_json::from_str(value).map_err(|error| error.to_string())
            }
            // JSON has no `undefined`.
            (Some("success"), None) => Ok(Value::Null),
            _ => Err(result["exceptionDetails"].to_string()),
        }
    }

    /// Puts the window into the corner of its screen, of this width and height.
    pub(crate) fn fill(&mut self, (width, height): (u32, u32)) {
        let windows = self.call("browser.getClientWindows", &json!({}));
        let state = json!({
            "clientWindow": windows["clientWindows"][0]["clientWindow"],
            "state": "normal", "x": 0, "y": 0, "width": width, "height": height,
        });
        self.call("browser.setClientWindowState", &state);
    }

    /// What is on the screen, as a PNG.
    pub(crate) fn screenshot_png(&mut self) -> Result<Vec<u8>, String> {
        let context = json!({"context": self.context});
        let result = self.try_call("browsingContext.captureScreenshot", &context)?;
        let png = result["data"].as_str();
        png.map(unbase64).ok_or_else(|| result.to_string())
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let mut answer = self.calls.call(method, params, |_, _| ());
        if answer["type"] == "success" {
            Ok(answer["result"].take())
        } else {
            Err(format!("{method}: {answer}"))
        }
    }
}
