//! From the colours that a file means to sRGB: embedded ICC profiles and the code points of ITU-T H.273. A profile
//! that can't be used is no reason not to show a photo: its colours are shown as they are.

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, TransferCharacteristics, Transform8BitExecutor, TransformOptions,
};
use std::sync::Arc;

use crate::{
    fence::fenced,
    picture::{CHANNELS, Picture, Size},
};

/// The largest ICC profile that is looked at; those of printing presses take 2 MB.
pub(crate) const MAX_PROFILE_BYTES: usize = 4 << 20;

/// The meaning of a picture's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Space {
    /// sRGB, or nothing that says otherwise.
    #[default]
    Srgb,
    /// The space of an ICC profile.
    Icc(Vec<u8>),
    /// Primaries by their code point, with sRGB's curve or one that is shown as that.
    Primaries(u8),
    /// White, red, green and blue by their x and y in hundred-thousandths, as PNG has them, with sRGB's curve.
    Chromaticities([[u32; 2]; 4]),
    /// Adobe RGB (1998), which cameras announce without a profile.
    AdobeRgb,
}

impl Space {
    /// From H.273's code points, as HEIF, AVIF and JPEG XL have them. The curves of television (1, 6, 14, 15) are
    /// shown as sRGB's, as browsers and phones do; PQ and HLG are no business of this.
    pub(crate) fn from_code_points(primaries: u16) -> Self {
        match u8::try_from(primaries) {
            Ok(primaries @ (4 | 5 | 9 | 11 | 12 | 22)) => Self::Primaries(primaries),
            _ => Self::Srgb,
        }
    }

    /// From a profile, where there is one that is not too large and fits the picture: one for grey would bend red, green and
    /// blue.
    pub(crate) fn from_icc(profile: Option<Vec<u8>>, picture: &Picture) -> Self {
        const COLOURS: std::ops::Range<usize> = 16..20;
        match profile {
            Some(profile)
                if (128..=MAX_PROFILE_BYTES).contains(&profile.len())
                    && (profile[COLOURS] != *b"GRAY" || picture.is_grey()) =>
            {
                Self::Icc(profile)
            }
            _ => Self::Srgb,
        }
    }

    /// Converts a picture. What is grey already is taken as grey by a grey profile.
    pub(crate) fn make_srgb(&self, picture: &mut Picture) {
        if *self == Self::Srgb {
            return;
        }
        // Half converted is better than nothing only where it can't happen: a copy of a row at a time.
        let _ = fenced(|| self.convert(picture));
    }

    fn convert(&self, picture: &mut Picture) -> Option<()> {
        let profile = self.profile()?;
        match profile.color_space {
            DataColorSpace::Rgb => {
                let transform = to_srgb(&profile, Layout::Rgb)?;
                if changes_nothing(&*transform) {
                    return Some(());
                }
                let mut before = [0; 1024 * CHANNELS];
                for part in picture.pixels_mut().chunks_mut(before.len()) {
                    let before = &mut before[..part.len()];
                    before.copy_from_slice(part);
                    transform.transform(before, part).ok()?;
                }
            }
            DataColorSpace::Gray => {
                let transform = to_srgb(&profile, Layout::Gray)?;
                let greys: Vec<u8> = (0..=255).collect();
                let mut colours = [0; 256 * CHANNELS];
                transform.transform(&greys, &mut colours).ok()?;
                let (colours, _) = colours.as_chunks::<CHANNELS>();
                for byte in picture.pixels_mut() {
                    *byte = colours[usize::from(*byte)][1];
                }
            }
            _ => {}
        }
        Some(())
    }

    fn profile(&self) -> Option<ColorProfile> {
        match self {
            Self::Srgb => None,
            Self::Icc(profile) => ColorProfile::new_from_slice(profile).ok(),
            Self::Primaries(primaries) => Some(ColorProfile::new_from_cicp(CicpProfile {
                color_primaries: CicpColorPrimaries::try_from(*primaries).ok()?,
                transfer_characteristics: TransferCharacteristics::Srgb,
                matrix_coefficients: MatrixCoefficients::Identity,
                full_range: true,
            })),
            Self::Chromaticities(points) => by_chromaticities(points),
            Self::AdobeRgb => Some(ColorProfile::new_adobe_rgb()),
        }
    }
}

