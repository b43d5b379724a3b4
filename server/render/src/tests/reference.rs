//! Tests alone: the same photos by libvips, which many have looked at for long. Left out, with a word, where `vips` is
//! not installed; there is no leaving out where CI is set.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use image::RgbaImage;
use moxcms::ColorProfile;

use crate::{DecodeLimits, Fit, Picture, Size, Slot, decode, decode_fitted, tests::photos::photo};

/// A folder of its own, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("mantel-reference-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn has_vips() -> bool {
    let runs = Command::new("vipsthumbnail").arg("--version").output();
    let found = runs.is_ok_and(|output| output.status.success());
    if !found {
        assert!(
            std::env::var_os("CI").is_none(),
            "vipsthumbnail is not installed"
        );
        eprintln!("LEFT OUT: vipsthumbnail is not installed");
    }
    found
}

/// The photo by libvips at exactly this size, in sRGB, what is transparent over black.
fn by_vips(file: &Path, size: Size) -> Picture {
    let out = file.with_extension("vips.png");
    let profile = Command::new("vipsheader")
        .args(["-f", "icc-profile-data"])
        .arg(file)
        .output()
        .unwrap();
    let mut command = Command::new("vipsthumbnail");
    // Asked to convert a photo without a profile, it shifts its colours.
    if profile.status.success() {
        command.args(["--export-profile", "srgb"]);
    }
    let output = command
        .arg(file)
        .arg("--size")
        .arg(format!("{size}!"))
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        out.is_file(),
        "{file:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let image = image::open(&out).unwrap().into_rgba8();
    let pixels = image.pixels().flat_map(|pixel| {
        let [r, g, b, alpha] = pixel.0.map(u32::from);
        [r, g, b].map(|channel| ((channel * alpha + 127) / 255) as u8)
    });
    Picture::new(image.width(), image.height(), pixels.collect()).unwrap()
}

fn mean_error(a: &Picture, b: &Picture) -> f64 {
    let pairs = a.pixels().iter().zip(b.pixels());
    let sum: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / a.pixels().len() as f64
}

/// Structural similarity (Wang et al., 2004) of the luma, over blocks of 8 x 8 every 4 pixels: 1 for the same.
fn ssim(a: &Picture, b: &Picture) -> f64 {
    const BLOCK: usize = 8;
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    assert_eq!(a.size(), b.size());
    let luma = |picture: &Picture| -> Vec<f64> {
        let (pixels, _) = picture.pixels().as_chunks::<3>();
        pixels
            .iter()
            .map(|&[r, g, b]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b))
            .collect()
    };
    let (width, height) = (a.width() as usize, a.height() as usize);
    let (a, b) = (luma(a), luma(b));
    let (mut sum, mut n) = (0.0, 0.0);
    for top in (0..height - BLOCK).step_by(4) {
        for left in (0..width - BLOCK).step_by(4) {
            let (mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for row in top..top + BLOCK {
                let at = row * width + left;
                for (&p, &q) in a[at..at + BLOCK].iter().zip(&b[at..at + BLOCK]) {
                    x += p;
                    y += q;
                    xx += p * p;
                    yy += q * q;
                    xy += p * q;
                }
            }
            let size = (BLOCK * BLOCK) as f64;
            let (x, y) = (x / size, y / size);
            let (xx, yy, xy) = (xx / size - x * x, yy / size - y * y, xy / size - x * y);
            sum += (2.0 * x * y + C1) * (2.0 * xy + C2) / ((x * x + y * y + C1) * (xx + yy + C2));
            n += 1.0;
        }
    }
    sum / n
}

