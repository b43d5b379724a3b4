//! The words between a decoder's process and the program: a hello, then requests and replies in turn. Pure: the
//! bytes come and go by any reader and writer. Neither side believes the other's numbers: each is held against a limit
//! before memory is taken for what it announces. Knows no processes and decodes nothing.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
};

use crate::render::{DecodeError, DecodeLimits, Fit, Picture, Pixels, Share, Size, Slot};

/// A file may be as large as this; the gallery refuses larger ones before.
pub(crate) const MAX_FILE_BYTES: u64 = 512_000_000;
/// Explanations are sentences.
const MAX_TEXT_BYTES: usize = 1000;
const REQUEST: [u8; 4] = *b"Mrq1";
const REPLY: [u8; 4] = *b"Mrp1";
const HELLO: [u8; 4] = *b"Mhi1";

/// The purpose for which a photo's pixels are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// As it is, upright.
    Whole,
    /// In its place in a frame.
    Fitted(Slot),
}

/// A file to be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The limits of decoding.
    pub limits: DecodeLimits,
    /// In what shape its pixels are wanted.
    pub wish: Wish,
    /// The whole file.
    pub file: Vec<u8>,
}

/// The confinement of a decoder's process, as it says of itself when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confined {
    /// Limits of address space, processor time, files.
    pub limits: bool,
    /// A list of system calls beside which there are none.
    pub calls: bool,
}

impl Confined {
    /// The first bytes that a decoder's process writes.
    pub fn write(self, to: &mut impl Write) -> io::Result<()> {
        let flags = u8::from(self.limits) | u8::from(self.calls) << 1;
        to.write_all(&HELLO)?;
        to.write_all(&[flags])?;
        to.flush()
    }

    /// Reads them.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        mark(from, HELLO)?;
        let [flags] = array(from)?;
        Ok(Self {
            limits: flags & 1 != 0,
            calls: flags & 2 != 0,
        })
    }
}

/// A whole file in pieces, one behind the other.
pub type Pieces<'a> = Vec<Cow<'a, [u8]>>;

/// Writes a request, the file behind its head. Each piece is given back when it is written: the other side has it then, and
/// one copy of a large file is enough.
pub fn write_request(
    to: &mut impl Write,
    limits: &DecodeLimits,
    wish: Wish,
    file: Pieces<'_>,
) -> io::Result<()> {
    let n_bytes: u64 = file.iter().map(|piece| piece.len() as u64).sum();
    let (size, share, how) = match wish {
        Wish::Whole => (Size::new(0, 0), 0, 0),
        Wish::Fitted(slot) => (slot.frame, share_number(slot.share), fit_number(slot.fit)),
    };
    let mut head = Vec::with_capacity(48);
    head.extend(REQUEST);
    head.extend(limits.pixels.to_le_bytes());
    head.extend(limits.side.to_le_bytes());
    head.extend(limits.bytes.to_le_bytes());
    head.extend(size.width.to_le_bytes());
    head.extend(size.height.to_le_bytes());
    head.push(share);
    head.push(how);
    head.extend(n_bytes.to_le_bytes());
    to.write_all(&head)?;
    for piece in file {
        to.write_all(&piece)?;
    }
    to.flush()
}

impl Request {
    /// Reads a request, `None` where there is none any more.
    ///
    /// # Errors
    /// It is cut off, or makes no sense.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut first = [0];
        if from.read(&mut first)? == 0 {
            return Ok(None);
        }
        let rest: [u8; 3] = array(from)?;
        if first != REQUEST[..1] || rest != REQUEST[1..] {
            return Err(nonsense("it is no request"));
        }
        let limits = DecodeLimits {
            pixels: u64::from_le_bytes(array(from)?),
            side: u32::from_le_bytes(array(from)?),
            bytes: u64::from_le_bytes(array(from)?),
        };
        let size = size(from)?;
        let wish = match array(from)? {
            [0, 0] => Wish::Whole,
            [share_no, how] => Wish::Fitted(Slot {
                frame: size,
                share: share(share_no).ok_or_else(|| nonsense("no such share"))?,
                fit: fit(how).ok_or_else(|| nonsense("no such fit"))?,
            }),
        };
        if let Wish::Fitted(Slot { frame, .. }) = wish
            && ![frame.width, frame.height]
                .iter()
                .all(|side| (1..=Size::MAX_SIDE).contains(side))
        {
            return Err(nonsense("a frame without pixels"));
        }
        let n = u64::from_le_bytes(array(from)?);
        if n > MAX_FILE_BYTES {
            return Err(nonsense("a file that is too large"));
        }
        Ok(Some(Self {
            limits,
            wish,
            file: bytes(from, usize::try_from(n).unwrap_or(usize::MAX))?,
        }))
    }
}

