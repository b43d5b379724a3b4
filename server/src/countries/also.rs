//! Countries and towns by all their names: what people may call the place that they look for.

use std::io::Read;

use super::{NAMES, by_country, in_all_languages};

/// GeoNames' other names of towns; `server/assets/names/also.py` tells the form.
static ALSO: &[u8] = include_bytes!("../../assets/names/also.bin");

/// Other names of towns, unpacked: 6 MB that nobody needs for long.
#[derive(Debug, Default)]
pub(crate) struct Also(String);

impl Also {
    /// Unpacks the names, in some hundredths of a second.
    pub(crate) fn unpacked() -> Self {
        let mut text = String::new();
        // What can't be unpacked names nothing; a test unpacks it.
        match flate2::read::ZlibDecoder::new(ALSO).read_to_string(&mut text) {
            Ok(_) => Self(text),
            Err(_) => Self::default(),
        }
    }

    /// The other names of a place that ends in a country's code: those of the country, and of the town.
    pub(crate) fn of<'a>(&'a self, place: &str) -> Vec<&'a str> {
        let (rest, code) = place.rsplit_once(", ").unwrap_or(("", place));
        if NAMES.binary_search_by_key(&code, |(code, _)| code).is_err() {
            return Vec::new();
        }
        let town = rest.split(", ").next().unwrap_or_default();
        let key = format!("{code}/{town}");
        let mut names: Vec<&'a str> = Vec::new();
        for key in [code, key.as_str()] {
            for name in in_all_languages(key) {
                names.push(name);
            }
        }
        if let Some(name) = by_country(code) {
            names.push(name);
        }
        names.extend(self.of_town(&key));
        names
    }

    fn of_town<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let line = line_of(&self.0, key).unwrap_or_default();
        line.split('\t').skip(1)
    }
}

/// The line that begins with `key` and a tab, of lines in order.
fn line_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (mut from, mut until) = (0, text.len());
    while from < until {
        // The line in the middle, whole.
        let middle = from + (until - from) / 2;
        let bytes = text.as_bytes();
        let start = bytes[from..middle].iter().rposition(|byte| *byte == b'\n');
        let start = start.map_or(from, |at| from + at + 1);
        let end = bytes[start..until].iter().position(|byte| *byte == b'\n');
        let end = end.map_or(until, |at| start + at);
        let line = text.get(start..end)?;
        match line.split('\t').next().unwrap_or_default().cmp(key) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => from = (end + 1).min(until),
            std::cmp::Ordering::Greater => until = start.saturating_sub(1).max(from),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_town_is_found_by_its_line_and_no_other() {
        let also = Also::unpacked();
        let keys: Vec<&str> = also
            .0
            .lines()
            .map(|line| line.split('\t').next().unwrap())
            .collect();
        assert!(keys.len() > 90_000 && keys.is_sorted_by(|a, b| a < b));
        // Some of them: all would take a while.
        for line in also.0.lines().step_by(31) {
            let (key, names) = line.split_once('\t').unwrap();
            assert!(also.of_town(key).eq(names.split('\t')), "{key}");
            for other in [&key[..2], &format!("{key}x"), ""] {
                assert_eq!(line_of(&also.0, other), None, "{other}");
            }
        }
        assert_eq!(line_of("", "DE/Munich"), None);
        assert_eq!(line_of("a\tb", "a"), Some("a\tb"));
    }

    #[test]
    fn a_place_has_the_names_of_its_town_and_its_country() {
        let also = Also::unpacked();
        for (place, called) in [
            ("Munich, Bavaria, DE", "München"),
            ("Munich, Bavaria, DE", "Monaco di Baviera"),
            ("Munich, Bavaria, DE", "Deutschland"),
            ("Munich, Bavaria, DE", "Germany"),
            ("Vipiteno, Trentino-Alto Adige, IT", "Sterzing"),
            ("Karlovy Vary, CZ", "Karlsbad"),
            ("Bled, SI", "Veldes"),
            ("Kyoto, JP", "京都市"),
            ("Kyoto, JP", "Japon"),
            ("DE", "Allemagne"),
        ] {
            assert!(also.of(place).contains(&called), "{place}: {called}");
        }
        assert!(!also.of("Munich, North Dakota, US").contains(&"München"));
        // Names that somebody wrote in full stay as they are.
        for place in ["", "At home", "Munich, Bavaria, Germany", "Munich, "] {
            assert_eq!(also.of(place), [""; 0], "{place}");
        }
    }
}