/// A JPEG with a profile put behind its start.
fn tagged(jpeg: &[u8], profile: &ColorProfile) -> Vec<u8> {
    let profile = profile.encode().unwrap();
    let n = u16::try_from(profile.len() + 16).unwrap().to_be_bytes();
    let segment = [&[0xFF, 0xE2], &n[..], b"ICC_PROFILE\0\x01\x01", &profile].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

/// A soft disc of one colour; what lies hidden outside of it is of another, glaring one.
fn disc() -> Vec<u8> {
    let image = RgbaImage::from_fn(900, 700, |x, y| {
        let (dx, dy) = (f64::from(x) - 450.0, f64::from(y) - 350.0);
        #[allow(clippy::cast_sign_loss)]
        let alpha = ((300.0 - dx.hypot(dy)) * 8.0).clamp(0.0, 255.0) as u8;
        match alpha {
            0 => image::Rgba([255, 0, 255, 0]),
            alpha => image::Rgba([230, (x / 4) as u8, (y / 4) as u8, alpha]),
        }
    });
    let mut file = std::io::Cursor::new(vec![]);
    image.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// What libvips and we make of the same file, at a fraction of its size: mean error, similarity, and by how much each
/// channel is brighter on the whole.
fn compare(folder: &Path, name: &str, bytes: &[u8], fraction: u32) -> (f64, f64, [f64; 3]) {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    let limits = DecodeLimits::default();
    let full = decode(bytes, &limits).unwrap().size();
    let size = Size::new(full.width / fraction, full.height / fraction);
    let ours = decode_fitted(bytes, &limits, Slot::alone(size, Fit::Cover))
        .unwrap()
        .picture;
    let theirs = by_vips(&file, size);
    assert_eq!(ours.size(), theirs.size(), "{name}");
    let (error, similarity) = (mean_error(&ours, &theirs), ssim(&ours, &theirs));
    let bias = [0, 1, 2].map(|channel| {
        let of = |picture: &Picture| {
            let samples = picture.pixels().iter().skip(channel).step_by(3);
            samples.map(|&sample| f64::from(sample)).sum::<f64>() / size.n_pixels() as f64
        };
        of(&ours) - of(&theirs)
    });
    println!("{name}: mean error {error:.2}, SSIM {similarity:.4}, bias {bias:.2?}");
    (error, similarity, bias)
}

/// Yellow and green, and without a profile.
const COLOURFUL: &str = "albums/nature/notocactus_minimus.jpg";

#[test]
fn photos_look_as_libvips_shows_them() {
    if !has_vips() {
        return;
    }
    let scratch = Scratch::new("photos");
    let mut cases = vec![("disc.png".to_owned(), disc(), 3)];
    for (path, fraction) in [
        ("albums/text/craft-beer.jpg", 6),
        ("albums/nature/prairie_falcon.jpg", 2),
        ("metadata/faces/portrait-orientation-6.jpg", 2),
        ("orientation/Portrait_7.jpg", 4),
        ("formats/heic/IMG_2682.heic", 4),
        ("formats/motionphoto/samsung-one-ui-6.heic", 5),
        ("formats/avif/8bit-sRGB.avif", 2),
        ("formats/jxl/8bit-sRGB.jxl", 2),
        ("formats/png/density_plot.png", 2),
        ("formats/webp/denali.webp", 2),
    ] {
        let Some(bytes) = photo(path) else { return };
        cases.push((path.replace('/', "-"), bytes, fraction));
    }
    if let Some(plain) = photo(COLOURFUL) {
        for (name, profile) in [
            ("p3.jpg", ColorProfile::new_display_p3()),
            ("adobe.jpg", ColorProfile::new_adobe_rgb()),
            ("prophoto.jpg", ColorProfile::new_pro_photo_rgb()),
        ] {
            cases.push((name.to_owned(), tagged(&plain, &profile), 2));
        }
    }
    for (name, bytes, fraction) in &cases {
        let (error, similarity, bias) = compare(&scratch.0, name, bytes, *fraction);
        // Their JPEG decoder shrinks as it decodes, and is a little softer; a colour that is off would be off on
        // the whole.
        assert!(
            error < 3.0 && similarity > 0.97,
            "{name}: {error}, {similarity}"
        );
        assert!(bias.iter().all(|bias| bias.abs() < 1.0), "{name}: {bias:?}");
    }
}

#[test]
fn printers_inks_look_as_libvips_shows_them() {
    if !has_vips() {
        return;
    }
    let Some(bytes) = photo(COLOURFUL) else {
        return;
    };
    let scratch = Scratch::new("inks");
    let (rgb, cmyk) = (scratch.0.join("rgb.jpg"), scratch.0.join("cmyk.jpg"));
    std::fs::write(&rgb, &bytes).unwrap();
    let output = Command::new("vips")
        .arg("icc_export")
        .args([&rgb, &cmyk])
        .args(["--output-profile", "cmyk"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let inks = std::fs::read(&cmyk).unwrap();
    let (error, similarity, bias) = compare(&scratch.0, "inks.jpg", &inks, 2);
    assert!(error < 4.0 && similarity > 0.95, "{error}, {similarity}");
    assert!(bias.iter().all(|bias| bias.abs() < 3.0), "{bias:?}");
}

#[test]
fn a_profile_makes_a_difference() {
    // Else the comparison above could not tell whether it was applied.
    let Some(bytes) = photo(COLOURFUL) else {
        return;
    };
    let limits = DecodeLimits::default();
    let plain = decode(&bytes, &limits).unwrap();
    for profile in [
        ColorProfile::new_display_p3(),
        ColorProfile::new_adobe_rgb(),
    ] {
        let picture = decode(&tagged(&bytes, &profile), &limits).unwrap();
        assert!(mean_error(&plain, &picture) > 2.0);
    }
}
