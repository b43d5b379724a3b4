//! Delimiters in bytes that lie side by side: how they look and how they are found. Nothing here
//! knows about chunks.

use alloc::vec::Vec;
#[cfg(not(target_arch = "wasm32"))]
use memchr::memmem::Finder;

#[cfg(target_arch = "wasm32")]
use super::finder::Finder;

use crate::Boundary;

/// The limit of spaces and tabs between a boundary and the end of its line (RFC 2046's
/// transport-padding, which has no limit there).
const MAX_LINE_PADDING: usize = 32;

/// The length of the longest delimiter: a newline, dashes, a boundary, padding, a newline.
pub(super) const MAX_BYTES: usize = 2 + 2 + 70 + MAX_LINE_PADDING + 2;

/// Finds the delimiters of one stream.
#[derive(Clone, Debug)]
pub(super) struct Delimiter {
    /// The finder of two dashes and the boundary, as on the wire; until the first delimiter of a
    /// sender whose boundary begins with dashes was seen, of the shorter of two possible forms.
    finder: Finder<'static>,
    /// The longer form, as long as both are possible.
    longer: Option<Vec<u8>>,
}

/// A delimiter that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The offset of its beginning; the newline before it belongs to it.
    pub(super) start: usize,
    /// The offset of its end; the newline after it belongs to it, unless it closes.
    pub(super) end: usize,
    /// Whether it is a close-delimiter.
    pub(super) closes: bool,
    longer: bool,
}

/// The outcome of a search.
pub(super) enum Scan {
    Found(Found),
    /// No delimiter was found, but from this offset on one may have begun; the length of the hay if
    /// none has.
    Open(usize),
}

/// The outcome of a look at one place.
pub(super) enum Look {
    Found(Found),
    /// The bytes so far are the beginning of one; whether it is one depends on the bytes to come.
    Open,
    Nothing,
}

enum Tail {
    Whole { len: usize, closes: bool },
    Open,
    Other,
}

impl Delimiter {
    pub(super) fn new(boundary: &Boundary) -> Self {
        let text = boundary.as_str();
        let mut longer = b"--".to_vec();
        longer.extend_from_slice(text.as_bytes());
        // A boundary of dashes alone has one form: the shorter would be found inside the longer.
        if text.starts_with("--") && text.contains(|c| c != '-') {
            let finder = Finder::new(text).into_owned();
            Self {
                finder,
                longer: Some(longer),
            }
        } else {
            Self {
                finder: Finder::new(&longer).into_owned(),
                longer: None,
            }
        }
    }

    /// Settles on the form that the sender uses: that of the first delimiter found.
    pub(super) fn settle(&mut self, found: &Found) {
        if let Some(longer) = self.longer.take()
            && found.longer
        {
            self.finder = Finder::new(&longer).into_owned();
        }
    }

    /// Searches for the first delimiter in `hay`, with CR LF, LF or nothing before it.
    pub(super) fn scan(&self, hay: &[u8]) -> Scan {
        let needle = self.finder.needle();
        let mut from = 0;
        while let Some(at) = self.finder.find(&hay[from..]) {
            let at = from + at;
            let after = at + needle.len();
            match tail(&hay[after..]) {
                Tail::Whole { len, closes } => {
                    let (start, longer) = self.start(hay, at);
                    return Scan::Found(Found {
                        start,
                        end: after + len,
                        closes,
                        longer,
                    });
                }
                Tail::Open => return Scan::Open(self.start(hay, at).0),
                Tail::Other => from = at + 1,
            }
        }
        Scan::Open(self.open_end(hay))
    }

    /// Looks whether a delimiter stands at the very beginning of `hay`.
    pub(super) fn look(&self, hay: &[u8]) -> Look {
        let needle = self.finder.needle();
        let rest = past_newline(hay);
        let Some(after) = rest.strip_prefix(needle) else {
            let open = needle.starts_with(rest) || hay == b"\r";
            return if open { Look::Open } else { Look::Nothing };
        };
        match tail(after) {
            Tail::Whole { len, closes } => {
                let end = hay.len() - after.len() + len;
                Look::Found(Found {
                    start: 0,
                    end,
                    closes,
                    longer: false,
                })
            }
            Tail::Open => Look::Open,
            Tail::Other => Look::Nothing,
        }
    }

    /// Whether `held`, which may be the beginning of a delimiter, has all of its boundary: at the
    /// end of a stream that is good enough.
    pub(super) fn is_whole_at_end(&self, held: &[u8]) -> bool {
        let rest = past_newline(held);
        rest.starts_with(self.finder.needle())
            || self
                .longer
                .as_ref()
                .is_some_and(|longer| rest.starts_with(longer))
    }

    /// The beginning of the delimiter whose needle is at `at`, and whether it is of the longer
    /// form.
    fn start(&self, hay: &[u8], at: usize) -> (usize, bool) {
        let before = &hay[..at];
        let (before, longer) = match before.strip_suffix(b"--") {
            Some(shorter) if self.longer.is_some() => (shorter, true),
            _ => (before, false),
        };
        let before = before
            .strip_suffix(b"\n")
            .map_or(before, |line| line.strip_suffix(b"\r").unwrap_or(line));
        (before.len(), longer)
    }

    /// The offset of the longest end of `hay` that may be the beginning of a delimiter.
    fn open_end(&self, hay: &[u8]) -> usize {
        let needle = self.finder.needle();
        // Most chunks end in a byte that no delimiter has, so this test saves the search below.
        let may_be_open =
            |&last: &u8| matches!(last, b'\r' | b'\n') || memchr::memchr(last, needle).is_some();
        if !hay.last().is_some_and(may_be_open) {
            return hay.len();
        }
        let longest = 2 + self.longer.as_ref().map_or(needle.len(), Vec::len) - 1;
        let first = hay.len().saturating_sub(longest);
        memchr::memchr3_iter(b'\r', b'\n', b'-', &hay[first..])
            .map(|at| first + at)
            .find(|&at| {
                let end = &hay[at..];
                let rest = past_newline(end);
                needle.starts_with(rest)
                    || end == b"\r"
                    || self
                        .longer
                        .as_ref()
                        .is_some_and(|longer| longer.starts_with(rest))
            })
            .unwrap_or(hay.len())
    }
}

/// Judges the bytes after a boundary: the end of its line, after some padding, or two dashes make
/// a delimiter of it, anything else doesn't.
fn tail(after: &[u8]) -> Tail {
    if after.starts_with(b"--") {
        return Tail::Whole {
            len: 2,
            closes: true,
        };
    }
    let padding = after
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    if padding > MAX_LINE_PADDING {
        return Tail::Other;
    }
    match &after[padding..] {
        [b'\n', ..] => Tail::Whole {
            len: padding + 1,
            closes: false,
        },
        [b'\r', b'\n', ..] => Tail::Whole {
            len: padding + 2,
            closes: false,
        },
        [] | [b'\r'] => Tail::Open,
        [b'-'] if padding == 0 => Tail::Open,
        _ => Tail::Other,
    }
}

fn past_newline(text: &[u8]) -> &[u8] {
    match text {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
        _ => text,
    }
}
