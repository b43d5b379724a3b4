//! PNG by the `png` crate, row by row: so that sixteen bits take no memory, a file without its end is shown, and of a
//! damaged one what is there. What its own chunks say of colours holds: cICP before iCCP, sRGB, and gAMA with cHRM.

use std::{
    borrow::Cow,
    io::{Cursor, ErrorKind},
};

use png::{
    BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, Info, InterlaceInfo, Limits,
    Reader, Transformations,
};

use super::{
    raster::flatten,
    stored::{DecodeError, DecodeLimits, MISSING, Stored, enough},
};
use crate::{
    colour::{gamma::Gamma, profile::Space, tone},
    fence::fenced,
    picture::{CHANNELS, Picture, Size},
    spare,
};

/// The memory for what stands before the pixels, such as a compressed profile.
const HEAD_BYTES: u64 = 64 << 20;

/// Decodes the default picture.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    // The decoder owns all that it changes.
    fenced(|| read(bytes, limits)).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    // A checksum says that something is wrong, not that nothing can be seen.
    options.set_ignore_checksums(true);
    let bytes = with_end(bytes);
    let bytes = bytes.as_ref();
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    let head = usize::try_from(limits.bytes.min(HEAD_BYTES)).unwrap_or(usize::MAX);
    decoder.set_limits(Limits { bytes: head });
    decoder.set_transformations(Transformations::EXPAND);
    let header = decoder.read_header_info().map_err(explain)?;
    let size = Size::new(header.width, header.height);
    // Before the crate takes memory for a row.
    limits.check(size, 0)?;
    let mut reader = decoder.read_info().map_err(explain)?;
    let form = Form::of(&reader);
    let n_bytes = size
        .n_pixels()
        .saturating_mul(form.n_bytes_to_decode() as u64);
    limits.check(size, n_bytes)?;

    let mut pixels = spare::zeros(size.n_pixels() as usize * form.n_bytes());
    let damage = rows(&mut reader, &form, size, &mut pixels)?;
    let picture = match form.sink {
        Sink::Rgb => Picture::new(size.width, size.height, pixels).ok(),
        Sink::Rgba => Picture::new(size.width, size.height, flatten(&pixels)).ok(),
        Sink::Light(curve, primaries) => {
            let (samples, _) = pixels.as_chunks::<2>();
            let samples: Vec<u16> = samples.iter().map(|&two| u16::from_be_bytes(two)).collect();
            tone::to_srgb(&samples, size, 16, curve, primaries)
        }
    };
    let picture = picture.ok_or_else(|| DecodeError::Damaged("its rows do not fit".into()))?;
    let space = form.space(reader.info(), &picture);
    Ok(Stored {
        damage,
        ..Stored::whole(picture, space)
    })
}

/// The file with an end, where it stops behind the content of a chunk: the decoder keeps rows back until it sees more.
fn with_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
    const CHECKSUM: usize = 4;
    let mut at = 8;
    while let Some(&[a, b, c, d, ref name @ ..]) =
        bytes.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let n = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = (at + 8).saturating_add(n).saturating_add(CHECKSUM);
        let missing = end.saturating_sub(bytes.len());
        if name == b"IEND" || missing > CHECKSUM {
            return Cow::Borrowed(bytes);
        }
        if missing > 0 || end == bytes.len() {
            return Cow::Owned([bytes, &[0; CHECKSUM][..missing], END].concat());
        }
        at = end;
    }
    Cow::Borrowed(bytes)
}

/// The form in which rows come out of the decoder, and in which they are kept.
struct Form {
    n_channels: usize,
    is_deep: bool,
    /// By samples as they are stored, where they are of another curve than sRGB's.
    table: Option<Vec<u8>>,
    sink: Sink,
}

/// The form of pixels until they are a picture.
#[derive(Clone, Copy, PartialEq)]
enum Sink {
    Rgb,
    Rgba,
    /// High dynamic range: four samples of 16 bits, the curve and the primaries.
    Light(tone::Curve, u16),
}

