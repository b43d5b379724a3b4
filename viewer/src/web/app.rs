//! The viewer as it runs: owns connection, timers and listeners, and decides what follows what.
//! Never bytes, pixels or positions in time: those belong to [`super::core`] and below.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::{
    core::{Core, Decoding},
    handles::{Alarm, AnimationFrame, Listener, is_alive},
    hooks,
    page::{self, Page, now, window},
    picture,
    stream::{Connection, Received},
    surface::Surface,
    time,
};
use crate::{
    fit::Size,
    link::{Beat, Pulse},
    player::Wake,
    query::Query,
};

/// How long a new size must last before the server is asked for it: a window that is dragged or a
/// tablet that is turned has many. The picture at hand is fitted at once.
const SETTLE_MILLIS: f64 = 350.0;
/// The time before a slide's moment from which animation frames replace the timer: timers may be a
/// few milliseconds late, and frames come 16 apart.
const CLOSE_MILLIS: f64 = 30.0;

/// How often the time is asked for right after connecting, [`QUICK_SYNC_MILLIS`] apart: a busy
/// moment spoils one or two of the answers.
const N_EXCHANGES: u32 = 6;
const QUICK_SYNC_MILLIS: f64 = 300.0;
const SYNC_MILLIS: f64 = 2.0 * 60.0 * 1000.0;
const TICK_MILLIS: f64 = 5_000.0;
/// The event of the page's scripts when they have changed its address.
const SETTINGS: &str = "mantel-settings";
/// The events of the page's scripts when nobody sees the page, when somebody does again, and when
/// the server has something to show again. The attribute stands on the root while nobody does.
const REST: &str = "mantel-rest";
const WAKE: &str = "mantel-wake";
const RETRY: &str = "mantel-retry";
const RESTS: &str = "data-rest";

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
    /// The alarm at which the time is asked for again; `n_asked` times so far on this connection.
    sync: Alarm,
    n_asked: Cell<u32>,
    n_connections: Cell<u32>,
    /// Whether nobody sees the page; then no connection is held.
    rests: Cell<bool>,
    tick: Alarm,
    pulse: RefCell<Pulse>,
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
        let surface = Surface::new(canvas, page::screen_size(), &query)?;
        let document = page.document().clone();
        let rests = page.root().has_attribute(RESTS);
        let core = RefCell::new(Core::new(page, surface, &query));

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
                sync: Alarm::new(call(Self::ask_time)),
                n_asked: Cell::new(0),
                n_connections: Cell::new(0),
                rests: Cell::new(rests),
                tick: Alarm::new(call(Self::tick)),
                pulse: RefCell::new(Pulse::new(now(), page::wall_clock())),
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
        app.listen(&window(), "webglcontextlost", |app| {
            app.core.borrow_mut().flatten();
        });
        // A network is there again, so there is no reason to wait for the back-off.
        app.listen(&window(), "online", Self::retry_now);
        app.listen(&window(), RETRY, Self::retry_now);
        app.listen(&window(), REST, Self::rest);
        app.listen(&window(), WAKE, Self::wake_up);
        app.listen(&window(), SETTINGS, Self::read_settings);
        app.connect();
        app.tick.set(TICK_MILLIS);
        Ok(app)
    }

    /// The viewer's figures at this moment, as a plain object.
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
        if self.rests.get() {
            return;
        }
        let size = page::screen_size();
        let this = self.this.clone();
        let number = self.n_connections.get().wrapping_add(1);
        self.n_connections.set(number);
        self.pulse.borrow_mut().connected(now());
        let query = self.query.borrow();
        let whole = query.wall.whole(size).held(page::LONGEST_SIDE);
        // Each request gets an address of its own: caches make a second request for the same one
        // wait for the first, which ends late in engines that can't abort requests.
        let url = format!("{}&t={number}", query.bytes_url(whole));
        drop(query);
        let connection = Connection::open(url, move |received| {
            if let Some(app) = this.upgrade() {
                app.receive(&received);
            }
        });
        self.retry.clear();
        *self.asked_size.borrow_mut() = Some(size);
        self.core.borrow_mut().watchdog.opening(now());
        self.watch();
        // The old connection is dropped, and so closed, once the new one is in its place.
        let old = self.connection.replace(Some(connection));
        drop(old);
    }

    fn receive(&self, received: &Received<'_>) {
        let mut core = self.core.borrow_mut();
        match received {
            Received::Open => {
                core.opened();
                self.n_asked.set(0);
                self.sync.set(0.0);
            }
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

    fn lost(&self, reason: &'static str) {
        let mut core = self.core.borrow_mut();
        core.lost(reason);
        let pause = core.backoff.failed(js_sys::Math::random());
        drop(core);
        self.watchdog.clear();
        self.hang_up();
        self.retry.set(pause);
        // For people who look for the reason why a screen does not connect.
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

    /// Rests while nobody sees the page: the picture stays, connection and timers go.
    fn rest(&self) {
        self.rests.set(true);
        self.retry.clear();
        self.watchdog.clear();
        self.sync.clear();
        self.hang_up();
    }

    fn wake_up(&self) {
        self.rests.set(false);
        self.retry_now();
    }

    fn watch(&self) {
        let deadline = self.core.borrow().watchdog.deadline();
        self.watchdog.set(deadline.since(now()));
    }

    /// Looks whether the server has been silent for too long. The alarm is not set anew with every
    /// byte; when it goes off, it is set for what is left.
    fn check_silence(&self) {
        let mut core = self.core.borrow_mut();
        if now() < core.watchdog.deadline() {
            drop(core);
            return self.watch();
        }
        core.stats.n_reconnects += 1;
        core.trouble = "the server does not answer";
        if core.watchdog.is_opening() {
            // One failed attempt may be a moment's fault; from the second on the page says so.
            core.player.disconnected();
            core.tell();
        }
        drop(core);
        self.connect();
    }

    /// Asks the server for the time, and sets the alarm for the next time.
    fn ask_time(&self) {
        let n_asked = self.n_asked.get();
        self.n_asked.set(n_asked.saturating_add(1));
        self.sync.set(if n_asked < N_EXCHANGES {
            QUICK_SYNC_MILLIS
        } else {
            SYNC_MILLIS
        });
        let this = self.this.clone();
        spawn_local(async move {
            let answer = time::ask().await;
            if let (Some(app), Ok((asked, server, answered))) = (this.upgrade(), answer)
                && is_alive()
            {
                let mut core = app.core.borrow_mut();
                core.clock.exchange(asked, server, answered);
            }
        });
    }

    /// Looks every few seconds whether the device has slept, a picture is stuck or the connection
    /// is old.
    fn tick(&self) {
        self.tick.set(TICK_MILLIS);
        let mut core = self.core.borrow_mut();
        if core.give_up_decoding() {
            drop(core);
            // A new connection brings the current and the next slide once more.
            return self.connect();
        }
        let is_quiet = core.player.is_quiet(now());
        let verdict = self
            .pulse
            .borrow_mut()
            .beat(now(), page::wall_clock(), is_quiet);
        if verdict == Beat::Woke {
            core.clock.restart();
        }
        drop(core);
        if verdict != Beat::Fine && self.connection.borrow().is_some() {
            self.connect();
        }
    }

    fn decode_next(&self) {
        let Some(job) = self.core.borrow_mut().next_job() else {
            return;
        };
        let Decoding { method, limit } = self.core.borrow().decoding();
        let this = self.this.clone();
        spawn_local(async move {
            let started = now();
            let result = picture::decode(job.body, &job.content_type, method, limit).await;
            let Some(app) = this.upgrade().filter(|_| is_alive()) else {
                return;
            };
            app.core
                .borrow_mut()
                .decoded(job.ticket, job.sights, result, now().since(started));
            app.frame.request();
            app.decode_next();
        });
    }

    fn advance(&self) {
        let (wake, slide) = self.core.borrow_mut().advance();
        if let Some(meta) = slide {
            // `core` must not be borrowed here: listeners may ask for the figures at once.
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

    /// Fits the pictures at hand to a window that changed, before the browser paints again.
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

    /// Reads the page's address again after somebody changed it; most of its keys are other
    /// scripts'.
    fn read_settings(&self) {
        let Ok(search) = window().location().search() else {
            return;
        };
        let query = Query::parse(&search);
        if *self.query.borrow() != query {
            self.core.borrow_mut().set(&query);
            self.query.replace(query);
            self.frame.request();
            self.connect();
        }
    }
}
