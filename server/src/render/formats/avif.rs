//! AVIF: AV1 by rav1d, out of the boxes that `heif` reads.

use av1::{Decoder, PixelLayout, PlanarImageComponent, Settings};
use heifer::{
    Image,
    color::{ColorParams, frame_to_rgba_sized},
    heifer_hevc_dec::recon::Frame,
    heifer_isobmff::{
        HeifFile, ItemId,
        boxes::{ColorInfo, Property},
    },
    image::Sample,
};
use re_rav1d as av1;

use crate::render::{
    formats::{
        samples::{Colours, explain_boxes, flat, tone_mapped},
        stored::DecodeError,
    },
    picture::Picture,
};

/// Memory that decoding takes: planes of 16 bits twice, or once and RGBA of 16 bits.
pub(crate) const BYTES_PER_PIXEL: u64 = 16;

/// Decodes an item, coded in one or a grid of them, as it is stored. Fills in what the boxes did not say of its
/// colours from the stream.
pub(crate) fn decode_item(
    file: &HeifFile<'_>,
    id: ItemId,
    max_pixels: u64,
    colours: &mut Colours,
) -> Result<Option<Picture>, DecodeError> {
    let item = Item {
        file,
        id,
        max_pixels,
    };
    let tiles = file.referenced_items(id, b"dimg");
    let first = item.frame(*tiles.first().unwrap_or(&id))?;
    if colours.code_points.is_none() && colours.profile.is_none() {
        colours.code_points = Some(first.code_points);
    }
    Ok(match colours.curve() {
        Some(_) => tone_mapped(&item.image::<u16>(first)?, colours),
        None => flat(item.image::<u8>(first)?),
    })
}

/// One picture as AV1 gave it, and what its stream says of its colours.
struct Decoded {
    frame: Frame,
    code_points: (u16, u16),
}

struct Item<'a> {
    file: &'a HeifFile<'a>,
    id: ItemId,
    max_pixels: u64,
}

impl Item<'_> {
    /// The whole picture with its alpha; `first` is its only tile, or the first of them.
    fn image<S: Sample>(&self, first: Decoded) -> Result<Image<S>, DecodeError> {
        let tiles = self.file.referenced_items(self.id, b"dimg");
        let mut image = if tiles.is_empty() {
            self.tile(self.id, &first.frame)
        } else {
            self.grid(tiles, first)?
        };
        if let Some(alpha) = self.alpha()? {
            attach(&mut image, &alpha);
        }
        Ok(self.cropped(image))
    }

    fn grid<S: Sample>(&self, tiles: &[ItemId], first: Decoded) -> Result<Image<S>, DecodeError> {
        let grid = self.file.grid(self.id).map_err(explain_boxes)?;
        let (width, height) = (grid.output_width, grid.output_height);
        let columns = usize::from(grid.columns);
        let damaged = || DecodeError::Damaged("its tiles do not fit".into());
        let n_pixels = u64::from(width) * u64::from(height);
        if tiles.len() != columns * usize::from(grid.rows)
            || n_pixels == 0
            || n_pixels > self.max_pixels
        {
            return Err(damaged());
        }
        let first: Image<S> = self.tile(tiles[0], &first.frame);
        let (across, down) = (first.width as usize, first.height as usize);
        let mut canvas = Image::filled_samples(width, height, first.bit_depth, [S::default(); 4]);
        let stride = width as usize * 4;
        let mut rest = Some(first);
        for (index, &id) in tiles.iter().enumerate() {
            let tile = match rest.take() {
                Some(first) => first,
                None => self.tile(id, &self.frame(id)?.frame),
            };
            if (tile.width as usize, tile.height as usize) != (across, down) {
                return Err(damaged());
            }
            let left = (index % columns * across).min(width as usize);
            let n = across.min(width as usize - left) * 4;
            let rows = canvas.data.chunks_exact_mut(stride);
            let rows = rows.skip(index / columns * down);
            for (row, source) in rows.zip(tile.data.chunks_exact(across * 4)) {
                row[left * 4..][..n].copy_from_slice(&source[..n]);
            }
        }
        Ok(canvas)
    }

    fn tile<S: Sample>(&self, id: ItemId, frame: &Frame) -> Image<S> {
        let nclx = self.property(id, |property| match property {
            Property::Color(ColorInfo::Nclx {
                matrix, full_range, ..
            }) => Some(ColorParams {
                matrix: *matrix,
                full_range: *full_range,
            }),
            _ => None,
        });
        // What the boxes say goes before what the stream says.
        let own = self.property(self.id, |property| match property {
            Property::Color(ColorInfo::Nclx {
                matrix, full_range, ..
            }) => Some(ColorParams {
                matrix: *matrix,
                full_range: *full_range,
            }),
            _ => None,
        });
        let params = nclx.or(own).unwrap_or(ColorParams::from_frame(frame));
        let (width, height) = match self.file.image_size(id) {
            Ok(Some(size)) => size,
            _ => (frame.widths[0], frame.heights[0]),
        };
        frame_to_rgba_sized(frame, params, width, height)
    }

    fn property<T>(&self, id: ItemId, wanted: impl Fn(&Property) -> Option<T>) -> Option<T> {
        self.file.item_properties(id).ok()?.find_map(wanted)
    }

    fn frame(&self, id: ItemId) -> Result<Decoded, DecodeError> {
        let data = self.file.item_data(id).map_err(explain_boxes)?;
        decode(data.into_owned(), self.max_pixels)
    }

    /// The alpha of a picture that is coded in one; a grid's alpha, a grid itself, is left out.
    fn alpha(&self) -> Result<Option<Frame>, DecodeError> {
        let is_alpha = |id: &ItemId| {
            let kind = self.file.item(*id).map(|item| item.item_type.0);
            let names = |property: &Property| match property {
                Property::AuxiliaryType(name) => {
                    Some(name == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
                }
                _ => None,
            };
            kind == Ok(*b"av01") && self.property(*id, names) == Some(true)
        };
        let found = self.file.referencing_items(self.id, b"auxl");
        match found.into_iter().find(is_alpha) {
            Some(id) => Ok(Some(self.frame(id)?.frame)),
            None => Ok(None),
        }
    }

    fn cropped<S: Sample>(&self, image: Image<S>) -> Image<S> {
        let crop = self.property(self.id, |property| match *property {
            Property::CleanAperture {
                width,
                height,
                horiz_offset,
                vert_offset,
            } => Some((
                edges(image.width, width, horiz_offset)?,
                edges(image.height, height, vert_offset)?,
            )),
            _ => None,
        });
        match crop {
            Some(((left, width), (top, height))) => image.crop(left, top, width, height),
            None => image,
        }
    }
}

