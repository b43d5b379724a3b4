//! The frames between two slides, made from the two JPEGs that clients have.
//!
//! A slide is kept as its JPEG alone: at 4K its pixels take 25 MB, its JPEG one or two. They are decoded
//! again when a transition begins, and forgotten when it ends.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::{
    hub::{Frame, FrameNo},
    render::{self, Alpha, DecodeError, DecodeLimits, EncodeError, Picture, Quality},
};

/// Two frames and, once one between them was made, their pixels.
#[derive(Debug)]
pub struct Between {
    from: Arc<Frame>,
    to: Arc<Frame>,
    pictures: OnceLock<[Picture; 2]>,
}

/// Why a frame could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlendError {
    /// What was encoded here could not be read again.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// What was blended could not be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Between {
    pub(super) fn new(from: Arc<Frame>, to: Arc<Frame>) -> Self {
        Self {
            from,
            to,
            pictures: OnceLock::new(),
        }
    }

    /// Whether it lies between these two.
    pub(super) fn is_between(&self, from: FrameNo, to: FrameNo) -> bool {
        (self.from.no, self.to.no) == (from, to)
    }

    /// The frame at `alpha`, coarser in the middle than at the ends. Blocking.
    pub(super) fn at(&self, alpha: Alpha, quality: Quality) -> Result<Bytes, BlendError> {
        let [from, to] = self.pictures()?;
        let mut out = Picture::filled(to.width(), to.height(), [0, 0, 0]);
        render::blend(from, to, alpha, &mut out);
        Ok(render::encode(&out, quality.between(alpha))?.into())
    }

    fn pictures(&self) -> Result<&[Picture; 2], DecodeError> {
        if let Some(pictures) = self.pictures.get() {
            return Ok(pictures);
        }
        let limits = DecodeLimits::default();
        let decode = |frame: &Frame| render::decode(&frame.jpeg(), &limits);
        let pictures = [decode(&self.from)?, decode(&self.to)?];
        Ok(self.pictures.get_or_init(|| pictures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Framing;
    use mantel_shared::{FrameMeta, UnixMillis};

    fn frame(no: u64, jpeg: &[u8]) -> Arc<Frame> {
        let framing = Framing::default();
        Arc::new(framing.frame(FrameNo(no), UnixMillis(0), FrameMeta::default(), jpeg))
    }

    fn flat(shade: u8) -> Vec<u8> {
        let picture = Picture::filled(32, 16, [shade; 3]);
        render::encode(&picture, Quality::new(85).unwrap()).unwrap()
    }

    #[test]
    fn a_frame_lies_between_its_two() {
        let between = Between::new(frame(1, &flat(40)), frame(2, &flat(200)));
        assert!(between.is_between(FrameNo(1), FrameNo(2)));
        let mut last = 0;
        for of_256 in [32, 128, 224] {
            let jpeg = between
                .at(Alpha::new(of_256), Quality::new(85).unwrap())
                .unwrap();
            let shade = render::decode(&jpeg, &DecodeLimits::default())
                .unwrap()
                .pixels()[0];
            let wanted = 40 + 160 * i32::from(of_256) / 256;
            assert!((i32::from(shade) - wanted).abs() < 4, "{shade} at {of_256}");
            assert!(shade > last);
            last = shade;
        }
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        let between = Between::new(frame(1, &flat(40)), frame(2, b"nonsense"));
        let blended = between.at(Alpha::new(128), Quality::new(85).unwrap());
        assert!(matches!(blended, Err(BlendError::Decode(_))));
    }
}
