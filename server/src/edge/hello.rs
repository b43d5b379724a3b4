//! The question who is there, which a machine asks of a house, and the answer of the one whose pictures are shown. With it
//! goes what an edge has to know, and by it clocks are compared.

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
