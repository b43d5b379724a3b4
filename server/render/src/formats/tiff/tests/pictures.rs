//! A TIFF's pixels against the samples that it was written from, and against what another reader finds in it.

#![expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "the numbers of a scene that is known"
)]

use std::io::{Cursor, Write};

use fax::{BitWriter, Bits, VecWriter, maps};
use image::{ExtendedColorType, ImageFormat, codecs::webp::WebPEncoder};

use super::super::picture::{self, read};
use crate::{DecodeError, DecodeLimits, Kind, Parts, Picture, Size, decode, fence::fenced, probe};

/// The kind of number that samples are.
const UNSIGNED: u64 = 1;
const SIGNED: u64 = 2;
const FLOAT: u64 = 3;

/// A file to be written.
#[derive(Clone, Debug)]
struct File {
    big_endian: bool,
    size: (usize, usize),
    photometric: u64,
    bits: usize,
    number: u64,
    n: usize,
    planar: bool,
    tile: Option<(usize, usize)>,
    rows: usize,
    packing: u64,
    predictor: u64,
    reversed: bool,
    fax_options: u64,
    extra: Option<u64>,
    subsampling: (usize, usize),
    palette: Vec<u64>,
    /// Of a sample, of 0 to 1.
    sample: fn(usize, usize, usize) -> f64,
}

/// A scene: slopes with an edge in it, and runs.
fn scene(x: usize, y: usize, channel: usize) -> f64 {
    match (x + y, channel) {
        (20..=30, _) => 1.0,
        (31..=33, _) => 0.0,
        (_, 0) => (x as f64 / 40.0 + 0.1).min(1.0),
        (_, 1) => (y as f64 / 40.0 + 0.2).min(1.0),
        _ => ((x * 3 + y * 5) % 64) as f64 / 63.0,
    }
}

const GREY: File = File {
    big_endian: false,
    size: (37, 29),
    photometric: 1,
    bits: 8,
    number: UNSIGNED,
    n: 1,
    planar: false,
    tile: None,
    rows: 8,
    packing: 1,
    predictor: 1,
    reversed: false,
    fax_options: 0,
    extra: None,
    subsampling: (1, 1),
    palette: vec![],
    sample: scene,
};

fn rgb() -> File {
    File {
        photometric: 2,
        n: 3,
        ..GREY
    }
}

impl File {
    /// A sample as it is stored.
    fn raw(&self, x: usize, y: usize, channel: usize) -> u64 {
        let value = (self.sample)(x, y, channel);
        let max = (2_f64.powi(self.bits as i32) - 1.0).max(1.0);
        match self.number {
            FLOAT if self.bits == 32 => u64::from((value as f32).to_bits()),
            FLOAT if self.bits == 16 => u64::from(half(value)),
            FLOAT => value.to_bits(),
            SIGNED => (value * max).round() as u64 ^ 1 << (self.bits - 1),
            _ => (value * max).round() as u64,
        }
    }

    /// The same as a byte, by a rule that needs no speed.
    fn byte(&self, x: usize, y: usize, channel: usize) -> u8 {
        let value = (self.sample)(x, y, channel);
        let max = 2_f64.powi(self.bits as i32) - 1.0;
        let exact = match self.number {
            FLOAT => value,
            _ => (value * max).round() / max,
        };
        (exact * 255.0).round() as u8
    }

    /// Rows of a chunk; beyond the picture its last pixels go on.
    fn chunk(
        &self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        channels: &[usize],
    ) -> Vec<u8> {
        let (all_x, all_y) = self.size;
        let at =
            |x: usize, y: usize, channel| self.raw(x.min(all_x - 1), y.min(all_y - 1), channel);
        if self.subsampling != (1, 1) {
            let (across, down) = self.subsampling;
            let mut bytes = vec![];
            for y in (top..top + height).step_by(down) {
                for x in (left..left + width).step_by(across) {
                    for line in 0..down {
                        bytes.extend((0..across).map(|i| at(x + i, y + line, 0) as u8));
                    }
                    bytes.extend([at(x, y, 1) as u8, at(x, y, 2) as u8]);
                }
            }
            return bytes;
        }
        let mut bytes = vec![];
        for y in top..top + height {
            let mut row: Vec<Vec<u64>> = vec![];
            for x in left..left + width {
                row.push(channels.iter().map(|&channel| at(x, y, channel)).collect());
            }
            bytes.extend(self.row(&row));
        }
        bytes
    }