/// Writes what became of a request.
pub fn write_reply(to: &mut impl Write, result: &Result<Pixels, DecodeError>) -> io::Result<()> {
    to.write_all(&REPLY)?;
    match result {
        Ok(pixels) => {
            let picture = &pixels.picture;
            to.write_all(&[0])?;
            to.write_all(&pixels.upright.width.to_le_bytes())?;
            to.write_all(&pixels.upright.height.to_le_bytes())?;
            to.write_all(&[u8::from(pixels.likeness.is_some())])?;
            to.write_all(&pixels.likeness.unwrap_or_default().to_le_bytes())?;
            to.write_all(&picture.width().to_le_bytes())?;
            to.write_all(&picture.height().to_le_bytes())?;
            to.write_all(picture.pixels())?;
            match &pixels.damage {
                Some(damage) => write_error(to, damage)?,
                None => to.write_all(&[0])?,
            }
        }
        Err(error) => write_error(to, error)?,
    }
    to.flush()
}

/// Reads what became of a request with that wish and those limits.
///
/// # Errors
/// The reply is cut off, is none, or is not one to this request: then nothing that follows can be believed either.
pub fn read_reply(
    from: &mut impl Read,
    limits: &DecodeLimits,
    wish: Wish,
) -> io::Result<Result<Pixels, DecodeError>> {
    mark(from, REPLY)?;
    let [tag] = array(from)?;
    if tag != 0 {
        return read_error(from, tag).map(Err);
    }
    let upright = size(from)?;
    if limits.check(upright, 0).is_err() {
        return Err(nonsense("a photo of a size that is none"));
    }
    let [knows_looks] = array(from)?;
    let looks = u64::from_le_bytes(array(from)?);
    let likeness = match (knows_looks, looks) {
        (0, 0) => None,
        (1, looks) => Some(looks),
        _ => return Err(nonsense("neither looks nor none")),
    };
    let size = size(from)?;
    let asked = match wish {
        Wish::Fitted(slot) => slot.target(upright).0,
        Wish::Whole => upright,
    };
    let n_bytes = size.n_bytes().filter(|_| size == asked);
    let n_bytes = n_bytes.ok_or_else(|| nonsense("a picture of another size"))?;
    let pixels = bytes(from, n_bytes)?;
    let picture = Picture::new(size.width, size.height, pixels)
        .map_err(|_| nonsense("a picture without pixels"))?;
    let damage = match array(from)? {
        [0] => None,
        [tag] => Some(read_error(from, tag)?),
    };
    Ok(Ok(Pixels {
        picture,
        upright,
        likeness,
        damage,
    }))
}

fn size(from: &mut impl Read) -> io::Result<Size> {
    let width = u32::from_le_bytes(array(from)?);
    Ok(Size::new(width, u32::from_le_bytes(array(from)?)))
}

