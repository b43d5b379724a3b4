//! How a JPEG file is laid out: size, components and scans, read from its markers alone. It tells what decoding will
//! cost and how much of the picture a cut file can hold, before anything is decoded.

use crate::{
    formats::{
        markers::{DHT, EOI, SOS, Segment, Segments},
        stored::DecodeError,
    },
    picture::{CHANNELS, Size},
};

/// One component of the frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Component {
    id: u8,
    across: u32,
    down: u32,
}

/// One scan: a pass over some components and some of their coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    components: Vec<u8>,
    first: u8,
    last: u8,
    /// Where the next marker stands; `None` in the scan that the file ends in.
    end: Option<usize>,
}

/// The grid of a picture's units, each a run of blocks that are coded together and stand for a square of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Pixels across.
    pub(crate) width: usize,
    /// Pixels down.
    pub(crate) height: usize,
    /// Units in a row.
    pub(crate) across: usize,
    /// Rows of units.
    pub(crate) down: usize,
}

/// The layout of a JPEG, by its markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The size as stored, before any turning.
    pub(crate) size: Size,
    pub(crate) progressive: bool,
    components: Vec<Component>,
    pub(crate) scans: Vec<Scan>,
    /// Where the end of image marker stands.
    pub(crate) end: Option<usize>,
    /// Where the first scan begins, if no Huffman table stands before it: those of ITU-T T.81, Annex K.3, are meant.
    pub(crate) lacks_tables_at: Option<usize>,
}

