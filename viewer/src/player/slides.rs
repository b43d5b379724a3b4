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

    /// Whether `part` is a later picture of this slide, which moves already, while the one to begin with is still being decoded:
    /// if that had to go, an engine slower than the slide would never begin.
    pub(super) fn moves_on(&self, part: &Announcement) -> bool {
        let announced = &self.announcement;
        let is_same = (announced.slide, announced.show_at) == (part.slide, part.show_at);
        is_same && self.picture.is_none() && announced.fingerprint != part.fingerprint
    }

    /// Whether this slide comes before that of `part`. If not, `part` takes its place: the slide
    /// was changed, or a command came between.
    pub(super) fn precedes(&self, part: &Announcement) -> bool {
        let begins = |announcement: &Announcement| announcement.show_at.map_or(f64::MIN, |at| at.0);
        self.announcement.slide < part.slide && begins(&self.announcement) <= begins(part)
    }
}

/// New pictures for the slide that already shows, because it moves: the one that is being decoded, and the newest. If that one
/// had to go each time that another comes, an engine slower than the slide would show none.
#[derive(Default)]
pub(super) struct Refreshes(Vec<Refresh>);

impl Refreshes {
    pub(super) fn push(&mut self, refresh: Refresh) {
        self.0.truncate(1);
        self.0.push(refresh);
    }

    /// The one of this job, which has come; what is older is of no use any more.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Refresh> {
        let at = self.0.iter().position(|one| one.ticket == ticket)?;
        self.0.drain(..=at).next_back()
    }

    pub(super) fn leave_out(&mut self, ticket: Ticket) {
        self.0.retain(|one| one.ticket != ticket);
    }

    pub(super) fn wait_for(&self, ticket: Ticket) -> bool {
        self.0.iter().any(|one| one.ticket == ticket)
    }

    pub(super) fn newest(&self) -> Option<Fingerprint> {
        self.0.last().map(|one| one.fingerprint)
    }
}

/// A new picture for the slide that already shows: it moves, or the screen's size changed.
pub(super) struct Refresh {
    pub(super) slide: SlideNo,
    pub(super) fingerprint: Fingerprint,
    pub(super) ticket: Ticket,
}
