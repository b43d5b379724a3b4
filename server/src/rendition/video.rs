//! The video of a rendition: whether there can be any, and how much of it.

use super::{Bitrate, Fps, Gop, Rendition, snap};
use crate::size::Size;

/// The longer side of a picture that encoders take, as level 5.2 of H.264 has it.
const MAX_LONG: u32 = 3840;
/// The shorter side.
const MAX_SHORT: u32 = 2160;

/// Why there is no video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVideo {
    /// The program was compiled without an encoder.
    #[error(
        "this program was built without video, because no C++ compiler was found: install one, such as g++, and build it again"
    )]
    Missing,
    /// The pictures are larger than encoders take.
    #[error(
        "{0} is too large for video, which has at most {MAX_LONG}x{MAX_SHORT}: ask for less, such as ?size=1920x1080"
    )]
    TooLarge(Size),
}

/// Whether this program makes video at all.
pub const IS_BUILT_IN: bool = cfg!(feature = "h264");

/// Whether there can be video of pictures of this size.
///
/// # Errors
/// There can't, and why.
pub fn can_be(size: Size) -> Result<(), NoVideo> {
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    if !IS_BUILT_IN {
        Err(NoVideo::Missing)
    } else if long > MAX_LONG || short > MAX_SHORT {
        Err(NoVideo::TooLarge(size))
    } else {
        Ok(())
    }
}

impl Rendition {
    /// The bits a second that its video has at most in motion, over a while: what is wished
    /// for, else a fifth of one for each pixel, at which a
    /// crossfade between photos keeps what is fine in them.
    pub fn video_bits_per_second(&self) -> u64 {
        let usual = (self.size.n_pixels() * u64::from(self.fps.0) / 5).clamp(500_000, 40_000_000);
        self.bitrate.map_or(usual, Bitrate::bits_per_second)
    }

    /// The rendition for who watches video over a network that carries too little: with each of `level` steps half of the
    /// bits a second, and from the second one on fewer and smaller pictures, since a key frame is sent whole. For ways by
    /// which the size may change within a stream.
    pub fn narrowed(self, level: u8) -> Self {
        let (share, most_fps) = match level {
            0 => return self,
            1 => (1.0, self.fps.0),
            2 => (2.0 / 3.0, 15),
            _ => (0.5, 10),
        };
        #[expect(
            clippy::cast_sign_loss,
            reason = "a share of a side is no less than nothing"
        )]
        let side = |side: u32| (f64::from(side) * share) as u32;
        let size = match level {
            1 => self.size,
            _ => snap(Size::new(side(self.size.width), side(self.size.height))),
        };
        Self {
            size,
            bitrate: Some(Bitrate::near(self.video_bits_per_second() >> level)),
            fps: Fps(self.fps.0.min(most_fps)),
            ..self
        }
    }

    /// From one key frame to the next in video that is cut into pieces, in ticks of 1/90,000 s.
    pub fn gop_ticks(&self) -> u64 {
        self.gop.unwrap_or(Gop::USUAL).millis() * 90
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrowed_rendition_takes_half_with_each_step_and_keeps_its_shape() {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        for (width, height) in [(1920, 1080), (1080, 1920), (640, 360), (640, 480)] {
            let full = Rendition {
                size: Size::new(width, height),
                ..config.rendition
            };
            assert_eq!(full.narrowed(0), full);
            for level in 1..=3 {
                let (before, after) = (full.narrowed(level - 1), full.narrowed(level));
                assert!(after.size.n_pixels() <= before.size.n_pixels());
                assert!(after.fps.0 <= before.fps.0);
                let bits = full.video_bits_per_second() >> level;
                assert!(after.video_bits_per_second().abs_diff(bits) < 1000);
                let shape = |size: Size| f64::from(size.width) / f64::from(size.height);
                assert!(
                    (shape(after.size) / shape(full.size) - 1.0).abs() < 0.03,
                    "{after:?}"
                );
            }
        }
    }
}