impl Layout {
    /// Walks the markers to the end of the image.
    ///
    /// # Errors
    /// No frame header, no scan, or a process that no decoder of ours knows.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut layout: Option<Self> = None;
        let mut complete = false;
        let mut has_tables = false;
        for segment in Segments::new(bytes) {
            complete |= segment.marker == EOI;
            has_tables |= segment.marker == DHT;
            let Some(layout) = &mut layout else {
                if segment.is_frame() {
                    layout = Some(Self::from_frame(&segment)?);
                }
                continue;
            };
            if let Some(scan @ Scan { end: None, .. }) = layout.scans.last_mut() {
                scan.end = Some(segment.start);
            }
            match segment.marker {
                EOI => layout.end = Some(segment.start),
                SOS if !segment.cut => {
                    if layout.scans.is_empty() && !has_tables {
                        layout.lacks_tables_at = Some(segment.start);
                    }
                    layout.scans.extend(Scan::from_header(segment.content));
                }
                _ => {}
            }
        }
        match layout {
            Some(layout) if !layout.scans.is_empty() => Ok(layout),
            // An end without a picture before it was not cut off, it was made so.
            _ if complete => Err(DecodeError::Damaged("there is no picture in it".into())),
            _ => Err(DecodeError::Truncated { percent: Some(0) }),
        }
    }

    fn from_frame(segment: &Segment<'_>) -> Result<Self, DecodeError> {
        let unsupported = |what: &str| Err(DecodeError::Unsupported(format!("{what} JPEG")));
        let progressive = match segment.marker {
            0xC0 | 0xC1 => false,
            0xC2 => true,
            0xC3 => return unsupported("lossless"),
            0xC9..=0xCF => return unsupported("arithmetic-coded"),
            _ => return unsupported("hierarchical"),
        };
        if segment.cut {
            return Err(DecodeError::Truncated { percent: Some(0) });
        }
        let (Some((width, height)), Some((&n_components, components))) = (
            segment.frame_size(),
            segment.content.get(5..).and_then(<[u8]>::split_first),
        ) else {
            return Err(DecodeError::Damaged("its header is too short".into()));
        };
        if segment.content[0] != 8 {
            return unsupported(&format!("{} bit", segment.content[0]));
        }
        let components: Vec<_> = components
            .as_chunks::<3>()
            .0
            .iter()
            .take(usize::from(n_components))
            .map(|&[id, sampling, _]| Component {
                id,
                across: u32::from(sampling >> 4),
                down: u32::from(sampling & 15),
            })
            .collect();
        if !matches!(components.len(), 1..=4)
            || components
                .iter()
                .any(|c| !(1..=4).contains(&c.across) || !(1..=4).contains(&c.down))
        {
            return Err(DecodeError::Damaged("its colours make no sense".into()));
        }
        Ok(Self {
            size: Size::new(width, height),
            progressive,
            components,
            scans: vec![],
            end: None,
            lacks_tables_at: None,
        })
    }

    /// Where the scans end that are followed by a marker, so are there to their last byte.
    pub(crate) fn whole_scans(&self) -> impl Iterator<Item = usize> {
        self.scans.iter().map_while(|scan| scan.end)
    }

    /// Whether the first scan has all there is: the pixels can be painted as they come.
    pub(crate) fn is_in_one_pass(&self) -> bool {
        let complete = |scan: &Scan| scan.components.len() == self.components.len();
        !self.progressive && self.scans.first().is_some_and(complete)
    }

    /// Whether it has a layout that zune-jpeg 0.5.15 decodes wrongly without a word: chroma finer than luma, or as coarse in one
    /// direction as in no camera's (zune-image issues 273 and 436), or subsampled in scans of their own (issue 422).
    pub(crate) fn is_odd(&self) -> bool {
        let Some((first, others)) = self.components.split_first() else {
            return false;
        };
        let is_one = |c: &Component| (c.across, c.down) == (1, 1);
        let is_subsampled = !self.components.iter().all(is_one);
        let is_apart = !self.progressive && !self.scans.is_empty() && !self.is_in_one_pass();
        // Black may be as fine as the first ink.
        let is_black =
            |at: usize, c: &Component| at == 2 && (c.across, c.down) == (first.across, first.down);
        let mut others = others.iter().enumerate();
        others.any(|(at, c)| !is_one(c) && !is_black(at, c)) || (is_subsampled && is_apart)
    }

    /// The units of its first scan, if that has all components.
    pub(crate) fn unit(&self) -> Unit {
        let (mut across, mut down) = (1, 1);
        // Of one component each block is a unit, whatever its header says.
        if self.components.len() > 1 {
            across = self.components.iter().map(|c| c.across).max().unwrap_or(1);
            down = self.components.iter().map(|c| c.down).max().unwrap_or(1);
        }
        let (width, height) = (8 * across, 8 * down);
        Unit {
            width: width as usize,
            height: height as usize,
            across: self.size.width.div_ceil(width) as usize,
            down: self.size.height.div_ceil(height) as usize,
        }
    }

    /// The blocks of a component in each unit.
    pub(crate) fn n_blocks(&self, id: u8) -> Option<u32> {
        let component = self.components.iter().find(|c| c.id == id)?;
        Some(component.across * component.down)
    }

    /// Components: 1 for grey, 3 for colours, 4 for inks.
    pub(crate) fn n_components(&self) -> usize {
        self.components.len()
    }

    /// Memory that decoding takes: the pixels and, where the picture does not come in one pass, all its coefficients.
    pub(crate) fn n_bytes_to_decode(&self) -> u64 {
        // Inks are decoded as such, and become a picture after.
        let inks = if self.components.len() == 4 { 4 } else { 0 };
        let pixels = self.size.n_pixels() * (CHANNELS as u64 + inks);
        if self.is_in_one_pass() && !self.is_odd() {
            return pixels;
        }
        let across = self.components.iter().map(|c| c.across).max().unwrap_or(1);
        let down = self.components.iter().map(|c| c.down).max().unwrap_or(1);
        let n_units = u64::from(self.size.width.div_ceil(8 * across))
            * u64::from(self.size.height.div_ceil(8 * down));
        let n_blocks: u64 = self
            .components
            .iter()
            .map(|c| n_units * u64::from(c.across * c.down))
            .sum();
        // Coefficients of two bytes, and of what is odd the samples, too.
        pixels + n_blocks * 64 * if self.is_odd() { 3 } else { 2 }
    }

    /// How much of a picture that comes in several passes its first `n_scans` scans make, in percent: half of it are the averages of
    /// the blocks, the other half their finer coefficients, each component weighted by its samples. Without the averages of a colour it is no
    /// more than half.
    pub(crate) fn percent_covered(&self, n_scans: usize) -> u32 {
        let (mut there, mut whole, mut most) = (0, 0, 100);
        for component in &self.components {
            let mut seen = [false; 64];
            for scan in self
                .scans
                .iter()
                .take(n_scans)
                .filter(|scan| scan.components.contains(&component.id))
            {
                let (first, last) = (usize::from(scan.first), usize::from(scan.last));
                seen.get_mut(first..=last.max(first))
                    .unwrap_or_default()
                    .fill(true);
            }
            let n_finer: u32 = seen[1..].iter().map(|&seen| u32::from(seen)).sum();
            if !seen[0] {
                most = 50;
            }
            let weight = component.across * component.down;
            there += weight * (u32::from(seen[0]) * 50 + n_finer * 50 / 63);
            whole += weight * 100;
        }
        (there * 100 / whole.max(1)).min(most)
    }
}

