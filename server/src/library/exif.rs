//! The meaning of EXIF's tags in the library's words: dates in every form that cameras and scanners write, camera,
//! position, words.
//!
//! Pure. Which bytes are EXIF, `render` finds; whose word counts, `metadata` decides.

use chrono::NaiveDateTime;

use super::{
    dates,
    facts::Position,
    metadata::{self, Metadata, sentence, stars},
};
use crate::render::{
    Directory::{self, Exif, Gps, Main},
    Tags, Value,
};

const DESCRIPTION: (Directory, u16) = (Main, 0x010e);
const MAKE: (Directory, u16) = (Main, 0x010f);
const MODEL: (Directory, u16) = (Main, 0x0110);
const MODIFIED: (Directory, u16) = (Main, 0x0132);
/// The rating as EXIF has it since Windows Vista; not in any standard, in many files.
const RATING: (Directory, u16) = (Main, 0x4746);
/// The words of Windows' Explorer, in UTF-16.
const XP_TITLE: (Directory, u16) = (Main, 0x9c9b);
const XP_COMMENT: (Directory, u16) = (Main, 0x9c9c);
const XP_KEYWORDS: (Directory, u16) = (Main, 0x9c9e);
const ORIGINAL: (Directory, u16) = (Exif, 0x9003);
const DIGITIZED: (Directory, u16) = (Exif, 0x9004);
const COMMENT: (Directory, u16) = (Exif, 0x9286);
const LATITUDE_REF: (Directory, u16) = (Gps, 1);
const LATITUDE: (Directory, u16) = (Gps, 2);
const LONGITUDE_REF: (Directory, u16) = (Gps, 3);
const LONGITUDE: (Directory, u16) = (Gps, 4);
const GPS_TIME: (Directory, u16) = (Gps, 7);
const GPS_DATE: (Directory, u16) = (Gps, 29);

/// The tags that are asked for.
pub(super) const WANTED: [(Directory, u16); 17] = [
    DESCRIPTION,
    MAKE,
    MODEL,
    MODIFIED,
    RATING,
    XP_TITLE,
    XP_COMMENT,
    XP_KEYWORDS,
    ORIGINAL,
    DIGITIZED,
    COMMENT,
    LATITUDE_REF,
    LATITUDE,
    LONGITUDE_REF,
    LONGITUDE,
    GPS_TIME,
    GPS_DATE,
];

/// The facts that the tags state.
pub(super) fn read(tags: &Tags) -> Metadata {
    let get = |(directory, tag)| tags.get(directory, tag);
    let bytes = |tag| match get(tag)? {
        Value::Bytes(bytes) => Some(bytes.as_slice()),
        _ => None,
    };
    let text = |tag| bytes(tag).map(text_of);
    let moment = |tag| dates::moment(&text(tag)?);
    let explorers = |tag| bytes(tag).map(utf16);
    let numbers = |tag| match get(tag)? {
        Value::Numbers(numbers) => numbers.first().copied(),
        _ => None,
    };
    let fractions = |tag| match get(tag)? {
        Value::Fractions(fractions) => Some(fractions.as_slice()),
        _ => None,
    };
    let degrees = |tag, reference, other: [char; 2]| {
        let mut parts = fractions(tag)?.iter().zip([1.0, 60.0, 3600.0]);
        let sum = parts.try_fold(0.0, |sum, (part, scale)| {
            // Seconds that are left out are 0/0.
            (part.is_finite() || scale > 1.0)
                .then(|| sum + if part.is_finite() { part / scale } else { 0.0 })
        })?;
        let is_other = text(reference).is_some_and(|text| text.trim().starts_with(other));
        Some(if is_other { -f64::abs(sum) } else { sum })
    };
    Metadata {
        original: moment(ORIGINAL),
        digitized: moment(DIGITIZED),
        modified: moment(MODIFIED),
        gps_taken: text(GPS_DATE).and_then(|day| gps_moment(&day, fractions(GPS_TIME))),
        camera: metadata::camera(
            text(MAKE).as_deref().and_then(sentence),
            text(MODEL).as_deref().and_then(sentence),
        ),
        position: position(
            degrees(LATITUDE, LATITUDE_REF, ['S', 's']),
            degrees(LONGITUDE, LONGITUDE_REF, ['W', 'w']),
        ),
        description: text(DESCRIPTION).as_deref().and_then(sentence),
        rating: numbers(RATING).and_then(|number| stars(i64::try_from(number).ok()?)),
        title: explorers(XP_TITLE).as_deref().and_then(sentence),
        comment: explorers(XP_COMMENT)
            .as_deref()
            .and_then(sentence)
            .or_else(|| sentence(&comment(bytes(COMMENT)?)?)),
        keywords: explorers(XP_KEYWORDS)
            .map(|all| all.split(';').filter_map(sentence).collect())
            .unwrap_or_default(),
        ..Metadata::default()
    }
}

