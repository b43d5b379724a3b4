//! AVIF: the pictures of `av1`, out of the boxes that `heif` reads.

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

use crate::{
    formats::{
        av1::{self, Decoded},
        samples::{Colours, bent, explain_boxes, flat, tone_mapped},
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
    Ok(match (colours.curve(), colours.gamma()) {
        (Some(_), _) => tone_mapped(&item.image::<u16>(first)?, colours),
        (None, Some(gamma)) => bent(item.image::<u16>(first)?, gamma),
        (None, None) => flat(item.image::<u8>(first)?),
    })
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
        if frame.widths[1] == 0 {
            return grey(frame, params.full_range, (width, height));
        }
        frame_to_rgba_sized(frame, params, width, height)
    }

    fn property<T>(&self, id: ItemId, wanted: impl Fn(&Property) -> Option<T>) -> Option<T> {
        self.file.item_properties(id).ok()?.find_map(wanted)
    }

    fn frame(&self, id: ItemId) -> Result<Decoded, DecodeError> {
        let data = self.file.item_data(id).map_err(explain_boxes)?;
        av1::decode(data.into_owned(), self.max_pixels)
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

/// Brings brightness, of the full range or from 16 to 235 of 255, to 0 to `max`.
fn stretch(bits: u8, full_range: bool, max: u32) -> impl Fn(u16) -> u16 {
    let bits = u32::from(bits).max(8);
    let (least, span) = if full_range {
        (0, (1 << bits) - 1)
    } else {
        (16 << (bits - 8), 219 << (bits - 8))
    };
    move |luma| {
        let above = u32::from(luma).saturating_sub(least).min(span);
        ((above * max + span / 2) / span) as u16
    }
}

/// A picture without colour; the conversion of those with it takes every such picture for one of the full range.
fn grey<S: Sample>(frame: &Frame, full_range: bool, (width, height): (u32, u32)) -> Image<S> {
    let bit_depth = S::depth(frame.bit_depth[0]);
    let (width, height) = (width.min(frame.widths[0]), height.min(frame.heights[0]));
    let full = ((1_u32 << bit_depth) - 1) as u16;
    let mut image = Image::filled_samples(width, height, bit_depth, [S::from_u16(full); 4]);
    let stretched = stretch(frame.bit_depth[0], full_range, full.into());
    let stride = (width as usize * 4).max(1);
    let lines = frame.planes[0].chunks_exact((frame.widths[0] as usize).max(1));
    for (row, line) in image.data.chunks_exact_mut(stride).zip(lines) {
        for (pixel, &luma) in row.as_chunks_mut::<4>().0.iter_mut().zip(line) {
            pixel[..3].fill(S::from_u16(stretched(luma)));
        }
    }
    image
}

/// Puts the luma of one picture into the alpha of another that is no larger.
fn attach<S: Sample>(image: &mut Image<S>, alpha: &Frame) {
    let (width, height) = (alpha.widths[0] as usize, alpha.heights[0] as usize);
    if width < image.width as usize || height < image.height as usize {
        return;
    }
    let max = u32::from(image.max_value());
    let stretched = stretch(alpha.bit_depth[0], alpha.full_range, max);
    let rows = image.data.chunks_exact_mut(image.width as usize * 4);
    for (row, alphas) in rows.zip(alpha.planes[0].chunks_exact(width)) {
        for (pixel, &alpha) in row.as_chunks_mut::<4>().0.iter_mut().zip(alphas) {
            pixel[3] = S::from_u16(stretched(alpha));
        }
    }
    image.has_alpha = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_of_either_range_is_stretched() {
        for (bits, full_range, lumas, right) in [
            (8, false, [16, 235, 0, 255], [0, 255, 0, 255]),
            (8, true, [0, 255, 16, 128], [0, 255, 16, 128]),
            (10, false, [64, 940, 502, 1023], [0, 255, 128, 255]),
            (10, true, [0, 1023, 512, 4], [0, 255, 128, 1]),
            (12, false, [256, 3760, 0, 4095], [0, 255, 0, 255]),
        ] {
            let frame = Frame {
                widths: [4, 0, 0],
                heights: [1, 0, 0],
                planes: [lumas.to_vec(), vec![], vec![]],
                bit_depth: [bits, bits],
                chroma_format: 0,
                full_range,
                matrix_coeffs: 6,
            };
            let image: Image<u8> = grey(&frame, full_range, (4, 1));
            let found: Vec<u8> = image.data.chunks(4).map(|pixel| pixel[1]).collect();
            assert_eq!(found, right, "{bits} {full_range}");
            // A picture that is said to be larger than its planes is as large as they are.
            let image: Image<u16> = grey(&frame, full_range, (9, 9));
            assert_eq!((image.width, image.height, image.data.len()), (4, 1, 16));
        }
    }
}
