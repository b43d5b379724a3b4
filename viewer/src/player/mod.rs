//! The state machine of the viewer: which slide is on screen, which one waits, and how far the
//! crossfade is.
//!
//! Time is an argument and pictures are an opaque type, dropped when they are no longer needed.
//! Never a canvas, a decoder, a timer or a connection: the caller decodes what
//! [`Player::announce`] asks for, hands pictures back, and draws [`Player::layers`] whenever
//! [`Player::advance`] says so.
//!
//! Invariant: the lowest layer is opaque, whatever happens. The screen never dips to black
//! between two pictures, and once there was a picture there is always one.

mod slides;
mod terms;

use mantel_shared::SlideNo;

use self::slides::{Layer, Pending, Refresh, Refreshes};
pub use self::terms::{Announcement, Fingerprint, Phase, Shown, Step, Ticket, Verdict, Wake};
use crate::clock::Local;

/// How late a slide may begin and still run on the common schedule, so that two screens fade
/// together although their frames fall a little apart. A later one starts its crossfade when it is
/// ready, in full, rather than in the middle.
const SOON_ENOUGH_MILLIS: f64 = 100.0;

/// How long nothing may move for a screen to be quiet: enough for a new connection to bring the
/// next slide once more.
const QUIET_MILLIS: f64 = 3_000.0;

/// The limit of pictures blended at the same time: two, and one more for somebody who presses
/// `next` during a crossfade. It bounds memory; a further slide waits until the oldest is covered.
const MAX_LAYERS: usize = 3;

/// The limit of slides that wait at the same time: right after connecting the one to show now and
/// the one after it, and one more that comes before the display's next refresh.
const MAX_PENDING: usize = 3;

/// The state machine of the viewer. `P` is a decoded picture.
pub struct Player<P> {
    /// The pictures that are drawn, lowest first; the last one is the slide that shows.
    layers: Vec<Layer<P>>,
    /// The slides that wait, in the order in which they are to show.
    pending: Vec<Pending<P>>,
    refreshes: Refreshes,
    n_tickets: u64,
    n_skipped: u64,
    fresh: bool,
    live: bool,
    lost: bool,
    paused: bool,
    dirty: bool,
    moves: bool,
}

impl<P> Default for Player<P> {
    fn default() -> Self {
        Self {
            layers: Vec::new(),
            pending: Vec::new(),
            refreshes: Refreshes::default(),
            n_tickets: 0,
            n_skipped: 0,
            fresh: true,
            live: false,
            lost: false,
            paused: false,
            dirty: false,
            moves: false,
        }
    }
}

impl<P> Player<P> {
    /// Sets whether pictures move slowly while they stand; by default they don't.
    pub fn set_moves(&mut self, moves: bool) {
        self.dirty |= self.moves != moves;
        self.moves = moves;
    }

    /// Notes that a new connection was made: its first part is the slide that the server shows now,
    /// whatever its number. A server that restarted may count anew.
    pub fn connected(&mut self) {
        self.fresh = true;
    }

    /// Notes that the connection broke and is not back. Pictures stay, and the pending one still
    /// shows at its moment.
    pub fn disconnected(&mut self) {
        self.lost = true;
    }

