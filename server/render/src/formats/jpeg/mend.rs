//! Sequential JPEGs that are cut off or damaged: data in which what is there stands where it belongs, and blocks that say nothing
//! stand for the rest, so that any decoder can read it; and what is missing. Restart markers are what helps: behind each the
//! data begin anew, and its number tells what was lost before it.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::{
    super::{
        markers::{EOI, SOS, Segments},
        stored::MISSING,
    },
    coded::{Bits, Table, Tables, Writer},
    layout::{Layout, Unit},
};
use crate::picture::Size;

const DRI: u8 = 0xDD;

/// A picture whose data can be decoded.
pub(super) struct Mended {
    pub(super) bytes: Vec<u8>,
    /// Units that are missing, counted from the first, row by row.
    missing: Vec<Range<usize>>,
    unit: Unit,
}

/// Mends a picture that comes in one pass, and puts that behind its data. `None` where there is nothing to be had.
pub(super) fn mend(bytes: &[u8], layout: &Layout, end: &[u8]) -> Option<Mended> {
    let Scan {
        start,
        content,
        tables,
        every,
    } = Scan::first(bytes)?;
    let blocks = Blocks::of(layout, content, &tables)?;
    let unit = layout.unit();
    let n_units = unit.across * unit.down;
    let pieces = pieces(bytes.get(start..)?, every, n_units);

    let every = if every == 0 { n_units } else { every };
    let mut writer = Writer::new(bytes[..start].to_vec());
    let mut missing: Vec<Range<usize>> = vec![];
    let mut pieces = pieces.into_iter().peekable();
    // A piece in which the marker behind its first part is lost has more than one.
    let mut left: Option<(Vec<u8>, usize)> = None;
    for (number, first) in (0..n_units).step_by(every).enumerate() {
        if number > 0 {
            writer.mark(0xD0 + ((number - 1) % 8) as u8);
        }
        let n = every.min(n_units - first);
        if pieces.peek().is_some_and(|piece| piece.number == number) {
            left = pieces.next().map(|piece| (piece.bytes, 0));
        }
        let mut n_there = 0;
        left = left.take().and_then(|(data, at)| {
            let mut bits = Bits { bytes: &data, at };
            while n_there < n {
                let before = bits.at;
                if blocks.pass(&mut bits).is_none() {
                    bits.at = before;
                    break;
                }
                n_there += 1;
            }
            writer.copy(&bits, at);
            bits.align();
            let at = bits.at;
            (n_there == n && at / 8 < data.len()).then_some((data, at))
        });
        for _ in n_there..n {
            blocks.put_nothing(&mut writer)?;
        }
        if n_there < n {
            missing.push(first + n_there..first + n);
        }
    }
    writer.align();
    writer.bytes.extend(end);
    Some(Mended {
        bytes: writer.bytes,
        missing,
        unit,
    })
}

/// Whether the restart markers of a picture that comes in one pass are all there, and nothing else is between its data. Says
/// nothing of a picture without them.
pub(super) fn is_in_order(bytes: &[u8], layout: &Layout) -> bool {
    let Some(Scan { start, every, .. }) = Scan::first(bytes) else {
        return true;
    };
    let data = &bytes[start..layout.end.unwrap_or(bytes.len())];
    let unit = layout.unit();
    let n_units = unit.across * unit.down;
    if every == 0 || n_units == 0 {
        return true;
    }
    let mut n_restarts = 0;
    for at in memchr_iter(0xFF, data) {
        match data.get(at + 1) {
            None | Some(0 | 0xFF) => {}
            Some(marker) if usize::from(*marker) == 0xD0 + n_restarts % 8 => n_restarts += 1,
            Some(_) => return false,
        }
    }
    // Some write one more, behind the last unit.
    let due = (n_units - 1) / every;
    n_restarts == due || (n_restarts == due + 1 && n_units.is_multiple_of(every))
}

/// The first scan: where its data begin, its header, the tables that hold there, and units between restart markers.
struct Scan<'a> {
    start: usize,
    content: &'a [u8],
    tables: Tables,
    every: usize,
}

impl<'a> Scan<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let mut tables = Tables::default();
        let mut every = 0;
        let scan = Segments::new(bytes).find(|segment| {
            tables.see(segment.marker, segment.content);
            if segment.marker == DRI
                && let &[high, low, ..] = segment.content
            {
                every = usize::from(u16::from_be_bytes([high, low]));
            }
            segment.marker == SOS && !segment.cut
        })?;
        Some(Self {
            start: scan.start + 4 + scan.content.len(),
            content: scan.content,
            tables,
            every,
        })
    }
}