impl Scan {
    fn from_header(content: &[u8]) -> Option<Self> {
        let (&n_components, rest) = content.split_first()?;
        let (components, rest) = rest.split_at_checked(2 * usize::from(n_components))?;
        let &[first, last, ..] = rest else {
            return None;
        };
        Some(Self {
            components: components.iter().step_by(2).copied().collect(),
            first,
            last,
            end: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progressive(width: u16, height: u16) -> Vec<u8> {
        let mut jpeg = vec![];
        let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
        encoder.set_progressive_scans(4);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        let pixels: Vec<u8> = (0..usize::from(width) * usize::from(height) * 3)
            .map(|i| (i * i / 7) as u8)
            .collect();
        encoder
            .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        jpeg
    }

    #[test]
    fn scans_add_up_to_a_picture() {
        let jpeg = progressive(70, 50);
        let layout = Layout::read(&jpeg).unwrap();
        assert!(layout.progressive);
        assert_eq!(layout.size, Size::new(70, 50));
        let unit = layout.unit();
        assert_eq!((unit.height, unit.across, unit.down), (16, 5, 4));
        assert!(!layout.is_odd());
        assert_eq!(layout.end, Some(jpeg.len() - 2));
        assert_eq!(layout.percent_covered(0), 0);
        assert_eq!(layout.percent_covered(layout.scans.len()), 100);
        let steps: Vec<_> = (0..=layout.scans.len())
            .map(|n| layout.percent_covered(n))
            .collect();
        assert!(steps.is_sorted(), "{steps:?}");
        assert!(layout.scans.iter().all(|scan| scan.end.is_some()));
        // 5 x 4 units of four blocks and two more, two bytes a coefficient.
        assert_eq!(layout.n_bytes_to_decode(), 70 * 50 * 3 + 5 * 4 * 6 * 64 * 2);
    }

    #[test]
    fn a_cut_file_ends_in_an_open_scan() {
        let jpeg = progressive(70, 50);
        let layout = Layout::read(&jpeg[..jpeg.len() - 10]).unwrap();
        assert_eq!(layout.end, None);
        assert_eq!(
            layout
                .scans
                .iter()
                .filter(|scan| scan.end.is_none())
                .count(),
            1
        );
    }

    #[test]
    fn what_no_decoder_knows_is_named() {
        let with_frame = |marker: u8, bits: u8| {
            let mut jpeg = progressive(8, 8);
            let at = jpeg
                .windows(2)
                .position(|pair| pair == [0xFF, 0xC2])
                .unwrap();
            jpeg[at + 1] = marker;
            jpeg[at + 4] = bits;
            Layout::read(&jpeg)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert_eq!(with_frame(0xC2, 8), Ok(()));
        assert_eq!(
            with_frame(0xC9, 8),
            Err("arithmetic-coded JPEG pictures are not supported".into())
        );
        assert_eq!(
            with_frame(0xC3, 8),
            Err("lossless JPEG pictures are not supported".into())
        );
        assert_eq!(
            with_frame(0xC1, 12),
            Err("12 bit JPEG pictures are not supported".into())
        );
        assert_eq!(
            Layout::read(&[0xFF, 0xD8, 0xFF, 0xD9]),
            Err(DecodeError::Damaged("there is no picture in it".into()))
        );
        assert_eq!(
            Layout::read(&[0xFF, 0xD8, 0xFF]),
            Err(DecodeError::Truncated { percent: Some(0) })
        );
    }
}
