//! The terms between the player and its caller: announcements, verdicts, steps. Never a rule: those
//! are the player's.

use mantel_shared::SlideNo;

use crate::{clock::Local, motion::Progress};

/// A hash of a picture's bytes, equal for parts that carry the same picture (see
/// [`crate::session`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub u64);

/// The announcement of a slide by a part, in this device's time.
#[derive(Clone, Copy, Debug)]
pub struct Announcement {
    /// The slide's number.
    pub slide: SlideNo,
    /// The fingerprint of the part's body.
    pub fingerprint: Fingerprint,
    /// The instant at which it is to be on screen; at once when the sender does not say.
    pub show_at: Option<Local>,
    /// The length of the crossfade that starts at that moment; 0 is a cut.
    pub fade_millis: f64,
    /// How long the slide stays; 0 when the sender does not say.
    pub dwell_millis: f64,
    /// Whether the channel stands still.
    pub paused: bool,
}

/// The name of one decoding job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// The verdict on a part's picture: what is to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The picture is to be decoded and handed to [`super::Player::decoded`].
    Decode(Ticket),
    /// The picture is here already or on its way: the part brought no more than new metadata.
    Known,
    /// The slide is older than the one that shows.
    Stale,
}

/// A picture of those that are drawn over each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown<'a, P> {
    /// The picture.
    pub picture: &'a P,
    /// The picture's opacity, from 0 to 1.
    pub alpha: f64,
    /// How far its slow move has come; `None` when pictures stand still.
    pub progress: Option<Progress>,
}

/// The moment at which [`super::Player::advance`] is to be called again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wake {
    /// The display's next refresh, because a crossfade runs.
    NextFrame,
    /// The moment at which a slide begins.
    At(Local),
    /// None until something arrives; the screen stands still.
    Never,
}

/// The result of one step of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Whether the canvas is out of date.
    pub draw: bool,
    /// Whether only the slow move over a standing picture asks for drawing, which may wait for a
    /// frame.
    pub gently: bool,
    /// The moment of the next call.
    pub wake: Wake,
}

/// The phase of the page, as `data-state` says it; the page code adds `fallback` and `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has been shown yet.
    Connecting,
    /// Slides follow each other.
    Playing,
    /// The server said that the channel stands still.
    Paused,
    /// The connection is gone; the last picture stays.
    Reconnecting,
}