    /// Takes a part's announcement of its slide, and tells what to do with its picture.
    pub fn announce(&mut self, part: Announcement) -> Verdict {
        if part.show_at.is_none() != self.live {
            self.live = !self.live;
            self.fresh = true;
            // Live pictures have no moment. Two sources count each for itself: any number is news.
            if let Some(top) = self.layers.last_mut() {
                top.slide = SlideNo(0);
            }
        }
        let first = std::mem::take(&mut self.fresh);
        self.lost = false;
        if let Some(top) = self.layers.last() {
            if part.slide == top.slide {
                return self.announce_showing(part);
            }
            // Numbers only grow, except that a pause may fall into the moment of a change: then
            // the server stays at the slide that this screen has just left.
            if part.slide < top.slide && !first && !part.paused {
                return Verdict::Stale;
            }
        }
        self.paused = part.paused;
        // A new connection and a pause say which slide the server shows: no other is certain.
        let alone = first || part.paused;
        if !alone && self.pending.iter().any(|pending| pending.moves_on(&part)) {
            return Verdict::Known;
        }
        self.pending
            .retain(|pending| pending.is(&part) || (!alone && pending.precedes(&part)));
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.is(&part)) {
            pending.announcement = part;
            return Verdict::Known;
        }
        if self.pending.len() >= MAX_PENDING {
            // The foremost one is being decoded. If it had to go each time that another comes, an
            // engine slower than the stream would never show anything.
            self.pending.remove(1);
        }
        let ticket = self.ticket();
        self.pending.push(Pending {
            announcement: part,
            ticket,
            picture: None,
            first,
        });
        Verdict::Decode(ticket)
    }

    /// Takes a picture that is ready. Returns whether it is still wanted; if not, it is dropped.
    pub fn decoded(&mut self, ticket: Ticket, picture: P) -> bool {
        let waits = |pending: &&mut Pending<P>| pending.ticket == ticket;
        if let Some(pending) = self.pending.iter_mut().find(waits) {
            pending.picture = Some(picture);
            return true;
        }
        let Some(refresh) = self.refreshes.take(ticket) else {
            return false;
        };
        match self
            .layers
            .last_mut()
            .filter(|top| top.slide == refresh.slide)
        {
            Some(top) => {
                top.picture = picture;
                top.fingerprint = refresh.fingerprint;
                self.dirty = true;
                true
            }
            None => false,
        }
    }

    /// Leaves out the slide whose picture could not be decoded; the one before stays.
    pub fn undecodable(&mut self, ticket: Ticket) {
        self.pending.retain(|pending| pending.ticket != ticket);
        self.refreshes.leave_out(ticket);
    }

    /// Lets time pass: begins the pending slide when its moment has come and its picture is
    /// ready, and drops pictures that are covered.
    pub fn advance(&mut self, now: Local) -> Step {
        let mut draw = std::mem::take(&mut self.dirty) || self.layers.len() > 1;
        self.drop_covered(now);
        if self.begin_pending(now) {
            draw = true;
            self.drop_covered(now);
        }
        let top = self.layers.last().filter(|_| self.moves);
        // Also after a frame that draws something else: the move goes on from there.
        let is_moving = top.is_some_and(|top| top.progress(now).done < 1.0);
        let gently = is_moving && !draw;
        let wake = if is_moving || self.layers.len() > 1 {
            Wake::NextFrame
        } else {
            let ready = self
                .pending
                .iter()
                .find(|pending| pending.picture.is_some());
            ready.map_or(Wake::Never, |pending| {
                pending
                    .announcement
                    .show_at
                    .map_or(Wake::NextFrame, Wake::At)
            })
        };
        Step {
            draw: draw || gently,
            gently,
            wake,
        }
    }

    /// The pictures to draw, lowest first, each with its opacity; the lowest is opaque.
    pub fn layers(&self, now: Local) -> impl Iterator<Item = Shown<'_, P>> {
        let moves = self.moves;
        self.layers
            .iter()
            .enumerate()
            .map(move |(index, layer)| Shown {
                picture: &layer.picture,
                alpha: if index == 0 { 1.0 } else { layer.alpha(now) },
                progress: moves.then(|| layer.progress(now)),
            })
    }

    /// Whether a crossfade runs.
    pub fn is_fading(&self) -> bool {
        self.layers.len() > 1
    }

    /// Whether nothing moves, and nothing will within a moment.
    pub fn is_quiet(&self, now: Local) -> bool {
        let is_near = |pending: &Pending<P>| {
            let at = pending.announcement.show_at;
            at.is_none_or(|at| at.since(now) < QUIET_MILLIS)
        };
        !self.is_fading() && !self.pending.iter().any(is_near)
    }

    /// All pictures, those that wait included.
    pub fn pictures_mut(&mut self) -> impl Iterator<Item = &mut P> {
        let waiting = self.pending.iter_mut().filter_map(|p| p.picture.as_mut());
        self.layers
            .iter_mut()
            .map(|layer| &mut layer.picture)
            .chain(waiting)
    }

    /// The slide that shows, or is fading in.
    pub fn showing(&self) -> Option<SlideNo> {
        self.layers.last().map(|top| top.slide)
    }

    /// The picture that shows, or is fading in.
    pub fn picture(&self) -> Option<&P> {
        self.layers.last().map(|top| &top.picture)
    }

    /// The instant since which the slide shows.
    pub fn shown_since(&self) -> Option<Local> {
        self.layers.last().map(|top| top.begins)
    }

    /// The slide that waits foremost, and whether its picture is ready.
    pub fn pending(&self) -> Option<(SlideNo, bool)> {
        let front = self.pending.first()?;
        Some((front.announcement.slide, front.picture.is_some()))
    }

    /// The highest number that shows or waits.
    pub fn newest(&self) -> Option<SlideNo> {
        let last = self
            .pending
            .last()
            .map(|pending| pending.announcement.slide);
        last.max(self.showing())
    }

    /// Whether a decoding job's picture would still be taken.
    pub fn wants(&self, ticket: Ticket) -> bool {
        self.pending.iter().any(|pending| pending.ticket == ticket)
            || self.refreshes.wait_for(ticket)
    }

    /// The moment of the slide that waits for this job's picture.
    pub fn show_at(&self, ticket: Ticket) -> Option<Local> {
        let pending = self
            .pending
            .iter()
            .find(|pending| pending.ticket == ticket)?;
        pending.announcement.show_at
    }

    /// The number of slides that this screen never showed although it was connected.
    pub fn n_skipped(&self) -> u64 {
        self.n_skipped
    }

    /// Whether the server said that the channel stands still.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The phase that the page says it is in.
    pub fn phase(&self) -> Phase {
        match (self.lost, self.layers.is_empty(), self.paused) {
            (true, _, _) => Phase::Reconnecting,
            (false, true, _) => Phase::Connecting,
            (false, false, true) => Phase::Paused,
            (false, false, false) => Phase::Playing,
        }
    }

    fn announce_showing(&mut self, part: Announcement) -> Verdict {
        self.paused = part.paused;
        if part.paused {
            // The next slide is not certain any more; it will be sent again.
            self.pending.clear();
        }
        let shown = self.layers.last().map(|top| top.fingerprint);
        let expected = self.refreshes.newest().or(shown);
        if expected == Some(part.fingerprint) {
            return Verdict::Known;
        }
        let ticket = self.ticket();
        self.refreshes.push(Refresh {
            slide: part.slide,
            fingerprint: part.fingerprint,
            ticket,
        });
        Verdict::Decode(ticket)
    }

    fn ticket(&mut self) -> Ticket {
        self.n_tickets += 1;
        Ticket(self.n_tickets)
    }

    fn drop_covered(&mut self, now: Local) {
        if let Some(covering) = self
            .layers
            .iter()
            .rposition(|layer| layer.alpha(now) >= 1.0)
        {
            self.layers.drain(..covering);
        }
    }

    fn begin_pending(&mut self, now: Local) -> bool {
        if self.layers.len() >= MAX_LAYERS {
            return false;
        }
        // Of several slides that are due the newest wins.
        let due = |pending: &Pending<P>| {
            pending.picture.is_some() && pending.announcement.show_at.is_none_or(|at| at <= now)
        };
        let Some(index) = self.pending.iter().rposition(due) else {
            return false;
        };
        let first = self
            .pending
            .iter()
            .take(index + 1)
            .any(|pending| pending.first);
        let Some(Pending {
            announcement,
            picture: Some(picture),
            ..
        }) = self.pending.drain(..=index).next_back()
        else {
            return false;
        };
        if let Some(top) = self.layers.last().filter(|_| !first) {
            self.n_skipped += announcement.slide.0.saturating_sub(top.slide.0 + 1);
        }
        let begins = announcement
            .show_at
            .filter(|at| now.since(*at) <= SOON_ENOUGH_MILLIS)
            .unwrap_or(now);
        self.refreshes = Refreshes::default();
        self.layers.push(Layer {
            slide: announcement.slide,
            fingerprint: announcement.fingerprint,
            picture,
            begins,
            // The first picture of all has nothing to fade from.
            fade_millis: if self.layers.is_empty() {
                0.0
            } else {
                announcement.fade_millis
            },
            move_millis: if announcement.dwell_millis > 0.0 {
                announcement.dwell_millis + announcement.fade_millis
            } else {
                0.0
            },
        });
        true
    }
}

#[cfg(test)]
mod tests;
