//! The page around the canvas: its state attributes and its measures. Never pictures and never events.

use js_sys::{Promise, Reflect};
use mantel_shared::{SlideNo, UnixMillis};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, Element, HtmlElement, Window};

use crate::{clock::Local, fit::Size, player::Phase};

/// The limit of the canvas's longer side: near the server's own, and it keeps the canvas at 33 MB.
pub(super) const LONGEST_SIDE: u32 = 3840;

/// The browser's window. A page without one can't have started this module.
pub(super) fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// Reads the steady clock.
pub(super) fn now() -> Local {
    Local(
        window()
            .performance()
            .map_or_else(js_sys::Date::now, |performance| performance.now()),
    )
}

/// Reads the device's wall clock, which may be wrong.
pub(super) fn wall_clock() -> UnixMillis {
    #[expect(
        clippy::cast_sign_loss,
        reason = "the cast saturates; devices in 1969 may stay there"
    )]
    UnixMillis(js_sys::Date::now() as u64)
}

/// A property of an object that older engines may not have.
pub(super) fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_falsy())
}

/// Waits for a promise whose outcome is of no use; an unhandled rejection would be an error in the
/// console.
pub(super) fn forget(promise: &JsValue) {
    let promise = Promise::resolve(promise);
    spawn_local(async move {
        let _ = JsFuture::from(promise).await;
    });
}

/// The elements that the viewer finds in `index.html`.
pub(super) struct Page {
    document: Document,
    root: Element,
    phase: Option<Phase>,
    slide: Option<SlideNo>,
}

impl Page {
    /// The page that this module runs in.
    ///
    /// # Errors
    ///
    /// There is no document.
    pub(super) fn new() -> Result<Self, JsValue> {
        let document = window().document().ok_or("no document")?;
        let root = document.document_element().ok_or("no root element")?;
        Ok(Self {
            document,
            root,
            phase: None,
            slide: None,
        })
    }

    /// The document.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// The root element, `<html>`.
    pub(super) fn root(&self) -> &Element {
        &self.root
    }

    /// The element with this id.
    ///
    /// # Errors
    ///
    /// `index.html` has none.
    pub(super) fn element(&self, id: &str) -> Result<HtmlElement, JsValue> {
        let element = self
            .document
            .get_element_by_id(id)
            .ok_or("an element is missing")?;
        Ok(element.unchecked_into())
    }

    /// Writes phase and slide into the root's attributes, for tests, kiosks and the page's own
    /// style; only changes are written. Returns whether the slide is another one.
    pub(super) fn tell(&mut self, phase: Phase, slide: Option<SlideNo>) -> bool {
        let changed = slide != self.slide && slide.is_some();
        if changed && let Some(SlideNo(number)) = slide {
            self.slide = slide;
            let _ = self.root.set_attribute("data-slide", &number.to_string());
        }
        if self.phase != Some(phase) {
            self.phase = Some(phase);
            let name = match phase {
                Phase::Connecting => "connecting",
                Phase::Playing => "playing",
                Phase::Paused => "paused",
                Phase::Reconnecting => "reconnecting",
            };
            let _ = self.root.set_attribute("data-state", name);
        }
        changed
    }
}

/// The window's size in device pixels.
pub(super) fn screen_size() -> Size {
    let window = window();
    let side = |value: Result<JsValue, JsValue>| value.ok().and_then(|value| value.as_f64());
    Size::of_screen(
        side(window.inner_width()).unwrap_or(0.0),
        side(window.inner_height()).unwrap_or(0.0),
        window.device_pixel_ratio(),
        LONGEST_SIDE,
    )
}
