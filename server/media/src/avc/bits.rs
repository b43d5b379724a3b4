//! Bits of a raw byte sequence payload: emulation prevention taken out and put in, fields read and written
//! (ITU-T H.264, 7.2 and 9.1).

use alloc::vec::Vec;
use core::ops::Range;

use super::{AvcError, AvcErrorKind};

/// `bytes` without emulation prevention: a 3 behind two zeroes is left out.
pub(super) fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut n_zeroes = 0;
    for &byte in bytes {
        if n_zeroes >= 2 && byte == 3 {
            n_zeroes = 0;
            continue;
        }
        n_zeroes = if byte == 0 { n_zeroes + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Appends `bytes` with emulation prevention.
pub(super) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut n_zeroes = 0;
    for &byte in bytes {
        if n_zeroes >= 2 && byte <= 3 {
            out.push(3);
            n_zeroes = 0;
        }
        n_zeroes = if byte == 0 { n_zeroes + 1 } else { 0 };
        out.push(byte);
    }
}

/// A reader that never goes past the last set bit, which is no field but ends the payload.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let last = bytes.iter().rposition(|&byte| byte != 0);
        let end = last.map_or(0, |at| at * 8 + 7 - bytes[at].trailing_zeros() as usize);
        Self { bytes, at: 0, end }
    }

    /// How many bits there are before the one that ends the payload.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// How many bits were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn flag(&mut self) -> Result<bool, AvcError> {
        if self.at >= self.end {
            return Err(AvcErrorKind::CutOff.at(self.at));
        }
        let byte = self.bytes.get(self.at / 8).copied().unwrap_or_default();
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// `u(n)`, of at most 32 bits.
    pub(super) fn bits(&mut self, n: u32) -> Result<u32, AvcError> {
        let mut value = 0;
        for _ in 0..n {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// `u(8)`.
    pub(super) fn byte(&mut self) -> Result<u8, AvcError> {
        Ok(self.bits(8)?.to_be_bytes()[3])
    }

    /// `ue(v)`, the field of this name, which is at most `max`.
    pub(super) fn ue(&mut self, field: &'static str, max: u32) -> Result<u32, AvcError> {
        let at = self.at;
        let mut n_zeroes = 0;
        while !self.flag()? {
            n_zeroes += 1;
            if n_zeroes > 32 {
                return Err(AvcErrorKind::OutOfRange(field).at(at));
            }
        }
        let low = u64::from(self.bits(n_zeroes)?);
        let value = (1_u64 << n_zeroes) - 1 + low;
        match u32::try_from(value) {
            Ok(value) if value <= max => Ok(value),
            _ => Err(AvcErrorKind::OutOfRange(field).at(at)),
        }
    }

    /// `se(v)`, the field of this name.
    pub(super) fn se(&mut self, field: &'static str) -> Result<i64, AvcError> {
        let code = i64::from(self.ue(field, u32::MAX - 1)?);
        Ok(if code % 2 == 1 {
            code / 2 + 1
        } else {
            -(code / 2)
        })
    }
}

/// A writer of fields.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    n_bits: usize,
}

impl Writer {
    pub(super) fn flag(&mut self, bit: bool) {
        if self.n_bits.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.n_bits % 8);
        }
        self.n_bits += 1;
    }

    /// The bits of `bytes` from one to before another.
    pub(super) fn copy(&mut self, bytes: &[u8], range: Range<usize>) {
        let bits = bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1 == 1));
        let n = range.len();
        bits.skip(range.start)
            .take(n)
            .for_each(|bit| self.flag(bit));
    }

    /// `u(32)`.
    pub(super) fn word(&mut self, value: u32) {
        (0..32).rev().for_each(|at| self.flag(value >> at & 1 == 1));
    }

    /// `ue(v)`.
    pub(super) fn ue(&mut self, value: u32) {
        let code = u64::from(value) + 1;
        let n = code.ilog2();
        (0..n).for_each(|_| self.flag(false));
        (0..=n).rev().for_each(|at| self.flag(code >> at & 1 == 1));
    }

    /// All of it, with the bit that ends it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.flag(true);
        self.bytes
    }
}
