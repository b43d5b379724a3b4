//! A picture of any shape on a screen of another: contain, cover, or contain over a blurred copy of itself. Knows
//! sizes and pixels, no photos and no clients.
//!
//! No picture is enlarged more than [`MOST`] times, whatever the fit and whether it has the frame alone or shares it:
//! beyond that a screen shows its pixels and not what they are of. What it then leaves free is what is beside any
//! picture that does not fill its frame: black for contain, its backdrop for blur, and for cover as well.

use std::{fmt, str::FromStr};

use mantel_shared::Focus;
use thiserror::Error;

use crate::{
    frame::{
        backdrop,
        focus::focus,
        resize::{Crop, FilterType, covering, resize},
    },
    picture::{CHANNELS, Picture, Size},
};

/// How a picture fills a frame of another shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// All of the picture is seen, with black beside it.
    Contain,
    /// All of the frame is filled; of the picture's overhanging edges what is farthest from its focus is cut off.
    Cover,
    /// All of the picture is seen, over a blurred, dimmed copy of itself that fills the frame.
    #[default]
    Blur,
}

/// A text that names no [`Fit`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("fit is contain, cover or blur, not {0:?}")]
pub struct FitError(String);

impl FromStr for Fit {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        match text.trim() {
            "contain" => Ok(Self::Contain),
            "cover" => Ok(Self::Cover),
            "blur" => Ok(Self::Blur),
            _ => Err(FitError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contain => "contain",
            Self::Cover => "cover",
            Self::Blur => "blur",
        })
    }
}

/// How many times a picture is enlarged at most.
pub const MOST: u32 = 3;

/// Brings a picture to exactly `size`, enlarging small ones up to [`MOST`] times. A side of zero counts as one.
pub fn fit(picture: &Picture, size: Size, fit: Fit) -> Picture {
    fit_around(picture, size, fit, || focus(picture))
}

/// A fit that cuts around a point, which is only asked for where something is cut.
pub fn fit_around(
    picture: &Picture,
    size: Size,
    fit: Fit,
    focus: impl FnOnce() -> Focus,
) -> Picture {
    let size = Size::new(size.width.max(1), size.height.max(1));
    if picture.size() == size {
        return picture.clone();
    }
    let inner = shown(picture.size(), size, fit);
    let part = if fit == Fit::Cover {
        let middle = covering(picture.size(), inner);
        if middle.cuts(picture.size(), inner) {
            middle.around(focus(), picture.size())
        } else {
            middle
        }
    } else if inner == size {
        // Shapes that differ by less than a pixel.
        covering(picture.size(), size)
    } else {
        Crop::whole(picture.size())
    };
    let inner = resize(picture, part, inner, FilterType::Lanczos3);
    if inner.size() == size {
        return inner;
    }
    let mut frame = Picture::filled(size.width, size.height, [0; CHANNELS]);
    if fit != Fit::Contain {
        let place = middle(inner.size(), size);
        backdrop::paint(&mut frame, ((0, 0), size), &inner, place);
    }
    let (left, top) = middle(inner.size(), size);
    frame.put(&inner, left, top);
    frame
}

/// Where a picture of this size lies in a frame of `size`, and how large it is there; none where it fills the frame.
pub fn lies(picture: Size, size: Size, fit: Fit) -> Option<((u32, u32), Size)> {
    let inner = shown(picture, size, fit);
    (inner != size).then_some((middle(inner, size), inner))
}

/// How large a picture is in a frame: what is seen of it, where something is cut off.
fn shown(picture: Size, frame: Size, fit: Fit) -> Size {
    match fit {
        Fit::Cover => at_most(frame, picture),
        Fit::Contain | Fit::Blur => at_most(contained(picture, frame), picture),
    }
}

/// A size to which a picture is to be brought, held to what it may be enlarged to.
pub(crate) fn at_most(size: Size, picture: Size) -> Size {
    Size::new(
        size.width.min(picture.width.max(1).saturating_mul(MOST)),
        size.height.min(picture.height.max(1).saturating_mul(MOST)),
    )
}

/// Where something begins that lies in the middle of a frame.
fn middle(inner: Size, frame: Size) -> (u32, u32) {
    (
        (frame.width - inner.width) / 2,
        (frame.height - inner.height) / 2,
    )
}

/// The largest size of `picture`'s shape inside `frame`; at least one pixel a side.
fn contained(picture: Size, frame: Size) -> Size {
    let side = |own: u32, other: u32, other_in_frame: u32, limit: u32| {
        let exact = u64::from(own) * u64::from(other_in_frame);
        let rounded = (exact + u64::from(other) / 2) / u64::from(other);
        u32::try_from(rounded).unwrap_or(limit).clamp(1, limit)
    };
    let wider = u64::from(picture.width) * u64::from(frame.height)
        > u64::from(frame.width) * u64::from(picture.height);
    if wider {
        Size::new(
            frame.width,
            side(picture.height, picture.width, frame.width, frame.height),
        )
    } else {
        Size::new(
            side(picture.width, picture.height, frame.height, frame.width),
            frame.height,
        )
    }
}

#[cfg(test)]
mod tests;
