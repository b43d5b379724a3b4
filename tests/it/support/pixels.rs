//! Decoded pictures and colours, compared with the tolerance that a lossy codec needs.

use std::{fmt, path::Path};

use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

/// An sRGB colour, 8 bits a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) [u8; 3]);

/// Colours that no codec, resize or colour matrix turns into one another. Neighbours in this list
/// differ by far in at least two channels, so a blend of two is neither of them.
pub(crate) const RED: Rgb = Rgb([205, 40, 40]);
/// See [`RED`].
pub(crate) const GREEN: Rgb = Rgb([40, 165, 60]);
/// See [`RED`].
pub(crate) const BLUE: Rgb = Rgb([45, 70, 210]);
/// See [`RED`].
pub(crate) const YELLOW: Rgb = Rgb([225, 205, 50]);

const NAMED: [(&str, Rgb); 4] = [
    ("red", RED),
    ("green", GREEN),
    ("blue", BLUE),
    ("yellow", YELLOW),
];

/// How far a channel may be off after JPEG, resize and a player's colour matrix.
const TOLERANCE: u8 = 28;

impl Rgb {
    /// The largest difference in any channel.
    pub(crate) fn distance(self, other: Rgb) -> u8 {
        self.0
            .iter()
            .zip(other.0)
            .map(|(a, b)| a.abs_diff(b))
            .max()
            .unwrap_or(0)
    }

    /// Whether this is `other` as far as a lossy codec can say.
    pub(crate) fn is(self, other: Rgb) -> bool {
        self.distance(other) <= TOLERANCE
    }

    /// Brightness as the eye weighs it, 0 to 255.
    pub(crate) fn luma(self) -> f64 {
        let [r, g, b] = self.0.map(f64::from);
        0.299 * r + 0.587 * g + 0.114 * b
    }

    /// Whether every channel lies between those of `a` and `b`, give or take `slack`.
    pub(crate) fn between(self, a: Rgb, b: Rgb, slack: u8) -> bool {
        (0..3).all(|i| {
            let (low, high) = (a.0[i].min(b.0[i]), a.0[i].max(b.0[i]));
            (low.saturating_sub(slack)..=high.saturating_add(slack)).contains(&self.0[i])
        })
    }

    /// The one of the four test colours that this is, if any.
    pub(crate) fn named(self) -> Option<Rgb> {
        NAMED
            .iter()
            .map(|(_, colour)| *colour)
            .find(|colour| self.is(*colour))
    }
}

impl fmt::Debug for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        match NAMED.iter().find(|(_, colour)| self.is(*colour)) {
            Some((name, _)) => write!(f, "{name}({r},{g},{b})"),
            None => write!(f, "rgb({r},{g},{b})"),
        }
    }
}

/// A decoded picture.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Decodes a JPEG, or says why it can't.
    pub(crate) fn from_jpeg(bytes: &[u8]) -> Result<Self, String> {
        let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
        let rgb = decoder.decode().map_err(|error| format!("{error:?}"))?;
        let (width, height) = decoder.dimensions().ok_or("no dimensions")?;
        if rgb.len() != width * height * 3 {
            return Err(format!("{} bytes for {width}x{height}: not RGB", rgb.len()));
        }
        Ok(Self { width, height, rgb })
    }

    /// Decodes a PNG, or says why it can't.
    pub(crate) fn from_png(bytes: &[u8]) -> Result<Self, String> {
        let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Png)
            .map_err(|error| error.to_string())?
            .to_rgb8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Ok(Self {
            width,
            height,
            rgb: picture.into_raw(),
        })
    }

    /// Decodes a PNG file that a player wrote.
    pub(crate) fn from_png_file(path: &Path) -> Result<Self, String> {
        Self::from_png(&std::fs::read(path).map_err(|error| error.to_string())?)
    }

    /// The mean colour of a patch, a tenth of the picture wide and high, around a point given in
    /// fractions of the picture's size.
    pub(crate) fn around(&self, x: f64, y: f64) -> Rgb {
        let range = |at: f64, size: usize| {
            let half = (size / 20).max(1);
            #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
            let middle = ((at * size as f64) as usize).min(size - 1);
            middle.saturating_sub(half)..(middle + half).min(size)
        };
        let mut sum = [0_u64; 3];
        let mut n_pixels = 0;
        for row in range(y, self.height) {
            for column in range(x, self.width) {
                let at = (row * self.width + column) * 3;
                for (total, value) in sum.iter_mut().zip(&self.rgb[at..at + 3]) {
                    *total += u64::from(*value);
                }
                n_pixels += 1;
            }
        }
        Rgb(sum.map(|total| u8::try_from(total / n_pixels).unwrap_or(u8::MAX)))
    }

    /// One pixel's colour.
    pub(crate) fn at(&self, x: usize, y: usize) -> Rgb {
        let at = (y * self.width + x) * 3;
        Rgb([self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]])
    }

    /// The colour in the middle.
    pub(crate) fn middle(&self) -> Rgb {
        self.around(0.5, 0.5)
    }

    /// The middles of the four quadrants: top left, top right, bottom left, bottom right.
    pub(crate) fn quadrants(&self) -> [Rgb; 4] {
        [(0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)].map(|(x, y)| self.around(x, y))
    }
}

/// What a frame's JPEG markers say, read without a decoder: old TVs show progressive or oddly
/// subsampled pictures as grey, and metadata would give away where a photo was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JpegFacts {
    /// SOF0: baseline, Huffman-coded.
    pub(crate) baseline: bool,
    /// Luma 2x2, chroma 1x1 each.
    pub(crate) is_420: bool,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Any APP1..APP15 or comment segment.
    pub(crate) has_metadata: bool,
    /// More than one means a thumbnail inside, at which some consumers would cut.
    pub(crate) n_end_markers: usize,
}

impl JpegFacts {
    /// Reads the marker segments up to the start of scan.
    pub(crate) fn read(jpeg: &[u8]) -> Result<Self, String> {
        if !jpeg.starts_with(&[0xFF, 0xD8]) || !jpeg.ends_with(&[0xFF, 0xD9]) {
            return Err("not from SOI to EOI".into());
        }
        let mut facts = JpegFacts {
            baseline: false,
            is_420: false,
            width: 0,
            height: 0,
            has_metadata: false,
            n_end_markers: jpeg.windows(2).filter(|pair| pair == &[0xFF, 0xD9]).count(),
        };
        let mut at = 2;
        loop {
            let [0xFF, marker, high, low] = *jpeg.get(at..at + 4).ok_or("cut off")? else {
                return Err(format!("no marker at {at}"));
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = jpeg.get(at + 4..at + 2 + length).ok_or("segment cut off")?;
            match marker {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    facts.baseline = marker == 0xC0;
                    facts.height = u16::from_be_bytes([segment[1], segment[2]]);
                    facts.width = u16::from_be_bytes([segment[3], segment[4]]);
                    facts.is_420 = segment[5] == 3
                        && [segment[7], segment[10], segment[13]] == [0x22, 0x11, 0x11];
                }
                0xE1..=0xEF | 0xFE => facts.has_metadata = true,
                0xDA => return Ok(facts),
                _ => {}
            }
            at += 2 + length;
        }
    }
}
