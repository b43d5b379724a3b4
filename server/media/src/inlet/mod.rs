//! The body of a push, whatever dialect its sender speaks: multipart (`ffmpeg -f mpjpeg` names its
//! boundary nowhere but in the body), JPEG after JPEG, H.264, one whole picture, raw pixels. The first bytes
//! tell; the content type is asked where they can't. No picture is decoded here, and nothing is
//! known of requests and answers but a status.

mod error;
mod kind;
mod parts;
mod raw;

pub use error::InletError;
pub use kind::{Kind, Refused};
pub use raw::{Layout, Raw};

use alloc::{boxed::Box, string::String, vec::Vec};
use core::mem;

use mantel_shared::{Boundary, FrameMeta, PartHead, Timestamp};

use self::{
    kind::{Sniffed, sniff},
    parts::Parts,
};
use crate::{
    annexb,
    jpeg::{Head, Splitter},
};

/// The most bytes of one picture.
pub const MAX_PICTURE_BYTES: usize = 32 << 20;

/// The longest first line that is looked through for a boundary: dashes, boundary, padding, newline.
const MAX_FIRST_LINE_BYTES: usize = 2 + 70 + 32 + 2;

/// A picture that came, and what its part says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The picture, as it came.
    pub bytes: Vec<u8>,
    /// The kind of picture.
    pub kind: Kind,
    /// `X-Caption`, percent-decoded.
    pub caption: Option<String>,
    /// `X-Timestamp`: when it was taken, by the sender's clock.
    pub timestamp: Option<Timestamp>,
    /// `X-Duration-Ms`: how long it is to stay, in milliseconds.
    pub duration_millis: Option<u64>,
}

/// Reads the body of a push that comes in chunks of any size.
///
/// The contract: [`next`](Self::next) takes bytes from the front of `input` and returns a sample, or
/// `None` when it has taken all of them and needs more; [`finish`](Self::finish) says that the body has
/// ended and may return a last one. Neither samples nor errors depend on how the body is cut, and
/// after an error nothing but this error comes. One picture is held at most.
#[derive(Clone, Debug)]
pub struct Inlet {
    max_bytes: usize,
    says_jpeg: bool,
    says_h264: bool,
    takes_h264: bool,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The first bytes, which do not yet tell.
    Sniffing(Vec<u8>),
    Parts(Box<Parts>),
    Row {
        splitter: Splitter,
        n_taken: u64,
    },
    /// H.264, of which the faults are passed over: it goes on with the next key frame.
    Units {
        splitter: Box<annexb::Splitter>,
        n_taken: u64,
    },
    /// A picture that is the first of several in one file was handed out: the rest isn't looked at.
    RowTaken,
    Still {
        kind: Kind,
        bytes: Vec<u8>,
    },
    Done,
    Failed(InletError),
}

impl Inlet {
    /// An inlet for a body with these headers; pictures have at most [`MAX_PICTURE_BYTES`].
    pub fn new(content_type: Option<&str>, content_length: Option<u64>) -> Self {
        Self::with_limit(content_type, content_length, MAX_PICTURE_BYTES)
    }

    /// An inlet with another limit.
    pub fn with_limit(
        content_type: Option<&str>,
        content_length: Option<u64>,
        max_bytes: usize,
    ) -> Self {
        let text = content_type.unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        let mut inlet = Self {
            max_bytes,
            says_jpeg: ["image/jpeg", "image/jpg", "video/x-motion-jpeg"]
                .into_iter()
                .any(is),
            says_h264: ["video/h264", "video/x-h264"].into_iter().any(is),
            takes_h264: false,
            state: State::Sniffing(Vec::new()),
        };
        let is_multipart = essence
            .get(..10)
            .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
        if let (true, Ok(boundary)) = (is_multipart, Boundary::from_content_type(text)) {
            inlet.state = State::Parts(Box::new(Parts::new(boundary, Vec::new(), max_bytes)));
        }
        match Raw::from_content_type(text) {
            Ok(Some(raw)) => {
                inlet.state = match raw.n_bytes() {
                    Some(n) if n <= max_bytes => match content_length {
                        Some(length) if length != n as u64 => {
                            State::Failed(InletError::RawLength { wanted: n })
                        }
                        _ => State::Still {
                            kind: Kind::Raw(raw),
                            bytes: Vec::new(),
                        },
                    },
                    _ => State::Failed(InletError::TooLong { max_bytes }),
                }
            }
            Ok(None) => {}
            Err(error) => inlet.state = State::Failed(error),
        }
        inlet
    }