/// An error: its kind, two sides, two numbers, words. Kinds that have fewer leave the rest at 0.
fn write_error(to: &mut impl Write, error: &DecodeError) -> io::Result<()> {
    let (tag, width, height, a, b, text) = match error {
        DecodeError::Empty => (1, 0, 0, 0, 0, ""),
        DecodeError::NotAPicture => (2, 0, 0, 0, 0, ""),
        DecodeError::Unsupported(text) => (3, 0, 0, 0, 0, text.as_str()),
        &DecodeError::TooLarge {
            width,
            height,
            limit,
        } => (4, width, height, limit, 0, ""),
        &DecodeError::TooLong {
            width,
            height,
            limit,
        } => (5, width, height, u64::from(limit), 0, ""),
        &DecodeError::TooHungry {
            width,
            height,
            needed,
            limit,
        } => (6, width, height, needed, limit, ""),
        DecodeError::Truncated { percent } => (7, 0, 0, percent.map_or(255, u64::from), 0, ""),
        DecodeError::Damaged(text) => (8, 0, 0, 0, 0, text.as_str()),
        DecodeError::Ended(_) => (9, 0, 0, 0, 0, ""),
    };
    let text = &text.as_bytes()[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let mut reply: Vec<u8> = vec![tag];
    reply.extend(u32::to_le_bytes(width));
    reply.extend(u32::to_le_bytes(height));
    reply.extend(u64::to_le_bytes(a));
    reply.extend(u64::to_le_bytes(b));
    reply.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    reply.extend(text);
    to.write_all(&reply)
}

fn read_error(from: &mut impl Read, tag: u8) -> io::Result<DecodeError> {
    let width = u32::from_le_bytes(array(from)?);
    let height = u32::from_le_bytes(array(from)?);
    let a = u64::from_le_bytes(array(from)?);
    let b = u64::from_le_bytes(array(from)?);
    let n = u32::from_le_bytes(array(from)?);
    if n as usize > MAX_TEXT_BYTES {
        return Err(nonsense("more words than a sentence"));
    }
    // It is written to logs and pages: whatever it was, it is one line of text then.
    let text = bytes(from, n as usize)?;
    let text: String = String::from_utf8_lossy(&text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    Ok(match tag {
        1 => DecodeError::Empty,
        2 => DecodeError::NotAPicture,
        3 => DecodeError::Unsupported(text),
        4 => DecodeError::TooLarge {
            width,
            height,
            limit: a,
        },
        5 => DecodeError::TooLong {
            width,
            height,
            limit: u32::try_from(a).unwrap_or(u32::MAX),
        },
        6 => DecodeError::TooHungry {
            width,
            height,
            needed: a,
            limit: b,
        },
        7 => DecodeError::Truncated {
            percent: u8::try_from(a).ok().filter(|&percent| percent <= 100),
        },
        8 => DecodeError::Damaged(text),
        9 => DecodeError::Ended("gave up"),
        _ => return Err(nonsense("no such reply")),
    })
}

fn fit_number(fit: Fit) -> u8 {
    match fit {
        Fit::Contain => 1,
        Fit::Cover => 2,
        Fit::Blur => 3,
    }
}

fn fit(number: u8) -> Option<Fit> {
    [Fit::Contain, Fit::Cover, Fit::Blur]
        .into_iter()
        .find(|&fit| fit_number(fit) == number)
}

fn share_number(share: Share) -> u8 {
    match share {
        Share::All => 1,
        Share::First => 2,
        Share::Second => 3,
    }
}

fn share(number: u8) -> Option<Share> {
    [Share::All, Share::First, Share::Second]
        .into_iter()
        .find(|&share| share_number(share) == number)
}

fn mark(from: &mut impl Read, expected: [u8; 4]) -> io::Result<()> {
    if array(from)? == expected {
        Ok(())
    } else {
        Err(nonsense("it speaks another language"))
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// So many bytes. Memory is taken as they come, so that a number alone takes none.
fn bytes(from: &mut impl Read, n: usize) -> io::Result<Vec<u8>> {
    /// The bytes that may be taken on trust: a frame in Full HD comes without a second copy.
    const AT_ONCE: usize = 8 << 20;
    let mut bytes = Vec::with_capacity(n.min(AT_ONCE));
    from.by_ref().take(n as u64).read_to_end(&mut bytes)?;
    if bytes.len() == n {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn nonsense(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes the request, its file in three pieces of which one is empty.
    fn write(request: &Request, to: &mut Vec<u8>) {
        let (start, end) = request.file.split_at(100);
        let pieces = vec![start.into(), Cow::Borrowed(&[][..]), end.to_vec().into()];
        write_request(to, &request.limits, request.wish, pieces).unwrap();
    }

    fn request(wish: Wish) -> Request {
        Request {
            limits: DecodeLimits {
                pixels: 5_000_000,
                side: 9000,
                bytes: 70 << 20,
            },
            wish,
            file: (0..=255).collect(),
        }
    }

    fn errors() -> Vec<DecodeError> {
        let (width, height) = (70_000, 3);
        vec![
            DecodeError::Empty,
            DecodeError::NotAPicture,
            DecodeError::Unsupported("lossless JPEG".into()),
            DecodeError::TooLarge {
                width,
                height,
                limit: 150_000_000,
            },
            DecodeError::TooLong {
                width,
                height,
                limit: 65_535,
            },
            DecodeError::TooHungry {
                width,
                height,
                needed: 1200,
                limit: 1024,
            },
            DecodeError::Truncated { percent: None },
            DecodeError::Truncated { percent: Some(0) },
            DecodeError::Damaged("ünglücklich".into()),
        ]
    }

    const FRAME: Size = Size::new(16, 12);

    const fn fitted(share: Share, fit: Fit) -> Wish {
        Wish::Fitted(Slot {
            frame: FRAME,
            share,
            fit,
        })
    }

    const WISHES: [Wish; 6] = [
        Wish::Whole,
        fitted(Share::All, Fit::Contain),
        fitted(Share::All, Fit::Cover),
        fitted(Share::All, Fit::Blur),
        fitted(Share::First, Fit::Blur),
        fitted(Share::Second, Fit::Cover),
    ];

    /// What a decoder answers about a photo of that size.
    fn answer(wish: Wish, upright: Size, likeness: Option<u64>) -> Pixels {
        let size = match wish {
            Wish::Whole => upright,
            Wish::Fitted(slot) => slot.target(upright).0,
        };
        Pixels {
            picture: Picture::filled(size.width, size.height, [1, 2, 3]),
            upright,
            likeness,
            damage: None,
        }
    }

    #[test]
    fn what_is_said_is_understood_and_nothing_else() {
        for wish in WISHES {
            let request = request(wish);
            let mut said = vec![];
            write(&request, &mut said);
            write(&request, &mut said);
            let mut from = &said[..];
            for _ in 0..2 {
                assert_eq!(Request::read(&mut from).unwrap().as_ref(), Some(&request));
            }
            assert_eq!(Request::read(&mut from).unwrap(), None);
            for end in 1..said.len() / 2 {
                assert!(Request::read(&mut &said[..end]).is_err(), "cut at {end}");
            }

            let limits = request.limits;
            let answers = [(FRAME, None), (Size::new(33, 70), Some(u64::MAX - 5))];
            let answers = answers.map(|(upright, looks)| answer(wish, upright, looks));
            let damaged = errors().into_iter().map(|error| Pixels {
                damage: Some(error),
                ..answers[0].clone()
            });
            let shown = answers.iter().cloned().chain(damaged);
            let results: Vec<_> = shown.map(Ok).chain(errors().into_iter().map(Err)).collect();
            for result in results {
                let mut said = vec![];
                write_reply(&mut said, &result).unwrap();
                let mut from = &said[..];
                assert_eq!(read_reply(&mut from, &limits, wish).unwrap(), result);
                assert!(from.is_empty());
                for end in 0..said.len() {
                    assert!(read_reply(&mut &said[..end], &limits, wish).is_err());
                }
            }
        }
        for flags in 0..4 {
            let confined = Confined {
                limits: flags & 1 != 0,
                calls: flags & 2 != 0,
            };
            let mut said = vec![];
            confined.write(&mut said).unwrap();
            assert_eq!(Confined::read(&mut &said[..]).unwrap(), confined);
            assert!(Confined::read(&mut &said[..4]).is_err());
        }
    }

    #[test]
    fn a_long_explanation_is_cut_between_letters() {
        let long = "ü".repeat(MAX_TEXT_BYTES);
        let mut said = vec![];
        write_reply(&mut said, &Err(DecodeError::Damaged(long))).unwrap();
        let limits = request(Wish::Whole).limits;
        let Err(DecodeError::Damaged(text)) =
            read_reply(&mut &said[..], &limits, Wish::Whole).unwrap()
        else {
            panic!("another error");
        };
        assert_eq!(text, "ü".repeat(MAX_TEXT_BYTES / 2));
    }

    #[test]
    fn lies_about_sizes_take_no_memory() {
        let limits = request(Wish::Whole).limits;
        for (width, height) in [
            (u32::MAX, u32::MAX),
            (0, 12),
            (12, 0),
            (9001, 1),
            (3000, 3000),
            (65_535, 65_535),
        ] {
            let size = [width, height].map(u32::to_le_bytes).concat();
            let frame = [FRAME.width, FRAME.height].map(u32::to_le_bytes).concat();
            let no_looks = [0; 9];
            for (upright, picture) in [(&size, &size), (&frame, &size)] {
                let said = [&REPLY, &[0][..], upright, &no_looks, picture].concat();
                for wish in WISHES {
                    let error = read_reply(&mut said.as_slice(), &limits, wish).unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{width}x{height}");
                }
            }
        }
        // An announced file that does not come takes what came.
        let mut said = vec![];
        write(&request(Wish::Whole), &mut said);
        let at = said.len() - 256 - 8;
        for n in [257, MAX_FILE_BYTES, MAX_FILE_BYTES + 1, u64::MAX] {
            said[at..at + 8].copy_from_slice(&n.to_le_bytes());
            assert!(Request::read(&mut &said[..]).is_err());
        }
        // So do words.
        let mut said = vec![];
        write_reply(&mut said, &Err(DecodeError::Empty)).unwrap();
        let at = said.len() - 4;
        said[at..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read_reply(&mut &said[..], &limits, Wish::Whole).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), start in 0..4_usize) {
            // Half of them get past the mark.
            let mark = [&b""[..], &REQUEST, &REPLY, &HELLO][start];
            let said = [mark, &bytes].concat();
            let limits = request(Wish::Whole).limits;
            let _ = Request::read(&mut &said[..]);
            let _ = Confined::read(&mut &said[..]);
            for wish in WISHES {
                let _ = read_reply(&mut &said[..], &limits, wish);
            }
        }
    }
}
