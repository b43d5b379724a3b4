//! Tests alone: files of every kind that are sound, cut off at every length, altered byte by byte, or made to blow up.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use crate::{
    DecodeError, DecodeLimits, Kind, Picture, Pixels, Probe, Size, decode, decode_whole,
    formats::upright::stated_in, probe,
};

pub(crate) const WIDTH: u32 = 61;
pub(crate) const HEIGHT: u32 = 47;

/// Slopes with some texture, so that no two rows are alike and compressed data are not trivially short.
pub(crate) fn original() -> Picture {
    let pixels = (0..HEIGHT)
        .flat_map(|y| {
            (0..WIDTH).flat_map(move |x| {
                [x * 3 + (x * y) % 17, 40 + y * 4 + (x ^ y) % 9, 200 - x - y]
                    .map(|channel| channel.min(255) as u8)
            })
        })
        .collect();
    Picture::new(WIDTH, HEIGHT, pixels).unwrap()
}

pub(crate) fn with_image(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(vec![]);
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn rgb() -> RgbImage {
    RgbImage::from_raw(WIDTH, HEIGHT, original().into_pixels()).unwrap()
}

fn with_jpeg(set: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, 92);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    set(&mut encoder);
    encoder
        .encode(
            original().pixels(),
            WIDTH as u16,
            HEIGHT as u16,
            ColorType::Rgb,
        )
        .unwrap();
    file
}

fn jpegs() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("baseline", with_jpeg(|_| {})),
        (
            "4:4:4",
            with_jpeg(|encoder| encoder.set_sampling_factor(SamplingFactor::F_1_1)),
        ),
        (
            "4:2:2",
            with_jpeg(|encoder| encoder.set_sampling_factor(SamplingFactor::F_2_1)),
        ),
        (
            "4:4:0",
            with_jpeg(|encoder| encoder.set_sampling_factor(SamplingFactor::F_1_2)),
        ),
        (
            "restarts",
            with_jpeg(|encoder| encoder.set_restart_interval(3)),
        ),
        (
            "in three scans",
            with_jpeg(|encoder| {
                encoder.set_sampling_factor(SamplingFactor::F_1_1);
                encoder.set_optimized_huffman_tables(true);
            }),
        ),
        (
            "progressive",
            with_jpeg(|encoder| encoder.set_progressive(true)),
        ),
    ]
}

/// A lossy WebP, 16x16, all of one orange (made with libwebp; `image` writes lossless ones only).
const LOSSY_WEBP: &[u8] = b"RIFF<\x00\x00\x00WEBPVP8 0\x00\x00\x00\xF0\x01\x00\x9D\x01*\x10\x00\x10\x00\x02\x80B%\xA0\x02t\xBA\x01\xF8\x00\x00\x00\x00\x00\xFCR\xF5\x8A\x9B\x93\xFF;\x06\xC4\xBB^9\xFF\xF34Ls\x1F\xAF@\x00\x00";

fn others() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("png", with_image(rgb(), ImageFormat::Png)),
        (
            "png 16",
            with_image(DynamicImage::from(rgb()).into_rgb16(), ImageFormat::Png),
        ),
        ("bmp", with_image(rgb(), ImageFormat::Bmp)),
        ("tiff", with_image(rgb(), ImageFormat::Tiff)),
        ("webp", with_image(rgb(), ImageFormat::WebP)),
        (
            "gif",
            with_image(DynamicImage::from(rgb()).into_rgba8(), ImageFormat::Gif),
        ),
    ]
}

fn all() -> Vec<(&'static str, Vec<u8>)> {
    [jpegs(), others()].concat()
}

pub(crate) fn open(file: &[u8]) -> Result<Picture, DecodeError> {
    decode(file, &DecodeLimits::default())
}

/// Mean difference of the rows that both have.
pub(crate) fn mean_error(a: &Picture, b: &Picture) -> f64 {
    let pairs = a.pixels().iter().zip(b.pixels());
    let n = pairs.len() as f64;
    pairs.map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / n
}

