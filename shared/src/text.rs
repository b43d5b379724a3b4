//! Texts that go into header lines, checked by their types: no value can end a line or begin a
//! header of its own. Percent-encoding of free text is here as well, the meaning of headers is not.

use alloc::{borrow::Cow, borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

/// The limit of a content type, so that its line stays below the 128 bytes that ffmpeg reads.
const MAX_CONTENT_TYPE_BYTES: usize = 100;

/// A media type as it stands in a Content-Type header: printable ASCII with a `/`, at most 100
/// bytes, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentType(Cow<'static, str>);

/// A local time after ISO 8601 to the second, `2021-07-04T12:30:00`: when a photo was taken, as its
/// camera's clock had it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakenAt(String);

/// Why a text can't stand in a header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// The text is no media type of at most 100 printable ASCII characters.
    ContentType,
    /// The text is not of the form `YYYY-MM-DDThh:mm:ss`, or no date.
    TakenAt,
}

/// Whether a character only changes the direction in which others are read: embeddings, overrides
/// and isolates (Unicode 16, UAX #9, 2). Cameras and people don't type them; their use is to make a
/// text read as another one. Marks of direction, which Arabic and Hebrew texts do have, are none of
/// these.
pub const fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character belongs into words that people read: no control character, and none that
/// deceives.
pub fn is_readable(c: char) -> bool {
    !c.is_control() && !is_deceptive(c)
}

impl ContentType {
    /// The type `image/jpeg`, the only one that VLC and ffmpeg play.
    pub const JPEG: Self = Self(Cow::Borrowed("image/jpeg"));
    /// The type `application/octet-stream`, as which a part without a usable Content-Type is read.
    pub const UNKNOWN: Self = Self(Cow::Borrowed("application/octet-stream"));

    /// Takes `text` as it is.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let framed = text.trim() == text && text.as_bytes().contains(&b'/');
        if printable && framed && text.len() <= MAX_CONTENT_TYPE_BYTES {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(TextError::ContentType)
        }
    }

    /// The text, without CR or LF.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a JPEG, whatever its parameters; some cameras say `image/jpg`.
    pub fn is_jpeg(&self) -> bool {
        let essence = self.0.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("image/jpeg") || essence.eq_ignore_ascii_case("image/jpg")
    }
}

impl TakenAt {
    /// Takes `text` if it is a date and time of day (the day is held to 31, not to its month).
    pub fn new(text: &str) -> Result<Self, TextError> {
        let shape = b"dddd-dd-ddTdd:dd:dd";
        let fits = text.len() == shape.len()
            && text.bytes().zip(shape).all(|(b, &s)| {
                if s == b'd' {
                    b.is_ascii_digit()
                } else {
                    b == s
                }
            });
        let within = |at: usize, low: u8, high: u8| {
            text.get(at..at + 2)
                .and_then(|t| t.parse().ok())
                .is_some_and(|n: u8| (low..=high).contains(&n))
        };
        // A second of 60 is a leap second.
        if fits
            && within(5, 1, 12)
            && within(8, 1, 31)
            && within(11, 0, 23)
            && within(14, 0, 59)
            && within(17, 0, 60)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::TakenAt)
        }
    }

    /// The time as `YYYY-MM-DDThh:mm:ss`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The default is [`ContentType::UNKNOWN`].
impl Default for ContentType {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TakenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => {
                "a content type is up to 100 printable ascii characters with a slash"
            }
            Self::TakenAt => "a local time is written YYYY-MM-DDThh:mm:ss",
        })
    }
}

impl core::error::Error for TextError {}

/// Appends `text` in a form that a header line can hold: all but printable ASCII, the space and `%`
/// become `%XX`.
pub(crate) fn percent_encode(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(byte);
        } else {
            out.extend([
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
    }
}

/// The text behind `encoded`; `None` if it isn't UTF-8 or a `%` has no two hex digits.
pub(crate) fn percent_decode(encoded: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let mut nibble = || rest.next().and_then(|&b| char::from(b).to_digit(16));
            let (high, low) = (nibble()?, nibble()?);
            out.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_content_type_can_not_begin_a_header() {
        for bad in [
            "",
            "image",
            "image/jpeg\r\nX-Slide: 9",
            "image/jpeg\n",
            " a/b",
            "a/b ",
            "a/ü",
            "a/\0b",
        ] {
            assert_eq!(
                ContentType::new(bad),
                Err(TextError::ContentType),
                "{bad:?}"
            );
        }
        let long = |n: usize| std::format!("a/{}", "x".repeat(n - 2));
        assert!(ContentType::new(&long(100)).is_ok());
        assert!(ContentType::new(&long(101)).is_err());
    }

    #[test]
    fn tells_a_jpeg() {
        for yes in [
            "image/jpeg",
            "Image/JPEG",
            "image/jpg",
            "image/jpeg; charset=binary",
        ] {
            assert!(ContentType::new(yes).unwrap().is_jpeg(), "{yes}");
        }
        assert!(!ContentType::new("image/jpegx").unwrap().is_jpeg());
        assert!(!ContentType::UNKNOWN.is_jpeg());
    }

    #[test]
    fn a_local_time_is_a_local_time() {
        for good in [
            "2021-07-04T12:30:00",
            "0001-01-31T00:00:60",
            "9999-12-31T23:59:59",
        ] {
            assert_eq!(TakenAt::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2021-07-04",
            "2021-07-04 12:30:00",
            "2021-07-04T12:30:00Z",
            "2021:07:04T12:30:00",
            "2021-00-04T12:30:00",
            "2021-13-04T12:30:00",
            "2021-07-00T12:30:00",
            "2021-07-32T12:30:00",
            "2021-07-04T24:30:00",
            "2021-07-04T12:60:00",
            "2021-07-04T12:30:61",
            "2021-07-04T12:30:0\n",
            "٢٠٢١-07-04T12:",
        ] {
            assert_eq!(TakenAt::new(bad), Err(TextError::TakenAt), "{bad:?}");
        }
    }

    #[test]
    fn broken_percent_signs_are_no_text() {
        for bad in [&b"%"[..], b"a%2", b"%zz", b"%+1", b"%ff", b"%C3", b"\xff"] {
            assert_eq!(percent_decode(bad), None, "{bad:?}");
        }
        assert_eq!(percent_decode(b"G%c3%BC+%25").unwrap(), "Gü+%");
    }

    proptest! {
        #[test]
        fn any_text_survives_a_header_line(text in any::<String>()) {
            let mut line = Vec::new();
            percent_encode(&text, &mut line);
            prop_assert!(line.iter().all(u8::is_ascii_graphic));
            prop_assert_eq!(percent_decode(&line), Some(text));
        }
    }
}
