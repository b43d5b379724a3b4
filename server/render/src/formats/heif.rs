//! HEIF: HEIC by heifer, and the container for AVIF. Its boxes say how a picture lies and what its colours mean, and
//! what they say is done once.

use std::borrow::Cow;

use heifer::{
    Options,
    heifer_hevc_dec::{nal::NalUnit, params::ParameterSets},
    heifer_isobmff::{
        HeifFile, ItemId,
        boxes::{ColorInfo, Property},
    },
};

use crate::{
    colour::profile::Space,
    fence::fenced_with_helpers,
    formats::{
        avif,
        bmff::{self, Boxes, Primary},
        hevc,
        samples::{Colours, bent, explain_boxes, flat, tone_mapped},
        stored::{DecodeError, DecodeLimits, Stored, enough},
    },
    frame::orient::Orientation,
    picture::{Picture, Size},
};

/// Memory that decoding takes: 16-bit RGBA and the picture, at worst.
pub(crate) const BYTES_PER_PIXEL: u64 = 12;
/// Memory for a grid of tiles in 8 bits, as phones write it.
const GRID_BYTES_PER_PIXEL: u64 = 8;
/// Decoded side by side; a whole machine is not one photo's to take.
const MAX_THREADS: usize = 2;
/// Boxes that describe more items than any camera writes take too long to read.
const MAX_META_BYTES: usize = 1 << 20;

/// Decodes the primary picture, HEIC or AVIF, as it is stored.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let (end, cut) = end_of_boxes(bytes);
    let bytes = &bytes[..end];
    let Some(primary) = bmff::primary(bytes) else {
        return Err(no_picture(bytes, cut));
    };
    let meta = Boxes::new(bytes).content(*b"meta").unwrap_or_default();
    if meta.len() > MAX_META_BYTES {
        return Err(DecodeError::Damaged("it describes too many things".into()));
    }
    let whole = if cut {
        up_to_the_end(bytes)
    } else {
        Cow::Borrowed(bytes)
    };
    // Foreign code reads foreign bytes; it owns all it changes.
    fenced_with_helpers(|| decode_primary(&whole, &primary, cut, limits))
        .unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

fn decode_primary(
    bytes: &[u8],
    primary: &Primary,
    cut: bool,
    limits: &DecodeLimits,
) -> Result<Stored, DecodeError> {
    let bytes = without_turns(bytes, primary);
    let file = HeifFile::parse(&bytes).map_err(explain_boxes)?;
    let id = file.primary_id;
    let (item, codec) = Shape::of(&file, id, 0)?.parts();
    let stated = file.image_size(item).map_err(explain_boxes)?;
    let size = stated.map(|(width, height)| Size::new(width, height));
    let per_pixel = match codec {
        Codec::Hevc if item_type(&file, item) == *b"grid" => GRID_BYTES_PER_PIXEL,
        Codec::Hevc => BYTES_PER_PIXEL,
        Codec::Av1 => avif::BYTES_PER_PIXEL,
    };
    if let Some(size) = size {
        limits.check(size, size.n_pixels().saturating_mul(per_pixel))?;
    }
    let max_pixels = limits.pixels.min(limits.bytes / per_pixel);
    let mut colours = colours(&file, item);

    let mut damage = None;
    let picture = match codec {
        Codec::Av1 if cut => return Err(DecodeError::Truncated { percent: None }),
        Codec::Av1 => avif::decode_item(&file, item, max_pixels, &mut colours)?,
        Codec::Hevc => {
            if colours.code_points.is_none() {
                colours.code_points = stream_colours(&file, item);
            }
            let options = Options {
                max_threads: MAX_THREADS,
                max_pixels,
            };
            let deep = || heifer::decode_with_options(&bytes, &options).map_err(explain);
            let flatly = || heifer::decode_rgba8(&bytes, &options).map_err(explain);
            let whole = match (colours.curve(), colours.gamma()) {
                _ if cut => Err(DecodeError::Truncated { percent: None }),
                (Some(_), _) => deep().map(|image| tone_mapped(&image, &colours)),
                (None, Some(gamma)) => deep().map(|image| bent(image, gamma)),
                (None, None) => flatly().map(flat),
            };
            whole.or_else(|fault| {
                let (picture, fault) = salvaged(&file, item, max_pixels, &colours, fault)?;
                damage = Some(fault);
                Ok(picture)
            })?
        }
    };
    let picture = picture.ok_or_else(|| DecodeError::Damaged("it has no pixels".into()))?;
    let space = match colours.curve() {
        Some(_) => Space::Srgb,
        None => colours.space(&picture),
    };
    Ok(Stored {
        damage,
        ..Stored::whole(picture, space)
    })
}

