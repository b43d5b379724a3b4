//! Photos made for the tests: unmistakable ones, turned ones, broken ones, and ones with names
//! that trip programs up. All of them are drawn here; no file is needed.

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tempfile::TempDir;

use super::pixels::{BLUE, GREEN, RED, Rgb, YELLOW};

/// Width of the photos drawn here, in pixels; 16:9, so that they fill the frame whatever the fit.
pub(crate) const WIDTH: u16 = 640;
/// Height of the photos drawn here.
pub(crate) const HEIGHT: u16 = 360;

/// A folder of photos that goes away with its owner.
pub(crate) struct Photos {
    folder: TempDir,
}

impl Photos {
    /// An empty folder.
    pub(crate) fn none() -> Self {
        let folder = tempfile::Builder::new().prefix("mantel-photos-").tempdir();
        Self {
            folder: folder.expect("a temporary folder"),
        }
    }

    /// One photo of each colour, named so that `--order name` shows them in this order.
    pub(crate) fn of(colours: &[Rgb]) -> Self {
        let photos = Self::none();
        for (i, colour) in colours.iter().enumerate() {
            photos.add(format!("{:02}.jpg", i + 1), &flat(*colour));
        }
        photos
    }

    /// Where they are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, below new folders where its name has any. The file appears whole: it is
    /// written under a name that no scan takes for a photo, then renamed.
    pub(crate) fn add(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a folder for the photo");
        }
        let partial = self.path().join(".being-written");
        fs::write(&partial, bytes).expect("a photo to be written");
        fs::rename(&partial, &path).expect("a photo to be named");
        path
    }
}

/// A photo of one colour, with a grain that keeps its JPEG large: Chromium shows nothing of a
/// first frame under 1 KB.
pub(crate) fn flat(colour: Rgb) -> Vec<u8> {
    jpeg(WIDTH, HEIGHT, |_, _| colour, 12)
}

/// A photo of one colour and any size.
pub(crate) fn sized(width: u16, height: u16, colour: Rgb) -> Vec<u8> {
    jpeg(width, height, |_, _| colour, 0)
}

/// A photo of one colour, upright: 9:16.
pub(crate) fn upright(colour: Rgb) -> Vec<u8> {
    jpeg(HEIGHT, WIDTH, |_, _| colour, 12)
}

/// An upright photo with upright stripes, so that every move is seen.
pub(crate) fn striped() -> Vec<u8> {
    let stripe = |x: u16, _: u16| {
        if (x / 16).is_multiple_of(2) {
            RED
        } else {
            BLUE
        }
    };
    jpeg(HEIGHT, WIDTH, stripe, 0)
}

/// A photo of one colour that compresses far better, or far worse, than [`flat`].
pub(crate) fn grained(colour: Rgb, grain: u8) -> Vec<u8> {
    jpeg(WIDTH, HEIGHT, |_, _| colour, grain)
}

/// The colours of [`oriented`] when it is shown right: top left, top right, bottom left, bottom
/// right.
pub(crate) const QUADRANTS: [Rgb; 4] = [RED, GREEN, BLUE, YELLOW];

/// A photo stored turned or mirrored as `orientation` (1 to 8) says in its EXIF; shown right, its
/// quadrants are [`QUADRANTS`]. It also carries an EXIF thumbnail, which no frame may show.
pub(crate) fn oriented(orientation: u8) -> Vec<u8> {
    // EXIF 2.32, tag 0x0112: what the stored row 0 and column 0 are in the shown picture.
    let sides_swap = orientation >= 5;
    let (width, height) = if sides_swap {
        (HEIGHT, WIDTH)
    } else {
        (WIDTH, HEIGHT)
    };
    let stored = jpeg(
        width,
        height,
        |x, y| {
            let (right, down) = (x >= width / 2, y >= height / 2);
            let (right, down) = match orientation {
                2 => (!right, down),
                3 => (!right, !down),
                4 => (right, !down),
                5 => (down, right),
                6 => (!down, right),
                7 => (!down, !right),
                8 => (down, !right),
                _ => (right, down),
            };
            QUADRANTS[usize::from(right) + 2 * usize::from(down)]
        },
        6,
    );
    let thumbnail = jpeg(160, 90, |_, _| Rgb([128, 128, 128]), 0);
    with_app1(&stored, &exif(orientation, &thumbnail))
}

/// A JPEG whose header promises 30,000 x 30,000 pixels.
pub(crate) fn jpeg_bomb() -> Vec<u8> {
    let mut bytes = flat(RED);
    let sof = bytes
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .expect("SOF0");
    let side = 30_000_u16.to_be_bytes();
    bytes[sof + 5..sof + 7].copy_from_slice(&side);
    bytes[sof + 7..sof + 9].copy_from_slice(&side);
    bytes
}

