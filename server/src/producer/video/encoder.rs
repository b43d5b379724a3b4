//! An encoder as the rest of the program sees it.

use crate::{
    render::Planes,
    rendition::{
        EncoderChoice,
        video::{self, NoVideo},
    },
    size::Size,
};

use super::{ffmpeg::Ffmpeg, rate::Qp};

/// An H.264 encoder of pictures of one size.
pub(super) trait Encoder: Send {
    /// Encodes a picture that is to be seen at the tick `at`. Returns one access unit with start codes; a key frame has its parameter sets in it, and no unit
    /// builds upon one that comes later. Blocking.
    ///
    /// # Errors
    /// The encoder has failed and is of no more use.
    fn encode(
        &mut self,
        picture: &Planes,
        at: u64,
        key: bool,
        qp: Qp,
    ) -> Result<Vec<u8>, EncoderError>;
}

/// The shape of what an encoder makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Width and height, both even.
    pub(super) size: Size,
    /// Pictures a second, at most.
    pub(super) fps: u32,
    /// Bits a second, for an encoder that has a control of its own.
    pub(super) bits_per_second: u64,
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

/// An encoder of such pictures.
///
/// # Errors
/// There is none for it.
pub(super) fn open(choice: EncoderChoice, shape: &Shape) -> Result<Box<dyn Encoder>, EncoderError> {
    video::can_be(shape.size)?;
    match choice {
        EncoderChoice::Ffmpeg(encoder) => Ok(Box::new(Ffmpeg::open(encoder, shape)?)),
        #[cfg(feature = "h264")]
        EncoderChoice::OpenH264 => Ok(Box::new(super::openh264::OpenH264::open(
            shape.size, shape.fps,
        )?)),
        #[cfg(not(feature = "h264"))]
        EncoderChoice::OpenH264 => Err(NoVideo::Missing.into()),
    }
}
