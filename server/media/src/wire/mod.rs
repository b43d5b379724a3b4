//! Pictures on their way between machines, by a bus that takes messages of a bounded size and loses some.
//!
//! A content is cut into parts ([`cut`]); each is a message with a head of its own, signed if there is a [`Key`]. [`open`]
//! holds a message against everything that can be wrong with it, and an [`Assembler`] puts parts together again: a hole
//! drops the content, and the newest wins. [`Sheet`] is the content that shows pictures: the frame that is on and the one
//! that comes next; a [`FilmUnit`] is a picture of video.
//!
//! ```text
//! magic 4 | version 1 | kind 1 | signed 1 | 0 1 | part 2 | parts 2 | length 4 | run 8 | number 8 | sent at 8 | topic 16
//! payload | signature 16, where signed says so
//! ```
//!
//! Numbers are little endian. The signature is over all that stands before it: HMAC-SHA-256, the first half of it.

mod assemble;
mod film;
mod read;
mod sheet;

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub use assemble::{Assembler, Content, Counts, MAX_AGE_MILLIS};
pub use film::FilmUnit;
use read::Reader;
pub use sheet::{Malformed, Next, Sheet, SheetFrame, Slot};

/// The version of the form that is written and read here; no other is read.
pub const VERSION: u8 = 1;
/// The most that a content may have, in bytes.
pub const MAX_CONTENT: usize = 32 << 20;
/// The most bytes of a message that are used, also where a bus takes larger ones: what is lost is lost by the message.
pub const MAX_MESSAGE: usize = 256 << 10;
/// The least that a bus has to take in a message, in bytes.
pub const MIN_MESSAGE: usize = 64 << 10;

const MAGIC: [u8; 4] = *b"Mntl";
const HEAD: usize = 56;
const SIGNATURE: usize = 16;
/// The most parts of a content: the largest content in the smallest messages.
const MAX_PARTS: usize = MAX_CONTENT / (MIN_MESSAGE - HEAD - SIGNATURE) + 1;

/// The key that all machines of a house sign with. Its [`Debug`](fmt::Debug) tells nothing of it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key that is made of this secret, whichever length it has.
    pub fn new(secret: &[u8]) -> Self {
        // A block of the hash, which HMAC fills up with zeros by itself.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(secret));
        Self(Hmac::new(&block.into()))
    }

    fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE] {
        let mut mac = self.0.clone();
        mac.update(bytes);
        let mut signature = [0; SIGNATURE];
        signature.copy_from_slice(&mac.finalize().into_bytes()[..SIGNATURE]);
        signature
    }

    fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(bytes);
        mac.verify_truncated_left(signature).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The name of what a content is of, so that what was signed for one place is of no use at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic(pub [u8; 16]);

impl Topic {
    /// The topic of this text.
    pub fn of(text: &str) -> Self {
        let mut topic = [0; 16];
        topic.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
        Self(topic)
    }
}

/// The kind of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A [`Sheet`] of stills, one a slide.
    Stills = 1,
    /// A [`Sheet`] of the picture on screen, transitions included.
    Motion = 2,
    /// A picture of video.
    Video = 3,
    /// A wish for pictures.
    Want = 4,
    /// A question who is there.
    Hello = 5,
    /// A request that another machine is to answer.
    Ask = 6,
    /// The answer to a question or a request.
    Answer = 7,
}

impl Kind {
    fn read(byte: u8) -> Option<Self> {
        const ALL: [Kind; 7] = [
            Kind::Stills,
            Kind::Motion,
            Kind::Video,
            Kind::Want,
            Kind::Hello,
            Kind::Ask,
            Kind::Answer,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// The head of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The kind of what follows.
    pub kind: Kind,
    /// The name of what it is of.
    pub topic: Topic,
    /// The run of the program that sends it.
    pub run: u64,
    /// The number, which grows within a run, a topic and a kind.
    pub no: u64,
    /// When it was sent, in Unix milliseconds by the sender's clock.
    pub sent_at: u64,
}

/// One part of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The content's head.
    pub head: Head,
    /// Which of its parts this is, from 0.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
    /// How many bytes all of them have together.
    pub length: usize,
    /// This part's bytes.
    pub payload: &'a [u8],
}

/// Why a message is no part of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is of somebody else, or cut off.
    Foreign,
    /// It is of another version of this program.
    Version,
    /// It bears no signature where one is asked for, or one where nobody can read it.
    Unsigned,
    /// Its signature is not by the house's key.
    Forged,
    /// Its numbers contradict each other.
    Lying,
}

