//! H.264 out of Flash Video, which tells each unit's length before it: a picture is known to be whole when its last byte is there, not when
//! the next one begins. Pure but for the pipe that it reads.

use std::io::{self, Read};

use mantel_media::annexb::{Nal, NalKind, Unit};

/// The most bytes of one tag that is believed.
const MAX_TAG: usize = 16 << 20;
/// The kind of tag that has video, and its codec.
const VIDEO: u8 = 9;
const AVC: u8 = 7;

/// Reads units, as Annex B, from what an encoder writes.
pub(super) struct Units<R> {
    from: R,
    has_begun: bool,
    /// Parameter sets, which stand apart.
    sets: Vec<Vec<u8>>,
}

impl<R: Read> Units<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            has_begun: false,
            sets: Vec::new(),
        }
    }

    /// The next unit; a key frame has its parameter sets before it.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        if !self.has_begun {
            // What it is, and the length of a tag before the first.
            let mut head = [0; 13];
            self.from.read_exact(&mut head)?;
            if !head.starts_with(b"FLV") {
                return Err(malformed());
            }
            self.has_begun = true;
        }
        loop {
            let mut head = [0; 11];
            self.from.read_exact(&mut head)?;
            let length = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            if length > MAX_TAG {
                return Err(malformed());
            }
            // With the length once more.
            let mut tag = vec![0; length + 4];
            self.from.read_exact(&mut tag)?;
            tag.truncate(length);
            let [frame, kind, _, _, _, content @ ..] = tag.as_slice() else {
                continue;
            };
            match (head[0], frame & 15, kind) {
                (VIDEO, AVC, 0) => self.sets = sets(content).ok_or_else(malformed)?,
                (VIDEO, AVC, 1) => return self.unit(content).ok_or_else(malformed),
                _ => {}
            }
        }
    }

    fn unit(&self, mut content: &[u8]) -> Option<Vec<u8>> {
        let mut nals = Vec::new();
        while let Some((length, rest)) = content.split_first_chunk::<4>() {
            let (nal, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            nals.extend(Nal::new(nal));
            content = rest;
        }
        let has = |kind| nals.iter().any(|nal| nal.kind() == kind);
        let sets: Vec<Nal> = if has(NalKind::IdrSlice) && !has(NalKind::Sps) {
            self.sets.iter().filter_map(|set| Nal::new(set)).collect()
        } else {
            Vec::new()
        };
        Some(Unit::new(sets.into_iter().chain(nals)).annexb().to_vec())
    }
}

/// The parameter sets of a decoder's configuration (ISO/IEC 14496-15, 5.3.3.1).
fn sets(record: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = record.get(5..)?;
    let mut sets = Vec::new();
    for mask in [0x1F, 0xFF] {
        let (n, more) = rest.split_first()?;
        rest = more;
        for _ in 0..n & mask {
            let (length, more) = rest.split_first_chunk::<2>()?;
            let (set, more) = more.split_at_checked(u16::from_be_bytes(*length).into())?;
            sets.push(set.to_vec());
            rest = more;
        }
    }
    Some(sets)
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "what the encoder wrote makes no sense",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind], &length[1..], &[0; 7], content, &[0; 4]].concat()
    }

    fn stream() -> Vec<u8> {
        let record = [
            &[1, 66, 0, 10, 0xFF, 0xE1, 0, 3][..],
            b"\x67sp",
            &[1, 0, 2],
            b"\x68p",
        ]
        .concat();
        let key = [&[0x17, 1, 0, 0, 0, 0, 0, 0, 2][..], b"\x65k"].concat();
        let other = [&[0x27, 1, 0, 0, 0, 0, 0, 0, 2][..], b"\x41o"].concat();
        [
            b"FLV\x01\x01\0\0\0\x09\0\0\0\0".to_vec(),
            tag(18, b"words"),
            tag(9, &[&[0x17, 0, 0, 0, 0][..], &record].concat()),
            tag(9, &key),
            tag(9, &other),
        ]
        .concat()
    }

    #[test]
    fn units_come_whole_with_their_sets_before_a_key_frame() {
        let stream = stream();
        let mut units = Units::new(stream.as_slice());
        let first = [
            &[0, 0, 0, 1][..],
            b"\x67sp",
            &[0, 0, 0, 1],
            b"\x68p",
            &[0, 0, 0, 1],
            b"\x65k",
        ];
        assert_eq!(units.next().unwrap(), first.concat());
        assert_eq!(units.next().unwrap(), b"\0\0\0\x01\x41o");
        assert!(units.next().is_err(), "it ends there");
    }

    #[test]
    fn nothing_that_is_cut_or_spoiled_breaks_anything() {
        let stream = stream();
        for end in 0..stream.len() {
            let mut units = Units::new(&stream[..end]);
            let n = std::iter::from_fn(|| units.next().ok()).count();
            assert!(n < 2);
        }
        for at in 0..stream.len() {
            for byte in [0, 0x7F, 0xFF] {
                let mut spoiled = stream.clone();
                spoiled[at] = byte;
                let mut units = Units::new(spoiled.as_slice());
                assert!(std::iter::from_fn(|| units.next().ok()).count() <= 2);
            }
        }
    }
}
