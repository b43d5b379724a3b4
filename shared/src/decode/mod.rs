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

/// A piece of a stream. For each part there is one `Head`, then its `Body` in any number of pieces
/// (none when it is empty), then `PartEnd`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a head comes once a part and is used at once; a box would be an allocation for each"
)]
pub enum Event<'a> {
    /// The head of a part that begins.
    Head(PartHead),
    /// More of the part's body; never empty.
    Body(&'a [u8]),
    /// The end of the part. With a Content-Length it comes as soon as the last byte is there,
    /// without it when the delimiter is.
    PartEnd,
    /// The close-delimiter: bytes after it are ignored.
    Close,
}

/// A decoder of a multipart stream that comes in chunks of any size.
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
    /// The number of bytes of the stream that were taken, those held back included.
    offset: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The preamble before the first delimiter, of which `n` bytes have come.
    Preamble {
        n: u64,
    },
    /// The place right after a delimiter: another one may follow, or a head.
    PartStart,
    Head,
    /// A body without a Content-Length that began at `start`, of which `n` bytes have come.
    Body {
        start: u64,
        n: u64,
    },
    /// A body with a Content-Length, of which `left` bytes are to come.
    Counted {
        left: u64,
        content_length: u64,
    },
    /// Padding behind a body with a Content-Length, of which `n` bytes have come.
    Padding {
        n: u64,
        content_length: u64,
    },
    /// The end of a part: the delimiter after its body was taken, the event is still to come.
    Ended {
        closes: Closes,
    },
    /// The end of the stream: the close-delimiter was taken, the event is still to come.
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

    /// The number of bytes of the stream that have been taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes bytes from the front of `input` up to the next event; `None` when all were taken and
    /// more are needed.
    ///
    /// # Errors
    ///
    /// The stream has one of the faults of [`DecodeErrorKind`]. The decoder can't be used any
    /// further then.
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

    /// Tells the decoder that the stream has ended. Returns the events that this completes, one by
    /// one, then `None`; call it until then. A boundary at the very end is a delimiter, whatever is
    /// missing after it.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnexpectedEnd`] before the first delimiter, inside a head or inside a
    /// body. An end in a body that has neither a Content-Length nor a delimiter after it is an
    /// error, too: whether the body is complete can't be known.
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
