//! Night: how dark the pictures are at an instant, and when that changes next.
//!
//! Pure: the plan, the time zone and the instant are arguments, so a week over a change of the clocks is a unit test.
//! A slot begins and ends by the clocks on the wall: where they are set forward over it, it begins when they go on; where
//! an hour comes twice, it begins with the first and ends with the first.

mod sun;
mod typed;

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    TimeZone, Utc,
};
use mantel_shared::UnixMillis;

use super::Veil;
pub use sun::{Position, PositionError};

/// How the pictures are while it is night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With so much of their light, in percent, 1 to 99.
    Dim(u8),
    /// With so much of their light, in percent, and without the blue that keeps people awake.
    Warm(u8),
    /// Without any.
    Black,
    /// Without any, but for a dark clock that changes its place.
    Clock,
}

/// The mode where none is named.
pub const USUAL: Mode = Mode::Dim(USUAL_PERCENT);
/// The light that is left where nobody says how much, in percent.
const USUAL_PERCENT: u8 = 15;

/// A moment of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// The time of day that clocks show.
    Time(NaiveTime),
    /// So many minutes after sunrise.
    Sunrise(i32),
    /// So many minutes after sunset.
    Sunset(i32),
}

/// One slot of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    /// The days on which it begins, from Monday on.
    days: [bool; 7],
    from: Edge,
    to: Edge,
    mode: Mode,
}

/// A plan of nights: slots, of which the first that holds counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    slots: Vec<Slot>,
    /// Where the sun is looked for, if a slot asks for it.
    position: Option<Position>,
}

/// A plan's word on an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// How the pictures are; `None` by day.
    pub mode: Option<Mode>,
    /// Since when it is night, if it is: a mode that follows another one does not begin anew.
    pub since: Option<UnixMillis>,
    /// When the mode changes next, if it does within days.
    pub until: Option<UnixMillis>,
}

/// How long dusk lasts: from full light to a plan's mode, in milliseconds.
const DUSK_MILLIS: u64 = 64_000;
/// The steps in which dusk falls.
const DUSK_STEPS: u64 = 16;
/// The light from which black is a step, in thousandths.
const NEARLY_BLACK: f64 = 20.0;

/// How many days are looked ahead for a change.
const DAYS_AHEAD: u64 = 8;

/// One slot on one day, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    to: i64,
    mode: Mode,
}

impl Plan {
    /// The night at `now`, for clocks in `zone`.
    pub fn at(&self, zone: &impl TimeZone, now: UnixMillis) -> Night {
        let now_millis = i64::try_from(now.0).unwrap_or(i64::MAX);
        let Some(utc) = DateTime::<Utc>::from_timestamp_millis(now_millis) else {
            return Night {
                mode: None,
                since: None,
                until: None,
            };
        };
        let today = utc.with_timezone(zone).date_naive();
        let spans = self.spans(zone, today);
        let mode_at = |at: i64| {
            let holds = |span: &&Span| (span.from..span.to).contains(&at);
            spans.iter().find(holds).map(|span| span.mode)
        };
        let mode = mode_at(now_millis);
        let mut edges: Vec<i64> = spans.iter().flat_map(|span| [span.from, span.to]).collect();
        edges.sort_unstable();
        edges.dedup();
        let until = edges
            .iter()
            .find(|edge| **edge > now_millis && mode_at(**edge) != mode);
        // Back to where night fell.
        let before = edges.iter().rev().filter(|edge| **edge <= now_millis);
        let since = before
            .take_while(|edge| mode_at(**edge).is_some())
            .last()
            .filter(|_| mode.is_some());
        let unix = |millis: &i64| UnixMillis(millis.cast_unsigned());
        Night {
            mode,
            since: since.map(unix),
            until: until.map(unix),
        }
    }

