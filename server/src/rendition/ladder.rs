//! The ladder: sizes, qualities and rates that are rendered, so that hardly different wishes are one.
//!
//! Pure.

use super::{Bitrate, Fps, Gop, Rendition};
use crate::render::{Quality, Size};

/// The ladder of long sides that are rendered. The usual screens stand on it exactly.
const LONG_SIDES: [u32; 13] = [
    160, 320, 480, 640, 800, 960, 1024, 1280, 1366, 1600, 1920, 2560, 3840,
];

/// The step of short sides, to a multiple of which they are rounded.
const SHORT_STEP: u32 = 8;

/// The limit of the long side over the short one: a narrower size is a mistake or mischief.
const MAX_ASPECT: u32 = 4;

/// The size on the ladder that serves `size`: at least as large where the ladder goes that far, of
/// the same shape within a few pixels.
pub fn snap(size: Size) -> Size {
    let (long, short) = (
        size.width.max(size.height).max(1),
        size.width.min(size.height).max(1),
    );
    let largest = LONG_SIDES[LONG_SIDES.len() - 1];
    let rung = LONG_SIDES
        .into_iter()
        .find(|rung| *rung >= long)
        .unwrap_or(largest);
    let exact = u64::from(short) * u64::from(rung) / u64::from(long);
    let rounded = (exact as u32 + SHORT_STEP / 2) / SHORT_STEP * SHORT_STEP;
    let short = rounded.clamp(rung / MAX_ASPECT / SHORT_STEP * SHORT_STEP, rung);
    if size.width >= size.height {
        Size {
            width: rung,
            height: short,
        }
    } else {
        Size {
            width: short,
            height: rung,
        }
    }
}

/// The rendition for whoever wishes `wished`, where `default` is rendered anyway: sizes, qualities and
/// rates that hardly differ are one. The default may be off the ladder: whoever asks for it by name gets
/// the same.
pub(super) fn snapped(wished: Rendition, default: &Rendition) -> Rendition {
    let size = if wished.size == default.size {
        wished.size
    } else {
        snap(wished.size)
    };
    Rendition {
        size,
        quality: snap_quality(wished.quality, default.quality),
        bitrate: if wished.bitrate == default.bitrate {
            default.bitrate
        } else {
            wished.bitrate.map(Bitrate::snapped)
        },
        gop: if wished.gop == default.gop {
            default.gop
        } else {
            wished.gop.map(Gop::snapped)
        },
        fps: snap_fps(wished.fps, default.fps),
        ..wished
    }
}

/// Steps of five, and the default: a hundred qualities would be a hundred renditions.
fn snap_quality(quality: Quality, default: Quality) -> Quality {
    if quality == default {
        return quality;
    }
    Quality::new((quality.value().saturating_add(2) / 5 * 5).clamp(5, 100)).unwrap_or(default)
}

fn snap_fps(fps: Fps, default: Fps) -> Fps {
    const STEPS: [u32; 8] = [1, 5, 10, 15, 20, 25, 30, 60];
    if fps == default {
        return default;
    }
    Fps(STEPS.into_iter().find(|step| *step >= fps.0).unwrap_or(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    #[test]
    fn common_screens_are_themselves() {
        for (width, height) in [
            (1920, 1080),
            (1280, 720),
            (640, 480),
            (800, 600),
            (1024, 768),
            (3840, 2160),
            (1080, 1920),
            (1366, 768),
        ] {
            assert_eq!(snap(size(width, height)), size(width, height));
        }
    }

    #[test]
    fn odd_ones_go_up_to_the_next_rung_and_giants_come_down() {
        assert_eq!(snap(size(1000, 500)), size(1024, 512));
        assert_eq!(snap(size(7680, 4320)), size(3840, 2160));
        assert_eq!(snap(size(5000, 16)), size(3840, 960));
        assert_eq!(snap(size(16, 16)), size(160, 160));
    }

    proptest! {
        #[test]
        fn snapping_is_stable_and_keeps_the_shape(width in 160u32..=3840, height in 160u32..=3840) {
            let once = snap(size(width, height));
            prop_assert_eq!(snap(once), once);
            let wanted = f64::from(width) / f64::from(height);
            let got = f64::from(once.width) / f64::from(once.height);
            if (0.25..=4.0).contains(&wanted) {
                prop_assert!((got / wanted - 1.0).abs() < 0.11, "{} {}", wanted, got);
            }
        }
    }
}
