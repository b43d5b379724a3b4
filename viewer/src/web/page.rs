//! The page around the canvas: its state attributes, its measures, full screen, the engine's
//! name. Never pictures and never events.

use js_sys::{Function, Promise, Reflect};
use mantel_shared::{SlideNo, UnixMillis};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, Element, HtmlElement, Window};

use crate::clock::Local;
use crate::fit::Size;
use crate::player::Phase;

/// No screen is larger, and the server's limit is near: it keeps the canvas at 33 MB.
pub(super) const LONGEST_SIDE: u32 = 3840;

/// The window. A page without one can't have started this module.
pub(super) fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The steady clock.
pub(super) fn now() -> Local {
    Local(
        window()
            .performance()
            .map_or_else(js_sys::Date::now, |performance| performance.now()),
    )
}

/// The device's wall clock, which may be wrong.
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

/// Waits for a promise whose outcome nobody needs; an unhandled rejection would be an error in
/// the console.
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

    /// Tells tests, kiosks and the page's own style what is going on; writes only changes. Returns
    /// whether the slide is another one.
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

    /// Shows or hides the pointer.
    pub(super) fn show_pointer(&self, shown: bool) {
        let _ = self.root.class_list().toggle_with_force("still", !shown);
    }

    /// Into full screen, or out of it. Older engines have the prefixed names only.
    pub(super) fn toggle_full_screen(&self) {
        let (document, root) = (self.document.as_ref(), self.root.as_ref());
        let is_full = ["fullscreenElement", "webkitFullscreenElement"]
            .iter()
            .any(|name| property(document, name).is_some());
        let (object, names): (&JsValue, _) = if is_full {
            (document, ["exitFullscreen", "webkitExitFullscreen"])
        } else {
            (root, ["requestFullscreen", "webkitRequestFullscreen"])
        };
        let function = names.iter().find_map(|name| property(object, name));
        if let Some(function) = function
            && let Ok(promise) = function.unchecked_into::<Function>().call0(object)
        {
            forget(&promise);
        }
    }
}

/// The window in device pixels.
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

/// The window's width in CSS pixels.
pub(super) fn css_width() -> f64 {
    window()
        .inner_width()
        .ok()
        .and_then(|width| width.as_f64())
        .unwrap_or(1.0)
        .max(1.0)
}
