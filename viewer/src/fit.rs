//! The place of a picture on the canvas: rectangle arithmetic in device pixels.
//!
//! Never a canvas, an element or a pixel ratio: callers bring sizes that are already in
//! device pixels.

/// A width and a height in device pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl Size {
    /// Makes a size; both sides are at least 1, so that ratios stay finite.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            width: width.max(1),
            height: height.max(1),
        }
    }

    /// The size in device pixels of an area given in CSS pixels.
    ///
    /// The longer side is held to `longest`: a wall of 8K would cost a canvas of 130 MB, and
    /// the server snaps what it renders to a limit as well. A ratio that is not a positive
    /// number counts as 1.
    pub fn of_screen(css_width: f64, css_height: f64, ratio: f64, longest: u32) -> Self {
        let ratio = if ratio.is_finite() && ratio > 0.0 {
            ratio
        } else {
            1.0
        };
        let (width, height) = (positive(css_width) * ratio, positive(css_height) * ratio);
        let shrink = (f64::from(longest) / width.max(height)).min(1.0);
        Self::new(round(width * shrink), round(height * shrink))
    }

    /// A size of this shape with a longer side of at most `longest`.
    pub fn held(self, longest: u32) -> Self {
        Self::of_screen(f64::from(self.width), f64::from(self.height), 1.0, longest)
    }

    fn aspect(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }
}

/// A rectangle in device pixels; it may reach over the canvas on every side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// The left edge.
    pub x: f64,
    /// The top edge.
    pub y: f64,
    /// The width in pixels.
    pub width: f64,
    /// The height in pixels.
    pub height: f64,
}

/// How far two aspect ratios may differ and still be cropped to fill the screen. The server
/// composes frames for the size it was asked for and snaps that size to a ladder: a difference
/// this small is snapping, not a different shape, and bars of a few pixels look like a fault.
const SAME_ASPECT: f64 = 0.02;

/// The rectangle in which a picture is drawn: `cover` when the shapes agree within 2 %, otherwise
/// `contain`, centred, which leaves bars.
pub fn place(picture: Size, canvas: Size) -> Rect {
    let ratio = picture.aspect() / canvas.aspect();
    if (ratio - 1.0).abs() <= SAME_ASPECT {
        cover(picture, canvas)
    } else {
        contain(picture, canvas)
    }
}

/// The largest rectangle of the picture's shape that fits on the canvas, centred, its edges on
/// whole pixels so that bars have sharp edges.
pub fn contain(picture: Size, canvas: Size) -> Rect {
    let scale = scales(picture, canvas);
    let scale = scale.0.min(scale.1);
    let width = (f64::from(picture.width) * scale).round().max(1.0);
    let height = (f64::from(picture.height) * scale).round().max(1.0);
    centred(width, height, canvas)
}

/// The smallest rectangle of the picture's shape that leaves nothing of the canvas bare.
pub fn cover(picture: Size, canvas: Size) -> Rect {
    let scale = scales(picture, canvas);
    let scale = scale.0.max(scale.1);
    let width = (f64::from(picture.width) * scale).ceil();
    let height = (f64::from(picture.height) * scale).ceil();
    centred(width, height, canvas)
}

/// The parts of the canvas that `rect` leaves bare, as up to two bars of black.
///
/// They are drawn beside the picture, never under it: a whole black ground blended below a
/// half-transparent picture would darken the crossfade in the middle.
pub fn bars(rect: Rect, canvas: Size) -> impl Iterator<Item = Rect> {
    let (width, height) = (f64::from(canvas.width), f64::from(canvas.height));
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    [
        Rect {
            x: 0.0,
            y: 0.0,
            width: rect.x,
            height,
        },
        Rect {
            x: right,
            y: 0.0,
            width: width - right,
            height,
        },
        Rect {
            x: 0.0,
            y: 0.0,
            width,
            height: rect.y,
        },
        Rect {
            x: 0.0,
            y: bottom,
            width,
            height: height - bottom,
        },
    ]
    .into_iter()
    .filter(|bar| bar.width > 0.0 && bar.height > 0.0)
}

fn scales(picture: Size, canvas: Size) -> (f64, f64) {
    (
        f64::from(canvas.width) / f64::from(picture.width),
        f64::from(canvas.height) / f64::from(picture.height),
    )
}

fn centred(width: f64, height: f64, canvas: Size) -> Rect {
    Rect {
        x: ((f64::from(canvas.width) - width) / 2.0).floor(),
        y: ((f64::from(canvas.height) - height) / 2.0).floor(),
        width,
        height,
    }
}

