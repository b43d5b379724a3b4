//! Black and white as fax machines pack it (ITU-T T.4 and T.6), by the code tables of the `fax` crate: runs alone, lines with
//! marks between them, and lines that follow from the one before.

use fax::{
    BitReader, ByteReader, Color,
    maps::{Mode, black, mode, white},
};

use super::plan::Packing;

/// The lines, a bit a pixel, 1 for black, as many as make sense.
pub(super) fn unpack(packing: Packing, data: &[u8], width: u32, n_lines: u32) -> Vec<u8> {
    let mut lines = Vec::new();
    // A code is looked up by more bits than it may have.
    let bytes = data.iter().copied().chain([0; 4]);
    let Ok(mut bits) = ByteReader::new(bytes.map(Ok::<u8, std::io::Error>)) else {
        return lines;
    };
    // The places at which the colour changes, white first.
    let mut before: Vec<u32> = vec![];
    for _ in 0..n_lines {
        let line = match packing {
            Packing::Runs => {
                let n = bits.bits_to_byte_boundary();
                let _ = bits.consume(n);
                by_runs(&mut bits, width)
            }
            Packing::Fax3 { by_lines } => {
                to_mark(&mut bits);
                let by_itself = !by_lines || bits.peek(1) == Some(1);
                if by_lines {
                    let _ = bits.consume(1);
                }
                if by_itself {
                    by_runs(&mut bits, width)
                } else {
                    by_line(&mut bits, width, &before)
                }
            }
            _ => by_line(&mut bits, width, &before),
        };
        let Some(line) = line else {
            break;
        };
        paint(&line, width, &mut lines);
        before = line;
    }
    lines
}

/// Passes fill bits and the mark of a line's end, where there is one.
fn to_mark(bits: &mut impl BitReader) {
    // No code begins with so many zeros.
    if bits.peek(9) != Some(0) && bits.peek(11) != Some(0) {
        return;
    }
    while bits.peek(1) == Some(0) {
        let _ = bits.consume(1);
    }
    let _ = bits.consume(1);
}

fn run(bits: &mut impl BitReader, colour: Color) -> Option<u32> {
    let mut sum = 0_u32;
    loop {
        let n = match colour {
            Color::White => white::decode(bits)?,
            Color::Black => black::decode(bits)?,
        };
        sum = sum.checked_add(u32::from(n))?;
        if n < 64 {
            return Some(sum);
        }
    }
}

/// The next change; two at one place are none.
fn push(line: &mut Vec<u32>, at: u32) {
    if line.last() == Some(&at) {
        line.pop();
    } else {
        line.push(at);
    }
}

fn by_runs(bits: &mut impl BitReader, width: u32) -> Option<Vec<u32>> {
    let (mut line, mut at, mut colour) = (vec![], 0_u32, Color::White);
    while at < width {
        at = at.checked_add(run(bits, colour)?)?.min(width);
        push(&mut line, at);
        colour = !colour;
    }
    Some(line)
}

fn by_line(bits: &mut impl BitReader, width: u32, before: &[u32]) -> Option<Vec<u32>> {
    // A line begins left of its first pixel.
    let (mut line, mut at, mut colour) = (vec![], -1_i64, Color::White);
    // The first change above that lies further right; it only moves on, as `at` does.
    let mut above = 0;
    let end = i64::from(width);
    while at < end {
        while before.get(above).is_some_and(|&x| i64::from(x) <= at) {
            above += 1;
        }
        // The change to the other colour, and the one behind it.
        let first = above + usize::from((above % 2 == 1) != (colour == Color::Black));
        let change = |i: usize| before.get(i).map_or(end, |&x| i64::from(x));
        match mode::decode(bits)? {
            Mode::Pass => at = change(first + 1),
            Mode::Horizontal => {
                for _ in 0..2 {
                    at = at
                        .max(0)
                        .checked_add(i64::from(run(bits, colour)?))?
                        .min(end);
                    push(&mut line, u32::try_from(at).ok()?);
                    colour = !colour;
                }
            }
            Mode::Vertical(by) => {
                let next = (change(first) + i64::from(by)).min(end);
                push(&mut line, u32::try_from(next).ok().filter(|_| next >= at)?);
                at = next;
                colour = !colour;
            }
            Mode::Extension | Mode::EOF => return None,
        }
    }
    Some(line)
}

fn paint(line: &[u32], width: u32, lines: &mut Vec<u8>) {
    let start = lines.len();
    lines.resize(start + width.div_ceil(8) as usize, 0);
    let row = &mut lines[start..];
    let (runs, _) = line.as_chunks::<2>();
    let last = (line.len() % 2 == 1).then(|| [line[line.len() - 1], width]);
    for [from, to] in runs.iter().copied().chain(last) {
        for x in from..to {
            row[(x / 8) as usize] |= 0x80 >> (x % 8);
        }
    }
}