#[test]
fn every_kind_is_decoded() {
    for (name, file) in all() {
        let picture = open(&file).expect(name);
        assert_eq!(picture.size(), Size::new(WIDTH, HEIGHT), "{name}");
        let error = mean_error(&picture, &original());
        let allowed = match name {
            "gif" => 12.0,
            "png" | "png 16" | "bmp" | "tiff" | "webp" => 0.0,
            _ => 5.0,
        };
        assert!(error <= allowed, "{name}: {error}");
        let Some(Probe { kind, size }) = probe(&file) else {
            panic!("{name} is not known")
        };
        assert!(
            size == Some(Size::new(WIDTH, HEIGHT)),
            "{name}: {kind} {size:?}"
        );
    }
    let picture = open(LOSSY_WEBP).unwrap();
    assert_eq!(
        probe(LOSSY_WEBP),
        Some(Probe {
            kind: Kind::WebP,
            size: Some(Size::new(16, 16)),
        })
    );
    assert!(mean_error(&picture, &Picture::filled(16, 16, [230, 120, 20])) < 6.0);
}

#[test]
fn other_colours_become_rgb() {
    let grey = with_image(DynamicImage::from(rgb()).into_luma8(), ImageFormat::Png);
    let deep = with_image(DynamicImage::from(rgb()).into_luma16(), ImageFormat::Png);
    for file in [grey, deep] {
        assert!(
            open(&file)
                .unwrap()
                .pixels()
                .as_chunks::<3>()
                .0
                .iter()
                .all(|[r, g, b]| r == g && g == b)
        );
    }
    // Grey and CMYK as JPEG. Adobe's CMYK is inverted: 255 is no ink.
    let jpeg = |samples: &[u8], kind| {
        let mut file = vec![];
        Encoder::new(&mut file, 95)
            .encode(samples, 16, 16, kind)
            .unwrap();
        open(&file).unwrap()
    };
    assert!(
        mean_error(
            &jpeg(&[90; 256], ColorType::Luma),
            &Picture::filled(16, 16, [90; 3])
        ) < 2.0
    );
    for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let white = jpeg(&[0, 0, 0, 0].repeat(256), kind);
        assert!(
            mean_error(&white, &Picture::filled(16, 16, [255; 3])) < 3.0,
            "{kind:?}: {:?}",
            &white.pixels()[..3]
        );
        let orange = jpeg(&[0, 128, 255, 0].repeat(256), kind);
        assert!(
            mean_error(&orange, &Picture::filled(16, 16, [255, 127, 0])) < 5.0,
            "{kind:?}: {:?}",
            &orange.pixels()[..3]
        );
    }
}

#[test]
fn what_is_transparent_gets_a_backdrop_that_suits() {
    let ink = |rgb: [u8; 3]| {
        let image = RgbaImage::from_fn(20, 20, |x, _| {
            image::Rgba([rgb[0], rgb[1], rgb[2], if x < 10 { 255 } else { 0 }])
        });
        let picture = open(&with_image(image, ImageFormat::Png)).unwrap();
        (picture.pixels()[0], picture.pixels()[19 * 3])
    };
    assert_eq!(ink([250; 3]), (250, 0), "light on black");
    assert_eq!(ink([10; 3]), (10, 255), "dark on white");
}

#[test]
fn a_cut_jpeg_is_refused_or_good() {
    for (name, file) in jpegs() {
        let whole = open(&file).unwrap();
        let (mut n_refused, mut n_damaged) = (0, 0);
        for end in 0..file.len() {
            let place = format!("{name} cut at {end} of {}", file.len());
            match decode_whole(&file[..end], &DecodeLimits::default()) {
                // What is missing of these is not at the bottom.
                Ok(pixels) if name == "progressive" => {
                    let error = mean_error(&pixels.picture, &whole);
                    assert!(error < 12.0, "{place}: off by {error}");
                    n_damaged += usize::from(pixels.damage.is_some());
                }
                Ok(pixels) => {
                    is_there(&pixels, &whole, &place);
                    n_damaged += usize::from(pixels.damage.is_some());
                }
                Err(DecodeError::Empty) => assert_eq!(end, 0, "{name}"),
                Err(DecodeError::NotAPicture) => assert!(end < 3, "{name} cut at {end}"),
                Err(DecodeError::Truncated { .. }) => n_refused += 1,
                Err(error) => panic!("{place}: {error}"),
            }
        }
        assert!(n_refused > file.len() / 3, "{name}: {n_refused}");
        let comes_apart = name.ends_with("scans");
        assert!(
            comes_apart || n_damaged > file.len() / 5,
            "{name}: {n_damaged}"
        );
    }
}

