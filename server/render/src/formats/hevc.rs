//! HEVC pictures that are damaged: what is there of them, and how much that is. Whole ones are heifer's business.

use heifer::{
    Image,
    color::{ColorParams, frame_to_rgba_sized},
    heifer_hevc_dec::{
        nal::{NalUnit, split_annex_b},
        params::ParameterSets,
        recon::{Frame, Reconstructor},
        slice::SliceHeader,
        syntax::{Picture, decode_slice_segment},
    },
    heifer_isobmff::{
        HeifFile, ItemId,
        boxes::{ColorInfo, Property},
    },
    image::Sample,
};

use crate::formats::stored::MISSING;

/// The part of an item that is there, of one coded picture or a grid of them, and how many of how many pixels that is.
pub(super) fn salvage<S: Sample>(
    file: &HeifFile<'_>,
    id: ItemId,
    max_pixels: u64,
) -> Option<(Image<S>, u64, u64)> {
    // Without its alpha a picture that has one shows what nobody was meant to see.
    if file
        .referencing_items(id, b"auxl")
        .into_iter()
        .any(|aux| is_alpha(file, aux))
    {
        return None;
    }
    let tiles = file.referenced_items(id, b"dimg");
    if tiles.is_empty() {
        let (image, share) = coded(file, id, max_pixels)?;
        let whole = u64::from(image.width) * u64::from(image.height);
        return Some((image, share.of(whole), whole));
    }
    let grid = file.grid(id).ok()?;
    let (width, height) = (grid.output_width, grid.output_height);
    let whole = u64::from(width) * u64::from(height);
    let (across, down) = file.image_size(*tiles.first()?).ok()??;
    if across == 0 || down == 0 || whole == 0 || whole > max_pixels {
        return None;
    }
    let mut canvas: Option<Image<S>> = None;
    let mut there = 0;
    for (index, &tile) in tiles.iter().enumerate() {
        let (column, row) = (
            index % usize::from(grid.columns),
            index / usize::from(grid.columns),
        );
        let (left, top) = (column * across as usize, row * down as usize);
        let Some((tile, share)) = coded::<S>(file, tile, max_pixels) else {
            continue;
        };
        let canvas = canvas.get_or_insert_with(|| blank(width, height, tile.bit_depth));
        if tile.bit_depth != canvas.bit_depth || left >= width as usize || top >= height as usize {
            continue;
        }
        let n_across = (width as usize - left).min(tile.width as usize);
        let n_down = (height as usize - top).min(tile.height as usize);
        let rows = canvas.data.chunks_exact_mut(width as usize * 4).skip(top);
        let source = tile.data.chunks_exact(tile.width as usize * 4);
        for (row, source) in rows.zip(source.take(n_down)) {
            row[left * 4..][..n_across * 4].copy_from_slice(&source[..n_across * 4]);
        }
        there += share.of((n_across * n_down) as u64);
    }
    Some((canvas?, there, whole))
}

fn is_alpha(file: &HeifFile<'_>, id: ItemId) -> bool {
    let properties = file.item_properties(id);
    properties.is_ok_and(|mut properties| {
        properties.any(|property| match property {
            Property::AuxiliaryType(name) => {
                name == "urn:mpeg:hevc:2015:auxid:1"
                    || name == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
            }
            _ => false,
        })
    })
}

/// All grey, and seen.
fn blank<S: Sample>(width: u32, height: u32, bit_depth: u8) -> Image<S> {
    let max = (1_u32 << bit_depth) - 1;
    let grey = S::from_u16((u32::from(MISSING) * max / 255) as u16);
    Image::filled_samples(
        width,
        height,
        bit_depth,
        [grey, grey, grey, S::from_u16(max as u16)],
    )
}

/// The share of a picture that is there, in blocks.
#[derive(Clone, Copy, Debug)]
struct Share {
    there: u32,
    all: u32,
}

impl Share {
    fn of(self, n_pixels: u64) -> u64 {
        n_pixels * u64::from(self.there.min(self.all)) / u64::from(self.all.max(1))
    }
}

/// A picture that is coded in one, and how much of it is there; `None` where that is nothing.
fn coded<S: Sample>(file: &HeifFile<'_>, id: ItemId, max_pixels: u64) -> Option<(Image<S>, Share)> {
    let stream = file.hevc_bitstream(id).ok()?;
    let (frame, share) = picture(&stream, max_pixels)?;
    let stated = file
        .item_properties(id)
        .ok()?
        .find_map(|property| match property {
            Property::Color(ColorInfo::Nclx {
                matrix, full_range, ..
            }) => Some(ColorParams {
                matrix: *matrix,
                full_range: *full_range,
            }),
            _ => None,
        });
    let params = stated.unwrap_or_else(|| ColorParams::from_frame(&frame));
    let size = file.image_size(id).ok().flatten();
    let (width, height) = size.unwrap_or((frame.widths[0], frame.heights[0]));
    Some((frame_to_rgba_sized(&frame, params, width, height), share))
}

/// The first picture of a stream, as far as it makes sense, and how much of it does; the rest is grey.
fn picture(stream: &[u8], max_pixels: u64) -> Option<(Frame, Share)> {
    let units = split_annex_b(stream).map_while(|unit| NalUnit::parse(unit).ok());
    let units: Vec<NalUnit<'_>> = units.collect();
    let mut sets = ParameterSets::default();
    for unit in units
        .iter()
        .take_while(|unit| !unit.header.unit_type.is_slice())
    {
        sets.add(unit).ok()?;
    }
    let mut state: Option<(Picture<'_>, Reconstructor<'_>)> = None;
    let mut previous: Option<SliceHeader> = None;
    for unit in units.iter().filter(|unit| unit.header.unit_type.is_slice()) {
        let is_first = unit.rbsp.first().is_some_and(|byte| byte & 0x80 != 0);
        if is_first && state.is_some() {
            break;
        }
        let Ok(header) = SliceHeader::parse(&unit.rbsp, &unit.header, &sets, previous.as_ref())
        else {
            break;
        };
        let (pps, sps) = sets
            .get(usize::from(header.slice_pic_parameter_set_id))
            .ok()?;
        let (width, height) = (
            sps.pic_width_in_luma_samples,
            sps.pic_height_in_luma_samples,
        );
        if u64::from(width) * u64::from(height) > max_pixels {
            return None;
        }
        let (picture, maker) =
            state.get_or_insert_with(|| (Picture::new(sps, pps), Reconstructor::new(sps, pps)));
        maker.start_slice(&header);
        let Ok(qp) = header.slice_qp_y(&sets) else {
            break;
        };
        let data = unit.rbsp.get(header.header_size..).unwrap_or_default();
        let result = decode_slice_segment(picture, &header, qp, data, maker);
        if result.is_err() || maker.error.is_some() {
            break;
        }
        if !header.dependent_slice_segment_flag {
            previous = Some(header);
        }
    }
    let (picture, maker) = state?;
    let sps = picture.sps;
    let share = Share {
        there: picture.decoded_ctbs,
        all: picture.layout.width * picture.layout.height,
    };
    // The filters know no gaps.
    let frame = maker.finish(!picture.is_complete());
    Some((frame.cropped(sps), share))
}