impl Form {
    fn of(reader: &Reader<Cursor<&[u8]>>) -> Self {
        let (colour, depth) = reader.output_color_type();
        let has_alpha = matches!(colour, ColorType::GrayscaleAlpha | ColorType::Rgba);
        let is_deep = depth == BitDepth::Sixteen;
        let info = reader.info();
        let points = info.coding_independent_code_points;
        let curve = points
            .and_then(|points| tone::Curve::from_code_point(u16::from(points.transfer_function)));
        let sink = match (curve, points) {
            (Some(curve), Some(points)) => Sink::Light(curve, u16::from(points.color_primaries)),
            _ if has_alpha => Sink::Rgba,
            _ => Sink::Rgb,
        };
        let max = if is_deep { u16::MAX } else { 255 };
        Self {
            n_channels: colour.samples(),
            is_deep,
            table: gamma(info).map(|gamma| gamma.table(max)),
            sink,
        }
    }

    /// Bytes of a pixel as it is kept.
    fn n_bytes(&self) -> usize {
        match self.sink {
            Sink::Rgb => CHANNELS,
            Sink::Rgba => 4,
            Sink::Light(..) => 8,
        }
    }

    /// Bytes of a pixel at the most.
    fn n_bytes_to_decode(&self) -> usize {
        match self.sink {
            Sink::Rgb => CHANNELS,
            Sink::Rgba => 4 + CHANNELS,
            Sink::Light(..) => 16 + CHANNELS,
        }
    }

    /// A row of the decoder's as it is kept.
    fn convert(&self, row: &[u8], kept: &mut Vec<u8>) {
        kept.clear();
        let n = self.n_channels * if self.is_deep { 2 } else { 1 };
        for pixel in row.chunks_exact(n.max(1)) {
            let deep = |at: usize| u16::from_be_bytes([pixel[2 * at], pixel[2 * at + 1]]);
            if let Sink::Light(..) = self.sink {
                let sample = |at: usize| match self.is_deep {
                    true => deep(at),
                    false => u16::from(pixel[at]) * 257,
                };
                let rgb = match self.n_channels {
                    1 | 2 => [sample(0); CHANNELS],
                    _ => [sample(0), sample(1), sample(2)],
                };
                kept.extend(rgb.map(u16::to_be_bytes).as_flattened());
                kept.extend([255; 2]);
                continue;
            }
            let plain = |at: usize| match self.is_deep {
                true => ((u32::from(deep(at)) * 255 + 32_767) / 65_535) as u8,
                false => pixel[at],
            };
            let shown = |at: usize| match &self.table {
                Some(table) if self.is_deep => table[usize::from(deep(at))],
                Some(table) => table[usize::from(pixel[at])],
                None => plain(at),
            };
            match self.n_channels {
                1 | 2 => kept.extend([shown(0); CHANNELS]),
                _ => kept.extend([shown(0), shown(1), shown(2)]),
            }
            if self.sink == Sink::Rgba {
                kept.push(plain(self.n_channels - 1));
            }
        }
    }

    /// The colours that are left to be converted.
    fn space(&self, info: &Info<'_>, picture: &Picture) -> Space {
        if let Sink::Light(..) = self.sink {
            return Space::Srgb;
        }
        if let Some(points) = info.coding_independent_code_points {
            return Space::from_code_points(u16::from(points.color_primaries));
        }
        if let Some(profile) = &info.icc_profile {
            return Space::from_icc(Some(profile.to_vec()), picture);
        }
        match info.chrm_chunk {
            Some(points) if info.srgb.is_none() => Space::Chromaticities(
                [points.white, points.red, points.green, points.blue]
                    .map(|(x, y)| [x.into_scaled(), y.into_scaled()]),
            ),
            _ => Space::Srgb,
        }
    }
}

/// The curve of the samples, where it is not sRGB's and no profile has it.
fn gamma(info: &Info<'_>) -> Option<Gamma> {
    if let Some(points) = info.coding_independent_code_points {
        return Gamma::from_code_point(u16::from(points.transfer_function));
    }
    if info.icc_profile.is_some() || info.srgb.is_some() {
        return None;
    }
    Gamma::from_png(info.gama_chunk?.into_scaled())
}

