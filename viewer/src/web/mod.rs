//! The browser, which no other module names: fetches, decodes, draws.
//!
//! Never a decision that could be tested without a browser; those are in the modules above.

mod app;
mod core;
mod gl;
mod handles;
mod hooks;
mod page;
mod picture;
mod stream;
mod surface;
mod time;

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::prelude::*;

use self::{app::App, handles::Listener};

/// The allocator: std's own would be a twentieth of the download.
#[global_allocator]
static HEAP: rlsf::GlobalTlsf<Small> = rlsf::GlobalTlsf::new();

/// The allocator's options. Pools are joined: pictures are larger than the pages in which memory
/// grows, and a screen runs for months.
struct Small;

impl rlsf::GlobalTlsfOptions for Small {
    const ENABLE_REALLOCATION: bool = false;
    const COALESCE_POOLS: bool = true;
}

thread_local! {
    static RUNNING: RefCell<Option<(Rc<App>, Listener)>> = const { RefCell::new(None) };
}

/// The event of the page's script when it gives the viewer up: everything is handed back.
const STOP: &str = "mantel-stop";

/// Starts the viewer; runs by itself once the module is there.
///
/// # Errors
///
/// The page can't show pictures; it says so in `data-state`, and its script takes over.
#[wasm_bindgen(start)]
pub(crate) fn start() -> Result<(), JsValue> {
    reserve_memory();
    std::panic::set_hook(Box::new(|panic| {
        fail(panic.payload_as_str().unwrap_or("a panic"))
    }));
    match App::start() {
        Ok(app) => {
            let stop = Listener::new(&page::window(), STOP, |_| {
                handles::die();
                drop(RUNNING.take());
            });
            RUNNING.set(Some((app, stop)));
        }
        Err(error) => fail(&error.as_string().unwrap_or_else(|| "no canvas".to_owned())),
    }
    Ok(())
}

/// The viewer's figures as a plain object, for the page's other scripts: see [`hooks`].
///
/// # Errors
///
/// The viewer does not run, or is in the middle of something.
#[wasm_bindgen]
pub fn stats() -> Result<JsValue, JsValue> {
    if !handles::is_alive() {
        return Err("the viewer has ended".into());
    }
    let app = RUNNING.with(|running| {
        let running = running.try_borrow().ok()?;
        running.as_ref().map(|(app, _)| Rc::clone(app))
    });
    app.ok_or("the viewer does not run")?.stats()
}

/// Lets the module's memory grow once, before JavaScript has seen it: allocated and given back,
/// the space stays with the allocator.
///
/// In Chromium 64 a memory that grows from inside leaves old views of it valid and short. The glue
/// notices only views that were detached, and then writes beyond their end ("Source is too
/// large") or reads text that is not there. Pages that are never written cost nothing.
fn reserve_memory() {
    const BYTES: usize = 16 * 1024 * 1024;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BYTES)));
}

/// Ends everything, after a panic or when nothing can begin. The picture on screen stays: the
/// page's script sees the state and puts something else over it. Borrows nothing by force, since a
/// panic leaves borrows behind.
fn fail(reason: &str) {
    handles::die();
    RUNNING.with(|running| {
        if let Ok(running) = running.try_borrow()
            && let Some((app, _)) = &*running
        {
            app.hang_up();
        }
    });
    let root = page::window()
        .document()
        .and_then(|document| document.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-failure", reason);
        let _ = root.set_attribute("data-state", "failed");
    }
}
