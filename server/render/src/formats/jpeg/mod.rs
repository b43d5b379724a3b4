//! JPEG by zune-jpeg, with what it leaves to its caller: limits before it takes memory, a verdict on files that are cut
//! off or damaged, and what the colours mean. Never turns anything.

mod coded;
pub(super) mod layout;
mod mend;
mod odd;

use std::borrow::Cow;

use mantel_media::jpeg::STANDARD_TABLES;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use self::layout::Layout;
use crate::{
    colour::profile::{self, Space},
    fence::fenced,
    formats::{
        markers::{self, EOI},
        stored::{DecodeError, DecodeLimits, Stored, enough},
        tiff::Tiff,
    },
    picture::{CHANNELS, Picture, Size},
    spare,
};

/// More scans than any camera or optimiser writes (10 to 20); each costs a pass over all coefficients.
const MAX_SCANS: usize = 64;
/// Given to the decoder in place of the end of image marker. It reads ahead by up to 8 bytes: a complete picture
/// never gets to the end of these, and a cut one soon does.
const PADDING: [u8; 16] = [0xFE; 16];

/// The samples of a picture, and the damage because of which not all are real.
type Samples = (Vec<u8>, Option<DecodeError>);

/// Decodes a JPEG as it is stored.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let mut layout = Layout::read(bytes)?;
    let mut bytes = Cow::Borrowed(bytes);
    if let Some(at) = layout.lacks_tables_at {
        let parts = [&bytes[..at], &STANDARD_TABLES, &bytes[at..]];
        bytes = Cow::Owned(parts.concat());
        layout = Layout::read(&bytes)?;
    }
    let bytes = bytes.as_ref();
    let (layout, size) = (&layout, layout.size);
    // The file is held as it came, once more without its end, and, where it is damaged, once more without that.
    let n_file = 3 * bytes.len() as u64;
    limits.check(size, layout.n_bytes_to_decode() + n_file)?;
    let out = Out::of(layout, bytes);
    let (samples, damage) = if layout.is_odd() && out == Out::Rgb {
        (odd::decode(bytes, layout, limits)?, None)
    } else if layout.progressive {
        decode_progressive(bytes, layout, out, limits)?
    } else {
        decode_sequential(bytes, layout, out, limits)?
    };
    let profile = markers::icc_profile(bytes);
    let (picture, space) = match out {
        Out::Rgb if profile.is_none() && is_adobe_rgb(bytes) => {
            (whole(size, samples)?, Space::AdobeRgb)
        }
        Out::Rgb => {
            let picture = whole(size, samples)?;
            let space = Space::from_icc(profile, &picture);
            (picture, space)
        }
        Out::Inks { .. } => {
            let inks = out.inks(samples);
            let picture = profile::inks_to_srgb(&inks, size, profile.as_deref());
            let picture =
                picture.ok_or_else(|| DecodeError::Damaged("its colours make no sense".into()))?;
            (picture, Space::Srgb)
        }
    };
    Ok(Stored {
        damage,
        ..Stored::whole(picture, space)
    })
}

/// Red, green and blue, or inks as they are stored, how many of them a pixel has, and its size: what a TIFF needs of the
/// JPEGs in it.
pub(super) fn samples(
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<(Size, usize, Vec<u8>), DecodeError> {
    let layout = Layout::read(bytes)?;
    limits.check(layout.size, layout.n_bytes_to_decode())?;
    let out = Out::of(&layout, bytes);
    let (samples, damage) = if layout.progressive {
        decode_progressive(bytes, &layout, out, limits)?
    } else {
        decode_sequential(bytes, &layout, out, limits)?
    };
    match damage {
        Some(damage) => Err(damage),
        None => Ok((layout.size, out.n_channels(), samples)),
    }
}

/// The form of samples that the decoder is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    /// Red, green, blue, whatever they are stored as.
    Rgb,
    /// Four components as they are stored: CMYK, or YCCK, which is to CMYK what YCbCr is to RGB. Adobe's are
    /// inverted, and so are those of everyone who puts Adobe's segment in.
    Inks { ycck: bool, inverted: bool },
}

impl Out {
    fn of(layout: &Layout, bytes: &[u8]) -> Self {
        if layout.n_components() != 4 {
            return Self::Rgb;
        }
        let adobe = markers::adobe_transform(bytes);
        Self::Inks {
            ycck: adobe == Some(2),
            inverted: adobe.is_some(),
        }
    }

    fn colorspace(self) -> ColorSpace {
        match self {
            Self::Rgb => ColorSpace::RGB,
            Self::Inks { ycck: false, .. } => ColorSpace::CMYK,
            Self::Inks { ycck: true, .. } => ColorSpace::YCCK,
        }
    }

    fn n_channels(self) -> usize {
        match self {
            Self::Rgb => CHANNELS,
            Self::Inks { .. } => 4,
        }
    }