#[test]
fn an_end_marker_does_not_make_a_cut_jpeg_whole() {
    for (name, file) in jpegs() {
        let whole = open(&file).unwrap();
        for end in (file.len() / 3..file.len() - 2).step_by(5) {
            let cut = [&file[..end], &[0xFF, 0xD9]].concat();
            let Ok(pixels) = decode_whole(&cut, &DecodeLimits::default()) else {
                continue;
            };
            let place = format!("{name} cut at {end} of {}", file.len());
            if name == "progressive" {
                let error = mean_error(&pixels.picture, &whole);
                assert!(error < 12.0, "{place}: off by {error}");
            } else {
                is_there(&pixels, &whole, &place);
            }
        }
    }
}

#[test]
fn how_much_is_there_is_said() {
    // Large enough for percents to mean something.
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let pixels: Vec<u8> = (0..320u32 * 1600 * 3)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8 + (i % 960 / 8) as u8)
        .collect();
    encoder.encode(&pixels, 320, 1600, ColorType::Rgb).unwrap();
    let cut = |percent: usize| open(&file[..file.len() * percent / 100]);
    for percent in [10, 25, 45] {
        let Err(DecodeError::Truncated {
            percent: Some(there),
        }) = cut(percent)
        else {
            panic!("{percent}: {:?}", cut(percent))
        };
        assert!(
            usize::from(there).abs_diff(percent) <= 6,
            "{there} of {percent}"
        );
    }
    assert_eq!(
        cut(40).unwrap_err().to_string().split(':').next(),
        Some("the file is cut off")
    );
    for percent in [60, 90, 99] {
        let file = &file[..file.len() * percent / 100];
        let pixels = decode_whole(file, &DecodeLimits::default()).unwrap();
        let Some(DecodeError::Truncated {
            percent: Some(there),
        }) = pixels.damage
        else {
            panic!("{percent}: {:?}", pixels.damage)
        };
        assert!(
            usize::from(there).abs_diff(percent) <= 6,
            "{there} of {percent}"
        );
        assert_eq!(pixels.picture.size(), Size::new(320, 1600));
    }
}

/// Asserts that a cut picture is as the whole one, down to where it says that the rest is missing, and grey from there.
fn is_there(pixels: &Pixels, whole: &Picture, place: &str) {
    let picture = &pixels.picture;
    assert_eq!(picture.size(), whole.size(), "{place}");
    let percent = match pixels.damage {
        None => 100,
        Some(DecodeError::Truncated {
            percent: Some(percent),
        }) => u32::from(percent),
        // How much is not told.
        Some(DecodeError::Damaged(_)) => return,
        ref other => panic!("{place}: {other:?}"),
    };
    assert!(percent >= 50, "{place}: {percent} %");
    // Rows that are coded together are there or not.
    let n_rows = (whole.height() * percent / 100).saturating_sub(16) as usize;
    let (seen, rest) = picture.pixels().split_at(n_rows * picture.stride());
    let pairs = seen.iter().zip(whole.pixels());
    let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    let error = sum as f64 / seen.len().max(1) as f64;
    assert!(error < 4.0, "{place}: off by {error}");
    let grey = [128; 3].repeat(whole.width() as usize);
    let last = rest.rchunks(picture.stride()).next();
    assert!(percent > 60 || last == Some(&grey), "{place}");
}

#[test]
fn other_cut_files_are_refused_or_good() {
    for (name, file) in others() {
        let whole = open(&file).unwrap();
        for end in 0..file.len() {
            if let Ok(pixels) = decode_whole(&file[..end], &DecodeLimits::default()) {
                let place = format!("{name} cut at {end} of {}", file.len());
                is_there(&pixels, &whole, &place);
            }
        }
    }
    for end in 0..LOSSY_WEBP.len() {
        let _ = open(&LOSSY_WEBP[..end]);
    }
}

