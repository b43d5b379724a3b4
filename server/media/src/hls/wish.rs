//! The query of a playlist request (RFC 8216bis, 6.2.5): what it wants, and what of it goes on to every name.

use alloc::string::String;
use core::fmt::{self, Write};

use super::name::number;

/// The most bytes of keys that are copied into playlists. A token fits.
const MAX_EXTRA_BYTES: usize = 1024;

/// A client's wish for a playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `_HLS_msn`: hold the answer until this segment is told, or a later one.
    pub msn: Option<u64>,
    /// `_HLS_part`: until this part of it is.
    pub part: Option<u64>,
    /// `_HLS_skip`: leave out what the client has.
    pub may_skip: bool,
    /// The other keys, a token for one, as they came: for every name in the playlist.
    pub extra: String,
}

/// A request that is answered with a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `_HLS_msn` or `_HLS_part` is there twice, or is no number.
    BadNumber,
    /// `_HLS_part` is there without `_HLS_msn`.
    PartAlone,
    /// More keys than one would copy into each line of a playlist.
    TooLong,
    /// A segment or part so far ahead that the client can't have seen what comes before it.
    TooFar,
}

impl Wish {
    /// Reads a query, without the question mark.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], but [`TooFar`](Refusal::TooFar), which only
    /// [`Window::judge`](super::Window::judge) can tell.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let mut wish = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "_HLS_msn" => wish.msn = Some(once(wish.msn, value)?),
                "_HLS_part" => wish.part = Some(once(wish.part, value)?),
                // "v2" also wants date ranges left out, of which there are none.
                "_HLS_skip" => wish.may_skip = matches!(value, "YES" | "v2"),
                // The specification keeps these names for itself.
                _ if key.starts_with("_HLS_") => {}
                _ => wish.copy(pair)?,
            }
        }
        if wish.part.is_some() && wish.msn.is_none() {
            return Err(Refusal::PartAlone);
        }
        Ok(wish)
    }

    /// Whether the answer is about a certain place in the stream, and so never changes.
    pub fn is_blocking(&self) -> bool {
        self.msn.is_some()
    }

    fn copy(&mut self, pair: &str) -> Result<(), Refusal> {
        if !self.extra.is_empty() {
            self.extra.push('&');
        }
        for byte in pair.bytes() {
            // Between quotes in the playlist, and a URI there: RFC 3986, 3.4, is all that may stand.
            if byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;=:@/?%".contains(&byte) {
                self.extra.push(char::from(byte));
            } else {
                // A `String` takes all.
                let _ = write!(self.extra, "%{byte:02X}");
            }
            if self.extra.len() > MAX_EXTRA_BYTES {
                return Err(Refusal::TooLong);
            }
        }
        Ok(())
    }
}

fn once(before: Option<u64>, value: &str) -> Result<u64, Refusal> {
    number(value)
        .filter(|_| before.is_none())
        .ok_or(Refusal::BadNumber)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadNumber => "_HLS_msn and _HLS_part are one whole number each",
            Self::PartAlone => "_HLS_part goes with _HLS_msn",
            Self::TooLong => "the query is too long",
            Self::TooFar => "that is too far ahead: ask for what comes after the playlist's end",
        })
    }
}

impl core::error::Error for Refusal {}
