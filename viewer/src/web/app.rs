//! The viewer as it runs: owns connection, timers and listeners, and decides what follows what.
//! Never bytes, pixels or positions in time: those are [`super::core`]'s and below.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::core::Core;
use super::handles::{Alarm, AnimationFrame, Listener, is_alive};
use super::page::{self, Page, now, window};
use super::stream::{Connection, Received};
use super::surface::Surface;
use super::{hooks, picture};
use crate::fit::Size;
use crate::player::Wake;
use crate::query::Query;

/// A window that is being dragged or a tablet that is being turned sends many sizes: the server
/// is asked once it has settled. The picture at hand is fitted at once.
const SETTLE_MILLIS: f64 = 350.0;
/// Timers may be a few milliseconds late and frames come 16 apart: from here on, frames are
/// counted down instead.
const CLOSE_MILLIS: f64 = 30.0;

/// The page's scripts send this when they have changed its address.
const SETTINGS: &str = "mantel-settings";

pub(super) struct App {
    core: RefCell<Core>,
    connection: RefCell<Option<Connection>>,
    asked_size: RefCell<Option<Size>>,
    query: RefCell<Query>,
    frame: AnimationFrame,
    wake: Alarm,
    retry: Alarm,
    watchdog: Alarm,
    settle: Alarm,
    listeners: RefCell<Vec<Listener>>,
    this: Weak<Self>,
}

impl App {
    /// Builds the viewer on the page and opens its first connection.
    ///
    /// # Errors
    ///
    /// The page lacks an element or the engine a canvas: there is nothing to show pictures on.
    pub(super) fn start() -> Result<Rc<Self>, JsValue> {
        let page = Page::new()?;
        let query = Query::parse(&window().location().search()?);
        let canvas = page.element("screen")?.unchecked_into();
        let surface = Surface::new(canvas, page::screen_size())?;
        let document = page.document().clone();
        let core = RefCell::new(Core::new(page, surface));

        let app = Rc::new_cyclic(|this: &Weak<Self>| {
            let call = |method: fn(&Self)| {
                let this = this.clone();
                move || {
                    if let Some(app) = this.upgrade() {
                        method(&app);
                    }
                }
            };
            Self {
                core,
                connection: RefCell::default(),
                asked_size: RefCell::default(),
                frame: AnimationFrame::new(call(Self::advance)),
                wake: Alarm::new(call(|app| app.frame.request())),
                retry: Alarm::new(call(Self::connect)),
                watchdog: Alarm::new(call(Self::check_silence)),
                settle: Alarm::new(call(Self::ask_for_size)),
                listeners: RefCell::default(),
                this: this.clone(),
                query: RefCell::new(query),
            }
        });
        app.listen(&window(), "resize", Self::refit);
        app.listen(&window(), "orientationchange", Self::refit);
        // A graphics process that was lost, or a TV that slept, may come back with a blank canvas.
        app.listen(&document, "visibilitychange", Self::redraw);
        app.listen(&window(), "contextrestored", Self::redraw);
        // Another network, or the first one back: no reason to wait for the back-off.
        app.listen(&window(), "online", Self::retry_now);
        app.listen(&window(), SETTINGS, Self::read_settings);
        app.connect();
        Ok(app)
    }

    /// The figures of this moment, as a plain object.
    ///
    /// # Errors
    ///
    /// Called from within the viewer's own work, when they are about to change.
    pub(super) fn stats(&self) -> Result<JsValue, JsValue> {
        let mut core = self.core.try_borrow_mut().map_err(|_| "busy")?;
        hooks::figures(&mut core)
    }

    /// Closes the connection, whatever state the rest is in: a panic may have left it borrowed.
    pub(super) fn hang_up(&self) {
        if let Ok(mut connection) = self.connection.try_borrow_mut() {
            *connection = None;
        }
    }

    fn listen(&self, target: &web_sys::EventTarget, name: &'static str, method: fn(&Self)) {
        let this = self.this.clone();
        let listener = Listener::new(target, name, move |_| {
            if let Some(app) = this.upgrade() {
                method(&app);
            }
        });
        self.listeners.borrow_mut().push(listener);
    }

