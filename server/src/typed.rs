//! Values as people type them, in options, files and addresses alike: durations, on and off.
//!
//! Pure.

/// The sentence about a duration that is none.
const HINT: &str = "a duration is a number with ms, s, m or h, like 500ms, 8s or 2m";
/// The sentence about a duration that nobody means.
pub const TOO_LONG: &str = "that is longer than a month";

const MAX_MILLIS: f64 = 31.0 * 24.0 * 3_600_000.0;

/// Reads `500ms`, `8s`, `1.5s`, `2m` or `1h`; a bare number is seconds.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn millis(text: &str) -> Result<u64, &'static str> {
    let lower = text.trim().to_ascii_lowercase();
    let split = lower
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(split);
    let unit_millis = match unit.trim() {
        "ms" => 1.0,
        "s" | "" => 1000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err(HINT),
    };
    let value = number.parse::<f64>().map_err(|_| HINT)? * unit_millis;
    if value > MAX_MILLIS {
        return Err(TOO_LONG);
    }
    // Not negative: a sign is no digit.
    #[expect(clippy::cast_sign_loss)]
    Ok(value.round() as u64)
}

/// A duration as [`millis`] reads it.
pub fn span(millis: u64) -> String {
    if millis.is_multiple_of(1000) {
        format!("{}s", millis / 1000)
    } else {
        format!("{millis}ms")
    }
}

/// Reads `on` or `off`.
pub fn on_or_off(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("500ms", 500),
            ("8s", 8000),
            ("2m", 120_000),
            ("1.5s", 1500),
            ("7", 7000),
            ("1H", 3_600_000),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
            assert_eq!(millis(&span(expected)), Ok(expected), "{text}");
        }
        for text in [
            "",
            "s",
            "-3s",
            "1..2s",
            "5 parsecs",
            "1e9s",
            "99999999999999999999h",
        ] {
            assert!(millis(text).is_err(), "{text}");
        }
    }
}
