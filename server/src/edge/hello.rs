//! The question who is there, which a machine asks of a house, and the answer of the one whose pictures are shown. With it
//! goes what an edge has to know, and by it clocks are compared.

use std::collections::VecDeque;

use mantel_media::wire::{Head, Kind, Part, Topic};
use serde::{Deserialize, Serialize};

use super::{bus::Bus, shown::Ahead};

/// The facts that the machine whose pictures are shown tells of its house.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// For how long it has sent its pictures, in milliseconds.
    pub(super) up_millis: u64,
    /// How long a slide stays.
    pub(super) interval_millis: u64,
    /// The live channels that edges may show.
    pub(super) channels: Vec<ChannelFacts>,
}

/// A live channel of a house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChannelFacts {
    pub(super) name: String,
    /// Width and height of its pictures, where some have come.
    pub(super) size: Option<String>,
}

/// The machine of which an answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The run of that machine.
    pub(super) run: u64,
    pub(super) facts: Facts,
    /// How far its clock is ahead, give or take half of `round_trip_millis`.
    pub(super) ahead: Ahead,
    pub(super) round_trip_millis: u64,
}

/// The topic of questions and answers of a house.
pub(super) fn topic(house: &str) -> Topic {
    Topic::of(&format!("hello {house}"))
}

/// Answers a question. The answer has its number, which nobody else's has: so it is of now.
pub(super) fn answer(bus: &Bus, question: &Part<'_>, facts: &Facts) -> (Head, Vec<u8>) {
    let head = Head {
        kind: Kind::Answer,
        topic: topic(bus.house()),
        run: bus.run,
        no: question.head.no,
        sent_at: bus.clock.now().0,
    };
    // It is numbers and names.
    (head, serde_json::to_vec(facts).unwrap_or_default())
}

/// Reads the answer to the question of this number, which was asked at `asked_at` and has come at `now`.
pub(super) fn found(answer: &Part<'_>, no: u64, asked_at: u64, now: u64) -> Option<Found> {
    if answer.head.no != no {
        return None;
    }
    let facts = serde_json::from_slice(answer.payload).ok()?;
    let round_trip_millis = now.saturating_sub(asked_at);
    let middle = asked_at + round_trip_millis / 2;
    let there = i64::try_from(answer.head.sent_at).ok()?;
    let ahead = Ahead(there.saturating_sub(i64::try_from(middle).ok()?));
    Some(Found {
        run: answer.head.run,
        facts,
        ahead,
        round_trip_millis,
    })
}

/// Of so many answers the quickest one tells how far clocks are apart.
const COMPARED: usize = 8;
/// By so many milliseconds two clocks drift apart between answers that are compared, at the most.
const DRIFT: u64 = 3;

/// The last answers, by which clocks are compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Each one's run, how far its clock is ahead, and its round trip.
    answers: VecDeque<(u64, Ahead, u64)>,
}

impl Compared {
    /// How far the other clock is ahead by what was found now and before. The quickest answer is believed, unless the newest
    /// one contradicts it: then a clock has been set.
    pub(super) fn with(&mut self, found: &Found) -> Ahead {
        let newest = (found.run, found.ahead, found.round_trip_millis);
        self.answers.retain(|(run, ahead, round_trip)| {
            let wrong_by = round_trip.div_ceil(2) + found.round_trip_millis.div_ceil(2) + DRIFT;
            *run == found.run && ahead.0.abs_diff(found.ahead.0) <= wrong_by
        });
        if self.answers.len() == COMPARED {
            self.answers.pop_front();
        }
        self.answers.push_back(newest);
        let quickest = self
            .answers
            .iter()
            .min_by_key(|(.., round_trip)| round_trip);
        quickest.map_or(found.ahead, |(_, ahead, _)| *ahead)
    }
}

#[cfg(test)]
mod tests {
    use mantel_shared::UnixMillis;

    use super::*;

    const NOW: u64 = 2_000_000_000_000;

    /// An answer of a machine whose clock is ahead by `ahead`, which came after `out` and `back` milliseconds.
    fn found_after(run: u64, ahead: i64, out: u64, back: u64) -> Found {
        let there = (NOW + out).checked_add_signed(ahead).unwrap();
        let head = Head {
            kind: Kind::Answer,
            topic: topic("home"),
            run,
            no: 7,
            sent_at: there,
        };
        let payload = serde_json::to_vec(&Facts::default()).unwrap();
        let part = Part {
            head,
            part: 0,
            parts: 1,
            length: payload.len(),
            payload: &payload,
        };
        assert!(found(&part, 8, NOW, NOW).is_none(), "of another question");
        found(&part, 7, NOW, NOW + out + back).unwrap()
    }

    #[test]
    fn clocks_apart_by_minutes_hours_and_years_are_compared_within_half_a_round_trip() {
        let minute = 60_000;
        for ahead in [
            0,
            1,
            -1,
            minute,
            -7 * minute,
            26 * 60 * minute,
            -11 * 365 * 24 * 60 * minute,
        ] {
            let mut compared = Compared::default();
            for (out, back) in [(40, 2), (3, 90), (1, 1), (0, 60), (20, 20)] {
                let found = found_after(1, ahead, out, back);
                let told = compared.with(&found);
                assert!(
                    told.0.abs_diff(ahead) <= (out + back).div_ceil(2),
                    "{told:?}"
                );
            }
            let told = compared.with(&found_after(1, ahead, 50, 0));
            assert_eq!(told, Ahead(ahead), "by the quickest");
            // A moment there is the same moment here, and back.
            let there = told.there(UnixMillis(NOW));
            assert_eq!(told.here(there), UnixMillis(NOW));
        }
    }

    #[test]
    fn a_clock_that_is_set_is_followed_at_once() {
        let mut compared = Compared::default();
        compared.with(&found_after(1, 5000, 1, 1));
        // A slow answer contradicts nothing.
        assert_eq!(compared.with(&found_after(1, 5000, 0, 80)), Ahead(5000));
        for ahead in [-300_000, 300_000, 5100] {
            let told = compared.with(&found_after(1, ahead, 4, 4));
            assert_eq!(told, Ahead(ahead));
        }
        // So is another machine's.
        assert_eq!(compared.with(&found_after(2, 5101, 9, 9)), Ahead(5101));
    }
}