/// Decodes the rows, or as many as make a picture worth showing; then the damage is told.
fn rows(
    reader: &mut Reader<Cursor<&[u8]>>,
    form: &Form,
    size: Size,
    pixels: &mut [u8],
) -> Result<Option<DecodeError>, DecodeError> {
    let n = form.n_bytes();
    let stride = size.width as usize * n;
    let mut kept = Vec::with_capacity(stride);
    let (mut there, mut at) = (0, 0);
    // Of an interlaced picture every pass shows all of it.
    let mut is_interlaced = false;
    let fault = loop {
        let row = match reader.next_interlaced_row() {
            Ok(Some(row)) => row,
            Ok(None) => break None,
            Err(error) => break Some(explain(error)),
        };
        form.convert(row.data(), &mut kept);
        there += (kept.len() / n) as u64;
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                let Some(place) = pixels.get_mut(at..at + kept.len()) else {
                    break None;
                };
                place.copy_from_slice(&kept);
                at += stride;
            }
            InterlaceInfo::Adam7(pass) => {
                is_interlaced = true;
                let bits = (8 * n) as u8;
                png::splat_interlaced_row(pixels, stride, &kept, pass, bits);
            }
        }
        // What stands behind the last row is not waited for.
        if there >= size.n_pixels() {
            break None;
        }
    };
    let whole = size.n_pixels();
    let fault = fault.or((there < whole).then_some(DecodeError::Truncated { percent: None }));
    let Some(fault) = fault else {
        return Ok(None);
    };
    let damage = enough(there, whole, fault)?;
    if !is_interlaced {
        pixels[at.min(stride * size.height as usize)..].fill(MISSING);
    }
    Ok(Some(damage))
}

