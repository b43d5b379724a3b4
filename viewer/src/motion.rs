//! The slow move over a picture while it stands, after Ken Burns: a little closer, or a little back,
//! around what is worth looking at. The move happens inside the photo; a backdrop beside it stands still.
//!
//! Pure arithmetic on rectangles: never a clock and never a canvas.

use mantel_shared::{Area, Focus};

use crate::fit::{Rect, Size};

/// How much larger a picture is at the close end: on a screen of 1920 pixels and a slide of 10 s
/// about 8 pixels a second at the edges. A quicker move distracts people in the room.
const CLOSEST: f64 = 0.08;

/// How far a slide's move has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The share done, from 0 to 1.
    pub done: f64,
    /// Whether the move goes towards the picture; otherwise away from it.
    pub inward: bool,
}

impl Progress {
    /// How much larger than its place the picture is drawn: 1 and more, so that no edge shows.
    pub fn scale(self) -> f64 {
        let done = self.done.clamp(0.0, 1.0);
        1.0 + CLOSEST * if self.inward { done } else { 1.0 - done }
    }
}

/// The rectangle of a picture that belongs into `rect`, larger by `scale` around `focus`, which
/// stays where it is, so that its surroundings never leave the screen.
pub fn around(rect: Rect, focus: Focus, scale: f64) -> Rect {
    let share = |thousandths: u16| f64::from(thousandths.min(Focus::MAX)) / f64::from(Focus::MAX);
    Rect {
        x: rect.x - rect.width * (scale - 1.0) * share(focus.x),
        y: rect.y - rect.height * (scale - 1.0) * share(focus.y),
        width: rect.width * scale,
        height: rect.height * scale,
    }
}

/// A part of the canvas in which a picture is drawn somewhere else than in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The part, on whole pixels.
    pub part: Rect,
    /// The rectangle in which the picture is drawn, for that part.
    pub rect: Rect,
}

/// The windows through which a picture that belongs into `rect` is seen moving: one for each photo
/// in it, or the whole if no photo is known. A photo moves around the focus if it is alone, else
/// around its middle.
pub fn windows(rect: Rect, photos: &[Area], focus: Focus, scale: f64) -> Vec<Window> {
    if photos.is_empty() {
        let rect_moved = around(rect, focus, scale);
        return vec![Window {
            part: rect,
            rect: rect_moved,
        }];
    }
    let x = |share: u16| rect.x + rect.width * f64::from(share) / f64::from(Area::WHOLE);
    let y = |share: u16| rect.y + rect.height * f64::from(share) / f64::from(Area::WHOLE);
    photos
        .iter()
        .map(|photo| {
            let (right, bottom) = (photo.left + photo.width, photo.top + photo.height);
            let within = |focus: u16, from: u16, to: u16| {
                // From thousandths to ten-thousandths. With the point inside the photo, a larger
                // one still covers all of its window.
                let at = if photos.len() == 1 {
                    focus.min(Focus::MAX) * 10
                } else {
                    from.midpoint(to)
                };
                at.clamp(from, to)
            };
            let (centre_x, centre_y) = (
                x(within(focus.x, photo.left, right)),
                y(within(focus.y, photo.top, bottom)),
            );
            let (left, top) = (x(photo.left).round(), y(photo.top).round());
            Window {
                part: Rect {
                    x: left,
                    y: top,
                    width: x(right).round() - left,
                    height: y(bottom).round() - top,
                },
                rect: Rect {
                    x: centre_x - (centre_x - rect.x) * scale,
                    y: centre_y - (centre_y - rect.y) * scale,
                    width: rect.width * scale,
                    height: rect.height * scale,
                },
            }
        })
        .collect()
}

/// The canvas cut along the edges of all `parts`, so that each piece lies in a part or beside it:
/// pieces without overlap that make up the whole; one piece if no edge crosses the canvas.
pub fn pieces(parts: impl Iterator<Item = Rect>, canvas: Size) -> Vec<Rect> {
    let (width, height) = (f64::from(canvas.width), f64::from(canvas.height));
    let (mut xs, mut ys) = (vec![0.0, width], vec![0.0, height]);
    for part in parts {
        for x in [part.x, part.x + part.width] {
            cut(&mut xs, x);
        }
        for y in [part.y, part.y + part.height] {
            cut(&mut ys, y);
        }
    }
    let mut pieces = Vec::new();
    for y in ys.windows(2) {
        for x in xs.windows(2) {
            pieces.push(Rect {
                x: x[0],
                y: y[0],
                width: x[1] - x[0],
                height: y[1] - y[0],
            });
        }
    }
    pieces
}

/// Adds an edge to those of a side, which are in order; the first and the last are the canvas's
/// own. Sorting by the standard library would be a fifth of the download.
fn cut(edges: &mut Vec<f64>, edge: f64) {
    let next = edges.iter().position(|known| *known >= edge);
    if let Some(next) = next.filter(|next| *next > 0 && edges[*next] > edge) {
        edges.insert(next, edge);
    }
}

