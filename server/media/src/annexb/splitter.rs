//! Where access units begin and end in a stream, as cameras, `ffmpeg -f h264` and `rpicam-vid` write it.

use alloc::vec::Vec;
use core::mem;

use super::{
    AnnexbError, AnnexbErrorKind, MAX_UNIT_BYTES, MAX_UNIT_NALS, Nal, NalKind, START_CODE, Unit,
};

/// Finds access units in a stream that comes in chunks of any size.
///
/// The contract: [`next`](Self::next) takes bytes from the front of `input` and returns a unit, or `None`
/// when it has taken all of them and needs more. Units, counts and errors don't depend on how the stream is
/// cut into chunks. No more than one unit is held, whose memory follows what has come.
///
/// A stream may begin in the middle: what comes before the first sequence parameter set is left out and
/// counted. A unit ends where the next one shows (7.4.1.2.3): at a delimiter, parameter set or SEI behind a
/// slice, or at a slice with `first_mb_in_slice` 0; two bytes of that are enough. So a unit comes out when
/// the next one begins to come in, which at 25 pictures a second is 40 ms: who knows that nothing comes for
/// now asks with [`flush`](Self::flush).
#[derive(Clone, Debug)]
pub struct Splitter {
    max_bytes: usize,
    state: State,
    /// Zeroes that have come and may belong to a start code.
    n_zeroes: u64,
    /// How many bytes have come.
    at: u64,
    /// The picture that is coming, the NAL unit that is coming at its end without an entry.
    unit: Unit,
    /// Where that one begins, in the unit and in the stream.
    nal: usize,
    nal_at: u64,
    /// Whether a whole slice is in the unit.
    has_picture: bool,
    has_sps: bool,
    n_skipped_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Bytes that belong to nothing, up to the next start code.
    Outside,
    /// Behind a start code; whether a new unit begins is open.
    Open,
    /// In a NAL unit that belongs to the unit that is coming.
    Inside,
}

