//! The nights of a screen's own, over a programme that goes by the house's.
//!
//! Pure. The slides stay the house's, each at its moment: under another veil the one that is on is shown again, and under
//! one that nobody can see through it stays. What the programme does for the whole house is done here for one rendition.

use mantel_shared::UnixMillis;

use crate::timeline::{Showing, Veil};

/// The veil of one screen's own nights, and what it does to the slides beneath. The default does nothing.
#[derive(Debug, Default)]
pub(super) struct OwnVeil {
    veil: Veil,
    /// How often it was another one: so many slides more than the house has been shown.
    n_changes: u64,
    /// Since when the slide that is on is shown under it.
    since: UnixMillis,
    /// The slides beneath a veil that hides them.
    held: Option<Showing>,
}

/// By so many the numbers of slides go on where one is shown again: the one that follows has a number by then.
const NUMBERS: u64 = 2;

impl OwnVeil {
    /// Lays another veil over the slides of which `house` are on.
    pub(super) fn take(&mut self, veil: &Veil, house: Showing, now: UnixMillis) {
        if self.veil == *veil {
            return;
        }
        let was_held = self.held.is_some();
        if !veil.is_opaque() {
            self.held = None;
        } else if !was_held {
            self.held = Some(house);
        }
        if veil.is_far_from(&self.veil) || was_held != self.held.is_some() {
            self.since = now;
        }
        self.n_changes += 1;
        self.veil = veil.clone();
    }

    /// The slides as they are shown under it, of those that the house shows.
    pub(super) fn over(&self, house: Showing) -> Showing {
        let mut showing = self.held.unwrap_or(house);
        for slide in [&mut showing.current, &mut showing.next] {
            slide.no.0 += NUMBERS * self.n_changes;
        }
        showing.current.starts_at = showing.current.starts_at.max(self.since);
        showing.paused |= self.held.is_some();
        showing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{PhotoId, Slide};
    use mantel_shared::SlideNo;

    fn showing(no: u64) -> Showing {
        let slide = |no: u64| Slide {
            no: SlideNo(no),
            photo: PhotoId(no % 2),
            beside: None,
            starts_at: UnixMillis(no * 1000),
        };
        Showing {
            current: slide(no),
            next: slide(no + 1),
            paused: false,
        }
    }

    #[test]
    fn without_nights_of_its_own_a_screen_shows_what_the_house_shows() {
        assert_eq!(OwnVeil::default().over(showing(7)), showing(7));
    }

    #[test]
    fn what_is_shown_again_has_a_number_that_nothing_had() {
        let mut own = OwnVeil::default();
        let mut last = 0;
        let lights = [1000, 990, 400, 0, 0, 0, 300, 1000];
        for (no, light) in (1..).zip(lights) {
            let house = showing(no);
            let now = UnixMillis(no * 1000 + 300);
            let before = own.over(house);
            own.take(&Veil::dimmed(light), house, now);
            let after = own.over(house);
            assert!(before.current.no.0 >= last, "{light}");
            if before != after {
                // Also where both slides are of one photo.
                assert!(after.current.no > before.next.no, "{light}");
            }
            last = after.current.no.0;
            assert_eq!(after.paused, light == 0);
        }
    }

    #[test]
    fn a_small_step_of_the_light_moves_no_moment_and_a_large_one_is_faded_in() {
        let mut own = OwnVeil::default();
        own.take(&Veil::dimmed(950), showing(5), UnixMillis(5400));
        let showing_5 = own.over(showing(5));
        assert_eq!(showing_5.current.starts_at, UnixMillis(5000));
        own.take(&Veil::dimmed(100), showing(5), UnixMillis(5600));
        let showing_5 = own.over(showing(5));
        assert_eq!(showing_5.current.starts_at, UnixMillis(5600));
        assert_eq!(showing_5.next.starts_at, UnixMillis(6000));
        assert_eq!(own.over(showing(6)).current.starts_at, UnixMillis(6000));
    }
}
