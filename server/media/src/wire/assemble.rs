//! Parts put together. Bounded in bytes, because only one content is put together at a time, and in age.

use alloc::vec::Vec;

use super::{Head, Kind, Part, Refused, Topic};

/// A content that was sent longer ago than this is not taken any more, and none that comes from so far ahead: both are
/// replayed, or of a clock that has jumped.
pub const MAX_AGE_MILLIS: u64 = 10_000;

/// A content, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The head.
    pub head: Head,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How many messages or contents came to nothing, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of somebody else, or cut off, or for another place.
    pub foreign: u64,
    /// Messages of another version.
    pub other_version: u64,
    /// Messages without the signature that is asked for.
    pub unsigned: u64,
    /// Messages whose signature is not by the house's key.
    pub forged: u64,
    /// Messages whose numbers contradict each other.
    pub lying: u64,
    /// Messages of a content that was there before, of another run, or too old.
    pub replayed: u64,
    /// Contents of which a part is missing.
    pub holes: u64,
}

impl Counts {
    /// Counts a message that was refused.
    pub fn refuse(&mut self, why: Refused) {
        let count = match why {
            Refused::Foreign => &mut self.foreign,
            Refused::Version => &mut self.other_version,
            Refused::Unsigned => &mut self.unsigned,
            Refused::Forged => &mut self.forged,
            Refused::Lying => &mut self.lying,
        };
        *count += 1;
    }
}

/// Puts the contents of one topic and kind together, as one sender numbers them. Parts come in their order, as a bus has
/// them that carries them by one way; where one is missing, nothing comes of the content.
#[derive(Debug)]
pub struct Assembler {
    topic: Topic,
    kind: Kind,
    run: u64,
    last: Option<u64>,
    /// The number of the content that was given up last.
    lost: Option<u64>,
    coming: Option<Coming>,
    counts: Counts,
}

#[derive(Debug)]
struct Coming {
    head: Head,
    parts: usize,
    length: usize,
    next: usize,
    bytes: Vec<u8>,
}

impl Assembler {
    /// For what the run `run` sends of `topic`.
    pub fn new(kind: Kind, topic: Topic, run: u64) -> Self {
        Self {
            topic,
            kind,
            run,
            last: None,
            lost: None,
            coming: None,
            counts: Counts::default(),
        }
    }

    /// The run whose contents are taken.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// From here on those of another run are taken, whose numbers begin anew.
    pub fn follow(&mut self, run: u64) {
        if self.run != run {
            self.run = run;
            self.last = None;
            self.lost = None;
            self.coming = None;
        }
    }

    /// The parts that came to nothing so far.
    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Takes a part that has come at `now` by the sender's clock; returns the content that it completes. No content comes
    /// that is older than one before.
    pub fn take(&mut self, part: &Part<'_>, now: u64) -> Option<Content> {
        let head = part.head;
        if head.topic != self.topic || head.kind != self.kind {
            self.counts.foreign += 1;
            return None;
        }
        let is_old = self.last.is_some_and(|last| head.no <= last)
            || self
                .coming
                .as_ref()
                .is_some_and(|coming| head.no < coming.head.no);
        if head.run != self.run || is_old || head.sent_at.abs_diff(now) > MAX_AGE_MILLIS {
            self.counts.replayed += 1;
            return None;
        }
        if self
            .coming
            .as_ref()
            .is_none_or(|coming| coming.head.no != head.no)
        {
            if let Some(coming) = self.coming.take() {
                self.lose(coming.head.no);
            }
            if part.part != 0 {
                self.lose(head.no);
                return None;
            }
            self.coming = Some(Coming {
                head,
                parts: part.parts,
                length: part.length,
                next: 0,
                bytes: Vec::new(),
            });
        }
        let coming = self.coming.as_mut()?;
        if (coming.head, coming.parts, coming.length) != (head, part.parts, part.length) {
            self.counts.lying += 1;
            return None;
        }
        if part.part < coming.next {
            self.counts.replayed += 1;
            return None;
        }
        let is_last = part.part + 1 == coming.parts;
        let n_bytes = coming.bytes.len() + part.payload.len();
        if part.part > coming.next {
            self.coming = None;
            self.lose(head.no);
            return None;
        }
        // Too many bytes, or too few for what was told.
        if n_bytes > coming.length || is_last != (n_bytes == coming.length) {
            self.counts.lying += 1;
            self.coming = None;
            return None;
        }
        coming.bytes.extend_from_slice(part.payload);
        coming.next += 1;
        if !is_last {
            return None;
        }
        self.last = Some(head.no);
        let bytes = self.coming.take()?.bytes;
        Some(Content { head, bytes })
    }

    /// Counts a content as lost, however many of its parts still come.
    fn lose(&mut self, no: u64) {
        if self.lost.replace(no) != Some(no) {
            self.counts.holes += 1;
        }
    }
}
