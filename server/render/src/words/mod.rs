//! Words on a picture: white, over a soft shade that keeps them readable on any photo. Any script: shaped, in both
//! directions, with the system's fonts where the bundled one has no letters. Knows no photos and decides no words.
//!
//! One thing outlives a call and can't be seen in a result but by its absence: the fonts, found once.

mod clean;
mod fonts;
mod sign;

use cosmic_text::{
    Attrs, Buffer, Color, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics, Shaping,
    SwashCache, Wrap,
};

use crate::picture::{CHANNELS, Picture, Size};
use clean::clean;
pub use sign::{Column, Place, Row, Sign, Style};

/// The words that are to be written; either may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// In larger letters.
    pub text: String,
    /// Below it, in smaller ones.
    pub details: String,
}

impl Caption {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.details.trim().is_empty()
    }
}

/// Lines of either; what is longer ends in an ellipsis.
const MAX_LINES: usize = 2;
/// The frame's short side has so many times the height of the larger letters, and of the smaller ones.
const LARGE: f32 = 27.0;
const SMALL: f32 = 38.0;
/// From one line to the next, in letter heights.
const LEADING: f32 = 1.3;
/// The margin at the sides and below, as a share of the frame's short side.
const MARGIN: f32 = 0.042;
/// How dark the shade is at its darkest, in 256ths.
const SHADE: f32 = 184.0;
/// Letters below this height can't be read: frames that are so small are left without.
const SMALLEST: f32 = 6.0;

/// Writes `caption` at the bottom of a part of the picture, which begins at `place` and has the size `room`, in lines
/// that have all of it or only so much: from which column, and how wide. How large the letters are depends on the
/// whole picture alone.
pub fn write(
    picture: &mut Picture,
    place: (u32, u32),
    room: Size,
    lines: (u32, u32),
    caption: &Caption,
) {
    let (text, details) = (clean(&caption.text), clean(&caption.details));
    let short = picture.width().min(picture.height()) as f32;
    if text.is_empty() && details.is_empty() || short / SMALL < SMALLEST {
        return;
    }
    let margin = (short * MARGIN).round();
    let width = lines.1.min(room.width) as f32 - 2.0 * margin;
    if width < short / LARGE * 2.0 {
        return;
    }
    fonts::with(&format!("{text}{details}"), |system| {
        let blocks: Vec<Block> = [(text, LARGE), (details, SMALL)]
            .into_iter()
            .filter(|(text, _)| !text.is_empty())
            .map(|(text, share)| Block::new(system, &text, short / share, width))
            .collect();
        let gap = (short / SMALL * 0.2).round();
        let height: f32 = blocks.iter().map(|block| block.height).sum::<f32>()
            + gap * (blocks.len().saturating_sub(1)) as f32;
        let bottom = (place.1 + room.height).min(picture.height()) as f32;
        let top = bottom - margin - height;
        shade(picture, place, room, top - height.max(margin) * 1.3);
        let mut at = top;
        for mut block in blocks {
            block.draw(system, picture, (lines.0 as f32 + margin, at));
            at += block.height + gap;
        }
    });
}

/// Some lines of one size.
struct Block {
    buffer: Buffer,
    size: f32,
    height: f32,
}

