//! Values of TIFF's tags, in the kinds that TIFF 6.0 has. Knows no tag's meaning.

use super::tiff::{Entry, Tiff, length_of};

/// The value of a tag.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Bytes, text or something undefined.
    Bytes(Vec<u8>),
    /// Whole numbers without a sign.
    Numbers(Vec<u64>),
    /// Fractions; what is divided by nothing is no number.
    Fractions(Vec<f64>),
}

impl Entry {
    /// How many bytes they take.
    pub(crate) fn n_bytes(self) -> u64 {
        length_of(u64::from(self.kind)).saturating_mul(self.count)
    }
}

impl Tiff<'_> {
    /// The value of an entry, of which no more than `n_bytes` are taken.
    pub(crate) fn value_of(&self, entry: Entry, n_bytes: u64) -> Option<Value> {
        Some(match entry.kind {
            1 | 2 | 6 | 7 => Value::Bytes(self.part(entry.at, entry.count.min(n_bytes))?.to_vec()),
            5 | 10 => {
                let fraction = |i: u64| {
                    let at = entry.at.checked_add(i * 8)?;
                    let (above, below) = (self.number(at, 4)?, self.number(at + 4, 4)?);
                    let signed = |n: u64| match entry.kind {
                        10 => f64::from((n as u32).cast_signed()),
                        _ => n as f64,
                    };
                    Some(signed(above) / signed(below))
                };
                Value::Fractions(
                    (0..entry.count.min(n_bytes / 8))
                        .map_while(fraction)
                        .collect(),
                )
            }
            _ => Value::Numbers(
                self.numbers(entry)
                    .take(usize::try_from(n_bytes).ok()?)
                    .collect(),
            ),
        })
    }
}
