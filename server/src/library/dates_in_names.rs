//! Dates in the names of files, as cameras, phones and messengers write them.
//!
//! Pure. A run of digits is taken for a date only when it is one: year, month and day in range and,
//! where digits for it follow, a time of day.

use chrono::{NaiveDate, NaiveDateTime};

/// The moment that a name without its ending tells: `IMG_20210704_123000`, `PXL_20210704_123000123`,
/// `2021-07-04 12.30.00`, `IMG-20210704-WA0001` (WhatsApp, the day alone), `Screenshot_20210704-123000`,
/// `signal-2021-07-04-123000`, `photo_2021-07-04_12-30-00` (Telegram). A day alone counts as noon.
pub(super) fn date(stem: &str) -> Option<NaiveDateTime> {
    let bytes = stem.as_bytes();
    (0..bytes.len()).find_map(|start| {
        let is_first_digit =
            bytes[start].is_ascii_digit() && !(start > 0 && bytes[start - 1].is_ascii_digit());
        if is_first_digit {
            date_at(&bytes[start..])
        } else {
            None
        }
    })
}

fn date_at(text: &[u8]) -> Option<NaiveDateTime> {
    let (year, rest) = number(text, 4)?;
    let (month, rest, split) = separated(rest, 2)?;
    let (day, rest, split_again) = separated(rest, 2)?;
    // 2021-0704 is something else.
    if split != split_again || !(1900..=2099).contains(&year) {
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

/// Hours, minutes and seconds after one character, or none, that stands between.
fn time_at(text: &[u8]) -> Option<(u32, u32, u32)> {
    let text = match text {
        [b' ' | b'_' | b'-' | b'T' | b't', rest @ ..] => rest,
        other => other,
    };
    let text = text.strip_prefix(b"at ").unwrap_or(text);
    let (hour, rest) = number(text, 2)?;
    let (minute, rest, split) = separated(rest, 2)?;
    let (second, _, split_again) = separated(rest, 2)?;
    (split == split_again && hour < 24 && minute < 60 && second < 60)
        .then_some((hour, minute, second))
}

fn separated(text: &[u8], n_digits: usize) -> Option<(u32, &[u8], bool)> {
    match text {
        [b'-' | b'_' | b'.' | b':' | b' ', rest @ ..] => {
            number(rest, n_digits).map(|(value, rest)| (value, rest, true))
        }
        text => number(text, n_digits).map(|(value, rest)| (value, rest, false)),
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