/// A profile of these primaries; `None` where they span no colours, or white would not be white.
fn by_chromaticities(points: &[[u32; 2]; 4]) -> Option<ColorProfile> {
    let [white, red, green, blue] = points.map(|[x, y]| Chromaticity {
        x: x as f32 / 100_000.0,
        y: y as f32 / 100_000.0,
    });
    if [white, red, green, blue].iter().any(|point| point.y <= 0.0) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
    let mut shown = [0; CHANNELS];
    let transform = to_srgb(&profile, Layout::Rgb)?;
    transform.transform(&[255; CHANNELS], &mut shown).ok()?;
    (shown.iter().all(|&channel| channel >= 250)).then_some(profile)
}

fn to_srgb(profile: &ColorProfile, layout: Layout) -> Option<Arc<Transform8BitExecutor>> {
    let srgb = ColorProfile::new_srgb();
    profile
        .create_transform_8bit(layout, &srgb, Layout::Rgb, TransformOptions::default())
        .ok()
}

/// Most profiles are sRGB's own: a few colours tell, and spare all the others the way.
fn changes_nothing(transform: &Transform8BitExecutor) -> bool {
    const STEPS: [u8; 6] = [0, 20, 90, 150, 220, 255];
    let colours: Vec<u8> = STEPS
        .iter()
        .flat_map(|&r| STEPS.map(|g| [r, g]))
        .flat_map(|[r, g]| STEPS.map(|b| [r, g, b]))
        .flatten()
        .collect();
    let mut after = vec![0; colours.len()];
    transform.transform(&colours, &mut after).is_ok()
        && colours.iter().zip(&after).all(|(a, b)| a.abs_diff(*b) <= 1)
}