    /// An inlet that takes H.264 as well: its samples are no pictures yet ([`Kind::H264`]).
    #[must_use]
    pub fn taking_h264(self) -> Self {
        Self {
            takes_h264: true,
            ..self
        }
    }

    /// Whether a picture has begun and not ended. Of H.264 that is not told: where one ends shows with the next.
    pub fn is_inside(&self) -> bool {
        match &self.state {
            State::Sniffing(held) => !held.is_empty(),
            State::Parts(parts) => parts.is_inside(),
            State::Row { splitter, .. } => splitter.is_inside(),
            State::Still { bytes, .. } => !bytes.is_empty(),
            State::Units { .. } | State::RowTaken | State::Done | State::Failed(_) => false,
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next sample.
    ///
    /// # Errors
    ///
    /// What an [`InletError`] names, at once: whoever sends on is told early.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Sample>, InletError> {
        let result = self.step(input);
        self.keep_error(result)
    }

    /// Says that the body has ended. Call it until it returns `None`.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next), and [`InletError::CutOff`] where a picture has begun and not ended.
    pub fn finish(&mut self) -> Result<Option<Sample>, InletError> {
        if let State::Sniffing(held) = &mut self.state {
            let held = mem::take(held);
            let decided = self.decide(held, true);
            self.keep_error(decided)?;
        }
        let result = self.end();
        self.keep_error(result)
    }

    /// Gives memory for the next picture, where none has begun.
    pub fn reuse(&mut self, memory: Vec<u8>) {
        match &mut self.state {
            State::Parts(parts) => parts.reuse(memory),
            State::Row { splitter, .. } => splitter.reuse(memory),
            _ => {}
        }
    }

    fn keep_error<T>(&mut self, result: Result<T, InletError>) -> Result<T, InletError> {
        if let Err(error) = &result {
            self.state = State::Failed(*error);
        }
        result
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Option<Sample>, InletError> {
        let max_bytes = self.max_bytes;
        loop {
            match &mut self.state {
                State::Sniffing(held) => {
                    // By bytes, so that no chunk tells more than another.
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    let mut held = mem::take(held);
                    held.push(byte);
                    self.decide(held, false)?;
                }
                State::Parts(parts) => return parts.next(input, max_bytes),
                State::Row { splitter, n_taken } => {
                    let picture = splitter
                        .next(input)
                        .map_err(|_| InletError::TooLong { max_bytes })?;
                    let Some(bytes) = picture else {
                        return Ok(None);
                    };
                    *n_taken += 1;
                    if Head::parse(&bytes).is_ok_and(|head| head.has_more_pictures) {
                        self.state = State::RowTaken;
                    }
                    return Ok(Some(sample(bytes, Kind::Jpeg, PartHead::default())));
                }
                State::Still { kind, bytes } => {
                    // First, so that one long chunk is told the same as many short ones.
                    check_raw(*kind, bytes.len() + input.len(), false)?;
                    if bytes.len() + input.len() > max_bytes {
                        return Err(InletError::TooLong { max_bytes });
                    }
                    bytes.extend_from_slice(mem::take(input));
                    return Ok(None);
                }
                State::Units { splitter, n_taken } => match splitter.next(input) {
                    Ok(None) => return Ok(None),
                    Ok(Some(unit)) => {
                        *n_taken += 1;
                        return Ok(Some(h264(&unit)));
                    }
                    Err(_) => {}
                },
                State::RowTaken | State::Done => {
                    *input = &[];
                    return Ok(None);
                }
                State::Failed(error) => return Err(*error),
            }
        }
    }

    /// Goes on from the first bytes, if they tell what the body is.
    fn decide(&mut self, held: Vec<u8>, at_end: bool) -> Result<(), InletError> {
        // ESP32-CAM puts a newline before its first delimiter.
        let n_newlines = held
            .iter()
            .take(4)
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        let body = &held[n_newlines..];
        let kind = match sniff(body) {
            Sniffed::Open if !at_end => {
                self.state = State::Sniffing(held);
                return Ok(());
            }
            Sniffed::Open if held.is_empty() => return Err(InletError::Empty),
            Sniffed::Multipart => {
                let line = match memchr::memchr(b'\n', body) {
                    Some(end) => &body[..end],
                    None if at_end || body.len() > MAX_FIRST_LINE_BYTES => body,
                    None => {
                        self.state = State::Sniffing(held);
                        return Ok(());
                    }
                };
                let text = core::str::from_utf8(&line[2..]).unwrap_or("\u{fffd}");
                let boundary = Boundary::new(text.trim()).map_err(InletError::Boundary)?;
                self.state = State::Parts(Box::new(Parts::new(boundary, held, self.max_bytes)));
                return Ok(());
            }
            Sniffed::Picture(kind) => kind,
            _ if self.says_jpeg => Kind::Jpeg,
            sniffed if self.takes_h264 && (self.says_h264 || sniffed == Sniffed::H264) => {
                let mut splitter = Box::new(annexb::Splitter::new(self.max_bytes));
                // A start code and little behind it: nothing can come of them.
                let _ = splitter.next(&mut &held[..]);
                let n_taken = 0;
                self.state = State::Units { splitter, n_taken };
                return Ok(());
            }
            Sniffed::H264 => return Err(InletError::Refused(Refused::H264)),
            Sniffed::Refused(refused) => return Err(InletError::Refused(refused)),
            Sniffed::Open => return Err(InletError::Refused(Refused::Unknown)),
        };
        self.state = if kind == Kind::Jpeg {
            let (mut splitter, n_taken) = (Splitter::new(self.max_bytes), 0);
            // Too few for a picture: nothing can come of them.
            let _ = splitter.next(&mut &held[..]);
            State::Row { splitter, n_taken }
        } else {
            let bytes = body.to_vec();
            State::Still { kind, bytes }
        };
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Sample>, InletError> {
        let max_bytes = self.max_bytes;
        match &mut self.state {
            State::Parts(parts) => {
                let last = parts.finish(max_bytes)?;
                if last.is_none() {
                    self.state = State::Done;
                }
                Ok(last)
            }
            State::Row { splitter, .. } if splitter.is_inside() => Err(InletError::CutOff),
            State::Units { splitter, n_taken } => {
                let last = splitter.flush().map(|unit| h264(&unit));
                let is_empty = *n_taken == 0 && last.is_none();
                self.state = State::Done;
                if is_empty {
                    return Err(InletError::CutOff);
                }
                Ok(last)
            }
            State::Row { n_taken: 0, .. } => Err(InletError::Refused(Refused::Unknown)),
            State::Still { kind, bytes } => {
                check_raw(*kind, bytes.len(), true)?;
                let last = sample(mem::take(bytes), *kind, PartHead::default());
                self.state = State::Done;
                Ok(Some(last))
            }
            State::Failed(error) => Err(*error),
            _ => Ok(None),
        }
    }
}

fn h264(unit: &annexb::Unit) -> Sample {
    let is_key = unit.is_key();
    let bytes = unit.annexb().to_vec();
    sample(bytes, Kind::H264 { is_key }, PartHead::default())
}

fn sample(bytes: Vec<u8>, kind: Kind, head: PartHead) -> Sample {
    let FrameMeta {
        caption,
        dwell_millis,
        ..
    } = head.meta;
    Sample {
        bytes,
        kind,
        caption,
        timestamp: head.timestamp,
        duration_millis: dwell_millis,
    }
}

/// Holds raw pixels to the length that their size makes.
fn check_raw(kind: Kind, n_bytes: usize, at_end: bool) -> Result<(), InletError> {
    if let Kind::Raw(raw) = kind {
        let wanted = raw.n_bytes().unwrap_or(usize::MAX);
        if n_bytes > wanted || (at_end && n_bytes < wanted) {
            return Err(InletError::RawLength { wanted });
        }
    }
    Ok(())
}