fn explain(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { percent: None }
        }
        DecodingError::LimitsExceeded => DecodeError::Damaged("it asks for too much memory".into()),
        error => DecodeError::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::{Pixels, decode_whole};

    const SIZE: u32 = 64;

    /// Slopes in 16 bits, interlaced or not, with a chunk of one's own before the pixels.
    fn file(is_interlaced: bool, chunk: Option<(&[u8; 4], &[u8])>) -> Vec<u8> {
        // Where each pass begins and how far it steps, across and down.
        let passes: &[[u32; 4]] = match is_interlaced {
            false => &[[0, 1, 0, 1]],
            true => &[
                [0, 8, 0, 8],
                [4, 8, 0, 8],
                [0, 4, 4, 8],
                [2, 4, 0, 4],
                [0, 2, 2, 4],
                [1, 2, 0, 2],
                [0, 1, 1, 2],
            ],
        };
        let mut rows = vec![];
        for &[left, across, top, down] in passes {
            for y in (top..SIZE).step_by(down as usize) {
                rows.push(0);
                for x in (left..SIZE).step_by(across as usize) {
                    let samples = [x * 4, y * 4, 90].map(|sample| sample as u16 * 257);
                    rows.extend(samples.map(u16::to_be_bytes).as_flattened());
                }
            }
        }
        let mut packer = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
        packer.write_all(&rows).unwrap();
        let pixels = packer.finish().unwrap();
        let side = SIZE.to_be_bytes();
        let head = [&side[..], &side, &[16, 2, 0, 0, u8::from(is_interlaced)]].concat();
        let own = chunk.map(|(name, content)| (*name, content.to_vec()));
        let chunks = [(*b"IHDR", head)].into_iter().chain(own);
        let chunks = chunks.chain([(*b"IDAT", pixels), (*b"IEND", vec![])]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, content) in chunks {
            file.extend((content.len() as u32).to_be_bytes());
            let mut sum = flate2::Crc::new();
            sum.update(&name);
            sum.update(&content);
            file.extend(name);
            file.extend(content);
            file.extend(sum.sum().to_be_bytes());
        }
        file
    }

    fn open(file: &[u8]) -> Result<Pixels, DecodeError> {
        decode_whole(file, &DecodeLimits::default())
    }

    fn pixel(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
        let (all, _) = pixels.picture.pixels().as_chunks::<3>();
        all[(y * SIZE + x) as usize]
    }

    #[test]
    fn chunks_say_what_colours_mean() {
        let linear = 100_000_u32.to_be_bytes();
        let points: Vec<u8> = [
            31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6000_u32,
        ]
        .iter()
        .flat_map(|point| point.to_be_bytes())
        .collect();
        // 55 of 255 in light is 128 in sRGB; Display P3's green is greener than sRGB's.
        for (chunk, x, y, expected) in [
            (None, 14, 14, [56, 56, 90]),
            (Some((b"gAMA", &linear[..])), 14, 14, [129, 129, 160]),
            (Some((b"cICP", &[1, 8, 0, 1])), 14, 14, [129, 129, 160]),
            (Some((b"cICP", &[1, 13, 0, 1])), 14, 14, [56, 56, 90]),
            (Some((b"cHRM", &points)), 50, 22, [213, 84, 80]),
            (Some((b"cICP", &[12, 13, 0, 1])), 50, 22, [213, 84, 80]),
        ] {
            let name = chunk.map(|chunk| str::from_utf8(chunk.0).unwrap());
            let found = pixel(&open(&file(false, chunk)).unwrap(), x, y);
            let pairs = found.iter().zip(expected);
            let is_near = pairs.clone().all(|(a, b)| a.abs_diff(b) <= 6);
            assert!(is_near, "{name:?}: {found:?}, {expected:?}");
        }
        // Of high dynamic range: white paper is nearly white, and black is black.
        for transfer in [16, 18] {
            let bright = open(&file(false, Some((b"cICP", &[9, transfer, 0, 1])))).unwrap();
            assert!(pixel(&bright, 0, 0)[0] < 8 && pixel(&bright, 60, 60)[0] > 200);
        }
    }

    #[test]
    fn the_last_row_is_the_end() {
        for is_interlaced in [false, true] {
            let file = file(is_interlaced, None);
            let whole = open(&file).unwrap();
            assert_eq!(whole.damage, None);
            let end = file.windows(4).position(|name| name == b"IEND").unwrap() - 4;
            // Neither the end nor a checksum is missed.
            for cut in [end, end - 4] {
                assert_eq!(open(&file[..cut]).unwrap(), whole);
            }
        }
    }

    #[test]
    fn a_wrong_bit_costs_what_it_spoils() {
        let file = file(false, None);
        let whole = open(&file).unwrap();
        let idat = file.windows(4).position(|name| name == b"IDAT").unwrap();
        let n = file.len() - 16 - idat;
        // A checksum alone.
        let mut wrong = file.clone();
        wrong[idat + 4 + n - 4] ^= 1;
        assert_eq!(open(&wrong).unwrap().picture, whole.picture);
        let (mut n_shown, mut n_refused) = (0, 0);
        for at in (idat + 8..file.len() - 20).step_by(3) {
            let mut wrong = file.clone();
            wrong[at] ^= 4;
            match open(&wrong) {
                Ok(_) => n_shown += 1,
                Err(DecodeError::Damaged(_) | DecodeError::Truncated { .. }) => n_refused += 1,
                Err(error) => panic!("{at}: {error}"),
            }
        }
        assert!(
            n_shown > n_refused / 2 && n_refused > 0,
            "{n_shown} {n_refused}"
        );
    }

    #[test]
    fn an_interlaced_picture_is_there_before_it_is_fine() {
        let file = file(true, None);
        let whole = open(&file).unwrap();
        let mut n_shown = 0;
        for end in 0..file.len() {
            let Ok(pixels) = open(&file[..end]) else {
                continue;
            };
            n_shown += 1;
            let pairs = pixels.picture.pixels().iter().zip(whole.picture.pixels());
            // Slopes: whatever stands in for a pixel is a near one.
            assert!(
                pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 8),
                "cut at {end}"
            );
            assert_eq!(
                pixels.damage.is_some(),
                pixels.picture != whole.picture || end < file.len() - 60
            );
        }
        assert!(n_shown > 10);
    }
}
