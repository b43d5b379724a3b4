//! IPTC's older form of captions, keywords and dates (IIM 4.2), as Photoshop's resources hold it in JPEGs.
//!
//! Pure and bounded; what is malformed ends the reading, and what was read before it counts.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::xmp::{Place, Xmp};

/// The resource that holds IPTC's datasets.
const IPTC: u16 = 0x0404;
/// More datasets than anybody fills in.
const MAX_DATASETS: usize = 512;
const MAX_RESOURCES: usize = 256;

/// The facts in Photoshop's resources (in JPEGs) or in IPTC's datasets alone (in TIFFs), in the words of XMP.
pub(super) fn read(bytes: &[u8]) -> Xmp {
    if bytes.starts_with(b"8BIM") {
        resource(bytes).map(datasets).unwrap_or_default()
    } else {
        datasets(bytes)
    }
}

/// The bytes of IPTC's resource among others: `8BIM`, number, padded name, length, padded bytes.
fn resource(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_RESOURCES {
        rest = rest.strip_prefix(b"8BIM")?;
        let (number, after) = rest.split_at_checked(2)?;
        let n_name = usize::from(*after.first()?);
        let after = after.get((n_name + 2) / 2 * 2..)?;
        let (length, after) = after.split_at_checked(4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if u16::from_be_bytes([number[0], number[1]]) == IPTC {
            return Some(&after[..length.min(after.len())]);
        }
        rest = after.get(length.checked_add(length % 2)?..)?;
    }
    None
}

/// Reads datasets: mark, record, number, length, bytes.
fn datasets(mut rest: &[u8]) -> Xmp {
    let mut found = Xmp::default();
    let (mut is_utf8, mut day, mut time) = (false, None, None);
    let mut place = [const { None::<String> }; 5];
    for _ in 0..MAX_DATASETS {
        let [0x1c, record, number, high, low, after @ ..] = rest else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // A length of 32 768 and more is that of a longer length, which texts don't have.
        let Some((value, after)) = after.split_at_checked(length) else {
            break;
        };
        rest = after;
        let text = || text(value, is_utf8);
        match (record, number) {
            (1, 90) => is_utf8 = value == b"\x1b%G",
            (2, 5) => found.title = found.title.take().or_else(text),
            (2, 25) => found.keywords.extend(text()),
            (2, 55) => {
                day = text().and_then(|text| NaiveDate::parse_from_str(&text, "%Y%m%d").ok())
            }
            (2, 60) => time = text().as_deref().and_then(clock),
            (2, 92) => place[0] = text(),
            (2, 90) => place[1] = text(),
            (2, 95) => place[2] = text(),
            (2, 101) => place[3] = text(),
            (2, 100) => place[4] = text(),
            (2, 120) => found.description = found.description.take().or_else(text),
            _ => {}
        }
    }
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    found.taken = day.map(|day| NaiveDateTime::new(day, time.unwrap_or(noon)));
    let [location, city, region, country, country_code] = place;
    found.place = Place {
        location,
        city,
        region,
        country,
        country_code,
    };
    found
}

/// `080910+0000`: the local time counts.
fn clock(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text.get(..6)?, "%H%M%S").ok()
}

/// Text in UTF-8 where it says so or is; else in Latin 1, which is what most wrote that said nothing.
fn text(value: &[u8], is_utf8: bool) -> Option<String> {
    let text = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) if is_utf8 => String::from_utf8_lossy(value).into_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    super::metadata::sentence(text.trim_matches('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[0x1c, record, number][..], &length, value].concat()
    }

    fn resources(datasets: &[u8]) -> Vec<u8> {
        let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
        // Another resource of an odd length, and one with a name, come first.
        let mut bytes = b"8BIM\x04\x25\0\0".to_vec();
        bytes.extend(length(3));
        bytes.extend(b"md5\0");
        bytes.extend(b"8BIM\x03\xed\x04name\0");
        bytes.extend(length(0));
        bytes.extend(b"8BIM\x04\x04\0\0");
        bytes.extend(length(datasets.len()));
        bytes.extend(datasets);
        bytes
    }

    #[test]
    fn captions_keywords_places_and_dates_are_read() {
        let all = [
            dataset(1, 90, b"\x1b%G"),
            dataset(2, 5, b"Summer"),
            dataset(2, 25, "Müller".as_bytes()),
            dataset(2, 25, b"lake"),
            dataset(2, 55, b"19750607"),
            dataset(2, 60, b"080910+0000"),
            dataset(2, 90, "Zürich".as_bytes()),
            dataset(2, 101, b"Switzerland"),
            dataset(2, 120, b"Grandma at the lake"),
        ]
        .concat();
        assert_eq!(read(&resources(&all)), read(&all));
        let found = read(&all);
        assert_eq!(found.description.as_deref(), Some("Grandma at the lake"));
        assert_eq!(found.title.as_deref(), Some("Summer"));
        assert_eq!(found.keywords, ["Müller", "lake"]);
        assert_eq!(found.taken.unwrap().to_string(), "1975-06-07 08:09:10");
        assert_eq!(found.place.name().as_deref(), Some("Zürich, Switzerland"));
    }

    #[test]
    fn texts_that_name_no_characters_are_utf_8_or_latin_1() {
        let one = |value: &[u8]| read(&dataset(2, 120, value)).description.unwrap();
        assert_eq!(one("Äpfel".as_bytes()), "Äpfel");
        assert_eq!(one(b"\xc4pfel"), "Äpfel");
    }

    #[test]
    fn what_is_cut_anywhere_says_what_is_left_of_it() {
        let whole = resources(&[dataset(2, 25, b"cats"), dataset(2, 120, b"A caption")].concat());
        for end in 0..=whole.len() {
            let found = read(&whole[..end]);
            assert!(found.keywords.len() <= 1);
        }
        assert_eq!(read(&[0x1c, 2, 120, 0xff, 0xff, 1, 2]), Xmp::default());
    }
}
