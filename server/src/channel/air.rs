//! The holder of the gallery's screens: the gallery itself, or a live channel that interrupts it. Pure: every moment is an argument,
//! counted from one that stands still, so that a clock that is set moves no interruption.
//!
//! A channel's pictures come in rows: a row begins with a picture that comes after a silence, and the screens are the row's
//! from its first picture until some time after its last. A row that has lasted too long, or that somebody has ended, has no
//! more claim to the screens; only the next row has one.

use std::time::Duration;

/// The rules by which a channel interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Of several channels the one with the highest number has the screens; of equal ones the one that came last.
    pub priority: i32,
    /// How long the screens are kept after the last picture.
    pub hold: Duration,
    /// How long an interruption lasts at least.
    pub least: Duration,
    /// How long one lasts at most; `None`: as long as pictures come.
    pub longest: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            priority: 0,
            hold: Duration::from_secs(20),
            least: Duration::from_secs(5),
            longest: Some(Duration::from_secs(5 * 60)),
        }
    }
}

/// The place of a channel among those that interrupt.
pub type Place = usize;

/// An event that may change whose the screens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A picture of this channel came.
    Came(Place),
    /// This channel's pictures were taken back.
    Gone(Place),
    /// Somebody wants the gallery back.
    Dismissed,
}

/// The screens, and the claims to them.
#[derive(Clone, Debug)]
pub struct Air {
    claims: Vec<Claim>,
    n_rows: u64,
}

#[derive(Clone, Debug)]
struct Claim {
    rules: Rules,
    row: Option<Row>,
}

/// The pictures of a channel that come without a silence between them.
#[derive(Clone, Copy, Debug)]
struct Row {
    first: Duration,
    last: Duration,
    /// The count of rows at its beginning: of two that began at one moment the later one has the greater.
    no: u64,
    ended: bool,
}

impl Claim {
    /// The end of its row, if nothing more comes.
    fn ends(&self, row: &Row) -> Duration {
        let by_itself = self.silent_from(row);
        let longest = self.rules.longest.map(|longest| row.first + longest);
        longest.map_or(by_itself, |longest| by_itself.min(longest))
    }

    /// The moment from which the next picture begins another row.
    fn silent_from(&self, row: &Row) -> Duration {
        (row.last + self.rules.hold).max(row.first + self.rules.least)
    }

    fn is_on(&self, now: Duration) -> bool {
        self.row
            .is_some_and(|row| !row.ended && now < self.ends(&row))
    }
}

impl Air {
    /// The gallery's, which channels with these rules may interrupt.
    pub fn new(rules: impl IntoIterator<Item = Rules>) -> Self {
        let claims = rules.into_iter();
        Self {
            claims: claims.map(|rules| Claim { rules, row: None }).collect(),
            n_rows: 0,
        }
    }

    /// Takes what has happened.
    pub fn input(&mut self, event: Event, now: Duration) {
        match event {
            Event::Came(place) => {
                let Some(claim) = self.claims.get_mut(place) else {
                    return;
                };
                if let Some(row) = &claim.row
                    && now < claim.silent_from(row)
                {
                    claim.row = Some(Row { last: now, ..*row });
                } else {
                    self.n_rows += 1;
                    claim.row = Some(Row {
                        first: now,
                        last: now,
                        no: self.n_rows,
                        ended: false,
                    });
                }
            }
            // Whatever comes next is a new row.
            Event::Gone(place) => {
                if let Some(claim) = self.claims.get_mut(place) {
                    claim.row = None;
                }
            }
            // Of the others, too: who wants the gallery doesn't want the next camera.
            Event::Dismissed => {
                for claim in &mut self.claims {
                    if let Some(row) = &mut claim.row {
                        row.ended = true;
                    }
                }
            }
        }
    }

    /// The channel that has the screens; `None`: the gallery.
    pub fn on(&self, now: Duration) -> Option<Place> {
        let claims = self.claims.iter().enumerate();
        let on = claims.filter(|(_, claim)| claim.is_on(now));
        let first = on.max_by_key(|(_, claim)| {
            let no = claim.row.map_or(0, |row| row.no);
            (claim.rules.priority, no)
        });
        first.map(|(place, _)| place)
    }