    /// Four bytes a pixel, 0 for no ink.
    fn inks(self, mut samples: Vec<u8>) -> Vec<u8> {
        let Self::Inks { ycck, inverted } = self else {
            return samples;
        };
        let (pixels, _) = samples.as_chunks_mut::<4>();
        for pixel in pixels {
            if ycck {
                let [y, cb, cr, k] = *pixel;
                let [r, g, b] = rgb(y, cb, cr);
                *pixel = [255 - r, 255 - g, 255 - b, k];
            }
            if inverted {
                *pixel = pixel.map(|sample| 255 - sample);
            }
        }
        samples
    }
}

/// JFIF's YCbCr, in 16 fractional bits.
pub(super) fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    [
        y + 91_881 * cr,
        y - 22_554 * cb - 46_802 * cr,
        y + 116_130 * cb,
    ]
    .map(|channel| u8::try_from(((channel + (1 << 15)) >> 16).clamp(0, 255)).unwrap_or(255))
}

/// Whether a camera says that its colours are Adobe RGB's, as DCF has it: no profile, but an index of
/// interoperability that reads R03.
fn is_adobe_rgb(bytes: &[u8]) -> bool {
    const EXIF: u16 = 0x8769;
    const INTEROPERABILITY: u16 = 0xA005;
    const INDEX: u16 = 0x0001;
    let index = || {
        let tiff = Tiff::new(markers::exif(bytes)?.0)?;
        let exif = tiff.value(tiff.main()?, EXIF)?;
        let directory = tiff.value(exif, INTEROPERABILITY)?;
        tiff.content(tiff.entry(directory, INDEX)?)
    };
    index().is_some_and(|index| index.starts_with(b"R03"))
}

/// A sequential JPEG whose data are damaged, or end too early, is mended first.
///
/// The decoder takes the end of image marker as leave to make up the rest, so it never sees one: it gets the data up
/// to there and some padding. Where the data run dry too early it has to stop, marker or not.
fn decode_sequential(
    bytes: &[u8],
    layout: &Layout,
    out: Out,
    limits: &DecodeLimits,
) -> Result<Samples, DecodeError> {
    let padded = |end: usize| [&bytes[..end], &PADDING].concat();
    if !layout.is_in_one_pass() {
        // Where each component has a scan of its own, a cut file lacks whole colours.
        let percent = layout.percent_covered(layout.whole_scans().count());
        if percent < 100 {
            return Err(DecodeError::Truncated {
                percent: u8::try_from(percent).ok(),
            });
        }
        let data = layout
            .end
            .map_or(Cow::Borrowed(bytes), |end| padded(end).into());
        return Ok((run(&data, layout, out, limits)?, None));
    }
    let fault = if mend::is_in_order(bytes, layout) {
        let data = layout
            .end
            .map_or(Cow::Borrowed(bytes), |end| padded(end).into());
        match run(&data, layout, out, limits) {
            Ok(samples) => return Ok((samples, None)),
            Err(fault) => fault,
        }
    } else {
        DecodeError::Damaged("parts of its data are missing".into())
    };
    let fault = match fault {
        DecodeError::Damaged(_) if layout.end.is_none() => DecodeError::Truncated { percent: None },
        fault => fault,
    };
    let Some(mended) = mend::mend(bytes, layout, &PADDING) else {
        return Err(fault);
    };
    let (there, whole) = mended.share();
    let damage = if there < whole {
        Some(enough(there, whole, fault)?)
    } else {
        None
    };
    let mut samples = run(&mended.bytes, layout, out, limits)?;
    mended.paint(&mut samples, layout.size, out.n_channels());
    Ok((samples, damage))
}

/// A progressive JPEG comes as a whole several times over, finer each time. A cut one is a good picture when more than half
/// of what makes it came; a pass that was cut or is damaged is left out, with those after it.
fn decode_progressive(
    bytes: &[u8],
    layout: &Layout,
    out: Out,
    limits: &DecodeLimits,
) -> Result<Samples, DecodeError> {
    /// Each costs as much time as a picture.
    const TRIES: usize = 6;
    if layout.scans.len() > MAX_SCANS {
        return Err(DecodeError::Damaged(format!(
            "it has {} scans",
            layout.scans.len()
        )));
    }
    let mut ends: Vec<usize> = layout.whole_scans().collect();
    let is_cut = ends.len() < layout.scans.len() || layout.percent_covered(ends.len()) < 100;
    let mut fault = DecodeError::Truncated { percent: None };
    let mut damage = None;
    for at in 0..TRIES {
        if at > 0 || is_cut {
            let percent = layout.percent_covered(ends.len());
            damage = Some(enough(percent.into(), 100, fault)?);
        }
        let end = ends.pop().unwrap_or(bytes.len());
        let data = [&bytes[..end], &[0xFF, EOI]].concat();
        match run(&data, layout, out, limits) {
            Ok(samples) => return Ok((samples, damage)),
            Err(error) => fault = error,
        }
    }
    Err(fault)
}

