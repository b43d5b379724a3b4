//! The part of a wall of equal screens that one of them shows. Never a neighbour: screens agree
//! because they share a clock, not because they talk.

use crate::fit::Size;

/// A screen's place on a wall of screens: `2x1:0` is the left one of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    columns: u32,
    rows: u32,
    column: u32,
    row: u32,
}

/// The limit of columns and of rows: a larger wall is a typing mistake, on which a screen would
/// show a few pixels.
const MOST: u32 = 8;

impl Default for Wall {
    fn default() -> Self {
        Self {
            columns: 1,
            rows: 1,
            column: 0,
            row: 0,
        }
    }
}

impl Wall {
    /// Reads `COLUMNSxROWS:NUMBER`; numbers go row by row from 0. Anything else is no wall.
    pub fn parse(text: &str) -> Option<Self> {
        // The colon may come percent-encoded. Split by characters: the code that searches for a
        // text would be larger than all of this file's.
        let (shape, number) = text.split_once(':').or_else(|| {
            let (shape, number) = text.split_once('%')?;
            let number = number.strip_prefix("3A").or(number.strip_prefix("3a"))?;
            Some((shape, number))
        })?;
        let (columns, rows) = shape.split_once('x')?;
        let number_in = |text: &str, most: u32| text.parse().ok().filter(|n: &u32| *n <= most);
        let columns = number_in(columns, MOST).filter(|n| *n > 0)?;
        let rows = number_in(rows, MOST).filter(|n| *n > 0)?;
        let number = number_in(number, columns * rows - 1)?;
        Some(Self {
            columns,
            rows,
            column: number % columns,
            row: number / columns,
        })
    }

    /// The whole wall's size, if each of its screens has the size `screen`.
    pub fn whole(self, screen: Size) -> Size {
        Size::new(screen.width * self.columns, screen.height * self.rows)
    }

    /// The upper left corner of this screen on the wall.
    pub fn origin(self, screen: Size) -> (f64, f64) {
        (
            f64::from(screen.width * self.column),
            f64::from(screen.height * self.row),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_are_counted_row_by_row() {
        let screen = Size::new(100, 50);
        for (text, whole, origin) in [
            ("1x1:0", (100, 50), (0.0, 0.0)),
            ("2x1:1", (200, 50), (100.0, 0.0)),
            ("2x2:2", (200, 100), (0.0, 50.0)),
            ("3x2%3A5", (300, 100), (200.0, 50.0)),
        ] {
            let wall = Wall::parse(text).expect(text);
            assert_eq!(wall.whole(screen), Size::new(whole.0, whole.1), "{text}");
            assert_eq!(wall.origin(screen), origin, "{text}");
        }
    }

    #[test]
    fn what_is_no_wall_is_none() {
        for text in [
            "", "2x1", "2x1:2", "0x1:0", "9x1:0", "2x1:-1", ":", "x:", "2:0", "2x1%3B0",
        ] {
            assert_eq!(Wall::parse(text), None, "{text}");
        }
    }
}
