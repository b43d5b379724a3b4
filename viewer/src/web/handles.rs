//! Handles of things that the browser must get back: listeners, timers and animation frames, each
//! given back when its handle is dropped. Never what they are for.
//!
//! Every callback goes through [`guarded`]: after a panic the module's memory is in an unknown
//! state, and nothing of it may run again.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget};

use super::page::window;

thread_local! {
    static DEAD: Cell<bool> = const { Cell::new(false) };
}

/// Stops all callbacks for good.
pub(super) fn die() {
    DEAD.set(true);
}

/// Whether callbacks still run.
pub(super) fn is_alive() -> bool {
    !DEAD.get()
}

fn guarded<T>(mut callback: impl FnMut(T)) -> impl FnMut(T) {
    move |argument| {
        if is_alive() {
            callback(argument);
        }
    }
}

/// An event listener; dropping it removes it.
pub(super) struct Listener {
    target: EventTarget,
    name: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens to `name` on `target`.
    pub(super) fn new(
        target: &EventTarget,
        name: &'static str,
        callback: impl FnMut(Event) + 'static,
    ) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(guarded(callback));
        let function = callback.as_ref().unchecked_ref();
        // Fails for a name that is no string, which can't be. The listener captures, because events
        // of the canvas don't bubble up to the window.
        let _ = target.add_event_listener_with_callback_and_bool(name, function, true);
        Self {
            target: target.clone(),
            name,
            callback,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.callback.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback_and_bool(self.name, function, true);
    }
}

/// A timer that can be set again and again, with a callback that is made once.
pub(super) struct Alarm {
    callback: Closure<dyn FnMut(JsValue)>,
    id: Cell<Option<i32>>,
}

/// The limit of a timer: `setTimeout` takes 31 bits of milliseconds and fires at once beyond them.
const LONGEST_MILLIS: f64 = 86_400_000.0;

impl Alarm {
    /// Makes a timer that is not set.
    pub(super) fn new(mut callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::<dyn FnMut(JsValue)>::new(guarded(move |_: JsValue| callback()));
        Self {
            callback,
            id: Cell::new(None),
        }
    }

    /// Sets the timer to go off once in `millis`, in place of the time set before.
    pub(super) fn set(&self, millis: f64) {
        self.clear();
        let millis = millis.clamp(0.0, LONGEST_MILLIS) as i32;
        let function = self.callback.as_ref().unchecked_ref();
        let id = window().set_timeout_with_callback_and_timeout_and_arguments_0(function, millis);
        self.id.set(id.ok());
    }

    /// Clears the timer: it does not go off any more.
    pub(super) fn clear(&self) {
        if let Some(id) = self.id.take() {
            window().clear_timeout_with_handle(id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A request for the display's next refresh, with a callback that is made once.
pub(super) struct AnimationFrame {
    callback: Closure<dyn FnMut(JsValue)>,
    id: std::rc::Rc<Cell<Option<i32>>>,
}

impl AnimationFrame {
    /// Makes a handle with nothing requested yet.
    pub(super) fn new(mut callback: impl FnMut() + 'static) -> Self {
        let id = std::rc::Rc::new(Cell::new(None));
        let requested = std::rc::Rc::clone(&id);
        let callback = Closure::<dyn FnMut(JsValue)>::new(guarded(move |_: JsValue| {
            requested.set(None);
            callback();
        }));
        Self { callback, id }
    }

    /// Asks for the next refresh; a second request before it changes nothing.
    pub(super) fn request(&self) {
        if self.id.get().is_none() {
            let function = self.callback.as_ref().unchecked_ref();
            self.id.set(window().request_animation_frame(function).ok());
        }
    }
}

impl Drop for AnimationFrame {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // Fails for a handle that is no number, which can't be.
            let _ = window().cancel_animation_frame(id);
        }
    }
}