    fn row(&self, pixels: &[Vec<u64>]) -> Vec<u8> {
        let mut samples: Vec<u64> = pixels.concat();
        let step = pixels[0].len();
        if self.predictor == 2 {
            for at in (step..samples.len()).rev() {
                samples[at] = samples[at].wrapping_sub(samples[at - step]);
            }
        }
        if self.predictor == 3 {
            let n = self.bits / 8;
            let bytes: Vec<_> = samples
                .iter()
                .map(|s| s.to_be_bytes()[8 - n..].to_vec())
                .collect();
            let mut apart: Vec<u8> = (0..n)
                .flat_map(|i| bytes.iter().map(move |b| b[i]))
                .collect();
            for at in (step..apart.len()).rev() {
                apart[at] = apart[at].wrapping_sub(apart[at - step]);
            }
            return apart;
        }
        if self.bits.is_multiple_of(8) {
            let n = self.bits / 8;
            let bytes = samples.iter().flat_map(|sample| match self.big_endian {
                true => sample.to_be_bytes()[8 - n..].to_vec(),
                false => sample.to_le_bytes()[..n].to_vec(),
            });
            return bytes.collect();
        }
        let bits: Vec<u64> = samples
            .iter()
            .flat_map(|sample| (0..self.bits).rev().map(move |bit| sample >> bit & 1))
            .collect();
        let byte = |bits: &[u64]| {
            (0..8).fold(0, |sum, i| {
                sum << 1 | bits.get(i).copied().unwrap_or(0) as u8
            })
        };
        bits.chunks(8).map(byte).collect()
    }

    fn pack(&self, chunk: &[u8], width: usize) -> Vec<u8> {
        let packed = match self.packing {
            1 => chunk.to_vec(),
            2..=4 => fax(chunk, width, self.packing, self.fax_options),
            5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
                .encode(chunk)
                .unwrap(),
            8 => {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
                encoder.write_all(chunk).unwrap();
                encoder.finish().unwrap()
            }
            32_773 => pack_bits(chunk),
            50_000 => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                ruzstd::encoding::compress_to_vec(chunk, level)
            }
            50_001 => {
                let mut file = vec![];
                let kind = if self.n == 4 {
                    ExtendedColorType::Rgba8
                } else {
                    ExtendedColorType::Rgb8
                };
                let height = chunk.len() / self.n / width;
                WebPEncoder::new_lossless(&mut file)
                    .encode(chunk, width as u32, height as u32, kind)
                    .unwrap();
                file
            }
            7 => {
                let kind = match (self.photometric, self.planar) {
                    (_, true) | (1, _) => jpeg_encoder::ColorType::Luma,
                    (5, _) => jpeg_encoder::ColorType::Cmyk,
                    _ => jpeg_encoder::ColorType::Rgb,
                };
                let n = if self.planar { 1 } else { self.n };
                let height = chunk.len() / n / width;
                // The encoder stores inks as Adobe does, the other way round.
                let invert = u8::from(kind == jpeg_encoder::ColorType::Cmyk) * 255;
                let chunk: Vec<u8> = chunk.iter().map(|sample| sample ^ invert).collect();
                let mut file = vec![];
                jpeg_encoder::Encoder::new(&mut file, 98)
                    .encode(&chunk, width as u16, height as u16, kind)
                    .unwrap();
                file
            }
            other => panic!("{other}"),
        };
        if self.reversed {
            return packed.iter().map(|byte| byte.reverse_bits()).collect();
        }
        packed
    }

    fn write(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let (across, down) = self.tile.unwrap_or((width, self.rows));
        let planes: Vec<Vec<usize>> = match self.planar {
            true => (0..self.n).map(|channel| vec![channel]).collect(),
            false => vec![(0..self.n).collect()],
        };
        let mut chunks = vec![];
        for channels in &planes {
            for top in (0..height).step_by(down) {
                for left in (0..width).step_by(across) {
                    let rows = if self.tile.is_some() {
                        down
                    } else {
                        down.min(height - top)
                    };
                    let chunk = self.chunk((left, top), (across, rows), channels);
                    chunks.push(self.pack(&chunk, across));
                }
            }
        }
        let lengths: Vec<u64> = chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let mut offsets = vec![];
        let mut pixels = vec![];
        for chunk in &chunks {
            offsets.push(8 + pixels.len() as u64);
            pixels.extend(chunk);
        }
        let (at, n) = if self.tile.is_some() {
            (0x144, 0x145)
        } else {
            (0x111, 0x117)
        };
        let mut entries = vec![
            (0x100, 4, vec![width as u64]),
            (0x101, 4, vec![height as u64]),
            (0x102, 3, vec![self.bits as u64; self.n]),
            (0x103, 3, vec![self.packing]),
            (0x106, 3, vec![self.photometric]),
            (0x10A, 3, vec![1 + u64::from(self.reversed)]),
            (at, 4, offsets),
            (0x115, 3, vec![self.n as u64]),
            (n, 4, lengths),
            (0x11C, 3, vec![1 + u64::from(self.planar)]),
            (0x124, 4, vec![self.fax_options]),
            (0x13D, 3, vec![self.predictor]),
            (0x153, 3, vec![self.number; self.n]),
        ];
        match self.tile {
            Some((across, down)) => {
                entries.push((0x142, 3, vec![across as u64]));
                entries.push((0x143, 3, vec![down as u64]));
            }
            None => entries.push((0x116, 4, vec![self.rows as u64])),
        }
        entries.extend(self.extra.map(|extra| (0x152, 3, vec![extra])));
        if self.photometric == 6 {
            let (across, down) = self.subsampling;
            entries.push((0x212, 3, vec![across as u64, down as u64]));
        }
        if !self.palette.is_empty() {
            entries.push((0x140, 3, self.palette.clone()));
        }
        entries.sort_by_key(|entry| entry.0);
        write(self.big_endian, &pixels, &entries)
    }
}