/// Runs the decoder.
fn run(
    data: &[u8],
    layout: &Layout,
    out: Out,
    limits: &DecodeLimits,
) -> Result<Vec<u8>, DecodeError> {
    let work = || {
        let side = usize::try_from(limits.side).unwrap_or(usize::MAX);
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(side)
            .set_max_height(side)
            .jpeg_set_max_scans(MAX_SCANS)
            .jpeg_set_out_colorspace(out.colorspace());
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(explain)?;

        // The limits were held against our own reading of the header: the decoder's must be the same.
        let n_bytes = decoder.output_buffer_size();
        let expected = usize::try_from(layout.size.n_pixels())
            .ok()
            .and_then(|n| n.checked_mul(out.n_channels()));
        if n_bytes.is_none() || n_bytes != expected {
            return Err(DecodeError::Damaged(
                "its headers contradict each other".into(),
            ));
        }
        let mut samples = spare::zeros(n_bytes.unwrap_or(0));
        // Oddities between headers are forgiven; missing or senseless data is not.
        let strict = decoder.options().set_strict_mode(true);
        decoder.set_options(strict);
        decoder.decode_into(&mut samples).map_err(explain)?;
        Ok(samples)
    };
    fenced(work).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

/// The file's fault, by the decoder's error.
fn explain(error: DecodeErrors) -> DecodeError {
    match error {
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => {
            DecodeError::Truncated { percent: None }
        }
        DecodeErrors::FormatStatic("Premature end of buffer") => {
            DecodeError::Truncated { percent: None }
        }
        DecodeErrors::Unsupported(what) => DecodeError::Unsupported(format!("{what:?}")),
        DecodeErrors::HuffmanDecode(_) | DecodeErrors::MCUError(_) => {
            DecodeError::Damaged("its data make no sense".into())
        }
        DecodeErrors::Format(why) => DecodeError::Damaged(why),
        DecodeErrors::FormatStatic(why) => DecodeError::Damaged(why.into()),
        other => DecodeError::Damaged(format!("{other:?}")),
    }
}

fn whole(size: Size, pixels: Vec<u8>) -> Result<Picture, DecodeError> {
    Picture::new(size.width, size.height, pixels)
        .map_err(|error| DecodeError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder};

    use super::*;
    use crate::formats::tiff::tests::{Directory, file};
    use crate::{Quality, decode as decode_any, encode};

    fn open(bytes: &[u8]) -> Picture {
        decode_any(bytes, &DecodeLimits::default()).unwrap()
    }

    #[test]
    fn inks_are_inverted_only_where_adobe_says_so() {
        let mut adobe = vec![];
        Encoder::new(&mut adobe, 95)
            .encode(&[0, 128, 255, 0].repeat(256), 16, 16, ColorType::Cmyk)
            .unwrap();
        let near = |picture: &Picture, rgb: [u8; 3]| {
            let pairs = picture.pixels().iter().zip(rgb);
            pairs.take(3).all(|(a, b)| a.abs_diff(b) < 6)
        };
        assert!(
            near(&open(&adobe), [255, 127, 0]),
            "{:?}",
            &open(&adobe).pixels()[..3]
        );
        // The same samples, without the segment that says how they are meant.
        let at = adobe.windows(5).position(|name| name == b"Adobe").unwrap();
        let n = usize::from(u16::from_be_bytes([adobe[at - 2], adobe[at - 1]]));
        let plain = [&adobe[..at - 4], &adobe[at - 2 + n..]].concat();
        assert!(
            near(&open(&plain), [0, 0, 0]),
            "{:?}",
            &open(&plain).pixels()[..3]
        );
    }

    #[test]
    fn a_camera_in_adobe_rgb_is_believed() {
        let jpeg = encode(&Picture::filled(16, 16, [120, 180, 60]), Quality::default()).unwrap();
        let with_index = |index: &[u8; 4]| {
            // Three directories, each with one entry: the second holds the third, which holds the index.
            let third = Directory {
                entries: vec![(1, u32::from_le_bytes(*index))],
                below: vec![],
            };
            let mut block = file(
                &Directory {
                    entries: vec![],
                    below: vec![Directory {
                        entries: vec![],
                        below: vec![third],
                    }],
                },
                false,
            );
            // The builder links them as subdirectories, 18 bytes apart; EXIF has tags of its own for that, and the index
            // is text.
            block[10..12].copy_from_slice(&0x8769u16.to_le_bytes());
            block[28..30].copy_from_slice(&0xA005u16.to_le_bytes());
            block[48..50].copy_from_slice(&2u16.to_le_bytes());
            block[50..54].copy_from_slice(&4u32.to_le_bytes());
            let n = u16::try_from(block.len() + 8).unwrap().to_be_bytes();
            let segment = [&[0xFF, 0xE1], &n[..], b"Exif\0\0", &block].concat();
            [&jpeg[..2], &segment, &jpeg[2..]].concat()
        };
        let (plain, adobe) = (with_index(b"R98\0"), with_index(b"R03\0"));
        assert_eq!(open(&plain), open(&jpeg));
        let [r, g, b] = open(&adobe).pixels().as_chunks::<3>().0[0];
        let near = |a: u8, b: u8| a.abs_diff(b) < 5;
        assert!(near(r, 81) && near(g, 181) && near(b, 42), "{r} {g} {b}");
    }
}
