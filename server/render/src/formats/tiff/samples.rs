//! Samples of a TIFF, as they lie in rows, as bytes: predictors undone, of any depth and kind of number.

use super::plan::{Number, Plan};

/// A reader of rows of so many samples a pixel.
pub(super) struct Rows<'a> {
    pub(super) plan: &'a Plan,
    pub(super) big_endian: bool,
    /// Samples of a pixel that lie together.
    pub(super) n_together: usize,
}

impl Rows<'_> {
    /// Bytes of a row of that many pixels.
    pub(super) fn n_bytes(&self, width: u32) -> usize {
        let bits = u64::from(width) * self.n_together as u64 * u64::from(self.plan.bits);
        usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Undoes what a predictor did to a row.
    pub(super) fn undo(&self, row: &mut [u8]) {
        let n_bytes = self.plan.bits as usize / 8;
        let step = self.n_together * n_bytes;
        match (self.plan.predictor, n_bytes) {
            (2, 1) => {
                for at in step..row.len() {
                    row[at] = row[at].wrapping_add(row[at - step]);
                }
            }
            (2, n @ (2 | 4 | 8)) => {
                for at in (step..(row.len() + 1).saturating_sub(n)).step_by(n) {
                    let sum = self.number(&row[at..at + n]);
                    let sum = sum.wrapping_add(self.number(&row[at - step..at - step + n]));
                    let bytes = sum.to_be_bytes();
                    row[at..at + n].copy_from_slice(&bytes[8 - n..]);
                    if !self.big_endian {
                        row[at..at + n].reverse();
                    }
                }
            }
            (3, n) if n > 0 => {
                for at in self.n_together..row.len() {
                    row[at] = row[at].wrapping_add(row[at - self.n_together]);
                }
                // All first bytes come first, whatever the order is in the file.
                let n_samples = row.len() / n;
                let apart = row.to_vec();
                for (at, sample) in row.chunks_exact_mut(n).enumerate() {
                    for (i, byte) in sample.iter_mut().enumerate() {
                        *byte = apart[i * n_samples + at];
                    }
                    if !self.big_endian {
                        sample.reverse();
                    }
                }
            }
            _ => {}
        }
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        }
    }

    /// A sample of a row as a byte, of a palette as it is.
    #[expect(clippy::cast_sign_loss, reason = "clamped to what a byte has")]
    pub(super) fn byte(&self, row: &[u8], at: usize, is_index: bool) -> u8 {
        let bits = self.plan.bits as usize;
        if bits == 8 && self.plan.number == Number::Unsigned {
            return row[at];
        }
        if bits == 16 && self.plan.number == Number::Unsigned {
            let bytes = [row[2 * at], row[2 * at + 1]];
            let raw = if self.big_endian {
                u16::from_be_bytes(bytes)
            } else {
                u16::from_le_bytes(bytes)
            };
            return ((u32::from(raw) * 255 + 32_767) / 65_535) as u8;
        }
        let raw = if bits.is_multiple_of(8) {
            let n = bits / 8;
            self.number(&row[at * n..(at + 1) * n])
        } else {
            let start = at * bits;
            (start..start + bits).fold(0, |sum, bit| {
                sum << 1 | u64::from(row[bit / 8] >> (7 - bit % 8) & 1)
            })
        };
        if is_index {
            return raw as u8;
        }
        // At least a bit, 64 at most.
        let max = u64::MAX >> (64 - bits.clamp(1, 64));
        match self.plan.number {
            Number::Float => {
                let value = match bits {
                    16 => half(raw as u16),
                    32 => f32::from_bits(raw as u32),
                    _ => f64::from_bits(raw) as f32,
                };
                (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
            }
            // The darkest is the least.
            Number::Signed => to_byte(raw ^ (max / 2 + 1), max),
            Number::Unsigned => to_byte(raw, max),
        }
    }
}

fn to_byte(value: u64, max: u64) -> u8 {
    ((value * 255 + max / 2) / max) as u8
}

/// A float of 16 bits (IEEE 754).
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 31, f32::from(bits & 0x3FF));
    let value = match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 => f32::MAX,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 { -value } else { value }
}
