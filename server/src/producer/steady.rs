//! A producer's time, which never goes back while the programme stays the same.

use std::sync::{Arc, Weak};

use mantel_shared::UnixMillis;

use crate::timeline::Programme;

/// Time as a producer goes by it: it never goes back while the programme stays the same. A clock that was set back shows
/// earlier slides until the channel has noticed and says by a new programme where it goes on.
#[derive(Debug, Default)]
pub(super) struct Steady {
    programme: Weak<Programme>,
    latest: UnixMillis,
}

impl Steady {
    pub(super) fn now(&mut self, programme: &Arc<Programme>, clock: UnixMillis) -> UnixMillis {
        let same = std::ptr::eq(self.programme.as_ptr(), Arc::as_ptr(programme));
        if !same {
            self.programme = Arc::downgrade(programme);
        }
        self.latest = if same { clock.max(self.latest) } else { clock };
        self.latest
    }
}