    /// Until when that channel has them, if nothing more comes.
    pub fn held_until(&self, now: Duration) -> Option<Duration> {
        let claim = self.claims.get(self.on(now)?)?;
        Some(claim.ends(claim.row.as_ref()?))
    }

    /// When that may change by itself.
    pub fn next_change(&self, now: Duration) -> Option<Duration> {
        let on = self.claims.iter().filter(|claim| claim.is_on(now));
        on.filter_map(|claim| Some(claim.ends(claim.row.as_ref()?)))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn rules(priority: i32) -> Rules {
        Rules {
            priority,
            hold: S(20),
            least: S(5),
            longest: Some(S(300)),
        }
    }

    fn came(air: &mut Air, place: Place, at: u64) {
        air.input(Event::Came(place), S(at));
    }

    #[test]
    fn the_screens_are_a_channels_from_its_first_picture_until_some_time_after_its_last() {
        let mut air = Air::new([rules(0)]);
        assert_eq!((air.on(S(9)), air.next_change(S(9))), (None, None));
        came(&mut air, 0, 10);
        assert_eq!(
            (air.on(S(10)), air.next_change(S(10))),
            (Some(0), Some(S(30)))
        );
        assert_eq!(air.held_until(S(10)), Some(S(30)));
        came(&mut air, 0, 25);
        assert_eq!(
            (air.on(S(44)), air.next_change(S(44))),
            (Some(0), Some(S(45)))
        );
        assert_eq!(
            (air.held_until(S(44)), air.held_until(S(45))),
            (Some(S(45)), None)
        );
        assert_eq!((air.on(S(45)), air.next_change(S(45))), (None, None));
        came(&mut air, 0, 100);
        assert_eq!(air.on(S(100)), Some(0));
    }

    #[test]
    fn an_interruption_lasts_no_less_and_no_longer_than_it_may() {
        let short = Rules {
            hold: S(2),
            longest: Some(S(10)),
            ..rules(0)
        };
        let mut air = Air::new([short]);
        came(&mut air, 0, 100);
        assert_eq!((air.on(S(104)), air.on(S(105))), (Some(0), None));
        // A camera that never ceases, from here on.
        for at in 200..260 {
            came(&mut air, 0, at);
            assert_eq!(air.on(S(at)), (at < 210).then_some(0), "{at}");
        }
        // It had to be silent first.
        came(&mut air, 0, 261);
        assert_eq!(air.on(S(261)), Some(0));
        let mut air = Air::new([Rules {
            longest: None,
            ..rules(0)
        }]);
        for at in 0..10_000 {
            came(&mut air, 0, at);
        }
        assert_eq!(air.on(S(10_000)), Some(0));
    }

    #[test]
    fn the_more_urgent_channel_has_the_screens_and_of_equal_ones_the_later() {
        let mut air = Air::new([rules(1), rules(5), rules(1)]);
        came(&mut air, 2, 0);
        came(&mut air, 0, 1);
        assert_eq!(air.on(S(1)), Some(0));
        // That it goes on makes it no later one.
        came(&mut air, 2, 2);
        assert_eq!(air.on(S(2)), Some(0));
        came(&mut air, 1, 3);
        came(&mut air, 0, 4);
        assert_eq!(air.on(S(4)), Some(1));
        for at in 5..50 {
            came(&mut air, 2, at);
        }
        assert_eq!((air.on(S(22)), air.on(S(23))), (Some(1), Some(0)));
        assert_eq!(
            (air.on(S(24)), air.next_change(S(24))),
            (Some(2), Some(S(69)))
        );
    }

    #[test]
    fn who_wants_the_gallery_back_has_it_until_a_channel_was_silent() {
        let mut air = Air::new([rules(0), rules(0)]);
        came(&mut air, 0, 0);
        came(&mut air, 1, 1);
        air.input(Event::Dismissed, S(2));
        for at in 2..40 {
            came(&mut air, 0, at);
            assert_eq!((air.on(S(at)), air.next_change(S(at))), (None, None));
        }
        came(&mut air, 1, 40);
        assert_eq!(air.on(S(40)), Some(1));
        came(&mut air, 0, 60);
        assert_eq!(air.on(S(60)), Some(0));
    }

    #[test]
    fn what_was_taken_back_interrupts_no_more_and_what_comes_then_does() {
        let mut air = Air::new([rules(0)]);
        came(&mut air, 0, 0);
        air.input(Event::Gone(0), S(1));
        assert_eq!(air.on(S(1)), None);
        came(&mut air, 0, 2);
        assert_eq!(air.on(S(2)), Some(0));
    }

    /// One second after the other, by the words of the rules.
    fn oracle(rules: &[Rules], events: &[(Event, Duration)], now: Duration) -> Option<Place> {
        let mut on = Vec::new();
        for (place, rules) in rules.iter().enumerate() {
            let (mut first, mut last, mut no, mut ended) = (None, S(0), 0, false);
            for (n, (event, at)) in events.iter().enumerate() {
                if *at > now {
                    break;
                }
                match event {
                    Event::Came(which) if *which == place => {
                        let is_new = first.is_none_or(|first| {
                            *at >= last + rules.hold && *at >= first + rules.least
                        });
                        if is_new {
                            (first, no, ended) = (Some(*at), n, false);
                        }
                        last = *at;
                    }
                    Event::Gone(which) if *which == place => first = None,
                    Event::Dismissed => ended = true,
                    _ => {}
                }
            }
            let Some(first) = first else { continue };
            let is_held = now < last + rules.hold || now < first + rules.least;
            let is_too_long = rules.longest.is_some_and(|longest| now >= first + longest);
            if is_held && !is_too_long && !ended {
                on.push((rules.priority, no, place));
            }
        }
        on.into_iter().max().map(|(.., place)| place)
    }

    proptest! {
        #[test]
        fn at_each_moment_the_screens_are_whose_the_rules_say(
            rules in prop::collection::vec((0..3_i32, 0..9_u64, 0..9_u64, prop::option::of(1..30_u64)), 1..4),
            events in prop::collection::vec((0..3_u64, 0..9_usize, 0..3_usize), 1..60),
        ) {
            let rules: Vec<Rules> = rules
                .into_iter()
                .map(|(priority, hold, least, longest)| Rules {
                    priority,
                    hold: S(hold),
                    least: S(least),
                    longest: longest.map(S),
                })
                .collect();
            let mut at = 0;
            let events: Vec<(Event, Duration)> = events
                .into_iter()
                .map(|(later, what, place)| {
                    at += later;
                    let event = match what {
                        0 => Event::Dismissed,
                        1 => Event::Gone(place),
                        _ => Event::Came(place),
                    };
                    (event, S(at))
                })
                .collect();
            let mut air = Air::new(rules.clone());
            let mut coming = events.iter().peekable();
            let mut announced = None;
            for now in 0..=at + 40 {
                let mut has_come = false;
                while let Some((event, at)) = coming.next_if(|(_, at)| *at <= S(now)) {
                    air.input(*event, *at);
                    has_come = true;
                }
                let on = air.on(S(now));
                prop_assert_eq!(on, oracle(&rules, &events, S(now)), "at {}", now);
                // It changes by itself when that was announced, and at no other moment.
                if let Some((before, next)) = announced
                    && !has_come
                    && before != on
                {
                    prop_assert_eq!(next, Some(S(now)));
                }
                let next = air.next_change(S(now));
                prop_assert!(next.is_none_or(|next| next > S(now)));
                // Where nothing more comes, it holds until that moment and no longer.
                let until = air.held_until(S(now));
                prop_assert_eq!(until.is_some(), on.is_some());
                if let Some(until) = until {
                    let last = until - Duration::from_nanos(1);
                    prop_assert_eq!((air.on(last), air.on(until) == on), (on, false));
                }
                announced = Some((on, next));
            }
        }
    }
}
