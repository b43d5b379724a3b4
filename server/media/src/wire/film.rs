//! A picture of video on its way, with everything that a decoder begins with.

use alloc::vec::Vec;

use super::{Malformed, read::Reader};

/// An encoded picture as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilmUnit<'a> {
    /// The number: one more than that of the one before, which it builds upon unless it is a key frame.
    pub no: u64,
    /// The number of its encoder's start.
    pub start: u64,
    /// When that encoder's ticks began, in Unix milliseconds by the sender's clock.
    pub began_at: u64,
    /// Width and height of its pictures.
    pub size: (u32, u32),
    /// The parameter sets: the sequence's, and the pictures'.
    pub sps: &'a [u8],
    /// See [`Self::sps`].
    pub pps: Vec<&'a [u8]>,
    /// When it is to be seen, in ticks since the encoder's start.
    pub at: u64,
    /// For how long, in ticks.
    pub duration: u64,
    /// Whether a decoder can begin with it.
    pub is_key: bool,
    /// The access unit, with start codes.
    pub annexb: &'a [u8],
}

/// More parameter sets than an encoder has.
const MAX_PPS: usize = 32;

impl<'a> FilmUnit<'a> {
    /// The picture as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.annexb.len() + 256);
        for number in [self.no, self.start, self.began_at, self.at, self.duration] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for side in [self.size.0, self.size.1] {
            out.extend_from_slice(&side.to_le_bytes());
        }
        let pps = &self.pps[..self.pps.len().min(MAX_PPS)];
        out.extend_from_slice(&[self.is_key.into(), pps.len() as u8]);
        for bytes in [self.sps, self.annexb].iter().chain(pps) {
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// The bytes are none, or more than one.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut read = Reader(bytes);
        let unit = Self::take(&mut read).ok_or(Malformed)?;
        read.0.is_empty().then_some(unit).ok_or(Malformed)
    }

    fn take(read: &mut Reader<'a>) -> Option<Self> {
        let (no, start, began_at) = (read.u64()?, read.u64()?, read.u64()?);
        let (at, duration) = (read.u64()?, read.u64()?);
        let size = (read.u32()?, read.u32()?);
        let (is_key, n_pps) = (read.u8()?, usize::from(read.u8()?));
        if n_pps > MAX_PPS || is_key > 1 {
            return None;
        }
        let (sps, annexb) = (read.counted()?, read.counted()?);
        let pps: Option<Vec<_>> = (0..n_pps).map(|_| read.counted()).collect();
        Some(Self {
            no,
            start,
            began_at,
            size,
            sps,
            pps: pps?,
            at,
            duration,
            is_key: is_key == 1,
            annexb,
        })
    }
}
