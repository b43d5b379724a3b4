//! An encoder as the rest of the program sees it.

use crate::{
    render::Planes,
    rendition::video::{self, NoVideo},
    size::Size,
};

use super::rate::Qp;

/// An H.264 encoder of pictures of one size.
pub(super) trait Encoder: Send {
    /// Encodes a picture. Returns one access unit with start codes; a key frame has its parameter sets in it, and no unit
    /// builds upon one that comes later. Blocking.
    ///
    /// # Errors
    /// The encoder has failed and is of no more use.
    fn encode(&mut self, picture: &Planes, key: bool, qp: Qp) -> Result<Vec<u8>, EncoderError>;
}

/// Why there is no more video.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncoderError {
    /// There is none of such pictures, or in this build.
    #[error(transparent)]
    NoVideo(#[from] NoVideo),
    /// The encoder says so.
    #[error("the encoder failed: {0}")]
    Failed(String),
}

/// An encoder of pictures of this size, so many a second at most.
///
/// # Errors
/// There is none for it.
pub(super) fn open(size: Size, fps: u32) -> Result<Box<dyn Encoder>, EncoderError> {
    video::can_be(size)?;
    #[cfg(feature = "h264")]
    return Ok(Box::new(super::openh264::OpenH264::open(size, fps)?));
    #[cfg(not(feature = "h264"))]
    {
        let _ = fps;
        Err(NoVideo::Missing.into())
    }
}