impl Splitter {
    /// A splitter for access units of at most `max_bytes` each, which is held between 64 bytes and
    /// [`MAX_UNIT_BYTES`].
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes: max_bytes.clamp(64, MAX_UNIT_BYTES),
            state: State::Outside,
            n_zeroes: 0,
            at: 0,
            unit: Unit::default(),
            nal: 0,
            nal_at: 0,
            has_picture: false,
            has_sps: false,
            n_skipped_bytes: 0,
        }
    }

    /// Takes bytes from the front of `input` until a unit is known to be whole; `None` when all were taken
    /// and more are needed.
    ///
    /// # Errors
    ///
    /// [`AnnexbError`] for each fault. It costs what the error's kind says; the next call goes on.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Unit>, AnnexbError> {
        while let Some((&first, rest)) = input.split_first() {
            if first == 0 {
                self.n_zeroes += 1;
                self.at += 1;
                *input = rest;
            } else if first == 1 && self.n_zeroes >= 2 {
                self.at += 1;
                *input = rest;
                let ended = self.end_nal();
                self.begin_nal();
                ended?;
            } else if self.n_zeroes > 2 && self.state != State::Outside {
                self.drop_nal();
                return Err(self.fault(AnnexbErrorKind::Zeroes));
            } else if let Some(unit) = self.take(input)? {
                return Ok(Some(unit));
            }
        }
        Ok(None)
    }

    /// The unit that is coming, as it is: for the end of the stream, and for whoever knows that the sender
    /// has sent all of a picture. Bytes up to the next start code are left out then.
    pub fn flush(&mut self) -> Option<Unit> {
        // An empty unit at the end is no fault, but what a cut leaves.
        let _ = self.end_nal();
        self.state = State::Outside;
        self.n_zeroes = 0;
        let whole = mem::take(&mut self.has_picture);
        whole.then(|| mem::take(&mut self.unit))
    }

    /// How many bytes belonged to no unit that was or will be handed out, start codes and the zeroes around
    /// them aside.
    pub fn n_skipped_bytes(&self) -> u64 {
        self.n_skipped_bytes
    }

    /// Takes content up to the next zero.
    fn take(&mut self, input: &mut &[u8]) -> Result<Option<Unit>, AnnexbError> {
        // While it is open whose bytes these are, only the two are taken that tell.
        let most = match self.state {
            State::Open => 2_usize.saturating_sub(self.unit.bytes.len() - self.nal),
            _ => input.len(),
        };
        let window = &input[..most.clamp(1, input.len())];
        let n = memchr::memchr(0, window).unwrap_or(window.len());
        // No more than two, but where they are left out.
        let n_zeroes = mem::take(&mut self.n_zeroes);
        self.at += n as u64;
        let (taken, rest) = input.split_at(n);
        *input = rest;
        if self.state == State::Outside {
            self.n_skipped_bytes += n_zeroes + n as u64;
            return Ok(None);
        }
        let zeroes = [0; 2];
        let n_zeroes = (n_zeroes as usize).min(zeroes.len());
        let before = if self.state == State::Open {
            self.nal
        } else {
            0
        };
        let n_bytes = self.unit.bytes.len() - before + n_zeroes + n;
        if self.state == State::Inside && n_bytes > self.max_bytes {
            self.n_skipped_bytes += (n_zeroes + n) as u64;
            return Err(self.drop_unit(AnnexbErrorKind::TooLong {
                max_bytes: self.max_bytes,
            }));
        }
        self.unit.bytes.extend_from_slice(&zeroes[..n_zeroes]);
        self.unit.bytes.extend_from_slice(taken);
        if self.state == State::Open {
            self.decide()
        } else {
            Ok(None)
        }
    }

    /// Says whether the NAL unit that has begun begins a unit, once its bytes tell.
    fn decide(&mut self) -> Result<Option<Unit>, AnnexbError> {
        let Some(nal) = self.unit.bytes.get(self.nal..).and_then(Nal::new) else {
            return Ok(None);
        };
        let kind = nal.kind();
        let header = nal.bytes().first().copied().unwrap_or_default();
        if header & 0x80 != 0 {
            self.drop_nal();
            return Err(self.fault(AnnexbErrorKind::Forbidden));
        }
        self.has_sps |= kind == NalKind::Sps;
        if !self.has_sps {
            self.drop_nal();
            return Ok(None);
        }
        if kind.is_slice() && nal.bytes().len() < 2 {
            return Ok(None);
        }
        self.state = State::Inside;
        let begins = kind.is_before_slices() || nal.begins_picture();
        if begins && self.has_picture {
            return Ok(Some(self.cut()));
        }
        if self.unit.bytes.len() > self.max_bytes {
            return Err(self.drop_unit(AnnexbErrorKind::TooLong {
                max_bytes: self.max_bytes,
            }));
        }
        Ok(None)
    }

    /// Takes the unit that is whole from before the NAL unit that has begun.
    fn cut(&mut self) -> Unit {
        let from = self.nal - START_CODE.len();
        let next = self.unit.bytes.split_off(from);
        self.nal = START_CODE.len();
        self.has_picture = false;
        let ended = Unit {
            bytes: mem::replace(&mut self.unit.bytes, next),
            nals: mem::take(&mut self.unit.nals),
        };
        // The next one will be about as long, but for key frames.
        self.unit.nals.reserve(ended.nals.len());
        ended
    }

    fn begin_nal(&mut self) {
        self.n_zeroes = 0;
        self.unit.bytes.extend_from_slice(&START_CODE);
        self.nal = self.unit.bytes.len();
        self.nal_at = self.at;
        self.state = State::Open;
    }

    fn end_nal(&mut self) -> Result<(), AnnexbError> {
        match mem::replace(&mut self.state, State::Outside) {
            State::Outside => Ok(()),
            State::Open => {
                self.drop_nal();
                Err(self.fault(AnnexbErrorKind::Empty))
            }
            State::Inside if self.unit.nals.len() >= MAX_UNIT_NALS => {
                Err(self.drop_unit(AnnexbErrorKind::TooMany))
            }
            State::Inside => {
                let header = self.unit.bytes.get(self.nal).copied();
                self.has_picture |= header.is_some_and(|b| NalKind::from_header(b).is_slice());
                self.unit.nals.push(self.nal..self.unit.bytes.len());
                Ok(())
            }
        }
    }

    fn drop_nal(&mut self) {
        self.n_skipped_bytes += self.unit.bytes.len().saturating_sub(self.nal) as u64;
        self.unit.bytes.truncate(self.nal - START_CODE.len());
        self.state = State::Outside;
    }

    fn drop_unit(&mut self, kind: AnnexbErrorKind) -> AnnexbError {
        let n_start_codes = self.unit.nals.len() + 1;
        let n = self.unit.bytes.len() - n_start_codes * START_CODE.len();
        self.n_skipped_bytes += n as u64;
        self.unit = Unit {
            bytes: Vec::new(),
            nals: Vec::new(),
        };
        (self.has_picture, self.has_sps) = (false, false);
        self.state = State::Outside;
        self.fault(kind)
    }

    fn fault(&self, kind: AnnexbErrorKind) -> AnnexbError {
        let at = self.nal_at;
        AnnexbError { kind, at }
    }
}