fn position(latitude: Option<f64>, longitude: Option<f64>) -> Option<Position> {
    metadata::position(latitude?, longitude?)
}

/// Text up to its end: UTF-8, as most write, else Latin 1.
fn text_of(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    String::from_utf16_lossy(&units)
}

/// The words behind the eight bytes that name their characters.
fn comment(bytes: &[u8]) -> Option<String> {
    let (code, words) = bytes.split_at_checked(8)?;
    match code {
        b"ASCII\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0] => Some(text_of(words)),
        b"UNICODE\0" => {
            // In the file's order of bytes, which half of all writers don't keep to: letters are mostly small numbers.
            let is_big =
                words.chunks_exact(2).filter(|unit| unit[0] == 0).count() * 2 > words.len() / 2;
            let swapped: Vec<u8> = if is_big {
                words
                    .chunks_exact(2)
                    .flat_map(|unit| [unit[1], unit[0]])
                    .collect()
            } else {
                words.to_vec()
            };
            Some(utf16(&swapped))
        }
        _ => None,
    }
}

/// By the satellites' clock; a day without its time is noon.
fn gps_moment(day: &str, time: Option<&[f64]>) -> Option<NaiveDateTime> {
    let noon = dates::moment(day)?;
    let part = |at: usize| {
        let part = *time?.get(at)?;
        // A cast cuts off what is below zero or no number.
        #[expect(clippy::cast_sign_loss)]
        part.is_finite().then_some(part as u32)
    };
    let exact = || noon.date().and_hms_opt(part(0)?, part(1)?, part(2)?);
    Some(exact().unwrap_or(noon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_satellites_without_a_time_is_noon() {
        assert_eq!(
            gps_moment("2012:12:22", None).unwrap().to_string(),
            "2012-12-22 12:00:00"
        );
        let time = [9.0, 8.0, 7.5];
        assert_eq!(
            gps_moment("2012:12:22", Some(&time)).unwrap().to_string(),
            "2012-12-22 09:08:07"
        );
        assert_eq!(
            gps_moment("2012:12:22", Some(&[f64::NAN]))
                .unwrap()
                .to_string(),
            "2012-12-22 12:00:00"
        );
    }

    #[test]
    fn comments_are_read_in_either_order_of_bytes() {
        let words = |units: Vec<u8>| comment(&[&b"UNICODE\0"[..], &units].concat()).unwrap();
        let text = "Grüße, Москва";
        assert_eq!(
            words(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            text
        );
        assert_eq!(
            words(
                "Grüße vom See"
                    .encode_utf16()
                    .flat_map(u16::to_be_bytes)
                    .collect()
            ),
            "Grüße vom See"
        );
        assert_eq!(
            comment(b"ASCII\0\0\0by the lake\0\0").as_deref(),
            Some("by the lake")
        );
        assert_eq!(comment(b"JIS\0"), None);
    }
}
