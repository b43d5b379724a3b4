//! JPEG XL: what its header says (ISO/IEC 18181-1, annexes D and E). The size and the turn stand in its first few
//! bytes, bit by bit.

use crate::render::bmff::Boxes;
use crate::render::orient::Orientation;
use crate::render::picture::Size;

/// Size as stored, and how it is to be turned; a JPEG XL always says so itself.
pub(crate) fn header(head: &[u8]) -> Option<(Size, Orientation)> {
    let stream = if head.starts_with(&[0xFF, 0x0A]) {
        head
    } else {
        Boxes::new(head).find_map(|found| match &found.name {
            b"jxlc" => Some(found.content),
            // The first of several parts; each has its number before it.
            b"jxlp" => found.content.get(4..),
            _ => None,
        })?
    };
    let mut bits = Bits {
        bytes: stream.strip_prefix(&[0xFF, 0x0A])?,
        at: 0,
    };
    let by_eight = bits.take(1)? == 1;
    let height = bits.side(by_eight)?;
    let width = match bits.take(3)? {
        0 => bits.side(by_eight)?,
        ratio => {
            let (across, down) =
                [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
            u32::try_from(u64::from(height) * across / down).ok()?
        }
    };
    let everything_usual = bits.take(1)? == 1;
    let orientation = if !everything_usual && bits.take(1)? == 1 {
        Orientation::from_exif(bits.take(3)? + 1)?
    } else {
        Orientation::Upright
    };
    (width > 0 && height > 0).then_some((Size::new(width, height), orientation))
}

/// Bits from the lowest of each byte.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<u32> {
        let mut taken = 0;
        for i in 0..n {
            let bit = self.bytes.get(self.at / 8)? >> (self.at % 8) & 1;
            taken |= u32::from(bit) << i;
            self.at += 1;
        }
        Some(taken)
    }

    fn side(&mut self, by_eight: bool) -> Option<u32> {
        if by_eight {
            return Some((self.take(5)? + 1) * 8);
        }
        let n_bits = [9, 13, 18, 30][self.take(2)? as usize];
        Some(self.take(n_bits)? + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::bmff::tests::boxed;

    /// Bits as they are written, the first ones first.
    fn stream(fields: &[(u32, usize)]) -> Vec<u8> {
        let mut bits = vec![];
        for &(value, n) in fields {
            bits.extend((0..n).map(|i| value >> i & 1));
        }
        let bytes = bits
            .chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |sum, &bit| sum << 1 | bit as u8));
        [0xFF, 0x0A].into_iter().chain(bytes).collect()
    }

    #[test]
    fn headers_are_read() {
        let usual = (1, 1);
        let turned = |n: u32| [(0, 1), (1, 1), (n - 1, 3)];
        // 4032x3024, once by its ratio of 4 to 3; 40x24 in steps of eight.
        let plain = [(0, 1), (1, 2), (3023, 13), (0, 3), (1, 2), (4031, 13)];
        let ratio = [(0, 1), (1, 2), (3023, 13), (3, 3)];
        let small = [(1, 1), (2, 5), (0, 3), (4, 5)];
        for (fields, width, height, orientation) in [
            ([&plain[..], &[usual]].concat(), 4032, 3024, 1),
            ([&ratio[..], &[usual]].concat(), 4032, 3024, 1),
            ([&small[..], &turned(6)].concat(), 40, 24, 6),
            ([&ratio[..], &turned(8)].concat(), 4032, 3024, 8),
            ([&plain[..], &[(0, 1), (0, 1)]].concat(), 4032, 3024, 1),
        ] {
            let bare = stream(&fields);
            let expected = Orientation::from_exif(orientation)
                .map(|orientation| (Size::new(width, height), orientation));
            assert_eq!(header(&bare), expected, "{fields:?}");
            let signature = boxed(b"JXL ", b"\r\n\x87\n");
            let whole = [signature.clone(), boxed(b"jxlc", &bare)].concat();
            assert_eq!(header(&whole), expected);
            let part = boxed(b"jxlp", &[&[0; 4], &bare[..]].concat());
            assert_eq!(header(&[signature, part].concat()), expected);
            for end in 0..bare.len() {
                assert!(header(&bare[..end]).is_none_or(|found| Some(found) == expected));
            }
        }
    }
}
