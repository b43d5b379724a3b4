//! The video of a rendition: whether there can be any, and how much of it.

use super::{Bitrate, Gop, Rendition};
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

    /// From one key frame to the next in video that is cut into pieces, in ticks of 1/90,000 s.
    pub fn gop_ticks(&self) -> u64 {
        self.gop.unwrap_or(Gop::USUAL).millis() * 90
    }
}