fn positive(length: f64) -> f64 {
    if length.is_finite() {
        length.max(1.0)
    } else {
        1.0
    }
}

/// A length in pixels; the casts saturate.
#[expect(clippy::cast_sign_loss, reason = "lengths are held above zero before")]
fn round(length: f64) -> u32 {
    length.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size {
        width: 1920,
        height: 1080,
    };

    fn holds(outer: Rect, inner: Rect) -> bool {
        outer.x <= inner.x
            && outer.y <= inner.y
            && outer.x + outer.width >= inner.x + inner.width
            && outer.y + outer.height >= inner.y + inner.height
    }

    #[test]
    fn same_size_is_drawn_pixel_for_pixel() {
        let rect = place(HD, HD);
        assert_eq!(
            rect,
            Rect {
                x: 0.0,
                y: 0.0,
                width: 1920.0,
                height: 1080.0
            }
        );
        assert_eq!(bars(rect, HD).count(), 0);
    }

    #[test]
    fn a_portrait_on_a_landscape_screen_has_bars_left_and_right() {
        let rect = place(Size::new(1080, 1920), HD);
        assert_eq!(
            rect,
            Rect {
                x: 656.0,
                y: 0.0,
                width: 608.0,
                height: 1080.0
            }
        );
        let bars: Vec<_> = bars(rect, HD).collect();
        assert_eq!(
            bars[0],
            Rect {
                x: 0.0,
                y: 0.0,
                width: 656.0,
                height: 1080.0
            }
        );
        assert_eq!(
            bars[1],
            Rect {
                x: 1264.0,
                y: 0.0,
                width: 656.0,
                height: 1080.0
            }
        );
        assert_eq!(bars.len(), 2);
    }

    #[test]
    fn a_wide_picture_has_bars_above_and_below() {
        let rect = place(Size::new(4000, 1000), HD);
        assert_eq!(
            rect,
            Rect {
                x: 0.0,
                y: 300.0,
                width: 1920.0,
                height: 480.0
            }
        );
        assert_eq!(bars(rect, HD).count(), 2);
    }

    #[test]
    fn a_snapped_size_fills_the_screen() {
        // The server answers a wish for 1366x768 with 1360x768.
        let rect = place(Size::new(1360, 768), Size::new(1366, 768));
        assert_eq!(bars(rect, Size::new(1366, 768)).count(), 0);
    }

    #[test]
    fn contain_stays_inside_and_cover_reaches_every_edge() {
        let sides = [1, 2, 3, 7, 100, 767, 768, 1079, 1080, 1920, 4096];
        for (w, h) in sides
            .iter()
            .flat_map(|w| sides.iter().map(move |h| (*w, *h)))
        {
            for canvas in [
                HD,
                Size::new(1, 1),
                Size::new(768, 1024),
                Size::new(3, 4000),
            ] {
                let whole = Rect {
                    x: 0.0,
                    y: 0.0,
                    width: f64::from(canvas.width),
                    height: f64::from(canvas.height),
                };
                assert!(
                    holds(whole, contain(Size::new(w, h), canvas)),
                    "{w}x{h} in {canvas:?}"
                );
                assert!(
                    holds(cover(Size::new(w, h), canvas), whole),
                    "{w}x{h} over {canvas:?}"
                );
            }
        }
    }

    #[test]
    fn bars_and_picture_fill_the_canvas_without_overlap() {
        let canvas = Size::new(1000, 700);
        for picture in [Size::new(3, 4), Size::new(16, 9), Size::new(1, 9)] {
            let rect = contain(picture, canvas);
            let bare: f64 = bars(rect, canvas).map(|bar| bar.width * bar.height).sum();
            assert_eq!(bare + rect.width * rect.height, 700_000.0, "{picture:?}");
        }
    }

    #[test]
    fn screens_are_measured_in_device_pixels() {
        assert_eq!(Size::of_screen(1280.0, 720.0, 1.5, 4096), HD);
        assert_eq!(
            Size::of_screen(768.0, 1024.0, 2.0, 4096),
            Size::new(1536, 2048)
        );
        assert_eq!(
            Size::of_screen(7680.0, 4320.0, 1.0, 3840),
            Size::new(3840, 2160)
        );
    }

    #[test]
    fn a_hidden_or_odd_screen_still_has_a_size() {
        assert_eq!(Size::of_screen(0.0, 0.0, 2.0, 4096), Size::new(2, 2));
        assert_eq!(Size::of_screen(f64::NAN, 5.0, 0.0, 4096), Size::new(1, 5));
        assert_eq!(
            Size::new(0, 0),
            Size {
                width: 1,
                height: 1
            }
        );
    }
}