/// A file of those pixels, from byte 8 on, and one directory behind them.
fn write(big_endian: bool, pixels: &[u8], entries: &[(u16, u16, Vec<u64>)]) -> Vec<u8> {
    let number = |n: usize, value: u64| match big_endian {
        true => value.to_be_bytes()[8 - n..].to_vec(),
        false => value.to_le_bytes()[..n].to_vec(),
    };
    let start = 8 + pixels.len().next_multiple_of(2);
    let mut file = if big_endian { b"MM\0*" } else { b"II*\0" }.to_vec();
    file.extend(number(4, start as u64));
    file.extend(pixels);
    file.resize(start, 0);
    let behind = start + 2 + 12 * entries.len() + 4;
    let (mut directory, mut values) = (number(2, entries.len() as u64), vec![]);
    for (tag, kind, list) in entries {
        let n = if *kind == 3 { 2 } else { 4 };
        let mut bytes: Vec<u8> = list.iter().flat_map(|&value| number(n, value)).collect();
        directory.extend(number(2, u64::from(*tag)));
        directory.extend(number(2, u64::from(*kind)));
        directory.extend(number(4, list.len() as u64));
        if bytes.len() <= 4 {
            bytes.resize(4, 0);
            directory.extend(bytes);
        } else {
            directory.extend(number(4, (behind + values.len()) as u64));
            values.extend(bytes);
        }
    }
    directory.extend([0; 4]);
    [file, directory, values].concat()
}

fn half(value: f64) -> u16 {
    // Of normal numbers up to 1.
    if value < 2_f64.powi(-14) {
        return 0;
    }
    let exponent = value.log2().floor();
    let fraction = (value / 2_f64.powf(exponent) - 1.0) * 1024.0;
    ((exponent + 15.0) as u16) << 10 | (fraction.floor() as u16).min(1023)
}

fn pack_bits(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..]
            .iter()
            .take(128)
            .take_while(|&&byte| byte == bytes[at])
            .count();
        if run > 1 {
            packed.extend([(257 - run) as u8, bytes[at]]);
            at += run;
        } else {
            packed.extend([0, bytes[at], 128]);
            at += 1;
        }
    }
    packed
}

/// Bits of black, in the ways of fax machines.
fn fax(chunk: &[u8], width: usize, packing: u64, options: u64) -> Vec<u8> {
    let mut bits = VecWriter::new();
    let mut before = vec![false; width];
    for (i, row) in chunk.chunks(width.div_ceil(8)).enumerate() {
        let line: Vec<bool> = (0..width)
            .map(|x| row[x / 8] >> (7 - x % 8) & 1 == 1)
            .collect();
        let mut by_itself = packing != 4;
        if packing == 3 {
            bits.write(maps::EOL).unwrap();
            if options & 1 == 1 {
                by_itself = i % 3 == 0;
                let data = u16::from(by_itself);
                bits.write(Bits { data, len: 1 }).unwrap();
            }
        }
        if by_itself {
            fax_runs(&mut bits, &line);
        } else {
            fax_line(&mut bits, &line, &before);
        }
        if packing == 2 {
            bits.pad();
        }
        before = line;
    }
    bits.finish()
}

