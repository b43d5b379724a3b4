//! What a finger or a pointer on the picture means: tap zones, swipes and the long press.
//!
//! Never an event or a timer: positions come in CSS pixels, instants as arguments.

use crate::clock::Local;
use crate::keys::Action;

/// A press that is held this long without moving is a long press.
pub const LONG_PRESS_MILLIS: f64 = 600.0;

/// A finger that moved less than this has not moved: fingers roll while they tap.
const STILL_PIXELS: f64 = 14.0;
const SWIPE_PIXELS: f64 = 60.0;
/// The left and the right part of the screen that mean `previous` and `next`.
const EDGE: f64 = 0.3;

/// A point in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left edge.
    pub x: f64,
    /// From the top edge.
    pub y: f64,
}

/// One press at a time, from down to up.
#[derive(Debug, Default)]
pub struct Gesture {
    press: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    from: Point,
    since: Local,
    moved: bool,
}

impl Gesture {
    /// A finger or a button went down.
    pub fn down(&mut self, at: Point, now: Local) {
        self.press = Some(Press {
            from: at,
            since: now,
            moved: false,
        });
    }

    /// It moved.
    pub fn moved(&mut self, at: Point) {
        if let Some(press) = &mut self.press {
            let (dx, dy) = (at.x - press.from.x, at.y - press.from.y);
            press.moved |= dx.abs() > STILL_PIXELS || dy.abs() > STILL_PIXELS;
        }
    }

    /// A second finger came, or the platform took the gesture: it means nothing to us.
    pub fn cancel(&mut self) {
        self.press = None;
    }

    /// To be called [`LONG_PRESS_MILLIS`] after `down`: the action of a long press, once.
    pub fn held(&mut self, now: Local) -> Option<Action> {
        // A timer may fire a little early by another clock.
        let long =
            |press: &mut Press| !press.moved && now.since(press.since) >= LONG_PRESS_MILLIS - 50.0;
        self.press.take_if(long).map(|_| Action::ToggleStats)
    }

    /// It went up; `width` is that of the page. Swipe left for the next slide, right for the
    /// previous one, up for full screen; a tap goes by its place.
    pub fn up(&mut self, at: Point, width: f64) -> Option<Action> {
        self.moved(at);
        let press = self.press.take()?;
        let (dx, dy) = (at.x - press.from.x, at.y - press.from.y);
        if !press.moved {
            return Some(match press.from.x / width {
                x if x < EDGE => Action::Previous,
                x if x > 1.0 - EDGE => Action::Next,
                _ => Action::TogglePause,
            });
        }
        if dx.abs() >= SWIPE_PIXELS && dx.abs() > 1.5 * dy.abs() {
            return Some(if dx < 0.0 {
                Action::Next
            } else {
                Action::Previous
            });
        }
        (dy <= -SWIPE_PIXELS && -dy > 1.5 * dx.abs()).then_some(Action::ToggleFullScreen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke(from: (f64, f64), to: (f64, f64)) -> Option<Action> {
        let mut gesture = Gesture::default();
        gesture.down(
            Point {
                x: from.0,
                y: from.1,
            },
            Local(0.0),
        );
        gesture.moved(Point {
            x: f64::midpoint(from.0, to.0),
            y: f64::midpoint(from.1, to.1),
        });
        gesture.up(Point { x: to.0, y: to.1 }, 1000.0)
    }

    #[test]
    fn taps_go_by_their_place() {
        assert_eq!(
            stroke((100.0, 300.0), (104.0, 297.0)),
            Some(Action::Previous)
        );
        assert_eq!(
            stroke((500.0, 300.0), (500.0, 300.0)),
            Some(Action::TogglePause)
        );
        assert_eq!(stroke((900.0, 300.0), (895.0, 305.0)), Some(Action::Next));
    }

    #[test]
    fn swipes_go_by_their_direction() {
        assert_eq!(stroke((800.0, 300.0), (500.0, 350.0)), Some(Action::Next));
        assert_eq!(
            stroke((200.0, 300.0), (500.0, 250.0)),
            Some(Action::Previous)
        );
        assert_eq!(
            stroke((500.0, 600.0), (520.0, 400.0)),
            Some(Action::ToggleFullScreen)
        );
    }

    #[test]
    fn strokes_that_are_short_slanted_or_downward_mean_nothing() {
        assert_eq!(stroke((500.0, 300.0), (540.0, 300.0)), None);
        assert_eq!(stroke((500.0, 300.0), (300.0, 100.0)), None);
        assert_eq!(stroke((500.0, 300.0), (500.0, 600.0)), None);
    }

    #[test]
    fn a_stroke_that_comes_back_is_not_a_tap() {
        let mut gesture = Gesture::default();
        gesture.down(Point { x: 500.0, y: 300.0 }, Local(0.0));
        gesture.moved(Point { x: 700.0, y: 300.0 });
        assert_eq!(gesture.up(Point { x: 500.0, y: 300.0 }, 1000.0), None);
    }

    #[test]
    fn a_long_press_shows_the_statistics_once_and_is_no_tap() {
        let mut gesture = Gesture::default();
        gesture.down(Point { x: 500.0, y: 300.0 }, Local(0.0));
        assert_eq!(gesture.held(Local(300.0)), None);
        assert_eq!(gesture.held(Local(600.0)), Some(Action::ToggleStats));
        assert_eq!(gesture.held(Local(700.0)), None);
        assert_eq!(gesture.up(Point { x: 500.0, y: 300.0 }, 1000.0), None);
    }

    #[test]
    fn a_second_finger_cancels() {
        let mut gesture = Gesture::default();
        gesture.down(Point { x: 500.0, y: 300.0 }, Local(0.0));
        gesture.cancel();
        assert_eq!(gesture.held(Local(600.0)), None);
        assert_eq!(gesture.up(Point { x: 900.0, y: 300.0 }, 1000.0), None);
    }
}
