//! The plan by which a TIFF's pixels are read: what its tags say of samples and where they lie, checked; and in words what is
//! not read here.

use super::{Entry, Tiff, tag};
use crate::{formats::stored::DecodeError, picture::Size};

/// Tags that only pixels need.
mod own {
    pub(super) const BITS: u16 = 0x0102;
    pub(super) const FILL_ORDER: u16 = 0x010A;
    pub(super) const N_SAMPLES: u16 = 0x0115;
    pub(super) const ROWS_PER_STRIP: u16 = 0x0116;
    pub(super) const PLANAR: u16 = 0x011C;
    pub(super) const FAX3_OPTIONS: u16 = 0x0124;
    pub(super) const PREDICTOR: u16 = 0x013D;
    pub(super) const COLOURS: u16 = 0x0140;
    pub(super) const TILE_WIDTH: u16 = 0x0142;
    pub(super) const TILE_HEIGHT: u16 = 0x0143;
    pub(super) const TILE_OFFSETS: u16 = 0x0144;
    pub(super) const TILE_LENGTHS: u16 = 0x0145;
    pub(super) const EXTRA: u16 = 0x0152;
    pub(super) const FORMAT: u16 = 0x0153;
    pub(super) const JPEG_TABLES: u16 = 0x015B;
    pub(super) const SUBSAMPLING: u16 = 0x0212;
    pub(super) const PROFILE: u16 = 0x8773;
}

/// More bytes than a profile or a JPEG's tables have.
const MAX_CONTENT_BYTES: usize = 16 << 20;

/// The meaning of a pixel's first samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// Grey; whether zero is white.
    Grey {
        inverted: bool,
    },
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    /// CIE L*a*b*; whether a* and b* are without a sign, as ICC has them.
    Lab {
        unsigned: bool,
    },
}

impl Colour {
    /// Samples that make a colour.
    pub(super) fn n_samples(self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette => 1,
            Self::Rgb | Self::YCbCr | Self::Lab { .. } => 3,
            Self::Cmyk => 4,
        }
    }

    /// Whether its colours are known without a profile, or by it before all others.
    pub(super) fn is_brought_to_srgb(self) -> bool {
        matches!(self, Self::Cmyk | Self::Lab { .. })
    }
}

/// The kind of number that a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Unsigned,
    Signed,
    Float,
}

/// The way in which pixels are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    /// Fax: runs alone.
    Runs,
    /// Fax 3, and whether lines may follow from those before.
    Fax3 {
        by_lines: bool,
    },
    Fax4,
    Lzw,
    Jpeg,
    /// JPEG of before 1995: one file for all.
    OldJpeg,
    Deflate,
    PackBits,
    Zstd,
    WebP,
}

impl Packing {
    pub(super) fn is_fax(self) -> bool {
        matches!(self, Self::Runs | Self::Fax3 { .. } | Self::Fax4)
    }
}

/// The sample of a pixel that says how much of it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alpha {
    /// Which sample.
    pub(super) at: usize,
    /// Whether the colours are multiplied by it.
    pub(super) multiplied: bool,
}

/// The plan.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) size: Size,
    pub(super) colour: Colour,
    pub(super) alpha: Option<Alpha>,
    pub(super) packing: Packing,
    pub(super) bits: u32,
    pub(super) number: Number,
    pub(super) n_samples: usize,
    pub(super) planar: bool,
    /// 1 for none, 2 for differences, 3 for those of floats.
    pub(super) predictor: u64,
    pub(super) reversed: bool,
    /// Pixels of a strip or tile.
    pub(super) chunk: Size,
    /// Where they lie, and how long they are.
    pub(super) offsets: Option<Entry>,
    pub(super) lengths: Option<Entry>,
    /// Of YCbCr, across and down.
    pub(super) subsampling: (usize, usize),
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) tables: Option<Vec<u8>>,
    pub(super) profile: Option<Vec<u8>>,
}

fn unsupported<T>(what: &str) -> Result<T, DecodeError> {
    Err(DecodeError::Unsupported(format!("TIFF ({what})")))
}

