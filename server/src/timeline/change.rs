//! Changes of a timeline's photos: the slide on screen and the announced one stay, and new photos
//! get a place. After a restart the timeline goes on where it was, though photos may have come and
//! gone.

use std::sync::Arc;

use mantel_shared::UnixMillis;

use super::{Order, Pairing, Place, Playlist, Roster, Timeline, Turn};

/// The limit of new photos that come among the next few slides; more are spread over the rest of
/// the round.
const MAX_SOON: u64 = 500;

impl Timeline {
    /// The playlist that `roster` makes for this timeline: its new photos come soon, behind the
    /// slide that is announced.
    pub fn playlist_of(
        &self,
        roster: Arc<Roster>,
        pairing: Pairing,
        now: UnixMillis,
    ) -> Arc<Playlist> {
        let mut here = self.clone();
        here.recall(&roster, pairing);
        here.rebase(now);
        let mut arrivals = here.playlist.arrivals().clone();
        arrivals.forget_before(here.anchor.place.round);
        let round = here.anchor.place.round;
        // A slide that is announced out of the next round has its place there by what was new before.
        let is_free = here.announced().is_none_or(|place| place.round == round);
        if roster.order == Order::Shuffle && is_free {
            arrivals.renew(round, roster.often.fresh_since());
        }
        if let Some(newest) = roster.newest() {
            if arrivals.is_arrival(newest)
                && roster.order == Order::Shuffle
                && let Some((round, keys)) = here.room_for(n_newer(&roster, arrivals.mark()))
            {
                arrivals.add(round, newest, keys);
            }
            arrivals.take_in(newest);
        }
        // A restart to which nothing has come has sorted already, to find its place.
        if here.playlist.is_of(&roster, pairing, &arrivals) {
            return here.playlist;
        }
        Arc::new(Playlist::of(roster, pairing, arrivals))
    }

    /// The place of the slide that is announced, or behind which it comes as a promise.
    fn announced(&self) -> Option<Place> {
        match self.anchor.promised {
            Some(_) => Some(self.anchor.place),
            None => Some(self.playlist.after(self.anchor.place, 1)?.0),
        }
    }

    /// The round in which `n` new photos are to come, and the keys between which they do.
    fn room_for(&self, n: u64) -> Option<(u64, (u64, u64))> {
        let announced = self.announced()?;
        // The keys span `n + 1` old turns, so that new photos come among as many old ones.
        let among = if n > MAX_SOON { u64::MAX } else { n + 1 };
        // Behind a round's last turn comes the next round.
        let (behind, _) = self.playlist.after(announced, 1)?;
        let round = behind.round;
        let index = if round == announced.round {
            announced.index
        } else {
            0
        };
        Some((round, self.playlist.keys_behind(round, index, among)))
    }

    /// Whether the slide on screen at `now` has no photo in `playlist`, so that it can't stay.
    pub fn loses_current(&self, playlist: &Playlist, now: UnixMillis) -> bool {
        self.at(now).is_some_and(|showing| {
            !showing
                .current
                .turn()
                .photos()
                .any(|id| playlist.contains(id))
        })
    }

    /// Takes a new playlist and keeps the slide on screen; when its photo is gone, the next slide
    /// comes at once. Photos shown earlier in this round stay shown, and in a shuffle what was
    /// announced as next stays next.
    pub fn set_playlist(&mut self, playlist: Arc<Playlist>, now: UnixMillis) {
        let step_on = self.loses_current(&playlist, now);
        self.take_playlist(playlist, now, step_on);
    }

