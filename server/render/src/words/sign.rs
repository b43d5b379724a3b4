//! Words at a place of the picture, in a size and colour: laid out once, then laid over any number of pictures.

use cosmic_text::{Align, Attrs, Buffer, Color, Family, Metrics, Shaping, SwashCache, Wrap};

use super::{LEADING, MARGIN, SMALLEST, clean::clean, fonts, mix};
use crate::picture::{Picture, Size};

/// The place of words in a frame: a row and a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Top, middle or bottom.
    pub row: Row,
    /// Left, middle or right.
    pub column: Column,
}

/// A row of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The upper edge.
    Top,
    /// Half way down.
    Middle,
    /// The lower edge.
    Bottom,
}

/// A column of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The left edge.
    Left,
    /// Half way across.
    Middle,
    /// The right edge.
    Right,
}

impl std::str::FromStr for Place {
    type Err = &'static str;

    /// Reads `top-left`, `top`, `top-right`, `left`, `middle`, `right`, `bottom-left`, `bottom`, `bottom-right`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (row, rest) = match text.split_once('-') {
            Some(("top", rest)) => (Row::Top, rest),
            Some(("bottom", rest)) => (Row::Bottom, rest),
            None if text == "top" => (Row::Top, "middle"),
            None if text == "bottom" => (Row::Bottom, "middle"),
            None => (Row::Middle, text),
            Some(_) => return Err(NO_PLACE),
        };
        let column = match rest {
            "left" => Column::Left,
            "middle" => Column::Middle,
            "right" => Column::Right,
            _ => return Err(NO_PLACE),
        };
        Ok(Self { row, column })
    }
}

const NO_PLACE: &str = "it has to be top-left, top, top-right, left, middle, right, bottom-left, bottom or bottom-right";

/// How words look, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Where they stand.
    pub place: Place,
    /// The letters' height, in hundredths of the frame's short side.
    pub size: u8,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// Whether a shadow keeps them readable on any picture.
    pub shadow: bool,
}

impl Style {
    /// White at the lower left, a twenty-fifth of the frame high, with a shadow.
    pub const USUAL: Self = Self {
        place: Place {
            row: Row::Bottom,
            column: Column::Left,
        },
        size: 4,
        colour: [255; 3],
        shadow: true,
    };
    /// The largest size.
    pub const MAX_SIZE: u8 = 40;
}

/// Lines, at most: what is longer is cut off.
const MAX_LINES: usize = 8;

/// Words ready to be laid over pictures of one size.
#[derive(Debug)]
pub struct Sign {
    /// The pixels that are mixed into a picture: where they lie, how much of each, and its colour.
    dots: Vec<Dot>,
}

/// A place in a picture, and how much of which colour is mixed into it.
type Dot = ((i32, i32), (u8, [u8; 3]));

impl Sign {
    /// Lays words out for a frame; `None` where there is nothing to be seen.
    pub fn new(words: &str, style: Style, frame: Size) -> Option<Self> {
        let words = clean(words);
        let short = frame.width.min(frame.height) as f32;
        let size = short * f32::from(style.size) / 100.0;
        let margin = (short * MARGIN).round();
        let width = frame.width as f32 - 2.0 * margin;
        if words.is_empty() || size < SMALLEST || width < size {
            return None;
        }
        let align = match style.place.column {
            Column::Left => Align::Left,
            Column::Middle => Align::Center,
            Column::Right => Align::Right,
        };
        let mut dots = Vec::new();
        fonts::with(&words, |system| {
            let line = (size * LEADING).round();
            let mut buffer = Buffer::new(system, Metrics::new(size, line));
            buffer.set_wrap(Wrap::WordOrGlyph);
            buffer.set_size(Some(width), None);
            let attrs = Attrs::new().family(Family::Name(fonts::FAMILY));
            buffer.set_text(&words, &attrs, Shaping::Advanced, Some(align));
            buffer.shape_until_scroll(system, false);
            let n_lines = buffer.layout_runs().count().min(MAX_LINES);
            let height = line * n_lines as f32;
            let top = match style.place.row {
                Row::Top => margin,
                Row::Middle => (frame.height as f32 - height) / 2.0,
                Row::Bottom => frame.height as f32 - margin - height,
            };
            let (left, top) = (margin as i32, top.round() as i32);
            let shift = (size / 22.0).round().max(1.0) as i32;
            let [r, g, b] = style.colour;
            let shadow = (shift, Color::rgba(0, 0, 0, 150), true);
            let letters = (0, Color::rgb(r, g, b), false);
            let mut glyphs = SwashCache::new();
            for (shift, colour, is_shadow) in [shadow, letters] {
                if is_shadow && !style.shadow {
                    continue;
                }
                buffer.draw(
                    system,
                    &mut glyphs,
                    colour,
                    |x, y, width, height, colour| {
                        // What stands out of its lines is cut off: marks can be piled up to the sky.
                        if y < 0 || y as f32 >= line * MAX_LINES as f32 {
                            return;
                        }
                        // Emoji cast no shadow of their own colours.
                        let dot = if is_shadow {
                            (colour.a().min(150), [0; 3])
                        } else {
                            (colour.a(), [colour.r(), colour.g(), colour.b()])
                        };
                        for dy in 0..height.cast_signed() {
                            for dx in 0..width.cast_signed() {
                                let at = (left + x + dx + shift, top + y + dy + shift);
                                if dot.0 > 0 {
                                    dots.push((at, dot));
                                }
                            }
                        }
                    },
                );
            }
        });
        Some(Self { dots })
    }

