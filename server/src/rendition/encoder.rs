//! The encoder of video that somebody wishes. Pure.

use std::{fmt, str::FromStr};

/// The maker of H.264.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncoderChoice {
    /// The one that is built in.
    #[default]
    OpenH264,
    /// One of ffmpeg's, as a process beside the server.
    Ffmpeg(FfmpegEncoder),
}

/// An encoder of ffmpeg's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FfmpegEncoder {
    /// x264, on the processor.
    X264,
    /// Intel's and AMD's graphics on Linux.
    Vaapi,
    /// Raspberry Pis before the 5 and other boards.
    V4l2M2m,
    /// NVIDIA's graphics.
    Nvenc,
}

/// The reason why a text names no encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an encoder is openh264, or one of ffmpeg's: ffmpeg:libx264, ffmpeg:h264_vaapi, ffmpeg:h264_v4l2m2m or ffmpeg:h264_nvenc"
)]
pub struct EncoderChoiceError;

impl FfmpegEncoder {
    /// All of them.
    const ALL: [Self; 4] = [Self::X264, Self::Vaapi, Self::V4l2M2m, Self::Nvenc];

    /// The name by which ffmpeg knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::Vaapi => "h264_vaapi",
            Self::V4l2M2m => "h264_v4l2m2m",
            Self::Nvenc => "h264_nvenc",
        }
    }
}

impl FromStr for EncoderChoice {
    type Err = EncoderChoiceError;

    fn from_str(text: &str) -> Result<Self, EncoderChoiceError> {
        let text = text.trim();
        if text == "openh264" {
            return Ok(Self::OpenH264);
        }
        let name = text.strip_prefix("ffmpeg:").ok_or(EncoderChoiceError)?;
        let mut all = FfmpegEncoder::ALL.into_iter();
        let known = all.find(|encoder| encoder.name() == name);
        known.map(Self::Ffmpeg).ok_or(EncoderChoiceError)
    }
}

impl fmt::Display for EncoderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenH264 => f.write_str("openh264"),
            Self::Ffmpeg(encoder) => write!(f, "ffmpeg:{}", encoder.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_are_known_by_their_names_and_no_option_is_smuggled_in() {
        for name in [
            "openh264",
            "ffmpeg:libx264",
            "ffmpeg:h264_vaapi",
            "ffmpeg:h264_v4l2m2m",
            "ffmpeg:h264_nvenc",
        ] {
            let choice: EncoderChoice = name.parse().expect(name);
            assert_eq!(choice.to_string(), name);
        }
        for name in [
            "",
            "x264",
            "ffmpeg",
            "ffmpeg:",
            "ffmpeg:libx265",
            "ffmpeg:libx264 -f null",
            "libx264",
        ] {
            assert_eq!(
                name.parse::<EncoderChoice>(),
                Err(EncoderChoiceError),
                "{name}"
            );
        }
    }
}
