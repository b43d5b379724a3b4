//! The push decoder: chunks of a stream in, events out. It never reads, waits or copies a body.

mod delimiter;
mod error;
#[cfg(any(test, target_arch = "wasm32"))]
mod finder;
mod head;
mod search;
mod steps;

pub use error::{DecodeError, DecodeErrorKind, Place};

use self::{
    head::HeadReader,
    search::{Begins, Closes, Search},
};
use crate::{Boundary, Limits, PartHead};

/// What a stream consists of. For each part there is one `Head`, then its `Body` in any number of
/// pieces (none when it is empty), then `PartEnd`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a head comes once a part and is used at once; a box would be an allocation for each"
)]
pub enum Event<'a> {
    /// A part begins.
    Head(PartHead),
    /// More of its body; never empty.
    Body(&'a [u8]),
    /// The part is complete. With a Content-Length this is said as soon as its last byte is there,
    /// without it when the delimiter is.
    PartEnd,
    /// The close-delimiter: what follows it is ignored.
    Close,
}

/// Reads a multipart stream that comes in chunks of any size.
///
/// The contract: [`next`](Self::next) takes bytes from the front of `input` and returns an event,
/// or `None` when it has taken all of them and needs more. The events, with pieces of a body put
/// together, and the offset of an error don't depend on how the stream is cut into chunks. After an
/// error nothing but this error comes. Pieces of a body are borrowed from the chunk; only what may be
/// the beginning of a delimiter at a chunk's end, at most 128 bytes, is held back and copied, and so
/// is a head that lies in several chunks.
///
/// ```
/// use mantel_shared::{Boundary, Decoder, Event, Limits};
///
/// let mut decoder = Decoder::new(Boundary::new("frame")?, Limits::default());
/// let mut body = Vec::new();
/// for chunk in ["--frame\r\nContent-Type: ima", "ge/jpeg\r\n\r\nJP", "EG\r\n--fr", "ame\r\n"] {
///     let mut input = chunk.as_bytes();
///     while let Some(event) = decoder.next(&mut input)? {
///         match event {
///             Event::Head(head) => assert!(head.content_type.is_jpeg()),
///             Event::Body(piece) => body.extend_from_slice(piece),
///             Event::PartEnd => assert_eq!(body, b"JPEG"),
///             Event::Close => unreachable!(),
///         }
///     }
/// }
/// assert_eq!(decoder.finish()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it reads
///
/// - A boundary that is announced with dashes already in it (`boundary=--b`), with a body that
///   has `--b` or `----b`: the first delimiter settles which.
/// - LF in place of CR LF, before and after delimiters and in heads; no newline before a
///   delimiter; spaces and tabs after one. A boundary that anything else follows is content.
/// - Bodies with a Content-Length, which it trusts and jumps over, and without, where it searches
///   for the delimiter. After a Content-Length's end, CR, LF, space, tab and NUL are padding.
/// - A preamble, two delimiters in a row (a blank line may lie between), a close-delimiter, an
///   epilogue.
/// - Heads as [`PartHead::parse`] reads them.
#[derive(Clone, Debug)]
pub struct Decoder {
    limits: Limits,
    search: Search,
    head: HeadReader,
    state: State,
    /// How many bytes of the stream were taken, those held back included.
    offset: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before the first delimiter, after `n` bytes of preamble.
    Preamble {
        n: u64,
    },
    /// Right after a delimiter: another one may follow, or a head.
    PartStart,
    Head,
    /// After `n` bytes of a body that began at `start` and has no Content-Length.
    Body {
        start: u64,
        n: u64,
    },
    /// `left` bytes before the end of a body with a Content-Length.
    Counted {
        left: u64,
        content_length: u64,
    },
    /// After `n` bytes of padding behind such a body.
    Padding {
        n: u64,
        content_length: u64,
    },
    /// The delimiter after a body was taken, the part's end not yet said.
    Ended {
        closes: Closes,
    },
    /// The close-delimiter was taken, and not yet said.
    Closing,
    Epilogue,
    Failed(DecodeError),
}

impl Decoder {
    /// A decoder for a stream whose Content-Type announces `boundary`.
    pub fn new(boundary: Boundary, limits: Limits) -> Self {
        Self {
            limits,
            search: Search::new(&boundary),
            head: HeadReader::default(),
            state: State::Preamble { n: 0 },
            offset: 0,
        }
    }

