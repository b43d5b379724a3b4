//! The shapes of pictures and of their frames. Pure.

use mantel_media::inlet;

use super::Kind;
use crate::{
    render::{self, Orientation},
    size::Size,
};

/// The size of the frames of a source whose first picture has this size: even, for video, and within the limits of
/// renditions.
pub(super) fn frame_size(first: Size) -> Option<Size> {
    let longest = first.width.max(first.height).max(1);
    let scaled = |side: u32| {
        let side = if longest > MAX_SIDE {
            u64::from(side) * u64::from(MAX_SIDE) / u64::from(longest)
        } else {
            side.into()
        };
        u32::try_from(side).unwrap_or(MAX_SIDE) & !1
    };
    let size = Size::new(scaled(first.width), scaled(first.height));
    (size.width.min(size.height) >= Size::MIN_SIDE).then_some(size)
}

/// The longest side of a frame of live pictures: 4K.
const MAX_SIDE: u32 = 3840;

/// The size of a picture's stored pixels, where its head tells it, and how they are to be turned.
pub(super) fn shape(sample: &inlet::Sample) -> (Option<Size>, Orientation) {
    if let Kind::Raw(raw) = sample.kind {
        return (
            Some(Size::new(raw.width, raw.height)),
            Orientation::default(),
        );
    }
    let Some(probe) = render::probe(&sample.bytes) else {
        return (None, Orientation::default());
    };
    let mut file = std::io::Cursor::new(&sample.bytes);
    let Ok(parts) = render::Parts::of(probe.kind, &mut file) else {
        return (probe.size, Orientation::default());
    };
    let turned = parts.turned(probe.kind, &mut file).ok().flatten();
    (probe.size.or(parts.size), turned.unwrap_or_default())
}