    /// Takes a new playlist as [`Self::set_playlist`] does; with `step_on` the next slide comes at
    /// once in any case.
    pub(super) fn take_playlist(
        &mut self,
        playlist: Arc<Playlist>,
        now: UnixMillis,
        step_on: bool,
    ) {
        self.recall(playlist.roster(), playlist.pairing());
        self.settle(now);
        let (on, announced) = (self.turn(0), self.turn(1));
        let old = std::mem::replace(&mut self.playlist, playlist);
        let (Some(on), Some(announced)) = (on, announced) else {
            // No photo was there before; the place that an earlier run saved may still be found.
            self.seek();
            self.settle(now);
            return;
        };
        let new = self.playlist.clone();
        if new.is_empty() {
            return;
        }
        let anchor = &mut self.anchor;
        let survivor = (0..old.n_photos()).find_map(|steps| {
            let (place, turn) = old.after(anchor.place, steps)?;
            // Where a photo comes besides its own turn may be anywhere else in the new one.
            if old.is_encore(place) {
                return None;
            }
            let place = turn.photos().find_map(|id| new.find(place.round, id))?;
            Some((steps, place))
        });
        // Without any survivor every place is as good as this one.
        let (steps, place) = survivor.unwrap_or((0, anchor.place));
        // The place itself may be gone while what is on screen stays.
        anchor.place = if steps == 0 { place } else { new.before(place) };
        // The very first place has none before it, so the anchor stands on the survivor itself.
        let at_first = steps > 0 && anchor.place == place;
        let natural = new.after(anchor.place, 0).map(|(_, turn)| turn);
        // Of two photos on screen the one that is left stays.
        let left = on
            .photos()
            .filter(|id| new.contains(*id))
            .collect::<Vec<_>>();
        let on = Turn {
            photo: left.first().copied().unwrap_or(on.photo),
            beside: left.get(1).copied(),
        };
        (anchor.shown, anchor.beside) = match natural {
            Some(turn) if turn == on && anchor.shown.is_none() => (None, None),
            _ => (Some(on.photo.0), on.beside.map(|id| id.0)),
        };
        let next = if at_first {
            natural
        } else {
            new.after(anchor.place, 1).map(|(_, turn)| turn)
        };
        // A fixed order needs no promise: its next slide follows from it. An announced slide that
        // repeats the one on screen (a playlist of one photo) gives way to any other.
        let is_promise = new.roster().order == Order::Shuffle && announced != on;
        let is_left = announced.photos().all(|id| new.contains(id));
        anchor.promised = if is_promise && is_left && next != Some(announced) {
            Some(announced)
        } else if at_first {
            natural
        } else {
            None
        };
        if step_on {
            self.advance(1);
            self.starts_now(now);
        }
    }

    /// Counts slides up to `now` by the old interval, so that their numbers go on growing, and by
    /// the new one from here.
    pub(super) fn settle(&mut self, now: UnixMillis) {
        self.rebase(now);
        if !self.playlist.is_empty() {
            self.counted_by = None;
        }
    }

    /// Makes the playlist of the last run again, of the photos that were there then, and goes to
    /// its place. Called after a restart, once there are photos.
    pub(super) fn recall(&mut self, roster: &Arc<Roster>, pairing: Pairing) {
        if self.playlist.is_empty()
            && let Some(mark) = self.playlist.arrivals().mark()
        {
            let arrivals = self.playlist.arrivals().clone();
            let known = Playlist::of(roster.until(mark), pairing, arrivals);
            self.playlist = Arc::new(known);
            self.seek();
        }
    }

    /// Goes to the place that the saved photo has now, once there are photos.
    pub(super) fn seek(&mut self) {
        if self.playlist.is_empty() {
            return;
        }
        if let Some(photo) = self.sought.take()
            && let Some(place) = self.playlist.find(self.anchor.place.round, photo)
        {
            self.anchor.place = place;
        }
    }
}

impl Timeline {
    /// Shows the slide on screen again, as another picture of the same photos, under a number that nobody was promised.
    /// With `anew` it begins now; with `held` no slide follows until that is over.
    pub(super) fn show_again(&mut self, anew: bool, held: bool, now: UnixMillis) {
        self.rebase(now);
        self.anchor.slide += 2;
        let was_held = self.held.is_some();
        if held && !was_held {
            self.held = Some(now.0);
        } else if !held {
            self.held = None;
        }
        // Slides that were held back are not made up for.
        if anew || was_held != held {
            self.starts_now(now);
        }
    }
}

fn n_newer(roster: &Roster, mark: Option<i64>) -> u64 {
    let is_newer = |added: i64| mark.is_none_or(|mark| added > mark);
    roster
        .items
        .iter()
        .filter(|item| is_newer(item.added))
        .count() as u64
}