fn fax_run(bits: &mut VecWriter, is_black: bool, mut n: usize) {
    let encode = if is_black {
        maps::black::encode
    } else {
        maps::white::encode
    };
    while n >= 64 {
        let part = (n & !63).min(2560);
        bits.write(encode(part as u16).unwrap()).unwrap();
        n -= part;
    }
    bits.write(encode(n as u16).unwrap()).unwrap();
}

fn fax_runs(bits: &mut VecWriter, line: &[bool]) {
    let (mut at, mut is_black) = (0, false);
    while at < line.len() {
        let n = line[at..]
            .iter()
            .take_while(|&&pixel| pixel == is_black)
            .count();
        fax_run(bits, is_black, n);
        at += n;
        is_black = !is_black;
    }
}

/// By the words of T.6, pixel by pixel.
fn fax_line(bits: &mut VecWriter, line: &[bool], before: &[bool]) {
    let n = line.len() as i64;
    let is_black = |line: &[bool], x: i64| x >= 0 && line[x as usize];
    // The next changing element right of a place, to a colour other than that.
    let next = |line: &[bool], from: i64, colour: bool| {
        (from + 1..n).find(|&x| is_black(line, x) != colour && is_black(line, x - 1) == colour)
    };
    let (mut a0, mut colour) = (-1_i64, false);
    while a0 < n {
        let a1 = (a0.max(0)..n)
            .find(|&x| is_black(line, x) != colour)
            .unwrap_or(n);
        let b1 = next(before, a0, colour).unwrap_or(n);
        let b2 = next(before, b1, !colour).unwrap_or(n);
        let mut write = |mode| bits.write(maps::mode::encode(mode).unwrap()).unwrap();
        if b2 < a1 {
            write(maps::Mode::Pass);
            a0 = b2;
        } else if (a1 - b1).abs() <= 3 {
            write(maps::Mode::Vertical((a1 - b1) as i8));
            a0 = a1;
            colour = !colour;
        } else {
            write(maps::Mode::Horizontal);
            let a2 = (a1..n).find(|&x| is_black(line, x) == colour).unwrap_or(n);
            fax_run(bits, colour, (a1 - a0.max(0)) as usize);
            fax_run(bits, !colour, (a2 - a1) as usize);
            a0 = a2;
        }
    }
}

fn open(file: &[u8]) -> Result<Picture, DecodeError> {
    let stored = read(file, &DecodeLimits::default())?;
    match stored.damage {
        Some(damage) => Err(damage),
        None => Ok(stored.picture),
    }
}

/// The picture is what `rgb` makes of each pixel's bytes, give or take.
fn is_shown(file: &File, allowed: u8, rgb: impl Fn(&[u8]) -> [u8; 3]) {
    let bytes = file.write();
    let picture = open(&bytes).unwrap_or_else(|error| panic!("{error}: {file:?}"));
    let (width, height) = file.size;
    let size = Size::new(width as u32, height as u32);
    assert_eq!(picture.size(), size);
    assert_eq!(probe(&bytes).unwrap().size.unwrap_or(size), size);
    let (pixels, _) = picture.pixels().as_chunks::<3>();
    for (i, pixel) in pixels.iter().enumerate() {
        let (x, y) = (i % width, i / width);
        let (across, down) = file.subsampling;
        let sample: Vec<u8> = (0..file.n)
            .map(|channel| match channel {
                0 => file.byte(x, y, channel),
                _ => file.byte(x / across * across, y / down * down, channel),
            })
            .collect();
        let right = rgb(&sample);
        let off = pixel.iter().zip(right).map(|(a, b)| a.abs_diff(b)).max();
        assert!(
            off <= Some(allowed),
            "{x} {y}: {pixel:?}, not {right:?}: {file:?}"
        );
    }
    // The other reader knows fewer kinds, and says so, or panics.
    let is_known = file.n <= 3 && file.extra.is_none() && file.number != SIGNED && !file.reversed;
    if is_known
        && let Ok(Ok(other)) =
            fenced(|| image::load_from_memory_with_format(&bytes, ImageFormat::Tiff))
    {
        let other = other.into_rgb8().into_raw();
        let pairs = picture.pixels().iter().zip(&other);
        let off = pairs.map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(allowed.max(1)), "{off:?}: {file:?}");
    }
}

