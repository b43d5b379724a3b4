//! Keys, touches and the pointer, as events of the browser, to [`Action`]s. Never what an action
//! does.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent, MouseEvent, TouchEvent};

use super::handles::{Alarm, Listener};
use super::page::{css_width, now, property, window};
use crate::gesture::{Gesture, LONG_PRESS_MILLIS, Point};
use crate::keys::{self, Action};

/// A pointer that has not moved for this long is hidden.
const POINTER_MILLIS: f64 = 2500.0;

/// What the input reports to.
pub(super) trait Target: 'static {
    /// Somebody asked for something. Returns whether it was taken; if not, the key is left to
    /// the browser.
    fn act(&self, action: Action) -> bool;
    /// The pointer moved, or has been still for a while.
    fn pointer(&self, moving: bool);
}

/// All listeners of the page; dropping it removes them.
pub(super) struct Input {
    _listeners: Vec<Listener>,
}

struct Hand<T> {
    target: T,
    gesture: RefCell<Gesture>,
    long_press: RefCell<Option<Alarm>>,
    hide_pointer: RefCell<Option<Alarm>>,
}

/// The name of an event and what becomes of it.
type Handler<T> = (&'static str, fn(&Hand<T>, &Event));

impl Input {
    /// Listens on the whole window.
    pub(super) fn new(target: impl Target) -> Self {
        let hand = Rc::new(Hand {
            target,
            gesture: RefCell::default(),
            long_press: RefCell::new(None),
            hide_pointer: RefCell::new(None),
        });
        let weak = Rc::downgrade(&hand);
        *hand.long_press.borrow_mut() = Some(Alarm::new(move || {
            if let Some(hand) = weak.upgrade() {
                let action = hand.gesture.borrow_mut().held(now());
                hand.act(action);
            }
        }));
        let weak = Rc::downgrade(&hand);
        *hand.hide_pointer.borrow_mut() = Some(Alarm::new(move || {
            if let Some(hand) = weak.upgrade() {
                hand.target.pointer(false);
            }
        }));
        hand.wait_to_hide();

        let handlers: [Handler<_>; 9] = [
            ("keydown", Hand::key),
            ("touchstart", Hand::touch_start),
            ("touchmove", Hand::touch_move),
            ("touchend", Hand::touch_end),
            ("touchcancel", |hand, _| hand.cancel()),
            ("mousedown", Hand::mouse_down),
            ("mousemove", Hand::mouse_move),
            ("mouseup", Hand::mouse_up),
            // A long press would open the browser's menu over the panel.
            ("contextmenu", |_, event| event.prevent_default()),
        ];
        let listeners = handlers.map(|(name, handler)| {
            let hand = Rc::clone(&hand);
            Listener::new(&window(), name, move |event| handler(&hand, &event))
        });
        Self {
            _listeners: listeners.into(),
        }
    }
}

impl<T: Target> Hand<T> {
    fn act(&self, action: Option<Action>) -> bool {
        action.is_some_and(|action| self.target.act(action))
    }

    fn key(&self, event: &Event) {
        let event: &KeyboardEvent = event.unchecked_ref();
        // Ctrl+S, Alt+Left and the like belong to the browser.
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        // Engines of old TVs have no `key`.
        let key = property(event, "key")
            .and_then(|key| key.as_string())
            .unwrap_or_default();
        let action = keys::action(&key, event.key_code());
        // A key that is held repeats: good for `next`, a flicker for everything that toggles.
        let steps = matches!(action, Some(Action::Next | Action::Previous));
        if (!event.repeat() || steps) && self.act(action) {
            event.prevent_default();
        }
    }

    fn press(&self, at: Point) {
        self.gesture.borrow_mut().down(at, now());
        if let Some(alarm) = &*self.long_press.borrow() {
            alarm.set(LONG_PRESS_MILLIS);
        }
    }

    fn release(&self, at: Point) {
        let action = self.gesture.borrow_mut().up(at, css_width());
        self.cancel();
        self.act(action);
    }

    fn cancel(&self) {
        self.gesture.borrow_mut().cancel();
        if let Some(alarm) = &*self.long_press.borrow() {
            alarm.clear();
        }
    }

    fn touch_start(&self, event: &Event) {
        match finger(event) {
            Some(at) => self.press(at),
            None => self.cancel(),
        }
    }

    fn touch_move(&self, event: &Event) {
        if let Some(at) = finger(event) {
            self.gesture.borrow_mut().moved(at);
        }
    }

    fn touch_end(&self, event: &Event) {
        // Otherwise the browser would send the same tap again as mouse events.
        if event.cancelable() {
            event.prevent_default();
        }
        if let Some(at) = finger(event) {
            self.release(at);
        }
    }

    fn mouse_down(&self, event: &Event) {
        let mouse: &MouseEvent = event.unchecked_ref();
        if mouse.button() == 0 {
            self.press(position(mouse));
        }
    }

    fn mouse_move(&self, event: &Event) {
        self.gesture
            .borrow_mut()
            .moved(position(event.unchecked_ref()));
        self.target.pointer(true);
        self.wait_to_hide();
    }

    fn mouse_up(&self, event: &Event) {
        let mouse: &MouseEvent = event.unchecked_ref();
        if mouse.button() == 0 {
            self.release(position(mouse));
        }
    }

    fn wait_to_hide(&self) {
        if let Some(alarm) = &*self.hide_pointer.borrow() {
            alarm.set(POINTER_MILLIS);
        }
    }
}

fn position(mouse: &MouseEvent) -> Point {
    Point {
        x: f64::from(mouse.client_x()),
        y: f64::from(mouse.client_y()),
    }
}

/// Where the only finger is, or was when it went up; nothing when there are two.
fn finger(event: &Event) -> Option<Point> {
    let event: &TouchEvent = event.unchecked_ref();
    if event.touches().length() > 1 {
        return None;
    }
    let touch = event.changed_touches().item(0)?;
    Some(Point {
        x: f64::from(touch.client_x()),
        y: f64::from(touch.client_y()),
    })
}