impl Plan {
    /// By a directory's tags.
    pub(super) fn of(tiff: &Tiff<'_>, directory: u64) -> Result<Self, DecodeError> {
        let damaged = |what: &str| DecodeError::Damaged(what.into());
        let value = |tag: u16| tiff.value(directory, tag);
        let entry = |tag: u16| tiff.entry(directory, tag);
        // As many as the longest list has that is read whole, a palette.
        let numbers = |tag: u16| -> Vec<u64> {
            entry(tag).map_or(vec![], |entry| tiff.numbers(entry).take(3 << 8).collect())
        };
        let content = |tag: u16| {
            let content = tiff.content(entry(tag)?)?;
            (content.len() <= MAX_CONTENT_BYTES).then(|| content.to_vec())
        };
        let size = tiff
            .size(directory)
            .ok_or_else(|| damaged("it says no size"))?;
        let packing = packing(
            value(tag::COMPRESSION).unwrap_or(1),
            value(own::FAX3_OPTIONS).unwrap_or(0),
        )?;
        let all_bits = numbers(own::BITS);
        let bits = all_bits.first().copied().unwrap_or(1);
        if all_bits.iter().any(|&other| other != bits) {
            return unsupported("samples of different depths");
        }
        let n_samples = value(own::N_SAMPLES).unwrap_or(1);
        let n_samples = usize::try_from(n_samples).unwrap_or(usize::MAX);
        let colour = match value(tag::PHOTOMETRIC) {
            Some(photometric) => colour(photometric)?,
            // Some leave it out.
            None if n_samples >= 3 => Colour::Rgb,
            None => Colour::Grey {
                inverted: packing.is_fax(),
            },
        };
        if !(colour.n_samples()..=64).contains(&n_samples) {
            return Err(damaged("it has too few samples, or too many"));
        }
        let number = match value(own::FORMAT).unwrap_or(1) {
            2 => Number::Signed,
            3 => Number::Float,
            5 | 6 => return unsupported("complex numbers"),
            _ => Number::Unsigned,
        };
        let are_known = match number {
            Number::Float => matches!(bits, 16 | 32 | 64),
            _ => (1..=32).contains(&bits),
        };
        if !are_known || (colour == Colour::Palette && bits > 8) {
            return unsupported(&format!("{bits} bits"));
        }
        let is_lab = matches!(colour, Colour::Lab { .. });
        if is_lab && bits > 8 && number != Number::Unsigned {
            return unsupported("L*a*b* in numbers of another kind");
        }
        if packing == Packing::Jpeg && n_samples == 2 && value(own::PLANAR) != Some(2) {
            return unsupported("JPEG of two samples");
        }
        // The sign is in the kind of colour.
        let number = if is_lab { Number::Unsigned } else { number };
        let bits = bits as u32;
        let n_colours = colour.n_samples();
        let extra = match entry(own::EXTRA) {
            Some(_) => numbers(own::EXTRA),
            // Some leave it out where it is as everybody expects.
            None if colour == Colour::Rgb && n_samples == 4 => vec![2],
            None => vec![],
        };
        let alpha = extra.iter().position(|&kind| matches!(kind, 1 | 2));
        let alpha = alpha.map(|at| Alpha {
            at: n_colours + at,
            multiplied: extra[at] == 1,
        });
        let alpha = alpha.filter(|alpha| alpha.at < n_samples && colour != Colour::Cmyk);
        let predictor = value(own::PREDICTOR).unwrap_or(1);
        let packs_bytes = matches!(packing, Packing::Lzw | Packing::Deflate | Packing::Zstd);
        let predictor = if packs_bytes { predictor } else { 1 };
        match predictor {
            1 => {}
            2 if matches!(bits, 8 | 16 | 32 | 64) => {}
            3 if number == Number::Float => {}
            _ => return unsupported(&format!("predictor {predictor} of {bits} bits")),
        }
        let planar = value(own::PLANAR) == Some(2) && n_samples > 1;
        let subsampling = match numbers(own::SUBSAMPLING)[..] {
            [across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => (across as usize, down as usize),
            _ => (2, 2),
        };
        let is_coarse = colour == Colour::YCbCr && subsampling != (1, 1);
        if is_coarse && packing != Packing::Jpeg && (bits != 8 || n_samples != 3) {
            return unsupported("coarse colours of such depth");
        }
        if is_coarse && planar {
            return unsupported("coarse colours in planes");
        }
        if packing.is_fax() && (bits != 1 || n_samples != 1) {
            return Err(damaged("a fax of colours makes no sense"));
        }
        let side = |tag: u16| value(tag).and_then(|n| u32::try_from(n).ok());
        let (chunk, offsets, lengths) = match entry(own::TILE_OFFSETS) {
            Some(tiles) => {
                let sides = side(own::TILE_WIDTH).zip(side(own::TILE_HEIGHT));
                let (width, height) = sides.unwrap_or_default();
                let lengths = entry(own::TILE_LENGTHS);
                // Some name their tiles as strips.
                let lengths = lengths.or_else(|| entry(tag::STRIP_LENGTHS));
                (Size::new(width, height), Some(tiles), lengths)
            }
            None => {
                let rows = side(own::ROWS_PER_STRIP).unwrap_or(size.height);
                let chunk = Size::new(size.width, rows.min(size.height));
                let (offsets, lengths) = (entry(tag::STRIP_OFFSETS), entry(tag::STRIP_LENGTHS));
                (chunk, offsets, lengths)
            }
        };
        // A tile is hardly larger than its picture.
        if chunk.width == 0
            || chunk.height == 0
            || chunk.n_pixels() > size.n_pixels().saturating_mul(4).max(1 << 20)
        {
            return Err(damaged("its tiles have no size"));
        }
        if offsets.is_none() && packing != Packing::OldJpeg {
            return Err(damaged("it says nowhere where its pixels are"));
        }
        Ok(Self {
            size,
            colour,
            alpha,
            packing,
            bits,
            number,
            n_samples,
            planar,
            predictor,
            reversed: value(own::FILL_ORDER) == Some(2),
            chunk,
            offsets,
            lengths,
            subsampling,
            palette: palette(&numbers(own::COLOURS), bits),
            tables: content(own::JPEG_TABLES),
            profile: content(own::PROFILE),
        })
    }

    /// Chunks in a row, and rows of them.
    pub(super) fn grid(&self) -> (u32, u32) {
        let across = self.size.width.div_ceil(self.chunk.width);
        (across, self.size.height.div_ceil(self.chunk.height))
    }
}

fn colour(photometric: u64) -> Result<Colour, DecodeError> {
    Ok(match photometric {
        0 => Colour::Grey { inverted: true },
        1 => Colour::Grey { inverted: false },
        2 => Colour::Rgb,
        3 => Colour::Palette,
        5 => Colour::Cmyk,
        6 => Colour::YCbCr,
        8 => Colour::Lab { unsigned: false },
        9 => Colour::Lab { unsigned: true },
        4 => return unsupported("a mask"),
        32_803 | 34_892 => return unsupported("a camera's raw samples"),
        32_844 | 32_845 => return unsupported("LogLuv"),
        other => return unsupported(&format!("colours of kind {other}")),
    })
}

fn packing(compression: u64, fax3_options: u64) -> Result<Packing, DecodeError> {
    let name = match compression {
        1 => return Ok(Packing::None),
        2 => return Ok(Packing::Runs),
        3 => {
            let by_lines = fax3_options & 1 == 1;
            return Ok(Packing::Fax3 { by_lines });
        }
        4 => return Ok(Packing::Fax4),
        5 => return Ok(Packing::Lzw),
        6 => return Ok(Packing::OldJpeg),
        7 => return Ok(Packing::Jpeg),
        8 | 32_946 => return Ok(Packing::Deflate),
        32_773 => return Ok(Packing::PackBits),
        50_000 => return Ok(Packing::Zstd),
        50_001 => return Ok(Packing::WebP),
        34_712 | 33_003..=33_005 => "JPEG 2000",
        34_887 => "LERC",
        34_925 => "LZMA",
        34_676 | 34_677 => "SGI's logarithms",
        34_933 => "PNG",
        50_002 | 52_546 => "JPEG XL",
        other => return unsupported(&format!("packed in way {other}")),
    };
    unsupported(&format!("packed by {name}"))
}

/// Colours of 16 bits, all reds first; some write them in 8.
fn palette(numbers: &[u64], bits: u32) -> Vec<[u8; 3]> {
    if bits > 8 || numbers.len() < 3 << bits {
        return vec![];
    }
    let shift = if numbers.iter().all(|&n| n < 256) {
        0
    } else {
        8
    };
    let n = 1 << bits;
    let byte = |at: usize| (numbers[at] >> shift).min(255) as u8;
    (0..n)
        .map(|i| [byte(i), byte(n + i), byte(2 * n + i)])
        .collect()
}