const LAYOUTS: [(Option<(usize, usize)>, usize); 4] =
    [(None, 8), (None, 29), (None, 1), (Some((16, 16)), 0)];
const PACKINGS: [u64; 5] = [1, 5, 8, 32_773, 50_000];

#[test]
fn grey_of_all_depths_is_shown() {
    let depths = [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 24, 32].map(|bits| (bits, UNSIGNED));
    let signed = [8, 16, 32].map(|bits| (bits, SIGNED));
    let floats = [16, 32, 64].map(|bits| (bits, FLOAT));
    for (bits, number) in [&depths[..], &signed, &floats].concat() {
        for (i, (tile, rows)) in LAYOUTS.into_iter().enumerate() {
            for packing in PACKINGS {
                for big_endian in [false, true] {
                    let predictors: &[u64] = match (packing, bits) {
                        (1 | 32_773, _) => &[1],
                        (_, 8 | 16 | 32) if number != FLOAT => &[1, 2],
                        _ if number == FLOAT => &[1, 3],
                        _ => &[1],
                    };
                    for &predictor in predictors {
                        let photometric = i as u64 % 2;
                        let file = File {
                            big_endian,
                            bits,
                            number,
                            packing,
                            predictor,
                            tile,
                            rows,
                            photometric,
                            ..GREY
                        };
                        is_shown(&file, 1, |sample| match photometric {
                            0 => [255 - sample[0]; 3],
                            _ => [sample[0]; 3],
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn colours_are_shown_in_all_layouts() {
    for (bits, number) in [
        (4, UNSIGNED),
        (8, UNSIGNED),
        (16, UNSIGNED),
        (16, SIGNED),
        (32, FLOAT),
    ] {
        for (tile, rows) in LAYOUTS {
            for planar in [false, true] {
                for packing in PACKINGS {
                    for reversed in [false, true] {
                        let predictor = match (packing, bits, number) {
                            (1 | 32_773, ..) | (_, 4, _) => 1,
                            (_, _, FLOAT) => 3,
                            _ => 2,
                        };
                        let file = File {
                            big_endian: rows == 8,
                            bits,
                            number,
                            planar,
                            packing,
                            predictor,
                            reversed,
                            tile,
                            rows,
                            ..rgb()
                        };
                        is_shown(&file, 1, |sample| [sample[0], sample[1], sample[2]]);
                    }
                }
            }
        }
    }
}

#[test]
fn palettes_are_shown() {
    for bits in [1, 2, 4, 8] {
        for shift in [0, 8] {
            let n = 1_u64 << bits;
            let palette: Vec<u64> = (0..3 * n)
                .map(|i| (i * 37 % 251) << shift | shift)
                .collect();
            let file = File {
                photometric: 3,
                bits,
                palette: palette.clone(),
                ..GREY
            };
            is_shown(&file, 0, |sample| {
                let index = u64::from(sample[0]) * (n - 1) / 255;
                [0, n, 2 * n].map(|plane| (palette[(index + plane) as usize] >> shift) as u8)
            });
        }
    }
}

#[test]
fn inks_are_shown() {
    for planar in [false, true] {
        for bits in [8, 16] {
            let file = File {
                photometric: 5,
                n: 4,
                bits,
                planar,
                ..GREY
            };
            is_shown(&file, 2, |sample| {
                let light =
                    |ink: u8| (1.0 - f64::from(ink) / 255.0) * (1.0 - f64::from(sample[3]) / 255.0);
                [sample[0], sample[1], sample[2]].map(|ink| (light(ink) * 255.0).round() as u8)
            });
        }
    }
}

#[test]
fn brightness_and_colour_are_shown() {
    for subsampling in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)] {
        for packing in PACKINGS {
            for tile in [None, Some((16, 16))] {
                let file = File {
                    photometric: 6,
                    subsampling,
                    packing,
                    tile,
                    ..rgb()
                };
                is_shown(&file, 2, |sample| {
                    let [y, cb, cr] = [0, 1, 2].map(|i| f64::from(sample[i]));
                    let (cb, cr) = (cb - 128.0, cr - 128.0);
                    [
                        y + 1.402 * cr,
                        y - 0.344_136 * cb - 0.714_136 * cr,
                        y + 1.772 * cb,
                    ]
                    .map(|channel| channel.round().clamp(0.0, 255.0) as u8)
                });
            }
        }
    }
}

#[test]
fn lightness_and_two_axes_are_shown() {
    // Known colours, by the tables of Bruce Lindbloom: white, mid grey, red, green and blue of sRGB in the light of D50.
    for (lab, rgb) in [
        ([100.0, 0.0, 0.0], [255, 255, 255]),
        ([53.585, 0.0, 0.0], [128, 128, 128]),
        ([54.291, 80.812, 69.885], [255, 0, 0]),
        ([87.820, -79.287, 80.990], [0, 255, 0]),
        ([29.567, 68.299, -112.030], [0, 0, 255]),
    ] {
        for (photometric, bits) in [(8, 8), (9, 8), (8, 16)] {
            let axis = |value: f64| match (photometric, bits) {
                (9, _) => vec![(value + 128.0).round() as u8],
                (_, 8) => vec![(value.round() as i8).cast_unsigned()],
                _ => ((value * 256.0).round() as i16).to_le_bytes().to_vec(),
            };
            let light = match bits {
                8 => vec![(lab[0] * 2.55_f64).round() as u8],
                _ => ((lab[0] * 655.35).round() as u16).to_le_bytes().to_vec(),
            };
            let pixel = [light, axis(lab[1]), axis(lab[2])].concat();
            let entries = [
                (0x100, 4, vec![1]),
                (0x101, 4, vec![1]),
                (0x102, 3, vec![bits; 3]),
                (0x106, 3, vec![photometric]),
                (0x111, 4, vec![8]),
                (0x115, 3, vec![3]),
                (0x117, 4, vec![pixel.len() as u64]),
            ];
            let picture = open(&write(false, &pixel, &entries)).unwrap();
            for (found, right) in picture.pixels().iter().zip(rgb) {
                assert!(
                    found.abs_diff(right) <= 12,
                    "{:?}, not {rgb:?}",
                    picture.pixels()
                );
            }
        }
    }
}

#[test]
fn further_channels_are_alpha_or_left_out() {
    fn bright(x: usize, y: usize, channel: usize) -> f64 {
        0.6 + 0.3 * scene(x, y, channel)
    }
    for n_colours in [1, 3] {
        for planar in [false, true] {
            for packing in [1, 5, 8] {
                for bits in [8, 16] {
                    for extra in [None, Some(0), Some(1), Some(2)] {
                        let file = File {
                            photometric: if n_colours == 1 { 1 } else { 2 },
                            n: n_colours + 1,
                            bits,
                            planar,
                            packing,
                            predictor: if packing == 1 { 1 } else { 2 },
                            extra,
                            sample: bright,
                            ..GREY
                        };
                        is_shown(&file, 2, |sample| {
                            let alpha = f64::from(sample[n_colours]) / 255.0;
                            let colour = [0, 1, 2].map(|i| f64::from(sample[i.min(n_colours - 1)]));
                            // The scene is bright: black behind it.
                            colour.map(|channel| match extra {
                                Some(2) => (channel * alpha).round() as u8,
                                None if n_colours == 3 => (channel * alpha).round() as u8,
                                Some(1) => channel.min(alpha * 255.0).round() as u8,
                                _ => channel as u8,
                            })
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn black_and_white_of_fax_machines_is_shown() {
    for (width, height) in [(1, 1), (7, 3), (37, 29), (70, 5), (3000, 4)] {
        for (packing, fax_options) in [(2, 0), (3, 0), (3, 1), (4, 0)] {
            for photometric in [0, 1] {
                for reversed in [false, true] {
                    for rows in [3, height] {
                        let file = File {
                            size: (width, height),
                            bits: 1,
                            photometric,
                            packing,
                            fax_options,
                            reversed,
                            rows,
                            ..GREY
                        };
                        is_shown(&file, 0, |sample| match photometric {
                            0 => [255 - sample[0]; 3],
                            _ => [sample[0]; 3],
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn parts_that_are_pictures_are_shown() {
    fn smooth(x: usize, y: usize, channel: usize) -> f64 {
        0.2 + (x * (channel + 1) + y) as f64 / 300.0
    }
    for (tile, rows) in [(None, 16), (None, 29), (Some((16, 16)), 0)] {
        for n in [3, 4] {
            let file = File {
                packing: 50_001,
                n,
                extra: (n == 4).then_some(0),
                tile,
                rows,
                ..rgb()
            };
            is_shown(&file, 0, |sample| [sample[0], sample[1], sample[2]]);
        }
        for (photometric, n, planar) in [(1, 1, false), (6, 3, false), (5, 4, false), (2, 3, true)]
        {
            let file = File {
                packing: 7,
                photometric,
                n,
                planar,
                tile,
                rows,
                sample: smooth,
                ..GREY
            };
            is_shown(&file, 8, |sample| match *sample {
                [grey] => [grey; 3],
                [r, g, b] => [r, g, b],
                [c, m, y, k] => {
                    [c, m, y].map(|ink| (f64::from(255 - ink) * f64::from(255 - k) / 255.0) as u8)
                }
                _ => panic!("{sample:?}"),
            });
        }
    }
}

#[test]
fn old_codes_and_missing_tags_are_read() {
    // Codes the other way round, as before TIFF 6.0; no tags but the size and where the pixels are.
    let samples: Vec<u8> = (0..64_u8).flat_map(|i| [i, i, i * 3]).collect();
    let old = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 8)
        .encode(&samples)
        .unwrap();
    let entries = |packing: u64| {
        vec![
            (0x100, 4, vec![8]),
            (0x101, 4, vec![8]),
            (0x102, 3, vec![8, 8, 8]),
            (0x103, 3, vec![packing]),
            (0x111, 4, vec![8]),
            (0x115, 3, vec![3]),
        ]
    };
    for (packing, data) in [(1, &samples), (5, &old)] {
        let picture = open(&write(true, data, &entries(packing))).unwrap();
        assert_eq!(picture.pixels(), samples);
    }
}

#[test]
fn the_picture_is_shown_and_not_its_thumbnail() {
    let pixels: Vec<u8> = (0..60).collect();
    let entries = |kind: u64, width: u64, at: u64| {
        vec![
            (0xFE, 4, vec![kind]),
            (0x100, 4, vec![width]),
            (0x101, 4, vec![3]),
            (0x102, 3, vec![8]),
            (0x106, 3, vec![1]),
            (0x111, 4, vec![at]),
        ]
    };
    let mut file = write(false, &pixels, &entries(1, 5, 8));
    let place = file.len();
    let second = write(false, &pixels, &entries(0, 20, 8));
    let directory = &second[8 + pixels.len()..];
    file[place - 4..].copy_from_slice(&(place as u32).to_le_bytes());
    file.extend(directory);
    let picture = open(&file).unwrap();
    assert_eq!(picture.size(), Size::new(20, 3));
    assert_eq!(probe(&file).unwrap().size, Some(Size::new(20, 3)));
    let parts = Parts::of(Kind::Tiff, &mut Cursor::new(&file)).unwrap();
    assert_eq!(parts.size, Some(Size::new(20, 3)));
}

#[test]
fn what_is_not_read_is_said_in_words() {
    for (tag, value, text) in [
        (
            0x103,
            34_887,
            "TIFF (packed by LERC) pictures are not supported",
        ),
        (
            0x103,
            34_712,
            "TIFF (packed by JPEG 2000) pictures are not supported",
        ),
        (0x106, 32_845, "TIFF (LogLuv) pictures are not supported"),
        (0x106, 4, "TIFF (a mask) pictures are not supported"),
        (0x102, 40, "TIFF (40 bits) pictures are not supported"),
        (
            0x153,
            6,
            "TIFF (complex numbers) pictures are not supported",
        ),
    ] {
        let mut entries = vec![
            (0x100, 4, vec![8]),
            (0x101, 4, vec![8]),
            (0x102, 3, vec![8]),
            (0x103, 3, vec![1]),
            (0x106, 3, vec![1]),
            (0x111, 4, vec![8]),
            (0x153, 3, vec![1]),
        ];
        for entry in &mut entries {
            if entry.0 == tag {
                entry.2 = vec![value];
            }
        }
        let error = decode(&write(false, &[0; 64], &entries), &DecodeLimits::default());
        assert_eq!(error.unwrap_err().to_string(), text);
    }
}

/// A file of each kind.
fn some() -> Vec<File> {
    let mut files = vec![];
    for packing in [1, 2, 3, 4, 5, 7, 8, 32_773, 50_000, 50_001] {
        let is_fax = matches!(packing, 2..=4);
        for (tile, planar) in [(None, false), (Some((16, 16)), false), (None, true)] {
            let file = if is_fax { GREY } else { rgb() };
            files.push(File {
                size: (21, 17),
                packing,
                tile,
                planar: planar && !is_fax && packing != 50_001,
                predictor: if matches!(packing, 5 | 8) { 2 } else { 1 },
                bits: if is_fax { 1 } else { 8 },
                fax_options: u64::from(packing == 3),
                ..file
            });
        }
    }
    for (photometric, n, extra, bits) in [
        (3, 1, None, 4),
        (5, 4, None, 8),
        (6, 3, None, 8),
        (8, 3, None, 16),
        (2, 4, Some(1), 16),
    ] {
        files.push(File {
            size: (21, 17),
            photometric,
            n,
            extra,
            bits,
            subsampling: if photometric == 6 { (2, 2) } else { (1, 1) },
            palette: if photometric == 3 {
                vec![7; 48]
            } else {
                vec![]
            },
            ..GREY
        });
    }
    files
}

#[test]
fn one_that_is_cut_anywhere_says_so() {
    for file in some() {
        let whole = file.write();
        // `read` has no fence: a panic would fail the test.
        for end in 0..whole.len() {
            if let Ok(stored) = read(&whole[..end], &DecodeLimits::default()) {
                assert_eq!(stored.picture.size(), Size::new(21, 17));
            }
        }
        // Pixels that come first are cut behind a directory that stands elsewhere.
        let (width, height) = (21, 17);
        let n = whole.len() / 2;
        let mut holed = whole.clone();
        holed[8..n].fill(0);
        if let Ok(stored) = read(&holed, &DecodeLimits::default()) {
            assert_eq!(stored.picture.size(), Size::new(width, height));
        }
    }
}

#[test]
fn one_that_is_spoiled_anywhere_ends_well() {
    let little = DecodeLimits::default().within(16 << 20);
    for file in some() {
        let whole = file.write();
        // All of the directory, which stands last, and some of the pixels.
        let n_pixels = whole.len().saturating_sub(300);
        for at in (0..n_pixels).step_by(7).chain(n_pixels..whole.len()) {
            for byte in [0, 0xFF, whole[at] ^ 1, whole[at] ^ 0x80] {
                let mut spoiled = whole.clone();
                spoiled[at] = byte;
                let _ = read(&spoiled, &little);
            }
        }
    }
}

#[test]
fn half_of_one_is_shown_and_the_rest_is_grey() {
    let file = File {
        size: (40, 40),
        rows: 4,
        ..rgb()
    };
    let whole = file.write();
    // The strips of the last fifth lie nowhere.
    let mut cut = whole.clone();
    let at = whole.len() - 4 * 10 * 2;
    let tail = &mut cut[at..];
    let first = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
    assert!(first > 0);
    let stored = {
        let mut entries_at = None;
        for i in 8..cut.len() - 4 {
            if cut[i..i + 4] == 8_u32.to_le_bytes() && cut[i + 4..i + 8] == 488_u32.to_le_bytes() {
                entries_at = Some(i);
            }
        }
        let at = entries_at.unwrap();
        cut[at + 4 * 8..at + 4 * 10].fill(0xFF);
        read(&cut, &DecodeLimits::default()).unwrap()
    };
    let percent = Some(80);
    assert_eq!(stored.damage, Some(DecodeError::Truncated { percent }));
    let (there, missing) = stored.picture.pixels().split_at(40 * 32 * 3);
    assert!(missing.iter().all(|&channel| channel == 128));
    assert_eq!(there, &open(&whole).unwrap().pixels()[..40 * 32 * 3]);
    // With less than half there is nothing to show.
    let error = open(&whole[..100]).unwrap_err();
    assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
}

#[test]
fn parts_that_share_their_bytes_are_no_work_without_end() {
    let strip = pack_bits(&[7; 8 * 8]);
    let n = 4096;
    let entries = vec![
        (0x100, 4, vec![8]),
        (0x101, 4, vec![n]),
        (0x102, 3, vec![8]),
        (0x103, 3, vec![32_773]),
        (0x106, 3, vec![1]),
        (0x111, 4, vec![8; n as usize]),
        (0x116, 4, vec![1]),
        (0x117, 4, vec![1 << 30; n as usize]),
    ];
    let error = open(&write(false, &strip, &entries)).unwrap_err();
    assert_eq!(error.to_string(), "the file is damaged: its parts overlap");
    // Memory is counted before it is taken.
    let wide = vec![
        (0x100, 4, vec![30_000]),
        (0x101, 4, vec![30_000]),
        (0x102, 3, vec![8]),
        (0x106, 3, vec![1]),
        (0x111, 4, vec![8]),
    ];
    let error = picture::decode(&write(false, &[0; 9], &wide), &DecodeLimits::default());
    assert!(matches!(error, Err(DecodeError::TooHungry { .. })));
}
