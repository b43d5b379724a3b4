//! The boundary that separates parts, and the Content-Type that announces it. No searching here:
//! that is the decoder's.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;

/// The length of the longest boundary that RFC 2046 allows, in bytes. With its two dashes it is
/// also the longest that ffmpeg reads.
const MAX_BYTES: usize = 70;

/// A boundary after RFC 2046, section 5.1.1: 1 to 70 of `0-9 A-Z a-z ' ( ) + _ , - . / : = ?` and
/// space, not ending in a space. It is what the `boundary` parameter says, without the two dashes
/// that go before it on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Boundary(String);

/// Why a text is no [`Boundary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundaryError {
    /// The Content-Type has no `boundary` parameter.
    Missing,
    /// The boundary is empty.
    Empty,
    /// The boundary has this many bytes, more than 70.
    TooLong(usize),
    /// A character that RFC 2046 doesn't allow, or a space at the end.
    BadCharacter(char),
}

impl Boundary {
    /// Takes `text` as it is.
    pub fn new(text: &str) -> Result<Self, BoundaryError> {
        let allowed = |c: char| {
            // Not `str::contains`: its search for non-ASCII characters would weigh 5 KB in the viewer.
            c.is_ascii_alphanumeric() || (c.is_ascii() && b"'()+_,-./:=? ".contains(&(c as u8)))
        };
        if text.is_empty() {
            return Err(BoundaryError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(BoundaryError::TooLong(text.len()));
        }
        if let Some(bad) = text.chars().find(|&c| !allowed(c)) {
            return Err(BoundaryError::BadCharacter(bad));
        }
        if text.ends_with(' ') {
            return Err(BoundaryError::BadCharacter(' '));
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads the `boundary` parameter of a Content-Type value: quoted or not, wherever it stands,
    /// its name in any case. The media type itself is not looked at. Dashes that the sender has
    /// already put before it stay; the decoder then reads the body both with and without two more.
    pub fn from_content_type(value: &str) -> Result<Self, BoundaryError> {
        let mut rest = value;
        loop {
            rest = past_semicolon(rest).ok_or(BoundaryError::Missing)?;
            let Some((name, after)) = rest.split_once('=') else {
                return Err(BoundaryError::Missing);
            };
            if !name.trim().eq_ignore_ascii_case("boundary") {
                continue;
            }
            let after = after.trim_start();
            return match after.strip_prefix('"') {
                Some(quoted) => Self::new(&unquote(quoted)),
                None => Self::new(after.split(';').next().unwrap_or_default().trim()),
            };
        }
    }

    /// The boundary as the parameter says it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Content-Type of a stream of pictures. `boundary` is the first parameter, since Firefox
    /// wants it there; it is quoted only where it has to be, since VLC and many cameras' clients
    /// don't unquote.
    pub fn content_type(&self) -> String {
        let is_token =
            |c: char| c.is_ascii() && !c.is_ascii_control() && !"()<>@,;:\\\"/[]?= ".contains(c);
        if self.0.chars().all(is_token) {
            format!("multipart/x-mixed-replace; boundary={}", self.0)
        } else {
            format!("multipart/x-mixed-replace; boundary=\"{}\"", self.0)
        }
    }
}

/// Mantel's own boundary: long enough that no photo contains it by chance, and of characters that
/// every client reads unquoted.
impl Default for Boundary {
    fn default() -> Self {
        Self("mantel-frame-3f9c1e7a5b2d48608d41c7e9".to_owned())
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BoundaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the content type names no boundary"),
            Self::Empty => f.write_str("the boundary is empty"),
            Self::TooLong(n) => write!(f, "the boundary has {n} bytes, at most 70 are allowed"),
            Self::BadCharacter(c) => write!(f, "the boundary can't contain {c:?} there"),
        }
    }
}

impl core::error::Error for BoundaryError {}

/// The text after the next semicolon that isn't inside quotes.
fn past_semicolon(text: &str) -> Option<&str> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

/// The content of a quoted string, from after its opening quote; a missing closing quote is
/// forgiven.
fn unquote(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn takes_what_the_rfc_allows() {
        for good in [
            "b",
            "gc0pJq0M:08jU534c0p",
            "--video boundary--",
            "a'()+_,-./:=?z",
        ] {
            assert_eq!(Boundary::new(good).unwrap().as_str(), good);
        }
        assert!(Boundary::new(&"x".repeat(70)).is_ok());
        assert_eq!(
            Boundary::new(&"x".repeat(71)),
            Err(BoundaryError::TooLong(71))
        );
        assert_eq!(Boundary::new(""), Err(BoundaryError::Empty));
        assert_eq!(Boundary::new("a "), Err(BoundaryError::BadCharacter(' ')));
        assert_eq!(
            Boundary::new("a\r\nb"),
            Err(BoundaryError::BadCharacter('\r'))
        );
        assert_eq!(Boundary::new("ä"), Err(BoundaryError::BadCharacter('ä')));
    }

    #[test]
    fn reads_the_parameter_as_servers_write_it() {
        for (value, boundary) in [
            (
                "multipart/x-mixed-replace;boundary=boundarydonotcross",
                "boundarydonotcross",
            ),
            ("multipart/x-mixed-replace; boundary=frame", "frame"),
            (
                "multipart/x-mixed-replace; boundary=--myboundary",
                "--myboundary",
            ),
            (
                "multipart/x-mixed-replace;BOUNDARY=\"BoundaryString\"",
                "BoundaryString",
            ),
            ("multipart/x-mixed-replace; boundary = \"a;b\"", "a"),
            (
                "multipart/x-mixed-replace; charset=\"x;boundary=no\"; Boundary=yes ; q=1",
                "yes",
            ),
            ("multipart/x-mixed-replace; boundary=\"a\\=b\"; x=y", "a=b"),
            ("multipart/x-mixed-replace; boundary=\"open", "open"),
            (
                "multipart/x-mixed-replace;boundary=--video boundary--",
                "--video boundary--",
            ),
            ("; boundary=x", "x"),
        ] {
            let read = Boundary::from_content_type(value);
            if value.contains("a;b") {
                assert_eq!(read, Err(BoundaryError::BadCharacter(';')), "{value}");
            } else {
                assert_eq!(read.unwrap().as_str(), boundary, "{value}");
            }
        }
        for none in [
            "",
            "image/jpeg",
            "multipart/x-mixed-replace",
            "a/b; boundaries=x",
            "a/b; x",
        ] {
            assert_eq!(
                Boundary::from_content_type(none),
                Err(BoundaryError::Missing),
                "{none}"
            );
        }
        for empty in ["a/b; boundary=", "a/b; boundary=\"\"", "a/b; boundary=;x=y"] {
            assert_eq!(
                Boundary::from_content_type(empty),
                Err(BoundaryError::Empty),
                "{empty}"
            );
        }
    }

    #[test]
    fn its_own_content_type_reads_back() {
        for text in [
            "frame",
            "a b",
            "a:b/c",
            "--x--",
            Boundary::default().as_str(),
        ] {
            let boundary = Boundary::new(text).unwrap();
            assert_eq!(
                Boundary::from_content_type(&boundary.content_type()).unwrap(),
                boundary
            );
        }
        let plain = Boundary::default().content_type();
        assert!(
            plain.starts_with("multipart/x-mixed-replace; boundary=mantel-"),
            "{plain}"
        );
        assert_eq!(
            Boundary::new("a b").unwrap().content_type(),
            "multipart/x-mixed-replace; boundary=\"a b\""
        );
        assert!(Boundary::default().to_string().len() <= MAX_BYTES);
    }
}