/// Start and length of a crop along one side (ISO/IEC 14496-12, 12.1.4): a length and the offset of its middle from
/// the whole's, as fractions. `None` where that does not lie within.
fn edges(whole: u32, length: (u32, u32), offset: (i32, u32)) -> Option<(u32, u32)> {
    if length.1 == 0 || offset.1 == 0 {
        return None;
    }
    let length = (f64::from(length.0) / f64::from(length.1)).round();
    let middle = f64::from(offset.0) / f64::from(offset.1) + f64::from(whole) / 2.0;
    let start = (middle - length / 2.0).round();
    let fits = length >= 1.0 && start >= 0.0 && start + length <= f64::from(whole);
    // Whole numbers within the picture.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fits.then_some((start as u32, length as u32))
}

/// Puts the luma of one picture into the alpha of another that is no larger.
fn attach<S: Sample>(image: &mut Image<S>, alpha: &Frame) {
    let (width, height) = (alpha.widths[0] as usize, alpha.heights[0] as usize);
    if width < image.width as usize || height < image.height as usize {
        return;
    }
    let bits = u32::from(alpha.bit_depth[0]);
    let (least, span) = if alpha.full_range {
        (0, (1 << bits) - 1)
    } else {
        (16 << (bits - 8), 219 << (bits - 8))
    };
    let max = u32::from(image.max_value());
    let rows = image.data.chunks_exact_mut(image.width as usize * 4);
    for (row, alphas) in rows.zip(alpha.planes[0].chunks_exact(width)) {
        for (pixel, &alpha) in row.as_chunks_mut::<4>().0.iter_mut().zip(alphas) {
            let alpha = u32::from(alpha).saturating_sub(least).min(span);
            pixel[3] = S::from_u16(((alpha * max + span / 2) / span) as u16);
        }
    }
    image.has_alpha = true;
}

/// Decodes the first picture of an AV1 stream.
fn decode(data: Vec<u8>, max_pixels: u64) -> Result<Decoded, DecodeError> {
    let mut settings = Settings::new();
    // On this thread: a panic in one of the decoder's own could not be caught.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(explain)?;
    if data.is_empty() {
        return Err(DecodeError::Truncated { percent: None });
    }
    let mut waiting = match decoder.send_data(data, None, None, None) {
        Ok(()) => false,
        Err(error) if error.is_again() => true,
        Err(error) => return Err(explain(error)),
    };
    // A still picture comes at once; one behind others, once they have been sent in.
    for _ in 0..64 {
        match decoder.get_picture() {
            Ok(picture) => return planes(&picture),
            Err(error) if !error.is_again() => return Err(explain(error)),
            Err(_) if !waiting => break,
            Err(_) => {
                waiting = match decoder.send_pending_data() {
                    Ok(()) => false,
                    Err(error) if error.is_again() => true,
                    Err(error) => return Err(explain(error)),
                };
            }
        }
    }
    Err(DecodeError::Truncated { percent: None })
}