/// The part of a damaged picture that is there, if that is enough.
fn salvaged(
    file: &HeifFile<'_>,
    item: ItemId,
    max_pixels: u64,
    colours: &Colours,
    fault: DecodeError,
) -> Result<(Option<Picture>, DecodeError), DecodeError> {
    if !matches!(
        fault,
        DecodeError::Damaged(_) | DecodeError::Truncated { .. }
    ) {
        return Err(fault);
    }
    let (picture, there, whole) = match (colours.curve(), colours.gamma()) {
        (None, None) => match hevc::salvage(file, item, max_pixels) {
            Some((image, there, whole)) => (flat(image), there, whole),
            None => return Err(fault),
        },
        (curve, gamma) => match (hevc::salvage(file, item, max_pixels), curve, gamma) {
            (Some((image, there, whole)), Some(_), _) => {
                (tone_mapped(&image, colours), there, whole)
            }
            (Some((image, there, whole)), None, Some(gamma)) => (bent(image, gamma), there, whole),
            _ => return Err(fault),
        },
    };
    Ok((picture, enough(there, whole, fault)?))
}

/// The file with its last box, which is cut, ending where the file does.
fn up_to_the_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut boxes = Boxes::new(bytes);
    let mut start = 0;
    while boxes.next().is_some_and(|found| !found.cut) {
        start = bytes.len() - boxes.rest().len();
    }
    let mut bytes = bytes.to_vec();
    // A length of 0 is one up to the end.
    if let Some(length) = bytes.get_mut(start..start + 4) {
        length.fill(0);
    }
    Cow::Owned(bytes)
}

/// Where the last box ends that makes sense, and whether the file ends before that does.
fn end_of_boxes(bytes: &[u8]) -> (usize, bool) {
    let mut boxes = Boxes::new(bytes);
    let cut = boxes.by_ref().any(|found| found.cut);
    (bytes.len() - boxes.rest().len(), cut)
}

fn no_picture(bytes: &[u8], cut: bool) -> DecodeError {
    let mut boxes = Boxes::new(bytes);
    if cut {
        DecodeError::Truncated { percent: None }
    } else if boxes.any(|found| found.name == *b"moov") {
        DecodeError::Unsupported("moving HEIF".into())
    } else {
        // A file cut between two boxes looks whole.
        DecodeError::Truncated { percent: None }
    }
}

/// The file with the turns of its primary picture made unknown to the decoder: it would turn all the pixels, and ours
/// turns the few that are left when it is small.
fn without_turns<'a>(bytes: &'a [u8], primary: &Primary) -> Cow<'a, [u8]> {
    if primary
        .turned
        .is_none_or(|turned| turned == Orientation::Upright)
    {
        return Cow::Borrowed(bytes);
    }
    let mut bytes = bytes.to_vec();
    for at in bmff::turns(&bytes) {
        if let Some(name) = bytes.get_mut(at..at + 4) {
            name.copy_from_slice(b"skip");
        }
    }
    Cow::Owned(bytes)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Hevc,
    Av1,
}

/// The parts of a picture, followed no deeper than makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    item: ItemId,
    codec: Codec,
}

impl Shape {
    fn parts(self) -> (ItemId, Codec) {
        (self.item, self.codec)
    }

