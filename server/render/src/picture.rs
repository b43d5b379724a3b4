//! Decoded pixels. Knows nothing of files, formats or screens.

use std::fmt;

use thiserror::Error;

use crate::spare;

/// Bytes of one pixel: red, green, blue.
pub const CHANNELS: usize = 3;

pub use crate::size::{Size, SizeError};

impl Size {
    /// Bytes of a [`Picture`] of this size; `None` where memory could not even be addressed.
    pub fn n_bytes(self) -> Option<usize> {
        usize::try_from(self.n_pixels()).ok()?.checked_mul(CHANNELS)
    }
}

/// Why pixels are no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PictureError {
    /// A side is zero.
    #[error("a picture of {width}x{height} has no pixels")]
    NoPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The bytes given are not `width * height * 3`.
    #[error("a picture of {width}x{height} does not have {n_bytes} bytes")]
    WrongLength {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes given.
        n_bytes: usize,
    },
}

/// Decoded pixels: 8-bit sRGB, RGB interleaved, rows from the top without padding, `width * height * 3` bytes.
/// Neither side is ever zero.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    pixels: Vec<u8>,
}

impl Picture {
    /// Takes pixels over.
    ///
    /// # Errors
    /// A side is zero, or the bytes are not `width * height * 3`.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, PictureError> {
        let size = Size { width, height };
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        if size.n_bytes() != Some(pixels.len()) {
            return Err(PictureError::WrongLength {
                width,
                height,
                n_bytes: pixels.len(),
            });
        }
        Ok(Self { size, pixels })
    }

    /// One colour all over. A side of zero counts as one.
    pub fn filled(width: u32, height: u32, rgb: [u8; CHANNELS]) -> Self {
        let size = Size {
            width: width.max(1),
            height: height.max(1),
        };
        let n_bytes = size.n_bytes().unwrap_or(usize::MAX);
        let pixels = if rgb == [rgb[0]; CHANNELS] {
            vec![rgb[0]; n_bytes]
        } else {
            rgb.repeat(n_bytes / CHANNELS)
        };
        Self { size, pixels }
    }

    /// Pixels across, at least 1.
    pub fn width(&self) -> u32 {
        self.size.width
    }

    /// Pixels down, at least 1.
    pub fn height(&self) -> u32 {
        self.size.height
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The pixels, row by row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Whether no pixel has a colour.
    pub fn is_grey(&self) -> bool {
        let (pixels, _) = self.pixels.as_chunks::<CHANNELS>();
        pixels.iter().all(|[r, g, b]| r == g && g == b)
    }

    /// The pixels, to be painted over.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The pixels, the picture taken apart.
    pub fn into_pixels(mut self) -> Vec<u8> {
        std::mem::take(&mut self.pixels)
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        self.size.width as usize * CHANNELS
    }

    /// Copies `picture` in, its upper left corner at `left` and `top`; what has no room is left out.
    pub fn put(&mut self, picture: &Self, left: u32, top: u32) {
        let (left, stride) = (left as usize * CHANNELS, self.stride());
        let rows = self.pixels_mut().chunks_exact_mut(stride);
        let sources = picture.pixels().chunks_exact(picture.stride());
        for (row, source) in rows.skip(top as usize).zip(sources) {
            let Some(row) = row.get_mut(left..) else {
                return;
            };
            let n = source.len().min(row.len());
            row[..n].copy_from_slice(&source[..n]);
        }
    }

    /// Gives the picture another size, reusing its memory. What it shows afterwards is not defined.
    pub(crate) fn reshape(&mut self, size: Size) {
        if self.size != size {
            self.pixels.resize(size.n_bytes().unwrap_or(usize::MAX), 0);
            self.size = size;
        }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        spare::keep(std::mem::take(&mut self.pixels));
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({})", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_left_out() {
        let white = Picture::filled(3, 2, [255; 3]);
        for (left, top) in (0..6).flat_map(|left| (0..6).map(move |top| (left, top))) {
            let mut frame = Picture::filled(4, 4, [0; 3]);
            frame.put(&white, left, top);
            for (i, pixel) in frame.pixels().chunks_exact(CHANNELS).enumerate() {
                let (x, y) = (i as u32 % 4, i as u32 / 4);
                let is_white = (left..left + 3).contains(&x) && (top..top + 2).contains(&y);
                let expected = if is_white { [255; 3] } else { [0; 3] };
                assert_eq!(pixel, expected, "{left},{top}: {x},{y}");
            }
        }
    }

    #[test]
    fn a_picture_has_just_its_pixels() {
        assert!(Picture::new(2, 1, vec![0; 6]).is_ok());
        assert_eq!(
            Picture::new(2, 1, vec![0; 7]),
            Err(PictureError::WrongLength {
                width: 2,
                height: 1,
                n_bytes: 7
            })
        );
        assert_eq!(
            Picture::new(0, 1, vec![]),
            Err(PictureError::NoPixels {
                width: 0,
                height: 1
            })
        );
        assert!(Picture::new(u32::MAX, u32::MAX, vec![]).is_err());
        assert_eq!(
            Picture::filled(2, 1, [1, 2, 3]).pixels(),
            [1, 2, 3, 1, 2, 3]
        );
    }
}
