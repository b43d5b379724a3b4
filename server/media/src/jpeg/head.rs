//! The head of a picture: all that it says about itself before its first scan.

use alloc::vec::Vec;

use super::{
    JpegError, JpegErrorKind, marker,
    segments::{Segment, Segments, fail},
};

/// The facts that stand before a picture's first scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How it is coded.
    pub coding: Coding,
    /// Bits of a sample; eight in all that browsers show.
    pub precision_bits: u8,
    /// Width in pixels, at least one.
    pub width: u16,
    /// Height in pixels, at least one.
    pub height: u16,
    /// One to four, in the frame header's order.
    pub components: Vec<Component>,
    /// Whether Huffman tables are there. Where they are not, those of T.81's Annex K.3 are meant.
    pub has_tables: bool,
    /// How many blocks (MCUs) lie between two restart markers; 0 where there are none.
    pub restart_interval: u16,
    /// Whether a JFIF header is there.
    pub has_jfif: bool,
    /// Whether EXIF is there: orientation, position, a thumbnail.
    pub has_exif: bool,
    /// Whether it is the first of several in one file (CIPA DC-007, "MPF" in APP2): phones put
    /// a gain map or a second view right behind it, a JPEG of its own.
    pub has_more_pictures: bool,
    /// How many bytes APPn and COM take, their markers included.
    pub n_extra_bytes: usize,
    /// Whether a comment is there.
    pub has_comment: bool,
    /// The colour transform in Adobe's APP14: 0 none (RGB or CMYK), 1 YCbCr, 2 YCCK.
    pub adobe_transform: Option<u8>,
}

/// How a frame is coded, by its SOF marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// SOF0.
    Baseline,
    /// SOF1.
    Extended,
    /// SOF2.
    Progressive,
    /// SOF3.
    Lossless,
    /// Hierarchical or arithmetic, which hardly anything decodes: the marker's second byte.
    Other(u8),
}

/// A component of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Component {
    /// The number; 1 to 3 for Y, Cb, Cr in JFIF.
    pub id: u8,
    /// How many samples it has across, per block of the frame: 1 to 4.
    pub across: u8,
    /// The samples down.
    pub down: u8,
}

impl Head {
    /// Reads what stands before the first scan of the picture that begins where `bytes` do. What stands
    /// behind need not have come.
    ///
    /// # Errors
    ///
    /// What a [`JpegErrorKind`] names, up to the first SOS.
    pub fn parse(bytes: &[u8]) -> Result<Self, JpegError> {
        let mut segments = Segments::new(bytes)?;
        let mut head = Self::nothing();
        loop {
            let segment = segments.next()?;
            match segment.marker {
                // `next` has seen to it that a frame header stood before.
                marker::SOS => return Ok(head),
                marker::EOI => return fail(JpegErrorKind::NoFrame, segment.at),
                _ => head.read(&segment)?,
            }
        }
    }

    /// Whether colour is halved both ways and brightness is not: what most cameras and players use.
    pub fn is_420(&self) -> bool {
        let sampling = |at: usize| self.components.get(at).map(|c| (c.across, c.down));
        self.components.len() == 3
            && sampling(0) == Some((2, 2))
            && sampling(1) == Some((1, 1))
            && sampling(2) == Some((1, 1))
    }

    fn nothing() -> Self {
        Self {
            coding: Coding::Baseline,
            precision_bits: 0,
            width: 0,
            height: 0,
            components: Vec::new(),
            has_tables: false,
            restart_interval: 0,
            has_jfif: false,
            has_exif: false,
            has_more_pictures: false,
            n_extra_bytes: 0,
            has_comment: false,
            adobe_transform: None,
        }
    }

    fn read(&mut self, segment: &Segment<'_>) -> Result<(), JpegError> {
        let content = segment.content;
        match segment.marker {
            marker::DHT => self.has_tables = true,
            marker::DRI => {
                let &[high, low] = content else {
                    return fail(JpegErrorKind::BadLength, segment.at);
                };
                self.restart_interval = u16::from_be_bytes([high, low]);
            }
            marker::APP0 if content.starts_with(b"JFIF\0") => self.has_jfif = true,
            marker::APP1 if content.starts_with(b"Exif\0") => self.has_exif = true,
            marker::APP2 if content.starts_with(b"MPF\0") => self.has_more_pictures = true,
            marker::APP14 if content.starts_with(b"Adobe") => {
                self.adobe_transform = content.get(11).copied();
            }
            marker::COM => self.has_comment = true,
            code if marker::is_frame(code) => self.read_frame(segment)?,
            _ => {}
        }
        if is_extra(segment.marker) {
            self.n_extra_bytes += segment.whole.len();
        }
        Ok(())
    }

    /// T.81, B.2.2.
    fn read_frame(&mut self, segment: &Segment<'_>) -> Result<(), JpegError> {
        let Some((&[precision, h1, h0, w1, w0, n], rest)) = segment.content.split_first_chunk()
        else {
            return fail(JpegErrorKind::BadLength, segment.at);
        };
        if rest.len() != usize::from(n) * 3 {
            return fail(JpegErrorKind::BadLength, segment.at);
        }
        self.coding = match segment.marker {
            0xc0 => Coding::Baseline,
            0xc1 => Coding::Extended,
            0xc2 => Coding::Progressive,
            0xc3 => Coding::Lossless,
            other => Coding::Other(other),
        };
        self.precision_bits = precision;
        self.width = u16::from_be_bytes([w1, w0]);
        self.height = u16::from_be_bytes([h1, h0]);
        let component = |c: &[u8]| Component {
            id: c[0],
            across: c[1] >> 4,
            down: c[1] & 15,
        };
        if self.width == 0 || self.height == 0 || !(1..=4).contains(&n) {
            return fail(JpegErrorKind::BadFrame, segment.at);
        }
        self.components = rest.chunks_exact(3).map(component).collect();
        let odd = |side: u8| !(1..=4).contains(&side);
        if self.components.iter().any(|c| odd(c.across) || odd(c.down)) {
            return fail(JpegErrorKind::BadFrame, segment.at);
        }
        Ok(())
    }
}

impl Coding {
    /// Whether its coefficients come one scan a component or all in one, Huffman-coded: what the
    /// standard tables fit.
    pub fn is_sequential(self) -> bool {
        matches!(self, Self::Baseline | Self::Extended)
    }
}

/// Whether a marker carries something besides the picture: APPn and COM.
pub(super) fn is_extra(code: u8) -> bool {
    matches!(code, marker::APP0..=marker::APP15 | marker::COM)
}
