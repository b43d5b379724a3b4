//! The slow move over a picture while it stands, after Ken Burns: a little closer, or a little back,
//! around what is worth looking at.
//!
//! Pure arithmetic on rectangles: never a clock and never a canvas.

use mantel_shared::Focus;

use crate::fit::Rect;

/// How much larger a picture is at the close end: on a screen of 1920 pixels and a slide of 10 s about
/// 8 pixels a second at the edges. Quicker ones draw the eye from whoever is talking in the room.
const CLOSEST: f64 = 0.08;

/// How far a slide's move has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// From 0 to 1.
    pub done: f64,
    /// Towards the picture; otherwise away from it.
    pub inward: bool,
}

impl Progress {
    /// How much larger than its place the picture is drawn: 1 and more, so that no edge shows.
    pub fn scale(self) -> f64 {
        let done = self.done.clamp(0.0, 1.0);
        1.0 + CLOSEST * if self.inward { done } else { 1.0 - done }
    }
}

/// Where a picture that belongs into `rect` is drawn, larger by `scale` around `focus`, which stays
/// where it is: what is near it never leaves the screen.
pub fn around(rect: Rect, focus: Focus, scale: f64) -> Rect {
    let share = |thousandths: u16| f64::from(thousandths.min(Focus::MAX)) / f64::from(Focus::MAX);
    Rect {
        x: rect.x - rect.width * (scale - 1.0) * share(focus.x),
        y: rect.y - rect.height * (scale - 1.0) * share(focus.y),
        width: rect.width * scale,
        height: rect.height * scale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
