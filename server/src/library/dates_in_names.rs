//! Dates in the names of files, as cameras, phones and messengers write them.
//!
//! Pure. A run of digits is taken for a date only when it is one: year, month and day in range and,
//! where digits for it follow, a time of day.

use chrono::{NaiveDate, NaiveDateTime};

/// The moment that a name without its ending tells: `IMG_20210704_123000`, `PXL_20210704_123000123`,
/// `2021-07-04 12.30.00`, `IMG-20210704-WA0001` (WhatsApp, the day alone), `Screenshot_20210704-123000`,
/// `signal-2021-07-04-123000`, `photo_2021-07-04_12-30-00` (Telegram), `… 2021-07-04 at 1.05.09 PM`, and with the day
/// first `04.07.2021 12.30.59`. A day alone counts as noon.
pub(super) fn date(stem: &str) -> Option<NaiveDateTime> {
    let bytes = stem.as_bytes();
    let mut starts = (0..bytes.len()).filter(|start| {
        bytes[*start].is_ascii_digit() && !(*start > 0 && bytes[*start - 1].is_ascii_digit())
    });
    starts.find_map(|start| year_first(&bytes[start..]).or_else(|| day_first(&bytes[start..])))
}

/// The moment that a name tells as a Unix time, in milliseconds: `mmexport1625401859000` (WeChat), `FB_IMG_1492345678901`,
/// in seconds with ten digits. None before 2001, when they had nine.
pub(super) fn unix_millis(stem: &str) -> Option<i64> {
    let runs = stem.split(|c: char| !c.is_ascii_digit());
    let mut times = runs.filter_map(|run| match (run.len(), run.parse::<i64>()) {
        (13, Ok(millis)) => Some(millis),
        (10, Ok(seconds)) => Some(seconds * 1000),
        _ => None,
    });
    times.find(|millis| (1_000_000_000_000..3_000_000_000_000).contains(millis))
}

fn year_first(text: &[u8]) -> Option<NaiveDateTime> {
    let (year, rest) = number(text, 4)?;
    let (month, rest, split) = separated(rest, 2)?;
    let (day, rest, split_again) = separated(rest, 2)?;
    // 2021-0704 and `2021 12.30` are something else.
    if split != split_again {
        return None;
    }
    moment((year, month, day), rest)
}

/// Day, month and year, as a large part of the world writes them. What may as well be a month and a day is no date, unless
/// dots stand between, which nobody puts behind a month.
fn day_first(text: &[u8]) -> Option<NaiveDateTime> {
    let (first, rest) = number(text, 2)?;
    let (second, rest, split) = separated(rest, 2)?;
    let (year, rest, split_again) = separated(rest, 4)?;
    let split = split.filter(|_| split == split_again)?;
    let (day, month) = match (first, second) {
        (day, month) if split == b'.' || day > 12 || day == month => (day, month),
        (month, day) if day > 12 => (day, month),
        _ => return None,
    };
    moment((year, month, day), rest)
}

/// The moment on a day, with what follows its digits.
fn moment((year, month, day): (u32, u32, u32), rest: &[u8]) -> Option<NaiveDateTime> {
    if !(1900..=2099).contains(&year) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let time = time_at(rest);
    // A longer run of digits is a number of something, not a date.
    if time.is_none() && rest.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (hour, minute, second) = time.unwrap_or((12, 0, 0));
    day.and_hms_opt(hour, minute, second)
}

