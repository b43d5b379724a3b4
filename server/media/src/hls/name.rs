//! Names of segments, parts and what stands before them. A prefix that is random for each run keeps a cache
//! from answering with what the last run had.

use alloc::{format, string::String};

/// The letters that all names of a run begin with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix(String);

/// The name of something that a playlist tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// A segment by its media sequence number: `{prefix}-{msn}.m4s`.
    Segment {
        /// The media sequence number.
        msn: u64,
    },
    /// A part of a segment: `{prefix}-{msn}.{part}.m4s`.
    Part {
        /// The segment's media sequence number.
        msn: u64,
        /// The part's place in the segment, from 0.
        part: u64,
    },
    /// The initialisation segment of an encoder's run: `{prefix}-init{epoch}.mp4`.
    Init {
        /// The run's number, from 0.
        epoch: u64,
    },
}

impl Prefix {
    /// The prefix of a run, from a random number.
    pub fn new(random: u64) -> Self {
        Self(format!("{random:016x}"))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Name {
    /// The name as text.
    pub fn to_text(self, prefix: &Prefix) -> String {
        let Prefix(prefix) = prefix;
        match self {
            Self::Segment { msn } => format!("{prefix}-{msn}.m4s"),
            Self::Part { msn, part } => format!("{prefix}-{msn}.{part}.m4s"),
            Self::Init { epoch } => format!("{prefix}-init{epoch}.mp4"),
        }
    }

    /// The name that `text` is, if it is one of this run. Each has one spelling, so that a cache has it once.
    pub fn parse(prefix: &Prefix, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(prefix.as_str())?.strip_prefix('-')?;
        if let Some(rest) = rest.strip_prefix("init") {
            let epoch = number(rest.strip_suffix(".mp4")?)?;
            return Some(Self::Init { epoch });
        }
        let rest = rest.strip_suffix(".m4s")?;
        Some(match rest.split_once('.') {
            None => Self::Segment { msn: number(rest)? },
            Some((msn, part)) => Self::Part {
                msn: number(msn)?,
                part: number(part)?,
            },
        })
    }
}

/// A number as it is written: digits alone, none too many.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_canonical)
}