/// Copies the planes, with one more column and row where chroma has half of an odd number: the conversion takes
/// luma for exactly twice as wide.
fn planes(picture: &av1::Picture) -> Result<Decoded, DecodeError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (format, across, down) = match picture.pixel_layout() {
        PixelLayout::I400 => (0, 1, 1),
        PixelLayout::I420 => (1, 2, 2),
        PixelLayout::I422 => (2, 2, 1),
        PixelLayout::I444 => (3, 1, 1),
    };
    let bits = picture.bits_per_component().map_or(8, |bits| bits.0);
    let damaged = || DecodeError::Damaged("its pixels contradict its header".into());
    let (chroma_width, chroma_height) = match format {
        0 => (0, 0),
        _ => (width.div_ceil(across), height.div_ceil(down)),
    };
    let sizes = [
        (
            width.next_multiple_of(across),
            height.next_multiple_of(down),
            width,
            height,
        ),
        (chroma_width, chroma_height, chroma_width, chroma_height),
        (chroma_width, chroma_height, chroma_width, chroma_height),
    ];
    let components = [
        PlanarImageComponent::Y,
        PlanarImageComponent::U,
        PlanarImageComponent::V,
    ];
    let mut planes = [vec![], vec![], vec![]];
    for (i, plane) in planes.iter_mut().enumerate() {
        let (padded_width, padded_height, width, height) = sizes[i];
        if width == 0 {
            continue;
        }
        let source = picture.plane(components[i]);
        let stride = picture.stride(components[i]) as usize;
        plane.reserve_exact(padded_width * padded_height);
        for y in 0..padded_height {
            let row = source
                .get(y.min(height - 1) * stride..)
                .ok_or_else(damaged)?;
            if bits == 8 {
                let row = row.get(..width).ok_or_else(damaged)?;
                plane.extend(row.iter().map(|&sample| u16::from(sample)));
            } else {
                let row = row.get(..width * 2).ok_or_else(damaged)?;
                let (samples, _) = row.as_chunks::<2>();
                plane.extend(samples.iter().map(|&sample| u16::from_ne_bytes(sample)));
            }
            if padded_width > width {
                plane.extend(plane.last().copied());
            }
        }
    }
    let side = |n: usize| u32::try_from(n).unwrap_or(0);
    let bits = u8::try_from(bits).unwrap_or(8);
    Ok(Decoded {
        code_points: (
            primaries(picture.color_primaries()),
            transfer(picture.transfer_characteristic()),
        ),
        frame: Frame {
            widths: sizes.map(|(width, ..)| side(width)),
            heights: sizes.map(|(_, height, ..)| side(height)),
            planes,
            bit_depth: [bits, bits],
            chroma_format: format,
            full_range: picture.color_range() == av1::pixel::YUVRange::Full,
            matrix_coeffs: matrix(picture.matrix_coefficients()),
        },
    })
}

// The numbers of ITU-T H.273, as far as the conversion makes a difference between them.

fn matrix(matrix: av1::pixel::MatrixCoefficients) -> u8 {
    use av1::pixel::MatrixCoefficients as M;
    match matrix {
        M::Identity => 0,
        M::BT709 => 1,
        M::BT470M => 4,
        M::ST240M => 7,
        M::BT2020NonConstantLuminance | M::BT2020ConstantLuminance => 9,
        _ => 6,
    }
}

fn primaries(primaries: av1::pixel::ColorPrimaries) -> u16 {
    use av1::pixel::ColorPrimaries as P;
    match primaries {
        P::BT709 => 1,
        P::BT2020 => 9,
        P::P3DCI => 11,
        P::P3Display => 12,
        _ => 2,
    }
}

fn transfer(transfer: av1::pixel::TransferCharacteristic) -> u16 {
    use av1::pixel::TransferCharacteristic as T;
    match transfer {
        T::PerceptualQuantizer => 16,
        T::HybridLogGamma => 18,
        T::SRGB => 13,
        _ => 2,
    }
}

fn explain(error: av1::Error) -> DecodeError {
    match error {
        av1::Error::Again => DecodeError::Truncated { percent: None },
        av1::Error::UnsupportedBitstream => DecodeError::Unsupported("AVIF of this kind".into()),
        error => DecodeError::Damaged(format!("AV1: {error}").to_lowercase()),
    }
}
