//! One connection: `fetch`, and the reader of its body. Never the meaning of the bytes, and never a
//! second attempt.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    Response,
};

use super::{
    handles::is_alive,
    page::{forget, window},
};

/// A report of a connection.
pub(super) enum Received<'a> {
    /// The beginning of the response.
    Open,
    /// Bytes of the body.
    Chunk(&'a [u8]),
    /// The end of the connection, with the reason. Nothing more comes.
    End(&'static str),
}

/// An open connection; dropping it closes it, and nothing is reported any more.
pub(super) struct Connection {
    shared: Rc<Shared>,
}

struct Shared {
    open: Cell<bool>,
    /// The means to abort the request, which Chromium has from 66 on. Without it a body can be
    /// cancelled, but no request.
    abort: Option<AbortController>,
    reader: RefCell<Option<ReadableStreamDefaultReader>>,
}

impl Connection {
    /// Asks for `url` and hands all reports to `sink`, never from within this call.
    pub(super) fn open(url: String, sink: impl Fn(Received<'_>) + 'static) -> Self {
        let shared = Rc::new(Shared {
            open: Cell::new(true),
            abort: AbortController::new().ok(),
            reader: RefCell::new(None),
        });
        let task = Rc::clone(&shared);
        spawn_local(async move {
            let end = match task.run(&url, &sink).await {
                Ok(()) => "the stream ended",
                Err(error) => describe(&error),
            };
            if task.is_open() {
                sink(Received::End(end));
            }
        });
        Self { shared }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.open.set(false);
        if let Some(abort) = &self.shared.abort {
            abort.abort();
        } else if let Some(reader) = self.shared.reader.take() {
            forget(&reader.cancel());
        }
    }
}

/// The options of every request.
pub(super) fn request() -> RequestInit {
    let options = RequestInit::new();
    // Otherwise Chromium's cache makes a second request for the same address wait for the end of
    // the first, and an endless one may take its time to end.
    options.set_cache(RequestCache::NoStore);
    // Otherwise Chromium before 72 leaves out cookies, and with them the right to watch.
    options.set_credentials(RequestCredentials::SameOrigin);
    options
}

impl Shared {
    fn is_open(&self) -> bool {
        self.open.get() && is_alive()
    }

    async fn run(&self, url: &str, sink: &impl Fn(Received<'_>)) -> Result<(), JsValue> {
        let options = request();
        if let Some(abort) = &self.abort {
            options.set_signal(Some(&abort.signal()));
        }
        let promise = window().fetch_with_str_and_init(url, &options);
        let response: Response = JsFuture::from(promise).await?.unchecked_into();
        let body = response.body().ok_or("a response without a body")?;
        if !self.is_open() {
            forget(&body.cancel());
            return Ok(());
        }
        if !response.ok() {
            forget(&body.cancel());
            return Err("the server refused the stream".into());
        }
        // Unchecked, because an `instanceof` would fail: in older engines the class is no global.
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        *self.reader.borrow_mut() = Some(reader.clone());
        sink(Received::Open);

        let mut buffer = Vec::new();
        while self.is_open() {
            let result = JsFuture::from(reader.read()).await?;
            if Reflect::get(&result, &"done".into())?.is_truthy() {
                break;
            }
            let chunk: Uint8Array = Reflect::get(&result, &"value".into())?.unchecked_into();
            buffer.resize(chunk.length() as usize, 0);
            chunk.copy_to(&mut buffer);
            if self.is_open() {
                sink(Received::Chunk(&buffer));
            }
        }
        Ok(())
    }
}

/// Describes an engine's error in words of ours: each engine has its own for the same few faults.
fn describe(error: &JsValue) -> &'static str {
    if error.is_string() {
        "the server refused the stream"
    } else {
        "the server does not answer"
    }
}
