//! What the tests stand on: the server under test, photos made for it, and drivers for the
//! clients. Nothing here knows what a right answer is, only how to get one.

pub(crate) mod afar;
pub(crate) mod bidi;
pub(crate) mod calls;
pub(crate) mod classic;
pub(crate) mod clients;
pub(crate) mod devtools;
pub(crate) mod emulated;
pub(crate) mod hostile;
pub(crate) mod http;
pub(crate) mod parts;
pub(crate) mod photos;
pub(crate) mod pixels;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod sight;
pub(crate) mod site;
pub(crate) mod tap;
pub(crate) mod webdriver;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take before a test gives up: generous, since browsers and a debug build
/// may share two cores with a compiler.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

/// Polls `probe` until it gives a value, and panics with its last complaint after [`LIMIT`].
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        match probe() {
            Ok(value) => return value,
            Err(complaint) if Instant::now() > deadline => {
                panic!("waited {LIMIT:?} for {what}; last seen: {complaint}")
            }
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}
