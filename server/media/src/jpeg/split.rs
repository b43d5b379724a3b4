//! Where pictures begin and end in a row of JPEGs, as `ffmpeg -f mjpeg` and `rpicam-vid` write them.

use alloc::vec::Vec;
use core::{fmt, mem};

use super::{marker, segments::markers};

/// Finds pictures in a stream of JPEG after JPEG that comes in chunks of any size.
///
/// The contract: [`next`](Self::next) takes bytes from the front of `input` and returns a picture, from
/// SOI to EOI, or `None` when it has taken all of them and needs more. Pictures, counts and errors don't
/// depend on how the stream is cut into chunks. No byte is looked at twice, and no more than one picture
/// is held, whose memory follows what has come.
///
/// Segments are skipped by their lengths, so that a thumbnail's SOI and EOI aren't taken for the
/// picture's; a scan ends at the first marker that is neither stuffing nor RSTn (T.81, B.1.1.5). A
/// picture is given up and counted where a new SOI stands in place of its EOI, where no marker is
/// and one must be, where a length is below two, and where it ends without a scan. The search then goes
/// on behind that place, at the new SOI if there is one.
#[derive(Clone, Debug)]
pub struct Splitter {
    max_bytes: usize,
    state: State,
    /// The picture that is coming, or an `FF` that may be its first byte.
    picture: Vec<u8>,
    has_scan: bool,
    /// How long the last picture was: the next one will be about as long.
    last_bytes: usize,
    n_skipped_bytes: u64,
    n_given_up: u64,
}

/// A picture longer than the limit. The splitter reports it again on every further call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The limit, in bytes.
    pub max_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    /// Between pictures, behind an `FF`.
    BetweenFf,
    /// Where a marker's `FF` is due.
    Marker,
    /// Behind it; `in_scan` where it was found in a scan.
    Code {
        in_scan: bool,
    },
    LengthHigh {
        is_sos: bool,
    },
    LengthLow {
        is_sos: bool,
        high: u8,
    },
    Segment {
        is_sos: bool,
        left: usize,
    },
    Scan,
    Complete,
    TooLong,
}