impl Mended {
    /// How many units are there, and how many the picture has.
    pub(super) fn share(&self) -> (u64, u64) {
        let whole = (self.unit.across * self.unit.down) as u64;
        let missing: usize = self.missing.iter().map(Range::len).sum();
        (whole - missing as u64, whole)
    }

    /// Makes grey what is missing.
    pub(super) fn paint(&self, samples: &mut [u8], size: Size, n_channels: usize) {
        let Unit {
            width,
            height,
            across,
            ..
        } = self.unit;
        let stride = size.width as usize * n_channels;
        for unit in self.missing.iter().cloned().flatten() {
            let left = (unit % across * width).min(size.width as usize) * n_channels;
            let right = ((unit % across + 1) * width * n_channels).min(stride);
            let rows = samples.chunks_exact_mut(stride.max(1));
            for row in rows.skip(unit / across * height).take(height) {
                row[left..right].fill(MISSING);
            }
        }
    }
}

/// Data between two restart markers, without stuffed bytes, and which part of the picture it is.
struct Piece {
    number: usize,
    bytes: Vec<u8>,
}

/// The pieces of a scan. A marker that has no business there is passed over; a restart marker that comes too early or too
/// late is believed where it is near to the one that is due (as libjpeg does it).
fn pieces(data: &[u8], every: usize, n_units: usize) -> Vec<Piece> {
    let n_pieces = if every == 0 {
        1
    } else {
        n_units.div_ceil(every)
    };
    let new = |number| Piece {
        number,
        bytes: vec![],
    };
    let (mut pieces, mut at) = (vec![new(0)], 0);
    let mut number = 0;
    while let Some(rest) = data.get(at..) {
        let n = memchr(0xFF, rest).unwrap_or(rest.len());
        let Some(piece) = pieces.last_mut() else {
            break;
        };
        piece.bytes.extend(&rest[..n]);
        match rest.get(n + 1) {
            None | Some(&EOI) => break,
            Some(0) => piece.bytes.push(0xFF),
            Some(0xFF) => {
                at += n + 1;
                continue;
            }
            Some(marker @ 0xD0..=0xD7) if every > 0 => {
                let n_lost = match (usize::from(marker - 0xD0) + 8 - number % 8) % 8 {
                    n @ (1 | 2) => Some(n),
                    6 | 7 => None,
                    _ => Some(0),
                };
                if let Some(n_lost) = n_lost {
                    number += 1 + n_lost;
                    if number >= n_pieces {
                        break;
                    }
                    pieces.push(new(number));
                }
            }
            Some(_) => {}
        }
        at += n + 2;
    }
    pieces
}

/// The blocks of a unit, by the tables that each is coded with.
struct Blocks<'a>(Vec<(&'a Table, &'a Table)>);