impl Block {
    fn new(system: &mut FontSystem, text: &str, size: f32, width: f32) -> Self {
        let line = (size * LEADING).round();
        let mut buffer = Buffer::new(system, Metrics::new(size, line));
        buffer.set_wrap(Wrap::WordOrGlyph);
        buffer.set_size(Some(width), None);
        set_text(&mut buffer, system, text);
        let starts: Vec<usize> = buffer
            .layout_runs()
            .filter_map(|run| run.glyphs.iter().map(|glyph| glyph.start).min())
            .collect();
        let last = starts
            .get(MAX_LINES - 1)
            .filter(|_| starts.len() > MAX_LINES);
        if let Some((lines, rest)) = last.and_then(|last| text.split_at_checked(*last)) {
            // The last line is laid out by itself: cut off on the way, it would begin with a space.
            buffer.set_wrap(Wrap::None);
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(1)));
            let lines = format!("{}\n{}", lines.trim_end(), rest.trim_start());
            set_text(&mut buffer, system, &lines);
        }
        let n_lines = buffer.layout_runs().count().min(MAX_LINES);
        Self {
            buffer,
            size,
            height: line * n_lines as f32,
        }
    }

    fn draw(&mut self, system: &mut FontSystem, picture: &mut Picture, at: (f32, f32)) {
        // Of this caption alone: kept glyphs would grow for ever.
        let mut glyphs = SwashCache::new();
        let (left, top) = (at.0.round() as i32, at.1.round() as i32);
        // A trace of a shadow first: it keeps fine strokes apart from a bright sky.
        let shift = (self.size / 22.0).round().max(1.0) as i32;
        let limit = self.height as i32 + shift;
        let passes = [
            (shift, Color::rgba(0, 0, 0, 110), true),
            (0, Color::rgb(255, 255, 255), false),
        ];
        for (shift, colour, is_shadow) in passes {
            self.buffer.draw(
                system,
                &mut glyphs,
                colour,
                |x, y, width, height, colour| {
                    // What stands out of its lines is cut off: marks can be piled up to the sky.
                    if y < -limit || y > 2 * limit {
                        return;
                    }
                    // Emoji cast no shadow of their own colours.
                    let colour = if is_shadow {
                        (colour.a().min(110), [0; 3])
                    } else {
                        (colour.a(), [colour.r(), colour.g(), colour.b()])
                    };
                    for dy in 0..height.cast_signed() {
                        for dx in 0..width.cast_signed() {
                            mix(
                                picture,
                                (left + x + dx + shift, top + y + dy + shift),
                                colour,
                            );
                        }
                    }
                },
            );
        }
    }
}

fn set_text(buffer: &mut Buffer, system: &mut FontSystem, text: &str) {
    let attrs = Attrs::new().family(Family::Name(fonts::FAMILY));
    buffer.set_text(text, &attrs, Shaping::Advanced, None);
    buffer.shape_until_scroll(system, false);
}

/// Lays `colour` over a pixel, as much as its alpha says.
fn mix(picture: &mut Picture, (x, y): (i32, i32), (alpha, rgb): (u8, [u8; 3])) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
        return;
    };
    if x >= picture.width() || y >= picture.height() {
        return;
    }
    let at = y as usize * picture.stride() + x as usize * CHANNELS;
    let alpha = u32::from(alpha);
    for (byte, own) in picture.pixels_mut()[at..at + CHANNELS].iter_mut().zip(rgb) {
        let sum = u32::from(*byte) * (255 - alpha) + u32::from(own) * alpha;
        *byte = ((sum + 127) / 255) as u8;
    }
}

/// Darkens the part from `top` down, more and more, without an edge to be seen.
#[expect(
    clippy::cast_sign_loss,
    reason = "a place in the picture and a share, neither below zero"
)]
fn shade(picture: &mut Picture, place: (u32, u32), room: Size, top: f32) {
    let end = (place.1 + room.height).min(picture.height());
    let start = (top.max(place.1 as f32)) as u32;
    let stride = picture.stride();
    let left = place.0.min(picture.width()) as usize * CHANNELS;
    let right = (place.0 + room.width).min(picture.width()) as usize * CHANNELS;
    for y in start..end {
        let t = (y - start) as f32 / (end - start) as f32;
        // Without a bend to be seen, and level where the letters stand.
        let t = (t * 1.25).min(1.0);
        let share = SHADE * t * t * (3.0 - 2.0 * t);
        let keep = 256 - (share as u32).min(256);
        let row = &mut picture.pixels_mut()[y as usize * stride..][..stride];
        for (i, byte) in row[left..right].iter_mut().enumerate() {
            // Two levels of dithering: a smooth sky shows every step.
            let noise = ((i / CHANNELS) as u32 ^ y) & 1;
            *byte = ((u32::from(*byte) * keep + noise * 128) >> 8).min(255) as u8;
        }
    }
}

#[cfg(test)]
mod tests;