    /// All slots from two days before `today` to some days after it, in the order in which they count.
    fn spans(&self, zone: &impl TimeZone, today: NaiveDate) -> Vec<Span> {
        let first = today.checked_sub_days(Days::new(2)).unwrap_or(today);
        let days: Vec<NaiveDate> = first.iter_days().take(DAYS_AHEAD as usize + 3).collect();
        let mut spans = Vec::new();
        for slot in &self.slots {
            for day in &days {
                if slot.days[day.weekday().num_days_from_monday() as usize] {
                    spans.extend(self.span(slot, zone, *day));
                }
            }
        }
        spans
    }

    fn span(&self, slot: &Slot, zone: &impl TimeZone, day: NaiveDate) -> Option<Span> {
        let from = self.moment(slot.from, zone, day)?;
        let end = |day| self.moment(slot.to, zone, day);
        let to = end(day)
            .filter(|to| *to > from)
            .or_else(|| end(day.succ_opt()?))?;
        (from < to).then_some(Span {
            from,
            to,
            mode: slot.mode,
        })
    }

    /// The instant of an edge on a day, in Unix milliseconds.
    fn moment(&self, edge: Edge, zone: &impl TimeZone, day: NaiveDate) -> Option<i64> {
        let sun = || Some(self.position?.sun(day));
        let after = |at: i64, minutes: i32| at + i64::from(minutes) * 60_000;
        match edge {
            Edge::Time(time) => Some(first_instant(zone, day.and_time(time))?.timestamp_millis()),
            Edge::Sunrise(minutes) => Some(after(sun()?.0, minutes)),
            Edge::Sunset(minutes) => Some(after(sun()?.1, minutes)),
        }
    }
}

/// The first instant at which clocks in `zone` show this time, or go on past it.
fn first_instant<Z: TimeZone>(zone: &Z, local: NaiveDateTime) -> Option<DateTime<Z>> {
    // No zone has set its clocks forward by more than a day.
    (0..=96).find_map(|quarters| {
        let local = local.checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
            LocalResult::None => None,
        }
    })
}

impl Night {
    /// How the pictures are veiled at `now`, which clocks here show as `time`: dusk falls in steps.
    pub fn veil(&self, now: UnixMillis, time: NaiveTime) -> Veil {
        let Some(mode) = self.mode else {
            return Veil::default();
        };
        let since = self
            .since
            .map_or(u64::MAX, |since| now.0.saturating_sub(since.0));
        let step = (since / (DUSK_MILLIS / DUSK_STEPS)).saturating_add(1);
        if step > DUSK_STEPS {
            return mode.veil(time);
        }
        let end = match mode {
            Mode::Dim(percent) | Mode::Warm(percent) => f64::from(percent) * 10.0,
            Mode::Black | Mode::Clock => NEARLY_BLACK,
        };
        let share = step as f64 / DUSK_STEPS as f64;
        // Equal steps to the eye are equal ratios.
        let light = 1000.0 * (end / 1000.0).powf(share);
        let warmth = match mode {
            Mode::Warm(_) => 1000.0 * share,
            Mode::Dim(_) | Mode::Black | Mode::Clock => 0.0,
        };
        #[expect(clippy::cast_sign_loss, reason = "light has no sign")]
        Veil {
            warmth: warmth.round() as u16,
            ..Veil::dimmed(light.round() as u16)
        }
    }
}

impl Mode {
    /// The veil of the mode by itself, when clocks here show `time`.
    pub fn veil(self, time: NaiveTime) -> Veil {
        match self {
            Self::Dim(percent) => Veil::dimmed(u16::from(percent) * 10),
            Self::Warm(percent) => Veil {
                warmth: 1000,
                ..Veil::dimmed(u16::from(percent) * 10)
            },
            Self::Black => Veil::dimmed(0),
            Self::Clock => Veil::clock(time),
        }
    }
}

impl std::fmt::Display for Mode {
    /// The form that [`FromStr`](std::str::FromStr) reads.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dim(percent) => write!(f, "dim {percent}%"),
            Self::Warm(percent) => write!(f, "warm {percent}%"),
            Self::Black => f.write_str("black"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

/// The days of the week, by the beginnings of their names.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[cfg(test)]
mod tests;
