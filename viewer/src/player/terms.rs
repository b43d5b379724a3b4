//! What the player is told and what it answers. Never a rule: those are the player's.

use mantel_shared::SlideNo;

use crate::clock::Local;
use crate::motion::Progress;

/// Tells whether two parts carry the same picture (see [`crate::session`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub u64);

/// What a part says about its slide, in this device's time.
#[derive(Clone, Copy, Debug)]
pub struct Announcement {
    /// The slide's number.
    pub slide: SlideNo,
    /// Of the part's body.
    pub fingerprint: Fingerprint,
    /// When it is to be on screen; at once when the sender does not say.
    pub show_at: Option<Local>,
    /// Length of the crossfade that starts at that moment; 0 is a cut.
    pub fade_millis: f64,
    /// How long the slide stays; 0 when the sender does not say.
    pub dwell_millis: f64,
    /// The channel stands still.
    pub paused: bool,
}

/// Names one decoding job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// What is to be done with a part's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Decode it and hand it to [`super::Player::decoded`].
    Decode(Ticket),
    /// It is here already or on its way: the part brought new metadata only.
    Known,
    /// It is older than what shows.
    Stale,
}

/// One picture of those that are drawn over each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown<'a, P> {
    /// The picture.
    pub picture: &'a P,
    /// Its opacity, from 0 to 1.
    pub alpha: f64,
    /// How far its slow move has come; `None` where pictures stand still.
    pub progress: Option<Progress>,
}

/// When [`super::Player::advance`] is to be called again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wake {
    /// Before the display's next refresh: a crossfade runs.
    NextFrame,
    /// At this moment a slide begins.
    At(Local),
    /// When something arrives; the screen stands still.
    Never,
}

/// What one step of time brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The canvas is out of date.
    pub draw: bool,
    /// Only the slow move over a standing picture asks for it: it may wait for a frame.
    pub gently: bool,
    /// When to call again.
    pub wake: Wake,
}

/// What the page says about itself in `data-state`; the page code adds `fallback` and `failed`.
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