#[test]
fn what_is_no_picture_is_said_so() {
    assert_eq!(open(b""), Err(DecodeError::Empty));
    for file in [
        &b"not a picture"[..],
        b"\0\0\0\0\0\0\0\0",
        b"BM",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"RIFF\0\0\0\0WAVE",
    ] {
        assert_eq!(open(file), Err(DecodeError::NotAPicture), "{file:?}");
    }
    // Known by sight, but nothing behind it.
    for file in [
        &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
        b"\xFF\x0A\0\0",
    ] {
        let error = open(file).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{error}");
    }
    assert_eq!(
        open(b"FUJIFILMCCD-RAW 0201").unwrap_err().to_string(),
        "camera raw (without a JPEG inside) pictures are not supported"
    );
    assert_eq!(
        open(b"\0\0\0\x18ftypisom\0\0\0\0isommp41"),
        Err(DecodeError::NotAPicture)
    );
}

/// Headers that promise 30000x30000, with next to nothing behind them.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let side = 30_000u32;
    let mut jpeg = with_jpeg(|_| {});
    let sof = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[sof + 5..sof + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let mut progressive = with_jpeg(|encoder| encoder.set_progressive(true));
    let sof = progressive
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC2])
        .unwrap();
    progressive[sof + 5..sof + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let mut bmp = with_image(rgb(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&side.to_le_bytes());
    bmp[22..26].copy_from_slice(&side.to_le_bytes());
    let mut gif = with_image(DynamicImage::from(rgb()).into_rgba8(), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x30, 0x75, 0x30, 0x75]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0".to_vec();
    png.extend(crc32(&png[12..]).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    vec![
        ("jpeg", jpeg),
        ("progressive", progressive),
        ("bmp", bmp),
        ("gif", gif),
        ("png", png),
    ]
}

/// PNG's checksum, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                0xEDB8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            }
        })
    })
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (name, file) in bombs() {
        let error = open(&file).expect_err(name);
        assert!(matches!(error, DecodeError::TooHungry { .. }), "{error}");
        let told = error.to_string();
        assert!(
            told.starts_with("decoding 30000x30000 of this kind takes"),
            "{told}"
        );
        assert!(told.ends_with("more than the limit of 1024 MiB, which --decode-memory raises"));
        let few = DecodeLimits {
            pixels: 150_000_000,
            ..DecodeLimits::default()
        };
        let error = decode(&file, &few).expect_err(name).to_string();
        assert_eq!(
            error,
            "30000x30000 is more than the limit of 150 megapixels"
        );
    }
    let (_, png) = bombs().pop().unwrap();
    let roomy = DecodeLimits {
        pixels: u64::MAX,
        ..DecodeLimits::default()
    };
    assert!(matches!(
        decode(&png, &roomy),
        Err(DecodeError::TooHungry { .. })
    ));
    let narrow = DecodeLimits {
        side: 60,
        ..DecodeLimits::default()
    };
    assert_eq!(
        decode(&with_jpeg(|_| {}), &narrow),
        Err(DecodeError::TooLong {
            width: WIDTH,
            height: HEIGHT,
            limit: 60
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_altered_file_panics(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
        for (_, file) in all() {
            let mut file = file;
            for &(at, byte) in &damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            let limits = DecodeLimits { pixels: 1_000_000, side: 4096, bytes: 16 << 20 };
            for file in [&file[..], &file[..cut.index(file.len())]] {
                let _ = decode(file, &limits);
                for kind in Kind::ALL { let _ = stated_in(kind, file); } let _ = probe(file);
            }
        }
    }

    #[test]
    fn no_random_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), start in 0usize..6) {
        let magic: [&[u8]; 6] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0", b"BM"];
        let file = [magic[start], &bytes].concat();
        let limits = DecodeLimits { pixels: 1_000_000, side: 4096, bytes: 16 << 20 };
        let _ = decode(&file, &limits);
        for kind in Kind::ALL { let _ = stated_in(kind, &file); } let _ = probe(&file);
    }
}
