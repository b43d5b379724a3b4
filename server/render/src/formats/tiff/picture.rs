//! A TIFF's pixels, chunk by chunk and row by row: a chunk is a strip or a tile, in one plane or of all samples.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Read},
};

use super::{
    Tiff,
    canvas::Canvas,
    packed::{self, reversed},
    plan::{Colour, Number, Packing, Plan},
    samples::Rows,
    tag,
};
use crate::{
    fence::fenced,
    formats::{
        jpeg,
        stored::{DecodeError, DecodeLimits, Stored},
    },
};

/// Decodes the first picture that is no thumbnail.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    // What unpacks may panic on malicious input; it owns all it changes.
    fenced(|| read(bytes, limits)).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

/// Decodes as [`decode`], without a fence.
pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Stored, DecodeError> {
    let cut = || DecodeError::Truncated { percent: Some(0) };
    let tiff = Tiff::new(bytes).ok_or_else(cut)?;
    let directory = tiff.picture().ok_or_else(cut)?;
    // A directory that is not there says no size either.
    tiff.size(directory).ok_or_else(cut)?;
    let plan = Plan::of(&tiff, directory)?;
    if plan.packing == Packing::OldJpeg {
        return old_jpeg(bytes, &tiff, directory, limits);
    }
    let (canvas, limits) = Canvas::new(&plan, limits)?;
    let mut chunks = Chunks {
        plan: &plan,
        tiff,
        canvas,
        limits,
        n_left: 2 * bytes.len() as u64,
    };
    chunks.read();
    chunks.canvas.finish()
}

/// The way of before 1995 is shown where it holds a whole JPEG.
fn old_jpeg(
    bytes: &[u8],
    tiff: &Tiff<'_>,
    directory: u64,
    limits: &DecodeLimits,
) -> Result<Stored, DecodeError> {
    let at = tiff.value(directory, tag::JPEG_OFFSET);
    let file = at.and_then(|at| bytes.get(usize::try_from(at).ok()?..));
    match file {
        Some(file) if file.starts_with(&[0xFF, 0xD8, 0xFF]) => jpeg::decode(file, limits),
        _ => Err(DecodeError::Unsupported(
            "TIFF (packed by JPEG of before 1995)".into(),
        )),
    }
}

/// The place of a chunk's first pixel.
type Place = (u32, u32);

struct Chunks<'a> {
    plan: &'a Plan,
    tiff: Tiff<'a>,
    canvas: Canvas<'a>,
    /// The limits of one chunk.
    limits: DecodeLimits,
    /// Packed bytes that may still be read: chunks that share theirs would be work without end.
    n_left: u64,
}

impl<'a> Chunks<'a> {
    fn read(&mut self) {
        let plan = self.plan;
        let (across, down) = plan.grid();
        let per_plane = u64::from(across) * u64::from(down);
        let n_planes = if plan.planar {
            plan.n_samples as u64
        } else {
            1
        };
        let n_there = plan.offsets.map_or(0, |entry| entry.count);
        for plane in 0..n_planes {
            let kept = self.canvas.place(plane as usize);
            if plan.planar && kept.is_none() {
                continue;
            }
            let rest = n_there.saturating_sub(plane * per_plane);
            for index in 0..per_plane.min(rest) {
                let (column, row) = (index % u64::from(across), index / u64::from(across));
                let place = (
                    column as u32 * plan.chunk.width,
                    row as u32 * plan.chunk.height,
                );
                let result = self.data(plane * per_plane + index);
                let result = result.and_then(|data| self.chunk(&data, place, kept));
                if let Err(fault) = result {
                    self.canvas.note(fault);
                }
            }
        }
    }

