//! Cameras, and whatever else ffmpeg opens: which command lines bring their pictures as JPEGs, and what ffmpeg's last words
//! mean in plain ones. Pure: starts nothing.

mod device;
mod ffmpeg;
mod words;

use std::fmt;

pub use device::Device;
pub(super) use ffmpeg::Way;
pub(super) use words::{is_too_old, plain};

use super::secrets::Secrets;
use crate::{size::Size, source::child::Line};

/// A camera, and how it is to be set up.
#[derive(Clone, PartialEq, Eq)]
pub struct Camera {
    /// The thing that is opened.
    pub device: Device,
    /// The size of its pictures; `None`: what it gives.
    pub size: Option<Size>,
    /// How many pictures a second it brings; `None`: what it gives.
    pub fps: Option<u32>,
    /// The quality, 1 to 100, of pictures that it doesn't give as JPEGs.
    pub quality: u8,
    /// The options of ffmpeg's that stand before its input.
    pub input_options: Vec<String>,
}

impl Camera {
    /// The quality where none is asked for.
    pub const QUALITY: u8 = 90;

    /// The command lines by which its pictures may come, the best one first: not every camera gives JPEGs, and not every
    /// ffmpeg knows the same options.
    pub(super) fn ways(&self) -> Vec<(Way, Line)> {
        ffmpeg::ways(self)
    }

    /// The texts that are hidden in what ffmpeg says.
    pub(super) fn secrets(&self) -> Secrets {
        let of_device = self.device.secrets().into_iter();
        let of_options = ffmpeg::secret_options(&self.input_options).map(str::to_owned);
        Secrets::new(of_device.chain(of_options))
    }
}

impl fmt::Debug for Camera {
    /// Without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Camera({})", self.device)
    }
}
