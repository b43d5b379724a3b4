//! The only place that names the browser: fetches, decodes, draws, listens.
//!
//! Never a decision that could be tested without a browser; those are in the modules above.

mod app;
mod control;
mod core;
mod handles;
mod input;
mod page;
mod panel;
mod picture;
mod stream;
mod surface;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use self::app::App;
use self::handles::Listener;

thread_local! {
    static RUNNING: RefCell<Option<(Rc<App>, Listener)>> = const { RefCell::new(None) };
}

/// The page's script sends this when it gives the viewer up: everything is handed back.
const STOP: &str = "mantel-stop";

/// Starts the viewer; runs by itself once the module is there.
///
/// # Errors
///
/// The page can't show pictures; it says so in `data-state`, and its script takes over.
#[wasm_bindgen(start)]
pub(crate) fn start() -> Result<(), JsValue> {
    std::panic::set_hook(Box::new(|panic| fail(&panic.to_string())));
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

/// Ends everything, after a panic or where nothing can begin. What is on screen stays there: the
/// page's script sees the state and puts something else over it. Borrows nothing by force, since
/// a panic leaves borrows behind.
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
