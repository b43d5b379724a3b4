//! Asks the server for its time. Never what follows from the answer.

use mantel_shared::UnixMillis;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::{
    page::{now, window},
    stream::request,
};
use crate::clock::Local;

/// Asks for the time. Returns when it was asked, the server's time, and when the answer came.
///
/// # Errors
///
/// There was no answer, or one that is no time.
pub(super) async fn ask() -> Result<(Local, UnixMillis, Local), JsValue> {
    let options = request();
    let asked = now();
    let promise = window().fetch_with_str_and_init("time", &options);
    let response: Response = JsFuture::from(promise).await?.unchecked_into();
    let answered = now();
    // A body that is left unread keeps its connection busy.
    let text = JsFuture::from(response.text()?).await?.as_string();
    let millis = text.filter(|_| response.ok());
    let millis: u64 = millis
        .and_then(|text| text.trim().parse().ok())
        .ok_or("no time")?;
    Ok((asked, UnixMillis(millis), answered))
}