    /// The bytes of a chunk, as many as there are.
    fn data(&mut self, at: u64) -> Result<Cow<'a, [u8]>, DecodeError> {
        let plan = self.plan;
        let nth = |entry, at| self.tiff.nth(entry?, at);
        let start = nth(plan.offsets, at).unwrap_or(0);
        let n = if plan.packing == Packing::None {
            // That is known, and sometimes wrong in the file.
            self.n_plain()
        } else {
            let next = nth(plan.offsets, at + 1).and_then(|next| next.checked_sub(start));
            let n = nth(plan.lengths, at).filter(|&n| n > 0).or(next);
            n.unwrap_or(u64::MAX)
        };
        let data = self
            .tiff
            .part(start, n)
            .filter(|data| start > 0 && !data.is_empty());
        let data = data.ok_or(DecodeError::Truncated { percent: None })?;
        if plan.packing != Packing::None {
            let left = self.n_left.checked_sub(data.len() as u64);
            self.n_left = left.ok_or_else(|| DecodeError::Damaged("its parts overlap".into()))?;
        }
        let is_reversed = plan.reversed && plan.packing != Packing::Jpeg;
        Ok(match is_reversed {
            true => Cow::Owned(reversed(data)),
            false => Cow::Borrowed(data),
        })
    }

    fn rows(&self) -> Rows<'a> {
        Rows {
            plan: self.plan,
            big_endian: self.tiff.big_endian,
            n_together: if self.plan.planar {
                1
            } else {
                self.plan.n_samples
            },
        }
    }

    /// Whether chunks have one colour for several pixels.
    fn is_coarse(&self) -> bool {
        self.plan.colour == Colour::YCbCr && self.plan.subsampling != (1, 1)
    }

    /// Bytes of a chunk that is not packed.
    fn n_plain(&self) -> u64 {
        let chunk = self.plan.chunk;
        let rows = u64::from(chunk.height);
        if self.is_coarse() {
            let n_lines = rows.div_ceil(self.plan.subsampling.1 as u64);
            return n_lines.saturating_mul(self.n_units() as u64);
        }
        rows.saturating_mul(self.rows().n_bytes(chunk.width) as u64)
    }

    /// Bytes of a line of units of which each has one colour.
    fn n_units(&self) -> usize {
        let (across, down) = self.plan.subsampling;
        (self.plan.chunk.width as usize).div_ceil(across) * (across * down + 2)
    }

    /// Keeps a chunk's samples, of one plane where they come so.
    fn chunk(
        &mut self,
        data: &[u8],
        place: Place,
        plane: Option<usize>,
    ) -> Result<(), DecodeError> {
        let plan = self.plan;
        let plane = plane.filter(|_| plan.planar);
        if plan.packing == Packing::Jpeg {
            return self.jpeg(data, place, plane);
        }
        let n_rows = plan.chunk.height.min(plan.size.height - place.1);
        let mut reader = packed::open(plan, data, n_rows).map_err(explain)?;
        if self.is_coarse() {
            self.coarse(&mut reader, place, n_rows)
        } else {
            self.fine(&mut reader, place, n_rows, plane)
        }
    }

    fn fine(
        &mut self,
        reader: &mut impl Read,
        (left, top): Place,
        n_rows: u32,
        plane: Option<usize>,
    ) -> Result<(), DecodeError> {
        let (plan, rows) = (self.plan, self.rows());
        let mut row = vec![0; rows.n_bytes(plan.chunk.width)];
        // Which sample of those that lie together goes where.
        let kept: Vec<(usize, usize)> = match plane {
            Some(to) => vec![(0, to)],
            None => {
                let kept = self.canvas.kept.iter().enumerate();
                kept.map(|(to, &from)| (from, to)).collect()
            }
        };
        let is_plain = plan.bits == 8
            && plan.number == Number::Unsigned
            && plane.is_none()
            && kept.len() == rows.n_together;
        let is_index = plan.colour == Colour::Palette;
        let n_kept = self.canvas.kept.len();
        for y in top..top + n_rows {
            reader.read_exact(&mut row).map_err(explain)?;
            rows.undo(&mut row);
            let place = (left, y);
            let Some(pixels) = self.canvas.row(place, plan.chunk.width, kept.len()) else {
                break;
            };
            if is_plain {
                let n = pixels.len();
                pixels.copy_from_slice(&row[..n]);
                continue;
            }
            for (x, pixel) in pixels.chunks_exact_mut(n_kept).enumerate() {
                for &(from, to) in &kept {
                    let at = x * rows.n_together + from;
                    pixel[to] = rows.byte(&row, at, is_index && to == 0);
                }
            }
        }
        Ok(())
    }

    /// YCbCr whose colours are coarser than its brightness: units of some brightnesses and one colour.
    fn coarse(
        &mut self,
        reader: &mut impl Read,
        (left, top): Place,
        n_rows: u32,
    ) -> Result<(), DecodeError> {
        let width = self.plan.chunk.width;
        let (across, down) = self.plan.subsampling;
        let n_unit = across * down + 2;
        let mut units = vec![0; self.n_units()];
        for first in (0..n_rows).step_by(down) {
            reader.read_exact(&mut units).map_err(explain)?;
            for (line, y) in (first..n_rows).take(down).enumerate() {
                let Some(pixels) = self.canvas.row((left, top + y), width, 3) else {
                    break;
                };
                for (x, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                    let unit = &units[x / across * n_unit..][..n_unit];
                    let luma = unit[line * across + x % across];
                    pixel.copy_from_slice(&[luma, unit[n_unit - 2], unit[n_unit - 1]]);
                }
            }
        }
        Ok(())
    }

    /// A JPEG without the tables that all share.
    fn jpeg(
        &mut self,
        data: &[u8],
        (left, top): Place,
        plane: Option<usize>,
    ) -> Result<(), DecodeError> {
        let plan = self.plan;
        let rest = data.strip_prefix(&[0xFF, 0xD8]).unwrap_or(data);
        let tables = plan.tables.as_deref().unwrap_or_default();
        let tables = tables.strip_prefix(&[0xFF, 0xD8]).unwrap_or(tables);
        let tables = tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables);
        // What the tags say of its colours holds: Adobe's segment says it to the decoder.
        let transform = u8::from(plan.colour == Colour::YCbCr);
        let adobe = [b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0", &[transform][..]].concat();
        let file = [&[0xFF, 0xD8], &adobe[..], tables, rest].concat();
        let (size, n, samples) = jpeg::samples(&file, &self.limits)?;
        let n_kept = self.canvas.kept.len();
        let n_new = if plane.is_some() { 1 } else { n_kept };
        // Grey comes as red, green and blue, too. Sides are rounded up to blocks by some.
        if (plane.is_none() && n < n_kept)
            || size.width > plan.chunk.width.next_multiple_of(32)
            || size.height > plan.chunk.height.next_multiple_of(32)
        {
            return Err(DecodeError::Damaged(
                "a part of it is of another kind".into(),
            ));
        }
        let width = size.width.min(plan.chunk.width);
        for (y, row) in (top..).zip(samples.chunks_exact(size.width as usize * n)) {
            let Some(pixels) = self.canvas.row((left, y), width, n_new) else {
                break;
            };
            for (pixel, found) in pixels.chunks_exact_mut(n_kept).zip(row.chunks_exact(n)) {
                match plane {
                    Some(to) => pixel[to] = found[0],
                    None => pixel.copy_from_slice(&found[..n_kept]),
                }
            }
        }
        Ok(())
    }
}

fn explain(error: io::Error) -> DecodeError {
    match error.kind() {
        ErrorKind::UnexpectedEof => DecodeError::Truncated { percent: None },
        _ => DecodeError::Damaged(error.to_string()),
    }
}
