//! JPEG by zune-jpeg, with what it leaves to its caller: limits before it takes memory, and a verdict on files that
//! are cut off or damaged. Never reads EXIF and never turns anything.

use std::borrow::Cow;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use crate::render::decode::{DecodeError, DecodeLimits};
use crate::render::guard::fenced;
use crate::render::layout::Layout;
use crate::render::markers::EOI;
use crate::render::picture::{Picture, Size};
use crate::render::spare;

/// A photo of which this much could be decoded is shown, without the rest.
const ENOUGH_PERCENT: u32 = 96;
/// More scans than any camera or optimiser writes (10 to 20); each costs a pass over all coefficients.
const MAX_SCANS: usize = 64;
/// Given to the decoder in place of the end of image marker. It reads ahead by up to 8 bytes: a complete picture
/// never gets to the end of these, and a cut one soon does.
const PADDING: [u8; 16] = [0xFE; 16];

/// Decodes a JPEG as it is stored.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture, DecodeError> {
    let layout = Layout::read(bytes)?;
    limits.check(layout.size, layout.n_bytes_to_decode())?;
    if layout.progressive {
        decode_progressive(bytes, &layout, limits)
    } else {
        decode_sequential(bytes, &layout, limits)
    }
}

/// A sequential JPEG is decoded row by row, so what is missing is missing from the bottom.
///
/// The decoder takes the end of image marker as leave to make up the rest, so it never sees one: it gets the data up
/// to there and some padding. Where the data run dry too early it has to stop, marker or not.
fn decode_sequential(
    bytes: &[u8],
    layout: &Layout,
    limits: &DecodeLimits,
) -> Result<Picture, DecodeError> {
    // Where each component has a scan of its own, a cut file lacks whole colours.
    let one_pass = layout.is_in_one_pass();
    let percent = layout.percent_covered(layout.whole_scans().count());
    if !one_pass && percent < 100 {
        return Err(DecodeError::Truncated {
            percent: u8::try_from(percent).ok(),
        });
    }
    let data = match layout.end {
        Some(end) => Cow::Owned([&bytes[..end], &PADDING].concat()),
        None => Cow::Borrowed(bytes),
    };
    let mut pixels = vec![];
    let Err(error) = run(&data, layout, limits, &mut pixels) else {
        return whole(layout.size, pixels);
    };

    // The row of blocks in which the data ran dry is partly made up.
    let n_rows = n_rows_painted(&pixels, layout.size).saturating_sub(layout.n_rows_together());
    let percent = n_rows * 100 / layout.size.height.max(1);
    if one_pass && percent >= ENOUGH_PERCENT {
        let size = Size::new(layout.size.width, n_rows);
        pixels.truncate(size.n_bytes().unwrap_or(0));
        return whole(size, pixels);
    }
    // Of several passes only the last paints pixels: there is no telling how far it got.
    let percent = u8::try_from(percent).ok().filter(|_| one_pass);
    Err(match error {
        DecodeError::Truncated { .. } => DecodeError::Truncated { percent },
        DecodeError::Damaged(_) if layout.end.is_none() => DecodeError::Truncated { percent },
        other => other,
    })
}

/// A progressive JPEG comes as a whole several times over, finer each time. A cut one is a good picture when every
/// coefficient came at least once; the pass that was cut is left out.
fn decode_progressive(
    bytes: &[u8],
    layout: &Layout,
    limits: &DecodeLimits,
) -> Result<Picture, DecodeError> {
    if layout.scans.len() > MAX_SCANS {
        return Err(DecodeError::Damaged(format!(
            "it has {} scans",
            layout.scans.len()
        )));
    }
    let percent = layout.percent_covered(layout.whole_scans().count());
    if percent < ENOUGH_PERCENT {
        return Err(DecodeError::Truncated {
            percent: u8::try_from(percent).ok(),
        });
    }
    let end = layout.whole_scans().last().unwrap_or(bytes.len());
    let data = [&bytes[..end], &[0xFF, EOI]].concat();
    let mut pixels = vec![];
    run(&data, layout, limits, &mut pixels)?;
    whole(layout.size, pixels)
}

/// Runs the decoder. After an error `pixels` holds the rows that were done until then; the others are 0 or 128.
fn run(
    data: &[u8],
    layout: &Layout,
    limits: &DecodeLimits,
    pixels: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let work = || {
        let side = usize::try_from(limits.side).unwrap_or(usize::MAX);
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(side)
            .set_max_height(side)
            .jpeg_set_max_scans(MAX_SCANS)
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(explain)?;

        // The limits were held against our own reading of the header: the decoder's must be the same.
        let n_bytes = decoder.output_buffer_size();
        if n_bytes.is_none() || n_bytes != layout.size.n_bytes() {
            return Err(DecodeError::Damaged(
                "its headers contradict each other".into(),
            ));
        }
        *pixels = spare::zeros(n_bytes.unwrap_or(0));
        // Oddities between headers are forgiven; missing or senseless data is not.
        let strict = decoder.options().set_strict_mode(true);
        decoder.set_options(strict);
        decoder.decode_into(pixels).map_err(explain)
    };
    fenced(work).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

/// What the decoder's error means for the file.
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

/// Rows from the top that the decoder got to: it leaves the others all black, or all middle grey.
fn n_rows_painted(pixels: &[u8], size: Size) -> u32 {
    let Some(&blank @ (0 | 128)) = pixels.last() else {
        return if pixels.is_empty() { 0 } else { size.height };
    };
    let row = size.width as usize * 3;
    let n_blank = pixels
        .rchunks_exact(row)
        .take_while(|row| row.iter().all(|&byte| byte == blank))
        .count();
    size.height
        - u32::try_from(n_blank)
            .unwrap_or(size.height)
            .min(size.height)
}

fn whole(size: Size, pixels: Vec<u8>) -> Result<Picture, DecodeError> {
    Picture::new(size.width, size.height, pixels)
        .map_err(|error| DecodeError::Damaged(error.to_string()))
}