impl Splitter {
    /// A splitter for pictures of at most `max_bytes` each.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            state: State::Between,
            picture: Vec::new(),
            has_scan: false,
            last_bytes: 0,
            n_skipped_bytes: 0,
            n_given_up: 0,
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next picture; `None` when all were
    /// taken and more are needed.
    ///
    /// # Errors
    ///
    /// [`TooLong`], and the splitter can't be used any further then.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, TooLong> {
        while self.state != State::TooLong {
            let Some((&first, rest)) = input.split_first() else {
                return Ok(None);
            };
            match self.state {
                State::Between => self.skip(input),
                State::Scan => self.take_scan(input),
                State::Segment { is_sos, left } => self.take_segment(input, is_sos, left),
                _ => {
                    *input = rest;
                    self.take_byte(first);
                }
            }
            if self.picture.len() > self.max_bytes {
                self.picture = Vec::new();
                self.state = State::TooLong;
            } else if self.state == State::Complete {
                self.state = State::Between;
                self.last_bytes = self.picture.len();
                return Ok(Some(mem::take(&mut self.picture)));
            }
        }
        Err(TooLong {
            max_bytes: self.max_bytes,
        })
    }

    /// Gives memory for the next picture, where none has begun.
    pub fn reuse(&mut self, memory: Vec<u8>) {
        if self.picture.is_empty() {
            self.picture = memory;
            self.picture.clear();
        }
    }

    /// Whether a picture has begun and not ended: at the end of a stream, one that was cut off.
    pub fn is_inside(&self) -> bool {
        self.picture.len() > 1
    }

    /// How many bytes belonged to no picture that was handed out; what has come of the one that is
    /// coming isn't among them.
    pub fn n_skipped_bytes(&self) -> u64 {
        self.n_skipped_bytes
    }

    /// How many pictures began and were given up.
    pub fn n_given_up(&self) -> u64 {
        self.n_given_up
    }

    fn skip(&mut self, input: &mut &[u8]) {
        let n = memchr::memchr(0xff, input).unwrap_or(input.len());
        self.n_skipped_bytes += n as u64;
        *input = &input[n..];
        if let Some((&ff, rest)) = input.split_first() {
            self.picture.push(ff);
            self.state = State::BetweenFf;
            *input = rest;
        }
    }

    fn take_scan(&mut self, input: &mut &[u8]) {
        // Stuffing and restarts are passed over here, all that lies in the chunk in one copy.
        let end = markers(input).find(|&(_, code)| !marker::is_restart(code));
        let (n, state) = match (end, input.last()) {
            (Some((at, _)), _) => (at + 1, State::Code { in_scan: true }),
            (None, Some(0xff)) => (input.len(), State::Code { in_scan: true }),
            (None, _) => (input.len(), State::Scan),
        };
        self.take(input, n);
        self.state = state;
    }

    fn take_segment(&mut self, input: &mut &[u8], is_sos: bool, left: usize) {
        let n = left.min(input.len());
        self.take(input, n);
        self.state = segment(is_sos, left - n);
    }

    /// One byte more than the limit is enough to know.
    fn take(&mut self, input: &mut &[u8], n: usize) {
        let (taken, rest) = input.split_at(n);
        let room = (self.max_bytes + 1).saturating_sub(self.picture.len());
        self.picture.extend_from_slice(&taken[..n.min(room)]);
        *input = rest;
    }

    fn take_byte(&mut self, byte: u8) {
        self.picture.push(byte);
        self.state = match self.state {
            State::BetweenFf => match byte {
                marker::SOI => return self.begin(),
                0xff => {
                    self.picture.pop();
                    self.n_skipped_bytes += 1;
                    State::BetweenFf
                }
                _ => return self.drop_picture(),
            },
            State::Marker if byte == 0xff => State::Code { in_scan: false },
            State::Code { in_scan } => match byte {
                0xff => State::Code { in_scan },
                0x00 if in_scan => State::Scan,
                code if in_scan && marker::is_restart(code) => State::Scan,
                marker::EOI if self.has_scan => State::Complete,
                marker::SOI => {
                    self.give_up(2);
                    return self.begin();
                }
                code if !in_scan && marker::is_alone(code) => State::Marker,
                code if marker::has_length(code) => {
                    self.has_scan |= code == marker::SOS;
                    State::LengthHigh {
                        is_sos: code == marker::SOS,
                    }
                }
                _ => return self.give_up(0),
            },
            State::LengthHigh { is_sos } => State::LengthLow { is_sos, high: byte },
            State::LengthLow { is_sos, high } => {
                match usize::from(u16::from_be_bytes([high, byte])).checked_sub(2) {
                    Some(left) => segment(is_sos, left),
                    None => return self.give_up(0),
                }
            }
            _ => return self.give_up(0),
        };
    }

    /// SOI has just been taken.
    fn begin(&mut self) {
        self.has_scan = false;
        self.state = State::Marker;
        self.picture.reserve(self.last_bytes);
    }

    /// Gives the picture up, but for its last `keep` bytes.
    fn give_up(&mut self, keep: usize) {
        // What begins like a picture and has no marker behind SOI was none.
        self.n_given_up += u64::from(self.picture.len() > 3 + keep);
        let n = self.picture.len() - keep;
        self.n_skipped_bytes += n as u64;
        self.picture.drain(..n);
        self.state = State::Between;
    }

    fn drop_picture(&mut self) {
        self.n_skipped_bytes += self.picture.len() as u64;
        self.picture.clear();
        self.state = State::Between;
    }
}

fn segment(is_sos: bool, left: usize) -> State {
    match (left, is_sos) {
        (0, true) => State::Scan,
        (0, false) => State::Marker,
        _ => State::Segment { is_sos, left },
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a picture is longer than the {} bytes allowed",
            self.max_bytes
        )
    }
}

impl core::error::Error for TooLong {}
