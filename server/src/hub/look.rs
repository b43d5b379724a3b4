//! The picture on the screen as a recipe, for whoever makes video of it.

use std::sync::Arc;

use mantel_shared::UnixMillis;

use super::Frame;

/// A look: the picture on the screen from a moment on, and the one that it comes from while it changes. What it is made of
/// are the frames that clients have, so that a picture is framed and written on once.
#[derive(Clone, Debug)]
pub struct Look {
    /// The picture that was on before, where one becomes the other slowly.
    pub from: Option<Arc<Frame>>,
    /// The picture that stands from [`Self::ends_at`] on.
    pub to: Arc<Frame>,
    /// The moment at which the change begins.
    pub starts_at: UnixMillis,
    /// The moment at which it is over; that of the start where nothing changes slowly.
    pub ends_at: UnixMillis,
    /// The picture that follows, if it is known: whoever needs its pixels can have them ready.
    pub next: Option<Arc<Frame>>,
}

impl Look {
    /// A picture that is there at once, and of which nobody knows what follows.
    pub fn at_once(frame: Arc<Frame>) -> Self {
        let at = frame.at;
        Self {
            from: None,
            to: frame,
            starts_at: at,
            ends_at: at,
            next: None,
        }
    }

    /// Whether the picture is still changing.
    pub fn is_moving(&self, now: UnixMillis) -> bool {
        self.from.is_some() && now < self.ends_at
    }

    /// Whether it is the same change to the same picture as another one; what follows may differ.
    pub fn is_like(&self, other: &Self) -> bool {
        let key = |look: &Self| {
            let from = look.from.as_ref().map(|frame| frame.no);
            (from, look.to.no, look.starts_at, look.ends_at)
        };
        key(self) == key(other)
    }

    /// Whether nothing differs, what follows included.
    pub fn is_same(&self, other: &Self) -> bool {
        let next = |look: &Self| look.next.as_ref().map(|frame| frame.no);
        self.is_like(other) && next(self) == next(other)
    }
}
