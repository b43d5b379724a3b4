//! Slides of the player: showing, waiting, or about to get another picture. Never the order between
//! them.

use mantel_shared::SlideNo;

use super::terms::{Announcement, Fingerprint, Ticket};
use crate::{clock::Local, motion::Progress};

/// A slide that shows, or is fading in.
pub(super) struct Layer<P> {
    pub(super) slide: SlideNo,
    pub(super) fingerprint: Fingerprint,
    pub(super) picture: P,
    pub(super) begins: Local,
    pub(super) fade_millis: f64,
    /// How long the slow move over the picture lasts: until the next slide covers it.
    pub(super) move_millis: f64,
}

impl<P> Layer<P> {
    /// The picture's opacity, eased at both ends: a linear fade seems to start and stop with a
    /// jerk.
    pub(super) fn alpha(&self, now: Local) -> f64 {
        if self.fade_millis <= 0.0 {
            return 1.0;
        }
        let x = (now.since(self.begins) / self.fade_millis).clamp(0.0, 1.0);
        x * x * (3.0 - 2.0 * x)
    }
}

impl<P> Layer<P> {
    /// The progress of the slow move; even slides come closer, odd ones go back.
    pub(super) fn progress(&self, now: Local) -> Progress {
        let done = if self.move_millis > 0.0 {
            (now.since(self.begins) / self.move_millis).clamp(0.0, 1.0)
        } else {
            1.0
        };
        Progress {
            done,
            inward: self.slide.0.is_multiple_of(2),
        }
    }
}

/// A slide that waits for its moment, for its picture, or for both.
pub(super) struct Pending<P> {
    pub(super) announcement: Announcement,
    pub(super) ticket: Ticket,
    pub(super) picture: Option<P>,
    /// Whether it is the first of a connection: it can't be compared with numbers before it.
    pub(super) first: bool,
}

impl<P> Pending<P> {
    pub(super) fn is(&self, part: &Announcement) -> bool {
        self.announcement.slide == part.slide && self.announcement.fingerprint == part.fingerprint
    }

    /// Whether this slide comes before that of `part`. If not, `part` takes its place: the slide
    /// was changed, or a command came between.
    pub(super) fn precedes(&self, part: &Announcement) -> bool {
        let begins = |announcement: &Announcement| announcement.show_at.map_or(f64::MIN, |at| at.0);
        self.announcement.slide < part.slide && begins(&self.announcement) <= begins(part)
    }
}

/// A new picture for the slide that already shows: the screen's size changed.
pub(super) struct Refresh {
    pub(super) slide: SlideNo,
    pub(super) fingerprint: Fingerprint,
    pub(super) ticket: Ticket,
}
