//! Numbers for people, without the floating-point half of `core::fmt`, which alone would weigh
//! as much as the rest of the viewer.
//!
//! Never a sentence or a label: only digits and units.

/// `value` with `n_decimals` (at most 3), rounded half away from zero; `–` when it is not finite.
pub fn fixed(value: f64, n_decimals: u32) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let scale = 10_u64.pow(n_decimals.min(3));
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "abs; at most 1000"
    )]
    let scaled = (value.abs() * scale as f64).round() as u64;
    let sign = if value < 0.0 && scaled > 0 { "−" } else { "" };
    let (whole, part) = (scaled / scale, scaled % scale);
    if n_decimals == 0 {
        return format!("{sign}{whole}");
    }
    // One more digit in front keeps the zeros.
    let digits = (scale + part).to_string();
    format!("{sign}{whole}.{}", digits.get(1..).unwrap_or_default())
}

/// A number of bytes with three significant digits or so: `812 B`, `35.1 KB`, `2.4 GB`.
pub fn bytes(count: f64) -> String {
    let mut value = count;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 {
            let n_decimals = u32::from(value < 100.0 && unit != "B");
            return format!("{} {unit}", fixed(value, n_decimals));
        }
        value /= 1000.0;
    }
    format!("{} TB", fixed(value, 1))
}

/// A length of time given in milliseconds: `4 ms`, `0.8 ms`, `12.3 s`, `3 min`, `2.5 h`.
pub fn duration(millis: f64) -> String {
    match millis.abs() {
        size if size < 10.0 => format!("{} ms", fixed(millis, 1)),
        size if size < 1000.0 => format!("{} ms", fixed(millis, 0)),
        size if size < 120_000.0 => format!("{} s", fixed(millis / 1000.0, 1)),
        size if size < 7_200_000.0 => format!("{} min", fixed(millis / 60_000.0, 0)),
        _ => format!("{} h", fixed(millis / 3_600_000.0, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (value, n_decimals, wanted) in [
            (0.0, 0, "0"),
            (0.05, 1, "0.1"),
            (-0.04, 1, "0.0"),
            (-0.06, 1, "−0.1"),
            (59.94, 1, "59.9"),
            (59.96, 1, "60.0"),
            (7.0, 2, "7.00"),
            (7.005_1, 2, "7.01"),
            (1234.5, 0, "1235"),
            (f64::NAN, 1, "–"),
            (f64::INFINITY, 1, "–"),
            (1e300, 0, "18446744073709551615"),
        ] {
            assert_eq!(fixed(value, n_decimals), wanted, "{value}");
        }
    }

    #[test]
    fn counts_of_bytes() {
        for (count, wanted) in [
            (0.0, "0 B"),
            (812.0, "812 B"),
            (35_100.0, "35.1 KB"),
            (351_000.0, "351 KB"),
            (2.4e9, "2.4 GB"),
            (7e12, "7.0 TB"),
        ] {
            assert_eq!(bytes(count), wanted);
        }
    }

    #[test]
    fn lengths_of_time() {
        for (millis, wanted) in [
            (0.84, "0.8 ms"),
            (42.4, "42 ms"),
            (-3.0, "−3.0 ms"),
            (12_340.0, "12.3 s"),
            (600_000.0, "10 min"),
            (9_000_000.0, "2.5 h"),
        ] {
            assert_eq!(duration(millis), wanted);
        }
    }
}