/// Hours, minutes and seconds behind one character, or none, that stands between; by twelve hours where `AM` or `PM` follows.
fn time_at(text: &[u8]) -> Option<(u32, u32, u32)> {
    let text = match text {
        [b' ' | b'_' | b'-' | b'T' | b't', rest @ ..] => rest,
        [b',', b' ', rest @ ..] => rest,
        other => other,
    };
    let text = text.strip_prefix(b"at ").unwrap_or(text);
    // One digit, where something stands behind it.
    let (hour, rest) = match number(text, 2) {
        Some(two) => two,
        None => {
            number(text, 1).filter(|(_, rest)| !rest.first().is_some_and(u8::is_ascii_digit))?
        }
    };
    let (minute, rest, split) = separated(rest, 2)?;
    let seconds = separated(rest, 2).filter(|(_, _, split_again)| split == *split_again);
    let (second, rest) = seconds.map_or((None, rest), |(second, rest, _)| (Some(second), rest));
    let hour = match half_of_day(rest) {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    // Two numbers may be anything, unless they are told to be a time.
    let is_told = second.is_some() || half_of_day(rest).is_some();
    let second = second.unwrap_or(0);
    (is_told && hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
}

/// The hours to add for `AM` or `PM`, as macOS (behind a narrow space) and WhatsApp write them.
fn half_of_day(text: &[u8]) -> Option<u32> {
    let spaces: [&[u8]; 5] = [b" ", b"_", "\u{202f}".as_bytes(), "\u{a0}".as_bytes(), b""];
    let rest = spaces
        .into_iter()
        .find_map(|space| text.strip_prefix(space))?;
    let letters: Vec<u8> = rest
        .iter()
        .take(4)
        .filter(|byte| **byte != b'.')
        .copied()
        .collect();
    let (half, end) = (letters.get(..2)?.to_ascii_lowercase(), letters.get(2));
    if end.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    match half.as_slice() {
        b"am" => Some(0),
        b"pm" => Some(12),
        _ => None,
    }
}

/// A number, with the character that parts it from the one before, if one does.
fn separated(text: &[u8], n_digits: usize) -> Option<(u32, &[u8], Option<u8>)> {
    match text {
        [split @ (b'-' | b'_' | b'.' | b':' | b' '), rest @ ..] => {
            number(rest, n_digits).map(|(value, rest)| (value, rest, Some(*split)))
        }
        text => number(text, n_digits).map(|(value, rest)| (value, rest, None)),
    }
}

fn number(text: &[u8], n_digits: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(n_digits)?;
    let value = digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_tell_a_date() {
        for (name, expected) in [
            ("IMG_20210704_123059", "2021-07-04 12:30:59"),
            ("PXL_20210704_123059123", "2021-07-04 12:30:59"),
            ("VID-20210704-WA0001", "2021-07-04 12:00:00"),
            ("IMG-20210704-WA0001", "2021-07-04 12:00:00"),
            (
                "WhatsApp Image 2021-07-04 at 12.30.59",
                "2021-07-04 12:30:59",
            ),
            ("2021-07-04 12.30.59", "2021-07-04 12:30:59"),
            ("20210704", "2021-07-04 12:00:00"),
            ("Screenshot_20210704-123059", "2021-07-04 12:30:59"),
            ("signal-2021-07-04-123059", "2021-07-04 12:30:59"),
            ("photo_2021-07-04_12-30-59", "2021-07-04 12:30:59"),
            ("holiday 2021_07_04 (2)", "2021-07-04 12:00:00"),
            ("04.07.2021 12.30.59", "2021-07-04 12:30:59"),
            ("Oma 3.8 und 03.08.2019", "2019-08-03 12:00:00"),
            ("25-12-2019_08-15-00", "2019-12-25 08:15:00"),
            ("12-25-2019 party", "2019-12-25 12:00:00"),
            ("2021-07-04 at 1.05.09 PM", "2021-07-04 13:05:09"),
            ("2021-07-04 at 01.05.09 PM", "2021-07-04 13:05:09"),
            ("2021-07-04 at 12.05.09 AM", "2021-07-04 00:05:09"),
            ("2021-07-04 at 1.05.09\u{202f}PM (2)", "2021-07-04 13:05:09"),
            ("Foto 2021-07-04 1.05 p.m.", "2021-07-04 13:05:00"),
            ("2021-07-04 12.05.09 amber", "2021-07-04 12:05:09"),
        ] {
            let found = date(name).map(|moment| moment.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn names_that_tell_none() {
        for name in [
            "",
            "IMG_1234",
            "DSC00001",
            "20211304",
            "2021-0704",
            "20210230_120000",
            "123420210704",
            "20210704123",
            "18991231",
            "beach",
            "٢٠٢١٠٧٠٤",
        ] {
            assert_eq!(date(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_will_do(name in ".{0,40}") {
            date(&name);
        }
    }
}
