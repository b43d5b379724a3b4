//! Sends commands to the server. Never decides on one, and never changes what is shown: the
//! server's next part does that, on all screens at once.

use mantel_shared::Command;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

use super::page::window;

/// Posts `command` to `url`.
///
/// # Errors
///
/// There was no answer, or another one than success.
pub(super) async fn send(url: &str, command: &Command) -> Result<(), JsValue> {
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_headers(&headers);
    options.set_body(&JsValue::from_str(&command.to_string()));
    let promise = window().fetch_with_str_and_init(url, &options);
    let response: Response = JsFuture::from(promise).await?.unchecked_into();
    // A body that is left unread keeps its connection, and an engine has six of them per host.
    JsFuture::from(response.text()?).await?;
    if response.ok() {
        Ok(())
    } else {
        Err(response.status().into())
    }
}