    /// How many bytes of the stream have been taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes bytes from the front of `input` up to the next event; `None` when all were taken and
    /// more are needed.
    ///
    /// # Errors
    ///
    /// What a [`DecodeErrorKind`] names. The decoder can't be used any further then.
    pub fn next<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'s>>, DecodeError> {
        loop {
            match self.state {
                State::Preamble { n } => {
                    if !self.skip_preamble(input, n)? {
                        return Ok(None);
                    }
                }
                State::PartStart => {
                    let before = input.len();
                    let begins = self.search.look(input);
                    self.took(before - input.len());
                    match begins {
                        Begins::With(closes) => self.state = after_delimiter(closes),
                        Begins::Unclear => return Ok(None),
                        Begins::Otherwise => {
                            self.head
                                .begin(self.offset - self.search.held().len() as u64);
                            self.state = State::Head;
                        }
                    }
                }
                State::Head => return Ok(self.read_head(input)?.map(Event::Head)),
                State::Body { start, n } => return self.read_body(input, start, n),
                State::Counted {
                    left: 0,
                    content_length,
                } => {
                    self.state = State::Padding {
                        n: 0,
                        content_length,
                    };
                    return Ok(Some(Event::PartEnd));
                }
                State::Counted {
                    left,
                    content_length,
                } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let n = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
                    let (piece, rest) = input.split_at(n);
                    *input = rest;
                    self.took(n);
                    self.state = State::Counted {
                        left: left - n as u64,
                        content_length,
                    };
                    return Ok(Some(Event::Body(piece)));
                }
                State::Padding { n, content_length } => {
                    if !self.skip_padding(input, n, content_length)? {
                        return Ok(None);
                    }
                }
                State::Ended { closes } => {
                    self.state = after_delimiter(closes);
                    return Ok(Some(Event::PartEnd));
                }
                State::Closing => {
                    self.state = State::Epilogue;
                    return Ok(Some(Event::Close));
                }
                State::Epilogue => {
                    self.took(input.len());
                    *input = &[];
                    return Ok(None);
                }
                State::Failed(error) => return Err(error),
            }
        }
    }

    /// Says that the stream has ended. Returns what that completes, event by event, then `None`;
    /// call it until then. A boundary at the very end is a delimiter, whatever is missing after it.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnexpectedEnd`] before the first delimiter, inside a head or inside a
    /// body. A body without Content-Length and without a delimiter after it is one that it ended
    /// inside of: whether it is complete can't be known.
    pub fn finish(&mut self) -> Result<Option<Event<'static>>, DecodeError> {
        let held_ends_it = self.search.holds_delimiter();
        let (state, event) = match self.state {
            State::Preamble { .. } if !held_ends_it => return self.end(Place::Preamble),
            State::PartStart if !held_ends_it && !self.search.held().is_empty() => {
                return self.end(Place::Head);
            }
            State::Head => return self.end(Place::Head),
            State::Body { .. } if held_ends_it => (State::Epilogue, Some(Event::PartEnd)),
            State::Counted { left: 0, .. } => (State::Epilogue, Some(Event::PartEnd)),
            State::Body { .. } | State::Counted { .. } => return self.end(Place::Body),
            State::Ended { closes: true } => (State::Closing, Some(Event::PartEnd)),
            State::Ended { closes: false } => (State::Epilogue, Some(Event::PartEnd)),
            State::Closing => (State::Epilogue, Some(Event::Close)),
            State::Preamble { .. } | State::PartStart | State::Padding { .. } | State::Epilogue => {
                (State::Epilogue, None)
            }
            State::Failed(error) => return Err(error),
        };
        self.state = state;
        Ok(event)
    }

    fn took(&mut self, n: usize) {
        self.offset += n as u64;
    }

    fn fail<T>(&mut self, kind: DecodeErrorKind, offset: u64) -> Result<T, DecodeError> {
        let error = DecodeError { kind, offset };
        self.state = State::Failed(error);
        Err(error)
    }

    fn end<T>(&mut self, place: Place) -> Result<T, DecodeError> {
        self.fail(DecodeErrorKind::UnexpectedEnd(place), self.offset)
    }
}

fn after_delimiter(closes: Closes) -> State {
    if closes {
        State::Closing
    } else {
        State::PartStart
    }
}
