//! Values of single options, read from text: a duration, a whole number in a range, a pause's end.

use std::num::NonZeroU64;

use super::{ConfigError, bad};
use crate::{
    timeline::{
        Often,
        night::{Plan, Position},
    },
    typed,
};

/// Long enough for a picture that is talked about over dinner, short enough that a finger that slipped does not
/// stop the house for days.
pub(super) const DEFAULT_PAUSE_MILLIS: NonZeroU64 = NonZeroU64::new(3_600_000).unwrap();
/// Shorter than this there is no pause to speak of.
const MIN_PAUSE_MILLIS: u64 = 1000;

/// Reads `never` or a duration.
pub(super) fn resume_after(
    option: &'static str,
    text: &str,
) -> Result<Option<NonZeroU64>, ConfigError> {
    if text.trim().eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    let millis = millis(option, text)?;
    let after = NonZeroU64::new(millis).filter(|millis| millis.get() >= MIN_PAUSE_MILLIS);
    let short = "a pause lasts for at least 1s; give a longer one, or \"never\"";
    after.map(Some).ok_or_else(|| bad(option, text, short))
}

/// Reads how often favourites come, which share memories have, and how long photos are new.
pub(super) fn often(
    favour: Option<i64>,
    memories: Option<&str>,
    fresh: Option<&str>,
) -> Result<Often, ConfigError> {
    let favour = whole("--favour", favour, 1, 1..=Often::MAX_FAVOUR as usize)?;
    let max = Often::MAX_MEMORIES;
    let share = |text: &str| {
        let number = text.trim().trim_end_matches('%').trim_end().parse().ok();
        let share = number.filter(|share| *share <= max);
        let reason = || format!("it has to be a share of the photos, such as 20%, up to {max}%");
        share.ok_or_else(|| bad("--memories", text, reason()))
    };
    let days = |text: &str| {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "off" {
            return Ok(0);
        }
        let (number, each) = match lower.strip_suffix('w') {
            Some(weeks) => (weeks, 7),
            None => (lower.strip_suffix('d').unwrap_or(&lower), 1),
        };
        let number: Option<u32> = number.trim_end().parse().ok();
        let days = number.and_then(|number| number.checked_mul(each));
        let max = Often::MAX_FRESH_DAYS;
        let days = days.filter(|days| (1..=max).contains(days));
        let reason =
            || format!("it has to be days or weeks, such as 14d or 2w, up to {max}d, or off");
        days.ok_or_else(|| bad("--fresh", text, reason()))
    };
    Ok(Often {
        favour: u32::try_from(favour).unwrap_or(1),
        memories: memories.map(share).transpose()?.unwrap_or(0),
        fresh_days: fresh.map(days).transpose()?.unwrap_or(0),
        today: None,
    })
}

/// Reads where the sun is looked for.
pub(super) fn position(text: Option<&str>) -> Result<Option<Position>, ConfigError> {
    let read = |text: &str| text.parse::<Position>();
    let position = text.map(|text| read(text).map_err(|reason| bad("--position", text, reason)));
    position.transpose()
}

/// Reads when the pictures are darkened, as it is typed for `option`.
pub(super) fn night(
    option: &str,
    plan: Option<&str>,
    position: Option<Position>,
) -> Result<Option<Plan>, ConfigError> {
    let off = |text: &&str| text.trim().eq_ignore_ascii_case("off");
    let plan = plan.filter(|text| !off(text));
    let read = |text| Plan::read(text, position).map_err(|reason| bad(option, text, reason));
    plan.map(read).transpose()
}

/// Reads a duration.
pub(super) fn millis(option: &str, text: &str) -> Result<u64, ConfigError> {
    typed::millis(text).map_err(|reason| bad(option, text, reason))
}

pub(super) fn whole(
    option: &str,
    value: Option<i64>,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, ConfigError> {
    let Some(value) = value else {
        return Ok(default);
    };
    let reason = || {
        bad(
            option,
            value,
            format!("it has to be from {} to {}", range.start(), range.end()),
        )
    };
    usize::try_from(value)
        .ok()
        .filter(|value| range.contains(value))
        .ok_or_else(reason)
}
