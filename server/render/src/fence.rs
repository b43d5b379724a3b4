//! A fence around decoders that other people wrote: what panics inside becomes an error outside, and stderr stays
//! clean. Never for our own code: a panic of ours is a bug that is to be seen.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
};

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Fences inside which a decoder may have started threads of its own.
static WITH_HELPERS: AtomicUsize = AtomicUsize::new(0);

/// Runs `work`; a panic in it comes back as its message.
///
/// The panic hook prints before anything can be caught, and a folder with a hundred damaged photos would fill the
/// log. So the hook in place is wrapped once, and passes everything on but panics from inside a fence.
///
/// `work` must own what it changes, or the caller must drop it after an `Err`: it may be half changed.
pub(crate) fn fenced<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Threads of ours have names; decoders don't name theirs.
            let is_helper = || {
                WITH_HELPERS.load(Ordering::Relaxed) > 0 && std::thread::current().name().is_none()
            };
            if !FENCED.get() && !is_helper() {
                loud(info);
            }
        }));
    });

    let outer = FENCED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    FENCED.set(outer);
    result.map_err(|payload| message(payload.as_ref()))
}

/// The fence for a decoder that starts scoped threads: their panics end here, too, and are as quiet.
pub(crate) fn fenced_with_helpers<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    WITH_HELPERS.fetch_add(1, Ordering::Relaxed);
    let result = fenced(work);
    WITH_HELPERS.fetch_sub(1, Ordering::Relaxed);
    result
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(fenced(|| 5), Ok(5));
        assert_eq!(fenced(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(
            fenced(|| panic!("with {}", 7)),
            Err::<(), _>("with 7".to_owned())
        );
        let nothing: [u8; 0] = [];
        let index = nothing.len();
        assert!(fenced(|| nothing[index]).is_err());
    }

    #[test]
    fn a_helper_that_panics_is_caught() {
        let helped = fenced_with_helpers(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| panic!("helper"));
            });
        });
        assert!(helped.is_err());
        assert_eq!(fenced_with_helpers(|| 5), Ok(5));
    }

    #[test]
    fn fences_nest_and_end() {
        let inner = fenced(|| fenced(|| panic!("inner")));
        assert_eq!(inner, Ok(Err::<(), _>("inner".to_owned())));
        assert!(!FENCED.get());
    }
}