/// A PNG of 30,000 x 30,000 pixels, complete and right, in a few hundred kilobytes.
pub(crate) fn png_bomb() -> Vec<u8> {
    const SIDE: u32 = 30_000;
    let mut header = Vec::from(SIDE.to_be_bytes());
    header.extend(SIDE.to_be_bytes());
    // 1 bit of grey a pixel, no interlacing.
    header.extend([1, 0, 0, 0, 0]);
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let row = vec![0_u8; 1 + (SIDE as usize).div_ceil(8)];
    for _ in 0..SIDE {
        packer.write_all(&row).expect("to pack into memory");
    }
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    png_chunk(&mut bytes, b"IHDR", &header);
    png_chunk(
        &mut bytes,
        b"IDAT",
        &packer.finish().expect("to pack into memory"),
    );
    png_chunk(&mut bytes, b"IEND", &[]);
    bytes
}

/// Files that are no photos though their names say so: name and content.
pub(crate) fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let whole = flat(RED);
    vec![
        ("empty.jpg", Vec::new()),
        (
            "text.jpg",
            b"This is a letter, not a picture.\n".repeat(100),
        ),
        ("two-bytes.jpg", vec![0xFF, 0xD8]),
        ("head-only.jpg", whole[..300].to_vec()),
        ("zeros.png", vec![0; 5000]),
        ("bomb.jpg", jpeg_bomb()),
        ("bomb.png", png_bomb()),
    ]
}

/// File names that have tripped programs up, each with the suffix of a JPEG.
pub(crate) fn awkward_names() -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = [
        "with space.jpg",
        "it's \"quoted\".jpg",
        "100%25 & more?#.jpg",
        "família 👨‍👩‍👧.jpeg",
        "line\nbreak.jpg",
        "-rf.jpg",
        "UPPER.JPG",
        "deep/er/still/photo.jpg",
    ]
    .iter()
    .map(PathBuf::from)
    .collect();
    names.push(PathBuf::from(OsStr::from_bytes(b"latin1-\xe9t\xe9.jpg")));
    names
}

/// A grey picture with so much grain that it hardly compresses.
pub(crate) fn grainy(width: u16, height: u16) -> Vec<u8> {
    jpeg(width, height, |_, _| Rgb([128; 3]), 60)
}

/// Encodes a picture given by a function of its pixels, baseline 4:2:0, with `grain` of noise on
/// its brightness.
fn jpeg(width: u16, height: u16, colour: impl Fn(u16, u16) -> Rgb, grain: u8) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    let mut state = 0x2545_F491_u32;
    for y in 0..height {
        for x in 0..width {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let span = 2 * u32::from(grain) + 1;
            let noise = i32::try_from(state % span).unwrap_or(0) - i32::from(grain);
            for channel in colour(x, y).0 {
                let value = (i32::from(channel) + noise).clamp(0, 255);
                pixels.push(u8::try_from(value).unwrap_or(0));
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&pixels, width, height, ColorType::Rgb)
        .expect("to encode a test photo");
    bytes
}

/// An EXIF block: big-endian TIFF, IFD0 with the orientation and a camera's GPS, IFD1 with a
/// thumbnail.
fn exif(orientation: u8, thumbnail: &[u8]) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut bytes = Vec::from(tag.to_be_bytes());
        bytes.extend(kind.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.extend(value.to_be_bytes());
        bytes
    };
    let (ifd0, ifd1) = (8_u32, 26_u32);
    let picture_at = ifd1 + 2 + 3 * 12 + 4;
    let length = u32::try_from(thumbnail.len()).expect("a small thumbnail");
    let mut tiff = b"MM\0\x2a".to_vec();
    tiff.extend(ifd0.to_be_bytes());
    tiff.extend(1_u16.to_be_bytes());
    tiff.extend(entry(0x0112, 3, 1, u32::from(orientation) << 16));
    tiff.extend(ifd1.to_be_bytes());
    tiff.extend(3_u16.to_be_bytes());
    tiff.extend(entry(0x0103, 3, 1, 6 << 16));
    tiff.extend(entry(0x0201, 4, 1, picture_at));
    tiff.extend(entry(0x0202, 4, 1, length));
    tiff.extend(0_u32.to_be_bytes());
    tiff.extend(thumbnail);
    [b"Exif\0\0".as_slice(), &tiff].concat()
}

/// Puts an APP1 segment right after the start of image.
fn with_app1(jpeg: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("an APP1 of at most 64 KiB");
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(content);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn png_chunk(out: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    out.extend(
        u32::try_from(content.len())
            .expect("a chunk below 4 GiB")
            .to_be_bytes(),
    );
    out.extend(kind);
    out.extend(content);
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(content);
    out.extend(crc.sum().to_be_bytes());
}