/// Inks, 0 for none and 255 for full, four bytes a pixel: to sRGB by their profile, or, where that is of no use, by
/// what every ink takes away.
pub(crate) fn inks_to_srgb(inks: &[u8], size: Size, profile: Option<&[u8]>) -> Option<Picture> {
    let mut picture = Picture::filled(size.width, size.height, [0; CHANNELS]);
    if inks.len() as u64 != size.n_pixels() * 4 {
        return None;
    }
    let by_profile = profile
        .filter(|profile| profile.len() <= MAX_PROFILE_BYTES)
        .and_then(|profile| {
            fenced(|| {
                let profile = ColorProfile::new_from_slice(profile).ok()?;
                if profile.color_space != DataColorSpace::Cmyk {
                    return None;
                }
                let transform = to_srgb(&profile, Layout::Rgba)?;
                let parts = picture.pixels_mut().chunks_mut(1024 * CHANNELS);
                for (part, inks) in parts.zip(inks.chunks(1024 * 4)) {
                    transform.transform(inks, part).ok()?;
                }
                Some(())
            })
            .ok()?
        });
    if by_profile.is_none() {
        let (inks, _) = inks.as_chunks::<4>();
        let (pixels, _) = picture.pixels_mut().as_chunks_mut::<CHANNELS>();
        for (pixel, &[c, m, y, k]) in pixels.iter_mut().zip(inks) {
            let left = u16::from(255 - k);
            *pixel = [c, m, y].map(|ink| ((u16::from(255 - ink) * left + 127) / 255) as u8);
        }
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(space: &Space, rgb: [u8; 3]) -> [u8; 3] {
        let mut picture = Picture::filled(3, 2, rgb);
        space.make_srgb(&mut picture);
        let (pixels, _) = picture.pixels().as_chunks::<3>();
        assert!(pixels.iter().all(|pixel| *pixel == pixels[0]));
        pixels[0]
    }

    fn near(a: [u8; 3], b: [u8; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3)
    }

    #[test]
    fn wide_colours_become_srgb() {
        let icc = |profile: ColorProfile| Space::Icc(profile.encode().unwrap());
        // Worked out with the matrices of the standards and their curves.
        for (space, rgb, expected) in [
            (icc(ColorProfile::new_srgb()), [200, 90, 30], [200, 90, 30]),
            (
                icc(ColorProfile::new_display_p3()),
                [200, 90, 30],
                [213, 84, 0],
            ),
            (Space::from_code_points(12), [200, 90, 30], [213, 84, 0]),
            (
                icc(ColorProfile::new_adobe_rgb()),
                [150, 150, 90],
                [150, 150, 87],
            ),
            (Space::AdobeRgb, [120, 180, 60], [81, 181, 42]),
            (Space::from_code_points(9), [128, 128, 128], [128, 128, 128]),
            (Space::from_code_points(1), [200, 90, 30], [200, 90, 30]),
            (Space::from_code_points(2), [200, 90, 30], [200, 90, 30]),
        ] {
            let found = shown(&space, rgb);
            assert!(near(found, expected), "{rgb:?}: {found:?}, {expected:?}");
        }
    }

    #[test]
    fn grey_follows_its_curve() {
        let linear = Space::Icc(ColorProfile::new_gray_with_gamma(1.0).encode().unwrap());
        assert!(
            near(shown(&linear, [55; 3]), [128; 3]),
            "{:?}",
            shown(&linear, [55; 3])
        );
        assert_eq!(shown(&linear, [0; 3]), [0; 3]);
        assert!(near(shown(&linear, [255; 3]), [255; 3]));
    }

    #[test]
    fn a_profile_for_grey_is_for_grey_pictures() {
        let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let of = |rgb| Space::from_icc(Some(profile.clone()), &Picture::filled(2, 2, rgb));
        assert_eq!(of([90, 20, 200]), Space::Srgb);
        assert_eq!(of([90; 3]), Space::Icc(profile.clone()));
    }

    #[test]
    fn primaries_are_as_their_points_say() {
        const P3: [[u32; 2]; 4] = [
            [31_270, 32_900],
            [68_000, 32_000],
            [26_500, 69_000],
            [15_000, 6000],
        ];
        let found = shown(&Space::Chromaticities(P3), [200, 90, 30]);
        assert!(near(found, [213, 84, 0]), "{found:?}");
        // Points that make no colours leave them as they are, whichever it is.
        for (at, point) in (0..4).flat_map(|at| [(at, [0, 0]), (at, P3[(at + 1) % 4])]) {
            let mut points = P3;
            points[at] = point;
            let found = shown(&Space::Chromaticities(points), [255; 3]);
            assert!(near(found, [255; 3]), "{points:?}: {found:?}");
        }
    }

    #[test]
    fn garbage_is_no_profile() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let grey = Picture::filled(2, 2, [9; 3]);
        assert_eq!(Space::from_icc(None, &grey), Space::Srgb);
        assert_eq!(Space::from_icc(Some(vec![]), &grey), Space::Srgb);
        assert_eq!(
            Space::from_icc(Some(vec![0; MAX_PROFILE_BYTES + 1]), &grey),
            Space::Srgb
        );
        for end in 128..p3.len() {
            let _ = shown(&Space::Icc(p3[..end].to_vec()), [200, 90, 30]);
        }
        for at in 0..p3.len() {
            for byte in [0, 0x7F, 0xFF] {
                let mut altered = p3.clone();
                altered[at] = byte;
                let _ = shown(&Space::Icc(altered), [200, 90, 30]);
            }
        }
        // A printer's profile has no say over red, green and blue.
        let mut printer = p3.clone();
        printer[16..20].copy_from_slice(b"CMYK");
        assert_eq!(shown(&Space::Icc(printer), [200, 90, 30]), [200, 90, 30]);
    }

    #[test]
    fn inks_take_away() {
        let inks = [0, 0, 0, 0, 0, 128, 255, 0, 0, 0, 0, 255, 255, 255, 255, 255].to_vec();
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        for profile in [None, Some(&b"garbage"[..]), Some(&p3)] {
            let picture = inks_to_srgb(&inks, Size::new(2, 2), profile).unwrap();
            assert_eq!(
                picture.pixels(),
                [255, 255, 255, 255, 127, 0, 0, 0, 0, 0, 0, 0]
            );
        }
        assert_eq!(inks_to_srgb(&inks, Size::new(3, 2), None), None);
    }
}
