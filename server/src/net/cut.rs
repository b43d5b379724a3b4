//! A way to end a connection from elsewhere, however full its socket is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Context,
};

use futures_util::task::AtomicWaker;

/// A handle that ends one connection. All clones end the same one.
#[derive(Clone, Debug, Default)]
pub struct Cut(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_cut: AtomicBool,
    writer: AtomicWaker,
}

impl Cut {
    /// Ends the connection at its next write, also when that one waits already.
    pub fn cut(&self) {
        self.0.is_cut.store(true, SeqCst);
        self.0.writer.wake();
    }

    /// Whether the connection is to end; the task of `cx` is woken when it is.
    pub(super) fn is_cut(&self, cx: &Context<'_>) -> bool {
        self.0.writer.register(cx.waker());
        self.0.is_cut.load(SeqCst)
    }
}
