//! The samples of a TIFF's picture that are kept, a byte each: those of its colour, and its alpha. What does not come stays
//! grey.

use super::{
    colours,
    plan::{Packing, Plan},
};
use crate::{
    colour::profile::Space,
    formats::stored::{DecodeError, DecodeLimits, Stored, enough},
    picture::{CHANNELS, Size},
    spare,
};

/// A picture that is being filled.
pub(super) struct Canvas<'a> {
    plan: &'a Plan,
    /// Which of a pixel's samples are kept.
    pub(super) kept: Vec<usize>,
    samples: Vec<u8>,
    /// Samples that came, of all that are kept.
    n_there: u64,
    fault: Option<DecodeError>,
}

impl<'a> Canvas<'a> {
    /// An empty one, and what is left of the limits for what is unpacked at once.
    pub(super) fn new(
        plan: &'a Plan,
        limits: &DecodeLimits,
    ) -> Result<(Self, DecodeLimits), DecodeError> {
        let mut kept: Vec<usize> = (0..plan.colour.n_samples()).collect();
        kept.extend(plan.alpha.map(|alpha| alpha.at));
        let n_pixels = plan.size.n_pixels();
        let per_pixel = match kept.len() {
            // The samples, and the picture beside them.
            n @ (1 | 2) => n + CHANNELS,
            4 if plan.alpha.is_none() => 4 + CHANNELS,
            n => n,
        };
        let n_own = n_pixels.saturating_mul(per_pixel as u64);
        let n_chunk = plan.chunk.n_pixels().saturating_mul(plan.n_samples as u64);
        let n_row =
            u64::from(plan.chunk.width) * (plan.n_samples * plan.bits.div_ceil(8) as usize) as u64;
        let n_unpacked = match plan.packing {
            Packing::WebP => n_chunk.saturating_mul(2),
            Packing::Jpeg => n_chunk,
            packing if packing.is_fax() => n_chunk / 8,
            _ => 0,
        };
        let n_most = n_own.saturating_add(n_unpacked).saturating_add(n_row);
        limits.check(plan.size, n_most)?;
        let n = usize::try_from(n_pixels).unwrap_or(usize::MAX);
        let mut samples = spare::zeros(n.saturating_mul(kept.len()));
        let missing = colours::missing(plan);
        for sample in samples.chunks_exact_mut(kept.len()) {
            sample.copy_from_slice(&missing);
        }
        let left = limits.within(limits.bytes.saturating_sub(n_own));
        let canvas = Self {
            plan,
            kept,
            samples,
            n_there: 0,
            fault: None,
        };
        Ok((canvas, left))
    }

    /// Where a pixel's sample is kept among those that are.
    pub(super) fn place(&self, sample: usize) -> Option<usize> {
        self.kept.iter().position(|&kept| kept == sample)
    }

    /// The samples that are kept of a row from a place on, as many pixels of it as there are; counted as there, with
    /// `n_new` samples for each.
    pub(super) fn row(
        &mut self,
        (left, y): (u32, u32),
        width: u32,
        n_new: usize,
    ) -> Option<&mut [u8]> {
        let Size { width: all, height } = self.plan.size;
        if y >= height || left >= all {
            return None;
        }
        let n = self.kept.len();
        let n_pixels = width.min(all - left) as usize;
        let start = (y as usize * all as usize + left as usize) * n;
        self.n_there += (n_pixels * n_new) as u64;
        self.samples.get_mut(start..start + n_pixels * n)
    }

    /// Notes why a part did not come; the first reason counts.
    pub(super) fn note(&mut self, fault: DecodeError) {
        self.fault.get_or_insert(fault);
    }

    /// The picture, if enough of it came.
    pub(super) fn finish(self) -> Result<Stored, DecodeError> {
        let whole = self.samples.len() as u64;
        let damage = if self.n_there >= whole {
            None
        } else {
            let cut = DecodeError::Truncated { percent: None };
            match self.fault.unwrap_or(cut) {
                fault @ (DecodeError::Unsupported(_) | DecodeError::TooHungry { .. }) => {
                    return Err(fault);
                }
                fault => Some(enough(self.n_there, whole, fault)?),
            }
        };
        let picture = colours::picture(self.plan, self.samples)
            .ok_or_else(|| DecodeError::Damaged("its rows do not fit".into()))?;
        let space = if self.plan.colour.is_brought_to_srgb() {
            Space::Srgb
        } else {
            Space::from_icc(self.plan.profile.clone(), &picture)
        };
        Ok(Stored {
            damage,
            ..Stored::whole(picture, space)
        })
    }
}
