//! H.264 that comes in, made into JPEGs, picture by picture: by a decoder, and in the words between its process and the
//! program. Like a photo's, the decoder is other people's and reads bytes that anybody may have written, so that it has a
//! process of its own where there are such (`child`); this starts none, and believes neither side's numbers.

use std::io::{self, Read, Write};

/// The largest unit of a stream, in bytes, and the largest picture that is made of one.
pub(crate) const MAX_UNIT_BYTES: usize = 8 << 20;
const MAX_JPEG_BYTES: usize = 32 << 20;
/// The memory that decoding takes at most: reference pictures of 4K and what is made of one.
pub(crate) const MEMORY: u64 = 512 << 20;

/// The outcome of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A picture, as a JPEG.
    Picture(Vec<u8>),
    /// No picture yet.
    Nothing,
    /// It can't be decoded: pictures come again from the next key frame on.
    Lost,
}

/// Writes a unit for a decoder's process.
pub(crate) fn write_unit(to: &mut impl Write, unit: &[u8]) -> io::Result<()> {
    let n = u32::try_from(unit.len()).map_err(|_| nonsense("a unit that is too large"))?;
    to.write_all(&n.to_be_bytes())?;
    to.write_all(unit)?;
    to.flush()
}

/// Reads what became of it.
pub(crate) fn read_outcome(from: &mut impl Read) -> io::Result<Outcome> {
    let mut tag = [0];
    from.read_exact(&mut tag)?;
    match tag[0] {
        0 => Ok(Outcome::Nothing),
        1 => Ok(Outcome::Picture(read_bytes(from, MAX_JPEG_BYTES)?)),
        2 => Ok(Outcome::Lost),
        _ => Err(nonsense("no such outcome")),
    }
}

fn write_outcome(to: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Nothing => to.write_all(&[0])?,
        Outcome::Picture(jpeg) => {
            to.write_all(&[1])?;
            write_unit(to, jpeg)?;
        }
        Outcome::Lost => to.write_all(&[2])?,
    }
    to.flush()
}