    /// Lays the words over a picture.
    pub fn write(&self, picture: &mut Picture) {
        for (at, dot) in &self.dots {
            mix(picture, *at, *dot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size {
        width: 320,
        height: 180,
    };

    /// Where letters are: left, top, right and bottom of all that isn't grey any more.
    fn bounds(words: &str, style: Style) -> Option<[u32; 4]> {
        let mut picture = Picture::filled(FRAME.width, FRAME.height, [90; 3]);
        Sign::new(words, style, FRAME)?.write(&mut picture);
        let (mut bounds, mut any) = ([u32::MAX, u32::MAX, 0, 0], false);
        for y in 0..FRAME.height {
            for x in 0..FRAME.width {
                let at = y as usize * picture.stride() + x as usize * 3;
                if picture.pixels()[at..at + 3] != [90; 3] {
                    let [left, top, right, bottom] = bounds;
                    bounds = [left.min(x), top.min(y), right.max(x), bottom.max(y)];
                    any = true;
                }
            }
        }
        any.then_some(bounds)
    }

    #[test]
    fn words_stand_where_they_are_to() {
        for (place, test) in [
            ("top-left", [true, false, true, false]),
            ("bottom-right", [false, true, false, true]),
            ("top", [false, false, true, false]),
            ("middle", [false, false, false, false]),
            ("left", [true, false, false, false]),
        ] {
            let style = Style {
                place: place.parse().unwrap(),
                size: 8,
                ..Style::USUAL
            };
            let [left, top, right, bottom] = bounds("Tor", style).unwrap();
            let near = [left < 20, right > 300, top < 20, bottom > 160];
            assert_eq!(near, test, "{place}: {left} {top} {right} {bottom}");
        }
        assert!("top-top".parse::<Place>().is_err() && "side".parse::<Place>().is_err());
    }

    #[test]
    fn size_colour_and_shadow_are_as_asked_for() {
        let style = |size, shadow| Style {
            size,
            shadow,
            colour: [255, 0, 0],
            ..Style::USUAL
        };
        let height = |size| {
            let [_, top, _, bottom] = bounds("H", style(size, false)).unwrap();
            bottom - top
        };
        assert!(height(20) > 3 * height(5), "{} {}", height(20), height(5));
        let mut picture = Picture::filled(FRAME.width, FRAME.height, [90; 3]);
        let sign = Sign::new("H", style(20, false), FRAME).unwrap();
        sign.write(&mut picture);
        assert!(
            picture
                .pixels()
                .chunks(3)
                .any(|pixel| *pixel == [255, 0, 0])
        );
        assert!(
            picture
                .pixels()
                .chunks(3)
                .all(|pixel| pixel[1] <= 90 && pixel[0] >= 90)
        );
    }

    #[test]
    fn nothing_to_be_seen_is_none() {
        assert!(bounds("", Style::USUAL).is_none());
        assert!(bounds(" \u{202e} ", Style::USUAL).is_none());
        let tiny = Size::new(64, 36);
        assert!(Sign::new("H", Style::USUAL, tiny).is_none());
    }
}
