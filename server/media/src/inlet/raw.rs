//! Pixels without any coding, told by their content type alone: `image/x-rgb8; width=640; height=480`.

use super::InletError;

/// Pixels of eight bits a channel, row after row from the upper left, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Raw {
    /// The bytes of a pixel.
    pub layout: Layout,
    /// In pixels, at least one.
    pub width: u32,
    /// In pixels, at least one.
    pub height: u32,
}

/// The channels of a pixel, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `image/x-gray8`.
    Gray,
    /// `image/x-rgb8`.
    Rgb,
    /// `image/x-bgr8`, as OpenCV has it.
    Bgr,
    /// `image/x-rgba8`; alpha isn't multiplied in.
    Rgba,
}

impl Raw {
    /// How many bytes these pixels are; `None` where nobody can hold as many.
    pub fn n_bytes(&self) -> Option<usize> {
        let n_channels = match self.layout {
            Layout::Gray => 1,
            Layout::Rgb | Layout::Bgr => 3,
            Layout::Rgba => 4,
        };
        let n_pixels = usize::try_from(self.width)
            .ok()?
            .checked_mul(usize::try_from(self.height).ok()?)?;
        n_pixels.checked_mul(n_channels)
    }

    /// Reads a content type; `None` where it names no raw pixels.
    pub(super) fn from_content_type(text: &str) -> Result<Option<Self>, InletError> {
        let mut pieces = text.split(';').map(str::trim);
        let essence = pieces.next().unwrap_or_default();
        let known = [
            ("image/x-gray8", Layout::Gray),
            ("image/x-rgb8", Layout::Rgb),
            ("image/x-bgr8", Layout::Bgr),
            ("image/x-rgba8", Layout::Rgba),
        ];
        let Some((_, layout)) = known
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(essence))
        else {
            return Ok(None);
        };
        let (mut width, mut height) = (0, 0);
        for (name, value) in pieces.filter_map(|piece| piece.split_once('=')) {
            let number = value.trim().parse().unwrap_or(0);
            match name.trim() {
                name if name.eq_ignore_ascii_case("width") => width = number,
                name if name.eq_ignore_ascii_case("height") => height = number,
                _ => {}
            }
        }
        if width == 0 || height == 0 {
            return Err(InletError::RawSize);
        }
        Ok(Some(Self {
            layout,
            width,
            height,
        }))
    }
}