/// The most bytes that a content may have, or the one that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a content has {MAX_CONTENT} bytes at most")
    }
}

impl core::error::Error for TooLong {}

/// The messages of a content, each at most `max_message` bytes long, or [`MIN_MESSAGE`] where that is less.
///
/// # Errors
/// It is too long.
pub fn cut(
    head: Head,
    content: &[u8],
    key: Option<&Key>,
    max_message: usize,
) -> Result<impl Iterator<Item = Vec<u8>>, TooLong> {
    if content.len() > MAX_CONTENT {
        return Err(TooLong);
    }
    let room = max_message.clamp(MIN_MESSAGE, MAX_MESSAGE) - HEAD - SIGNATURE;
    let parts = content.len().div_ceil(room).max(1);
    Ok((0..parts).map(move |part| {
        let payload = content.get(part * room..).unwrap_or_default();
        let payload = &payload[..payload.len().min(room)];
        message(&head, (part, parts, content.len()), payload, key)
    }))
}

/// The numbers fit: a content is bounded, and so are its parts.
fn message(
    head: &Head,
    (part, parts, length): (usize, usize, usize),
    payload: &[u8],
    key: Option<&Key>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + payload.len() + SIGNATURE);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[VERSION, head.kind as u8, key.is_some().into(), 0]);
    out.extend_from_slice(&(part as u16).to_le_bytes());
    out.extend_from_slice(&(parts as u16).to_le_bytes());
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&head.run.to_le_bytes());
    out.extend_from_slice(&head.no.to_le_bytes());
    out.extend_from_slice(&head.sent_at.to_le_bytes());
    out.extend_from_slice(&head.topic.0);
    out.extend_from_slice(payload);
    if let Some(key) = key {
        let signature = key.sign(&out);
        out.extend_from_slice(&signature);
    }
    out
}

/// The part that a message is. Nothing of it is believed that was not signed, where there is a `key`.
///
/// # Errors
/// It is none.
pub fn open<'a>(message: &'a [u8], key: Option<&Key>) -> Result<Part<'a>, Refused> {
    let mut read = Reader(message);
    if read.array() != Some(MAGIC) {
        return Err(Refused::Foreign);
    }
    let [version, kind, signed, _] = read.array().ok_or(Refused::Foreign)?;
    if version != VERSION {
        return Err(Refused::Version);
    }
    if (signed != 0) != key.is_some() {
        return Err(Refused::Unsigned);
    }
    let message = match key {
        None => message,
        Some(key) => {
            let (signed, signature) = message
                .split_last_chunk::<SIGNATURE>()
                .ok_or(Refused::Foreign)?;
            if !key.has_signed(signed, signature) {
                return Err(Refused::Forged);
            }
            signed
        }
    };
    let mut read = Reader(message.get(8..).ok_or(Refused::Foreign)?);
    let part = part_of(&mut read, kind).ok_or(Refused::Foreign)?;
    let Part {
        part: no,
        parts,
        length,
        payload,
        ..
    } = part;
    let fits = (1..=MAX_PARTS).contains(&parts)
        && no < parts
        && length <= MAX_CONTENT
        && payload.len() <= length
        && (payload.is_empty() == (length == 0))
        && (parts == 1 || parts <= length)
        && (parts > 1 || payload.len() == length);
    fits.then_some(part).ok_or(Refused::Lying)
}

fn part_of<'a>(read: &mut Reader<'a>, kind: u8) -> Option<Part<'a>> {
    let (part, parts) = (read.u16()?, read.u16()?);
    let length = read.u32()?;
    let (run, no, sent_at) = (read.u64()?, read.u64()?, read.u64()?);
    let topic = Topic(read.array()?);
    Some(Part {
        head: Head {
            kind: Kind::read(kind)?,
            topic,
            run,
            no,
            sent_at,
        },
        part: part.into(),
        parts: parts.into(),
        length: usize::try_from(length).ok()?,
        payload: read.0,
    })
}

#[cfg(test)]
mod tests;