/// The rectangle in which a picture is drawn for this piece of the canvas: that of its window, else
/// its place.
pub fn seen(windows: &[Window], rect: Rect, piece: Rect) -> Rect {
    let (x, y) = (piece.x + piece.width / 2.0, piece.y + piece.height / 2.0);
    let holds = |part: Rect| {
        x >= part.x && x <= part.x + part.width && y >= part.y && y <= part.y + part.height
    };
    windows
        .iter()
        .find(|window| holds(window.part))
        .map_or(rect, |window| window.rect)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Size = Size {
        width: 1920,
        height: 1080,
    };
    const WHOLE: Rect = Rect {
        x: 0.0,
        y: 0.0,
        width: 1920.0,
        height: 1080.0,
    };

    fn portrait() -> Area {
        Area::of((656, 0), (608, 1080), (1920, 1080)).unwrap()
    }

    #[test]
    fn a_photo_moves_inside_itself_and_its_backdrop_stands() {
        for focus in [(0, 0), (500, 500), (1000, 1000), (700, 20)] {
            let focus = Focus {
                x: focus.0,
                y: focus.1,
            };
            for scale in [1.0, 1.03, 1.08] {
                let windows = windows(WHOLE, &[portrait()], focus, scale);
                let [Window { part, rect }] = windows[..] else {
                    panic!("{windows:?}")
                };
                assert_eq!(
                    (part.x, part.y, part.width, part.height),
                    (656.0, 0.0, 608.0, 1080.0)
                );
                // What is seen at the window's edges lies within the photo.
                for (at, from, length, picture, whole) in [
                    (part.x, 656.0, 608.0, rect.x, 1920.0),
                    (part.x + part.width, 656.0, 608.0, rect.x, 1920.0),
                ] {
                    let source: f64 = (at - picture) / (whole * scale) * whole;
                    assert!(
                        source >= from - 0.2 && source <= from + length + 0.2,
                        "{source}"
                    );
                }
                let pieces = pieces(windows.iter().map(|window| window.part), CANVAS);
                assert_eq!(pieces.len(), 3);
                for piece in pieces {
                    let drawn = seen(&windows, WHOLE, piece);
                    assert_eq!(
                        drawn == WHOLE,
                        piece.x != 656.0 || scale == 1.0,
                        "{piece:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_photos_move_each_for_itself() {
        let area = |left| Area::of((left, 0), (950, 1080), (1920, 1080)).unwrap();
        let windows = windows(WHOLE, &[area(6), area(964)], Focus { x: 0, y: 0 }, 1.08);
        let middle = |window: &Window| window.part.x + window.part.width / 2.0;
        for window in &windows {
            // Its middle stays where it is.
            let moved = window.rect.x + middle(window) * 1.08;
            assert!((moved - middle(window)).abs() < 0.5, "{window:?}");
        }
        assert_ne!(windows[0].rect, windows[1].rect);
    }

    #[test]
    fn pieces_make_up_the_canvas() {
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        assert_eq!(pieces([].into_iter(), CANVAS), [WHOLE]);
        // What reaches beyond it cuts nothing.
        assert_eq!(
            pieces([rect(-20.0, -9.0, 2000.0, 1100.0)].into_iter(), CANVAS),
            [WHOLE]
        );
        let parts = [
            rect(100.0, 50.0, 300.0, 200.0),
            rect(200.0, 0.0, 1720.0, 1080.0),
        ];
        let pieces = pieces(parts.into_iter(), CANVAS);
        let area: f64 = pieces.iter().map(|piece| piece.width * piece.height).sum();
        assert_eq!(area, 1920.0 * 1080.0);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.width > 0.0 && piece.height > 0.0)
        );
    }

    const RECT: Rect = Rect {
        x: -10.0,
        y: 0.0,
        width: 1000.0,
        height: 500.0,
    };

    #[test]
    fn the_focus_stays_and_no_edge_comes_into_view() {
        for (x, y) in [(0, 0), (500, 500), (1000, 1000), (333, 900)] {
            for step in 0..=10 {
                for inward in [true, false] {
                    let done = f64::from(step) / 10.0;
                    let scale = Progress { done, inward }.scale();
                    let moved = around(RECT, Focus { x, y }, scale);
                    let at = |from: f64, length: f64, share: u16| {
                        from + length * f64::from(share) / 1000.0
                    };
                    let gone = at(moved.x, moved.width, x) - at(RECT.x, RECT.width, x);
                    assert!(gone.abs() < 1e-9, "{gone}");
                    assert!(moved.x <= RECT.x && moved.y <= RECT.y);
                    assert!(moved.x + moved.width >= RECT.x + RECT.width - 1e-9);
                    assert!(moved.y + moved.height >= RECT.y + RECT.height - 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_move_ends_where_it_ends() {
        let scale = |done, inward| Progress { done, inward }.scale();
        assert_eq!(scale(0.0, true), 1.0);
        assert_eq!(scale(7.0, true), 1.0 + CLOSEST);
        assert_eq!(scale(1.0, false), 1.0);
        assert_eq!(scale(-1.0, false), 1.0 + CLOSEST);
    }
}
