//! A sheet: the frame that is on and the one that comes next, each whole or by its number.
//!
//! A frame whose bytes were sent before is named by its number alone, so that each goes over the bus once.

use alloc::vec::Vec;

use super::read::Reader;

/// A frame as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetFrame<'a> {
    /// The number at its sender.
    pub no: u64,
    /// When it is to be on screen, or was taken, by the sender's clock.
    pub at: u64,
    /// When a live picture was taken.
    pub taken_at: Option<u64>,
    /// The name of the live channel that it is of; none for slides.
    pub source: Option<&'a str>,
    /// The head of its part, as a stream has it.
    pub head: &'a [u8],
    /// The picture.
    pub jpeg: &'a [u8],
}

/// A frame, or the number of one that was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// This one.
    Whole(SheetFrame<'a>),
    /// The one of this number.
    Sent(u64),
}

/// The frame that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// It is made.
    Known(Slot<'a>),
    /// It is not made yet.
    NotYet,
    /// Nobody can say.
    Unforeseen,
}

/// The frame that is on, and the one that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet<'a> {
    /// The frame that is on.
    pub current: Slot<'a>,
    /// The one that follows.
    pub next: Next<'a>,
}

/// The bytes are no sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const SENT: u8 = 0;
const WHOLE: u8 = 1;
const NOT_YET: u8 = 2;
const UNFORESEEN: u8 = 3;

impl<'a> Sheet<'a> {
    /// The sheet as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.n_bytes());
        self.current.write(&mut out);
        match &self.next {
            Next::Known(slot) => slot.write(&mut out),
            Next::NotYet => out.push(NOT_YET),
            Next::Unforeseen => out.push(UNFORESEEN),
        }
        out
    }

    /// Reads a sheet.
    ///
    /// # Errors
    /// The bytes are none, or more than one.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut read = Reader(bytes);
        let sheet = Self::take(&mut read).ok_or(Malformed)?;
        read.0.is_empty().then_some(sheet).ok_or(Malformed)
    }

    fn take(read: &mut Reader<'a>) -> Option<Self> {
        let tag = read.u8()?;
        let current = Slot::take(tag, read)?;
        let next = match read.u8()? {
            NOT_YET => Next::NotYet,
            UNFORESEEN => Next::Unforeseen,
            tag => Next::Known(Slot::take(tag, read)?),
        };
        Some(Self { current, next })
    }

    fn n_bytes(&self) -> usize {
        let next = match &self.next {
            Next::Known(slot) => Some(slot),
            Next::NotYet | Next::Unforeseen => None,
        };
        let slots = [Some(&self.current), next];
        let frames = slots.into_iter().flatten().map(|slot| match slot {
            Slot::Whole(frame) => frame.head.len() + frame.jpeg.len(),
            Slot::Sent(_) => 0,
        });
        frames.map(|n| n + 128).sum()
    }
}

impl<'a> Slot<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        let frame = match self {
            Self::Sent(no) => {
                out.push(SENT);
                out.extend_from_slice(&no.to_le_bytes());
                return;
            }
            Self::Whole(frame) => frame,
        };
        out.push(WHOLE);
        out.extend_from_slice(&frame.no.to_le_bytes());
        out.extend_from_slice(&frame.at.to_le_bytes());
        out.push(frame.taken_at.is_some().into());
        out.extend_from_slice(&frame.taken_at.unwrap_or(0).to_le_bytes());
        for bytes in [
            frame.source.unwrap_or("").as_bytes(),
            frame.head,
            frame.jpeg,
        ] {
            // A content is shorter than 4 GB, and so is all that is in it.
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        }
    }

    fn take(tag: u8, read: &mut Reader<'a>) -> Option<Self> {
        match tag {
            SENT => read.u64().map(Self::Sent),
            WHOLE => {
                let (no, at) = (read.u64()?, read.u64()?);
                let (has_taken_at, taken_at) = (read.u8()?, read.u64()?);
                let source = core::str::from_utf8(read.counted()?).ok()?;
                Some(Self::Whole(SheetFrame {
                    no,
                    at,
                    taken_at: (has_taken_at != 0).then_some(taken_at),
                    source: (!source.is_empty()).then_some(source),
                    head: read.counted()?,
                    jpeg: read.counted()?,
                }))
            }
            _ => None,
        }
    }
}