    /// Opens a connection in place of the one there is. Nothing changes on screen.
    fn connect(&self) {
        let size = page::screen_size();
        let this = self.this.clone();
        let connection = Connection::open(self.query.borrow().bytes_url(size), move |received| {
            if let Some(app) = this.upgrade() {
                app.receive(&received);
            }
        });
        self.retry.clear();
        *self.asked_size.borrow_mut() = Some(size);
        self.core.borrow_mut().watchdog.opening(now());
        self.watch();
        // The old one is dropped, and closed, here.
        let old = self.connection.replace(Some(connection));
        drop(old);
    }

    fn receive(&self, received: &Received<'_>) {
        let mut core = self.core.borrow_mut();
        match received {
            Received::Open => core.opened(),
            Received::Chunk(chunk) => match core.received(chunk) {
                Ok(false) => {}
                Ok(true) => {
                    core.tell();
                    drop(core);
                    self.decode_next();
                    self.frame.request();
                }
                Err(error) => {
                    drop(core);
                    self.lost(error.reason());
                }
            },
            Received::End(reason) => {
                drop(core);
                self.lost(reason);
            }
        }
    }

    fn lost(&self, reason: &str) {
        let mut core = self.core.borrow_mut();
        core.lost();
        let pause = core.backoff.failed(js_sys::Math::random());
        drop(core);
        self.watchdog.clear();
        self.hang_up();
        self.retry.set(pause);
        // For whoever looks into a screen that will not connect; on a healthy one it stays empty.
        let _ = page::property(&window(), "console")
            .and_then(|console| page::property(&console, "debug").map(|debug| (console, debug)))
            .map(|(console, debug)| {
                let text = JsValue::from_str(reason);
                let debug: js_sys::Function = debug.unchecked_into();
                debug.call2(&console, &"mantel: reconnecting:".into(), &text)
            });
    }

    fn retry_now(&self) {
        if self.connection.borrow().is_none() {
            self.connect();
        }
    }

    fn watch(&self) {
        let deadline = self.core.borrow().watchdog.deadline();
        self.watchdog.set(deadline.since(now()));
    }

    /// The alarm is not set anew with every byte: it looks when it goes off.
    fn check_silence(&self) {
        let mut core = self.core.borrow_mut();
        if now() < core.watchdog.deadline() {
            drop(core);
            return self.watch();
        }
        core.stats.n_reconnects += 1;
        if core.watchdog.is_opening() {
            // Not the first attempt in vain: from here on it is told.
            core.player.disconnected();
            core.tell();
        }
        drop(core);
        self.connect();
    }

    fn decode_next(&self) {
        let Some(job) = self.core.borrow_mut().next_job() else {
            return;
        };
        let method = self.core.borrow().method;
        let this = self.this.clone();
        spawn_local(async move {
            let started = now();
            let result = picture::decode(job.body, &job.content_type, method).await;
            let Some(app) = this.upgrade().filter(|_| is_alive()) else {
                return;
            };
            app.core
                .borrow_mut()
                .decoded(job.ticket, result, now().since(started));
            app.frame.request();
            app.decode_next();
        });
    }

    fn advance(&self) {
        let (wake, slide) = self.core.borrow_mut().advance();
        if let Some(meta) = slide {
            // Nothing is borrowed here: whoever listens may ask for the figures at once.
            let server_now = self.core.borrow().clock.server(now());
            let _ = hooks::tell_slide(&meta, server_now);
        }
        match wake {
            Wake::NextFrame => self.frame.request(),
            Wake::At(moment) => match moment.since(now()) {
                left if left <= CLOSE_MILLIS => self.frame.request(),
                left => self.wake.set(left - CLOSE_MILLIS / 2.0),
            },
            Wake::Never => self.wake.clear(),
        }
    }

    fn redraw(&self) {
        self.core.borrow_mut().draw(now());
        self.frame.request();
    }

    /// The window changed: the pictures at hand are fitted before the browser paints again.
    fn refit(&self) {
        let mut core = self.core.borrow_mut();
        if core.surface.resize(page::screen_size()) {
            core.draw(now());
        }
        self.settle.set(SETTLE_MILLIS);
    }

    fn ask_for_size(&self) {
        let differs = *self.asked_size.borrow() != Some(page::screen_size());
        if differs && self.connection.borrow().is_some() {
            self.connect();
        }
    }

    /// Somebody changed the page's address. Much of what is in it is none of ours.
    fn read_settings(&self) {
        let Ok(search) = window().location().search() else {
            return;
        };
        let query = Query::parse(&search);
        if *self.query.borrow() != query {
            self.query.replace(query);
            self.connect();
        }
    }
}