    /// Follows derivations, and refuses those that go in circles, or that make a lot of work for few pixels.
    fn of(file: &HeifFile<'_>, id: ItemId, depth: u32) -> Result<Self, DecodeError> {
        let sources = file.referenced_items(id, b"dimg");
        let damaged = |why: &str| Err(DecodeError::Damaged(why.into()));
        let plain = |codec| {
            if sources.is_empty() {
                Ok(Self { item: id, codec })
            } else {
                damaged("its parts contradict each other")
            }
        };
        match &item_type(file, id) {
            b"hvc1" => plain(Codec::Hevc),
            b"av01" => plain(Codec::Av1),
            b"iden" if depth < 3 => match *sources {
                [source] if source != id => Self::of(file, source, depth + 1),
                _ => damaged("its parts contradict each other"),
            },
            b"grid" => {
                let Some(&first) = sources.first() else {
                    return damaged("it has no tiles");
                };
                let kind = item_type(file, first);
                let codec = match &kind {
                    b"hvc1" => Codec::Hevc,
                    b"av01" => Codec::Av1,
                    _ => return unsupported(&kind),
                };
                let alike = |&tile: &ItemId| {
                    item_type(file, tile) == kind && file.referenced_items(tile, b"dimg").is_empty()
                };
                let grid = file.grid(id).map_err(explain_boxes)?;
                let tile = file.image_size(first).map_err(explain_boxes)?;
                if !sources.iter().all(alike) {
                    return damaged("its tiles are not alike");
                }
                // Every tile is seen; else a small picture could ask for thousands of them.
                let spare = |n: u16, side: u32, whole: u32| {
                    u64::from(n.saturating_sub(1)) * u64::from(side) >= u64::from(whole)
                };
                if let Some((width, height)) = tile
                    && (spare(grid.columns, width, grid.output_width)
                        || spare(grid.rows, height, grid.output_height))
                {
                    return damaged("its tiles do not fit");
                }
                Ok(Self { item: id, codec })
            }
            other => unsupported(other),
        }
    }
}

fn unsupported<T>(kind: &[u8; 4]) -> Result<T, DecodeError> {
    let kind = String::from_utf8_lossy(kind).into_owned();
    Err(DecodeError::Unsupported(format!("HEIF ({kind})")))
}

fn item_type(file: &HeifFile<'_>, id: ItemId) -> [u8; 4] {
    file.item(id).map_or([0; 4], |item| item.item_type.0)
}

/// The colours that the boxes of a picture, or of the first of its tiles, state.
fn colours(file: &HeifFile<'_>, id: ItemId) -> Colours {
    let mut colours = Colours::default();
    let first = file.referenced_items(id, b"dimg").first().copied();
    for id in [Some(id), first].into_iter().flatten() {
        let Ok(properties) = file.item_properties(id) else {
            continue;
        };
        for property in properties {
            match property {
                Property::Color(ColorInfo::Icc(profile)) if colours.profile.is_none() => {
                    colours.profile = Some(profile.clone());
                }
                Property::Color(ColorInfo::Nclx {
                    primaries,
                    transfer,
                    ..
                }) if colours.code_points.is_none() => {
                    colours.code_points = Some((*primaries, *transfer));
                }
                _ => {}
            }
        }
    }
    colours
}

/// The code points that an HEVC stream states in its parameters: some cameras write them nowhere else.
fn stream_colours(file: &HeifFile<'_>, id: ItemId) -> Option<(u16, u16)> {
    let coded = file.referenced_items(id, b"dimg").first().copied();
    let config = file.hevc_config(coded.unwrap_or(id)).ok()??;
    let mut sets = ParameterSets::default();
    for unit in &config.nal_units {
        sets.add(&NalUnit::parse(unit).ok()?).ok()?;
    }
    let vui = sets.sps.iter().flatten().find_map(|sps| sps.vui.as_ref())?;
    let points = (
        u16::from(vui.colour_primaries),
        u16::from(vui.transfer_characteristics),
    );
    (points.0 != 2 && points.1 != 2).then_some(points)
}

fn explain(error: heifer::Error) -> DecodeError {
    match error {
        heifer::Error::Container(error) => explain_boxes(error),
        heifer::Error::Unsupported(what) => DecodeError::Unsupported(format!("HEIC ({what})")),
        error => DecodeError::Damaged(error.to_string()),
    }
}