fn read_bytes(from: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut n = [0; 4];
    from.read_exact(&mut n)?;
    let n = u32::from_be_bytes(n) as usize;
    if n > limit {
        return Err(nonsense("more bytes than there can be"));
    }
    let mut bytes = vec![0; n];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn nonsense(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Decodes the units that come until there are no more; `lend` is called before each.
pub(crate) fn serve(from: &mut impl Read, to: &mut impl Write, lend: impl Fn()) -> io::Result<()> {
    let mut decoder = Decoder::default();
    loop {
        lend();
        let unit = match read_bytes(from, MAX_UNIT_BYTES) {
            Ok(unit) => unit,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        write_outcome(to, &decoder.decode(&unit))?;
    }
}

#[cfg(feature = "h264")]
pub(crate) use decoder::Decoder;
#[cfg(not(feature = "h264"))]
pub(crate) use without::Decoder;

/// A program without H.264 decodes none.
#[cfg(not(feature = "h264"))]
mod without {
    use super::Outcome;

    #[derive(Default)]
    pub(crate) struct Decoder;

    impl Decoder {
        pub(crate) fn decode(&mut self, _: &[u8]) -> Outcome {
            Outcome::Lost
        }
    }
}

#[cfg(feature = "h264")]
mod decoder {
    use mantel_media::{
        annexb::{Unit, split},
        avc::{Colour, ParameterSets},
    };
    use openh264::formats::YUVSource;
    use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_rgb};

    use super::Outcome;
    use crate::render::{Picture, Quality, encode};

    /// The quality of the JPEGs, which are decoded again here.
    const QUALITY: u8 = 90;
    /// The longest side of a picture.
    const MAX_SIDE: usize = 4096;

    /// A decoder of one stream.
    #[derive(Default)]
    pub(crate) struct Decoder {
        decoder: Option<openh264::decoder::Decoder>,
        colour: Option<Colour>,
        /// Whether a key frame is waited for.
        is_lost: bool,
    }

    impl Decoder {
        /// The outcome of a unit, with start codes.
        pub(crate) fn decode(&mut self, bytes: &[u8]) -> Outcome {
            let unit = Unit::new(split(bytes));
            if let Ok(Some(sets)) = ParameterSets::of(&unit) {
                let head = sets.head();
                if !head.is_progressive || head.luma_bits != 8 || head.chroma != 1 {
                    return self.lose();
                }
                self.colour = Some(head.colour);
            }
            if !unit.is_key() && (self.is_lost || self.decoder.is_none()) {
                return Outcome::Lost;
            }
            if self.decoder.is_none() {
                self.decoder = openh264::decoder::Decoder::new().ok();
            }
            let Some(decoder) = &mut self.decoder else {
                return Outcome::Lost;
            };
            let picture = match decoder.decode(bytes) {
                Ok(None) => Ok(None),
                Ok(Some(planes)) => picture(&planes, self.colour).map(Some),
                Err(_) => Err(()),
            };
            match picture {
                Ok(picture) => {
                    self.is_lost = false;
                    picture.map_or(Outcome::Nothing, Outcome::Picture)
                }
                Err(()) => self.lose(),
            }
        }

        /// Forgets what was decoded, which is of no use any more.
        fn lose(&mut self) -> Outcome {
            self.decoder = None;
            self.is_lost = true;
            Outcome::Lost
        }
    }

    fn picture(planes: &impl YUVSource, colour: Option<Colour>) -> Result<Vec<u8>, ()> {
        let (width, height) = planes.dimensions();
        let sides = 2..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(());
        }
        let (width, height) = (width as u32, height as u32);
        let (y, u, v) = planes.strides();
        let image = YuvPlanarImage {
            y_plane: planes.y(),
            y_stride: y as u32,
            u_plane: planes.u(),
            u_stride: u as u32,
            v_plane: planes.v(),
            v_stride: v as u32,
            width,
            height,
        };
        // Senders of WebRTC mostly say nothing, and mean BT.601.
        let matrix = match colour.map(|colour| colour.matrix) {
            Some(1) => YuvStandardMatrix::Bt709,
            _ => YuvStandardMatrix::Bt601,
        };
        let range = match colour {
            Some(colour) if colour.is_full_range => YuvRange::Full,
            _ => YuvRange::Limited,
        };
        let mut rgb = vec![0; width as usize * height as usize * 3];
        yuv420_to_rgb(&image, &mut rgb, width * 3, range, matrix).map_err(|_| ())?;
        let picture = Picture::new(width, height, rgb).map_err(|_| ())?;
        let quality = Quality::new(QUALITY).unwrap_or_default();
        encode(&picture, quality).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_as_they_were_written() {
        for outcome in [
            Outcome::Nothing,
            Outcome::Lost,
            Outcome::Picture(vec![0xff, 0xd8, 7]),
        ] {
            let mut bytes = Vec::new();
            write_outcome(&mut bytes, &outcome).unwrap();
            assert_eq!(read_outcome(&mut &bytes[..]).unwrap(), outcome);
            for end in 0..bytes.len() {
                assert!(read_outcome(&mut &bytes[..end]).is_err());
            }
        }
        assert!(read_outcome(&mut &[1, 255, 255, 255, 255][..]).is_err());
        assert!(read_outcome(&mut &[3][..]).is_err());
    }

    #[test]
    fn nonsense_is_lost_and_ends_nothing() {
        let mut units = Vec::new();
        for unit in [
            &b""[..],
            b"hello",
            &[0, 0, 0, 1, 0x65, 0x88],
            &[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xff, 0xff],
        ] {
            write_unit(&mut units, unit).unwrap();
        }
        let mut answers = Vec::new();
        serve(&mut &units[..], &mut answers, || {}).unwrap();
        let mut answers = &answers[..];
        for _ in 0..4 {
            let outcome = read_outcome(&mut answers).unwrap();
            assert!(!matches!(outcome, Outcome::Picture(_)), "{outcome:?}");
        }
        assert!(answers.is_empty());
    }
}
