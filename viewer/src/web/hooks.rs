//! Hooks for the page's other scripts: an event for each slide that comes on, and the viewer's
//! figures. Never what they do with them, and nothing here changes what is shown.
//!
//! `mantel-slide` is dispatched on `window` at a slide's moment, with its metadata as its `detail`:
//! `slide`, `caption`, `takenAt`, `place`, `album`, `focus` (`[x, y]`, 0 to 1), `dwellMillis`,
//! `showAtMillis` (Unix, by the server's clock), `serverNowMillis` (the same clock now), `paused`.
//! Values that are not known are left out.

use js_sys::{Array, Object, Reflect};
use mantel_shared::{Focus, FrameMeta, SlideNo, UnixMillis};
use wasm_bindgen::prelude::*;
use web_sys::{CustomEvent, Event};

use super::{
    core::Core,
    page::{self, now, window},
    picture::Picture,
};

const SLIDE: &str = "mantel-slide";

/// A JavaScript object that is filled name by name; values that are not known stay out.
struct Record(Object);

impl Record {
    fn set(&self, name: &str, value: impl Into<JsValue>) {
        // Fails for objects that are frozen, and this one is new.
        let _ = Reflect::set(&self.0, &JsValue::from_str(name), &value.into());
    }

    fn set_some(&self, name: &str, value: Option<impl Into<JsValue>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

/// Tells listeners that a slide came on.
///
/// # Errors
///
/// The engine makes no such events.
pub(super) fn tell_slide(meta: &FrameMeta, server_now: f64) -> Result<(), JsValue> {
    let detail = Record(Object::new());
    detail.set_some("slide", meta.slide.map(|SlideNo(number)| number as f64));
    detail.set_some("caption", meta.caption.as_deref());
    let taken_at = meta.taken_at.as_ref();
    detail.set_some("takenAt", taken_at.map(|taken_at| taken_at.as_str()));
    detail.set_some("place", meta.place.as_deref());
    detail.set_some("album", meta.album.as_deref());
    let share = |thousandths: u16| JsValue::from(f64::from(thousandths) / f64::from(Focus::MAX));
    let focus = meta
        .focus
        .map(|Focus { x, y }| Array::of2(&share(x), &share(y)));
    detail.set_some("focus", focus);
    detail.set_some("dwellMillis", meta.dwell_millis.map(|millis| millis as f64));
    let show_at = meta.show_at.map(|UnixMillis(millis)| millis as f64);
    detail.set_some("showAtMillis", show_at);
    detail.set("serverNowMillis", server_now);
    detail.set("paused", meta.paused);

    let document = window().document().ok_or("no document")?;
    // A constructor would be shorter, but the page's other scripts know engines without it.
    let event: Event = document.create_event("CustomEvent")?;
    let event: CustomEvent = event.unchecked_into();
    event.init_custom_event_with_can_bubble_and_cancelable_and_detail(
        SLIDE, false, false, &detail.0,
    );
    window().dispatch_event(&event)?;
    Ok(())
}

/// The viewer's figures: numbers in milliseconds, bytes and pixels. Those that are not known yet are
/// not there.
///
/// # Errors
///
/// None so far.
pub(super) fn figures(core: &mut Core) -> Result<JsValue, JsValue> {
    let at = now();
    let record = Record(Object::new());
    let number = |SlideNo(number): SlideNo| number as f64;
    record.set("rung", "wasm");
    record.set_some("slide", core.player.showing().map(number));
    let since = core.player.shown_since();
    record.set_some("slideAgeMillis", since.map(|since| at.since(since)));
    if let Some((next, ready)) = core.player.pending() {
        record.set("nextSlide", number(next));
        record.set("nextReady", ready);
    }
    record.set("nSlides", core.n_slides);
    record.set("nSkipped", core.player.n_skipped() as f64);
    record.set("nUndecodable", core.stats.n_undecodable);
    record.set("nReconnects", core.stats.n_reconnects);
    record.set("trouble", core.trouble);
    record.set_some("fps", core.stats.frames.per_second());
    record.set("nLateFrames", core.stats.frames.n_late());
    record.set_some("drawMillis", core.stats.draw.mean());
    record.set_some("decodeMillis", core.stats.decode.mean());
    record.set_some("leadMillis", core.stats.lead.mean());
    record.set("bytesPerSecond", core.stats.received.per_second(at));
    record.set("nBytes", core.stats.n_bytes);
    record.set("parseMillis", core.stats.parse_millis);
    if let Some(source) = core.player.picture().map(Picture::size) {
        record.set("sourceWidth", source.width);
        record.set("sourceHeight", source.height);
    }
    record.set("canvasWidth", core.surface.size().width);
    record.set("canvasHeight", core.surface.size().height);
    record.set("decoder", core.method.name());
    record.set("renderer", core.surface.renderer());
    let wall = page::wall_clock().0 as f64;
    record.set("clockOffsetMillis", core.clock.server(at) - wall);
    record.set_some("roundTripMillis", core.clock.round_trip());
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    record.set("wasmBytes", buffer.byte_length());
    Ok(record.0.into())
}