impl<'a> Blocks<'a> {
    fn of(layout: &Layout, scan: &[u8], tables: &'a Tables) -> Option<Self> {
        let (&n, rest) = scan.split_first()?;
        let chosen = rest.as_chunks::<2>().0.get(..usize::from(n))?;
        let mut blocks = vec![];
        for &[id, numbers] in chosen {
            let table = |tables: &'a [Option<Table>; 4], number: u8| {
                tables.get(usize::from(number))?.as_ref()
            };
            let pair = (
                table(&tables.dc, numbers >> 4)?,
                table(&tables.ac, numbers & 15)?,
            );
            let n_blocks = if n == 1 { 1 } else { layout.n_blocks(id)? };
            blocks.extend((0..n_blocks).map(|_| pair));
        }
        Some(Self(blocks))
    }

    /// Passes one unit.
    fn pass(&self, bits: &mut Bits<'_>) -> Option<()> {
        self.0.iter().try_for_each(|(dc, ac)| bits.block(dc, ac))
    }

    /// A unit that is as the one before it ends, which every table can say that is of use.
    fn put_nothing(&self, writer: &mut Writer) -> Option<()> {
        for (dc, ac) in &self.0 {
            for (code, length) in [dc.code(0)?, ac.code(0)?] {
                writer.put(code, length);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use memchr::memchr_iter;

    use crate::{DecodeError, DecodeLimits, Picture, decode_whole};

    const SIDE: u16 = 160;

    fn file(every: u16, sampling: SamplingFactor, colours: ColorType) -> Vec<u8> {
        let n = match colours {
            ColorType::Luma => 1,
            ColorType::Rgb => 3,
            _ => 4,
        };
        let samples = (0..u32::from(SIDE)).flat_map(|y| {
            (0..u32::from(SIDE)).flat_map(move |x| {
                [x, y, (x * y) / 100, 0]
                    .into_iter()
                    .take(n)
                    .map(|v| v as u8)
            })
        });
        let samples: Vec<u8> = samples.collect();
        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 90);
        encoder.set_sampling_factor(sampling);
        if every > 0 {
            encoder.set_restart_interval(every);
        }
        encoder.encode(&samples, SIDE, SIDE, colours).unwrap();
        file
    }

    fn kinds(every: u16) -> Vec<Vec<u8>> {
        vec![
            file(every, SamplingFactor::F_2_2, ColorType::Rgb),
            file(every, SamplingFactor::F_1_1, ColorType::Rgb),
            file(every, SamplingFactor::F_1_1, ColorType::Luma),
            file(every, SamplingFactor::F_2_1, ColorType::Cmyk),
        ]
    }

    /// Where the restart markers stand.
    fn restarts(file: &[u8]) -> Vec<usize> {
        let all = memchr_iter(0xFF, file);
        all.filter(|at| matches!(file.get(at + 1), Some(0xD0..=0xD7)))
            .collect()
    }

    /// The share of pixels that are not as in the whole picture, and what is said of the damage.
    fn wrong(file: &[u8], whole: &Picture) -> Result<(f64, Option<DecodeError>), DecodeError> {
        let pixels = decode_whole(file, &DecodeLimits::default())?;
        let pairs = pixels.picture.pixels().iter().zip(whole.pixels());
        let n = pairs.filter(|(a, b)| a.abs_diff(**b) > 24).count();
        Ok((n as f64 / whole.pixels().len() as f64, pixels.damage))
    }

    fn open(file: &[u8]) -> Picture {
        decode_whole(file, &DecodeLimits::default())
            .unwrap()
            .picture
    }

    #[test]
    fn a_marker_is_missed_by_nobody() {
        for file in kinds(4) {
            let whole = open(&file);
            let restarts = restarts(&file);
            assert!(restarts.len() > 20);
            for &at in &restarts {
                let without = [&file[..at], &file[at + 2..]].concat();
                assert_eq!(wrong(&without, &whole), Ok((0.0, None)), "{at}");
            }
        }
    }

    #[test]
    fn what_is_lost_between_markers_is_lost_alone() {
        for file in kinds(4) {
            let whole = open(&file);
            let restarts = restarts(&file);
            let n_pieces = restarts.len() as f64 + 1.0;
            for pair in restarts.windows(3) {
                // One piece with its marker, then two.
                for (n, end) in [(1.0, pair[1]), (2.0, pair[2])] {
                    let without = [&file[..pair[0]], &file[end..]].concat();
                    let (share, damage) = wrong(&without, &whole).unwrap();
                    assert!(share <= n * 1.3 / n_pieces, "{share} of {n_pieces}");
                    assert!(
                        matches!(damage, Some(DecodeError::Damaged(_))),
                        "{damage:?}"
                    );
                }
                // Nonsense in the middle of one.
                let mut altered = file.clone();
                let middle = usize::midpoint(pair[0], pair[1]);
                altered[middle..middle + 3].fill(0xFE);
                let (share, _) = wrong(&altered, &whole).unwrap();
                assert!(share <= 1.3 / n_pieces, "{share} of {n_pieces}");
            }
        }
    }

    #[test]
    fn a_marker_that_has_no_business_there_is_passed_over() {
        for every in [0, 4] {
            for file in kinds(every) {
                let whole = open(&file);
                let start = memchr::memmem::find(&file, &[0xFF, 0xDA]).unwrap() + 16;
                for at in (start..file.len() - 2).step_by(97) {
                    // Not between a byte of ones and what is stuffed behind it, or a marker's two.
                    if file[at - 1] == 0xFF {
                        continue;
                    }
                    for marker in [0x3B, 0xC3, 0xE5] {
                        let with = [&file[..at], &[0xFF, marker], &file[at..]].concat();
                        let (share, damage) = wrong(&with, &whole).unwrap();
                        assert_eq!((share, damage), (0.0, None), "{marker:x} at {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_there_is_shown_from_half_on() {
        for every in [0, 4] {
            for file in kinds(every) {
                let whole = open(&file);
                for percent in (0..100).step_by(3) {
                    let cut = &file[..file.len() * percent / 100];
                    match wrong(cut, &whole) {
                        Ok((
                            share,
                            Some(DecodeError::Truncated {
                                percent: Some(there),
                            }),
                        )) => {
                            assert!(percent > 40, "{percent}");
                            let missing = 1.0 - f64::from(there) / 100.0;
                            assert!(share <= missing + 0.02, "{share} of {missing}");
                        }
                        Err(
                            DecodeError::Truncated { .. }
                            | DecodeError::NotAPicture
                            | DecodeError::Empty,
                        ) => {
                            assert!(percent < 70, "{percent}");
                        }
                        other => panic!("{percent}: {other:?}"),
                    }
                }
            }
        }
    }
}
