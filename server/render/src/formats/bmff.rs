//! Boxes of the ISO base media file format (ISO/IEC 14496-12), in which HEIF, AVIF, JPEG XL and Canon's CR3 are
//! wrapped, and what HEIF's boxes (ISO/IEC 23008-12) say of the picture to show. As content with a file's head as with
//! the whole; decodes nothing.

use crate::{frame::orient::Orientation, picture::Size};

/// One box: its name and what is there of its content. Full boxes keep their version and flags in the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileBox<'a> {
    pub(crate) name: [u8; 4],
    pub(crate) content: &'a [u8],
    /// Whether the bytes end before the box does.
    pub(crate) cut: bool,
}

/// Boxes one after another. Ends at the first that makes no sense: some phones put things behind a picture that are
/// no boxes.
#[derive(Clone, Debug)]
pub(crate) struct Boxes<'a> {
    rest: &'a [u8],
}

impl<'a> Boxes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes after the boxes that were taken.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The content of the first box of that name.
    pub(crate) fn content(mut self, name: [u8; 4]) -> Option<&'a [u8]> {
        self.find(|found| found.name == name)
            .map(|found| found.content)
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = FileBox<'a>;

    fn next(&mut self) -> Option<FileBox<'a>> {
        let (name, n_head, length) = box_head(self.rest)?;
        let after = self.rest.get(usize::try_from(n_head).ok()?..)?;
        let length = length.map_or(after.len(), |length| {
            usize::try_from(length).unwrap_or(usize::MAX)
        });
        let cut = length > after.len();
        let (content, rest) = after.split_at(length.min(after.len()));
        self.rest = rest;
        Some(FileBox { name, content, cut })
    }
}

/// The head of a box: its name, how long the head is, and how long the content; `None` in its place where that
/// reaches to the end of the file.
pub(crate) fn box_head(bytes: &[u8]) -> Option<([u8; 4], u64, Option<u64>)> {
    let (length, after) = bytes.split_first_chunk::<4>()?;
    let (name, after) = after.split_first_chunk::<4>()?;
    // Letters, digits, spaces, and the © of QuickTime's names.
    if !name
        .iter()
        .all(|&byte| byte.is_ascii_graphic() || byte == b' ' || byte == 0xA9)
    {
        return None;
    }
    Some(match u32::from_be_bytes(*length) {
        0 => (*name, 8, None),
        1 => {
            let length = u64::from_be_bytes(*after.first_chunk()?);
            (*name, 16, Some(length.checked_sub(16)?))
        }
        length => (*name, 8, Some(u64::from(length).checked_sub(8)?)),
    })
}

/// Whether a file begins as one of boxes does.
pub(crate) fn has_mark(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// The picture that a HEIF or AVIF file wants shown first, by its boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Primary {
    /// The item's number.
    pub(crate) id: u64,
    /// `hvc1`, `av01`, `grid`, …; zeros where the head does not tell.
    pub(crate) item: [u8; 4],
    /// Width and height before any turning, after cropping.
    pub(crate) size: Option<Size>,
    /// The turn that its rotation and mirror boxes come to; `None` where it has neither.
    pub(crate) turned: Option<Orientation>,
}

/// Finds the primary item's properties; `None` where the head holds no `meta` box with one.
pub(crate) fn primary(head: &[u8]) -> Option<Primary> {
    primary_in(Boxes::new(head).content(*b"meta")?)
}

/// The primary picture by the content of the `meta` box.
pub(crate) fn primary_in(meta: &[u8]) -> Option<Primary> {
    let meta = meta.get(4..)?;
    let (version, pitm) = full(Boxes::new(meta).content(*b"pitm")?)?;
    let id = match version {
        0 => be(pitm, 0, 2)?,
        _ => be(pitm, 0, 4)?,
    };
    let mut found = Primary {
        id,
        item: item_type(meta, id).unwrap_or_default(),
        ..Primary::default()
    };
    let Some(iprp) = Boxes::new(meta).content(*b"iprp") else {
        return Some(found);
    };
    let properties: Vec<_> = Boxes::new(iprp)
        .find(|found| found.name == *b"ipco")
        .map(|ipco| Boxes::new(ipco.content).collect())
        .unwrap_or_default();
    let indices = Boxes::new(iprp)
        .filter(|found| found.name == *b"ipma")
        .find_map(|ipma| associations(ipma.content, id))
        .unwrap_or_default();
    // In the order in which they are named: that is the order in which they apply.
    for index in indices {
        let Some(property) = index.checked_sub(1).and_then(|index| properties.get(index)) else {
            continue;
        };
        let content = property.content;
        match &property.name {
            b"ispe" => found.size = size_at(content, 4).or(found.size),
            b"clap" => found.size = found.size.map(|size| cropped(content, size)),
            b"irot" => {
                // Counted anticlockwise.
                let turn = match content.first().map(|n| n & 3) {
                    Some(0) => Orientation::Upright,
                    Some(1) => Orientation::QuarterAnticlockwise,
                    Some(2) => Orientation::TurnedOver,
                    Some(_) => Orientation::QuarterClockwise,
                    None => continue,
                };
                found.turned = Some(found.turned.unwrap_or_default().then(turn));
            }
            b"imir" => {
                let mirror = match content.first().map(|axis| axis & 1) {
                    Some(0) => Orientation::MirroredDown,
                    Some(_) => Orientation::MirroredAcross,
                    None => continue,
                };
                found.turned = Some(found.turned.unwrap_or_default().then(mirror));
            }
            _ => {}
        }
    }
    Some(found)
}

/// Where the names of all boxes stand that turn or mirror something.
pub(crate) fn turns(bytes: &[u8]) -> Vec<usize> {
    let properties = || {
        let meta = Boxes::new(bytes).content(*b"meta")?.get(4..)?;
        Boxes::new(Boxes::new(meta).content(*b"iprp")?).content(*b"ipco")
    };
    let Some(properties) = properties() else {
        return vec![];
    };
    // Both begin in the same memory; the difference is how far in.
    let start = properties.as_ptr().addr() - bytes.as_ptr().addr();
    let mut boxes = Boxes::new(properties);
    let mut found = vec![];
    loop {
        let at = start + properties.len() - boxes.rest().len();
        match boxes.next().map(|found| found.name) {
            Some([b'i', b'r', b'o', b't'] | [b'i', b'm', b'i', b'r']) => found.push(at + 4),
            Some(_) => {}
            None => return found,
        }
    }
}

/// A box's version and what follows its flags.
pub(super) fn full(content: &[u8]) -> Option<(u8, &[u8])> {
    Some((*content.first()?, content.get(4..)?))
}

/// `n` bytes as a number, the most significant first.
pub(crate) fn be(bytes: &[u8], at: usize, n: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(n)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
    )
}

fn size_at(bytes: &[u8], at: usize) -> Option<Size> {
    let side = |at| u32::try_from(be(bytes, at, 4)?).ok();
    let size = Size::new(side(at)?, side(at.checked_add(4)?)?);
    (size.width > 0 && size.height > 0).then_some(size)
}

/// The size that a clean aperture (two fractions) leaves of a picture; what makes no sense leaves all.
fn cropped(clap: &[u8], size: Size) -> Size {
    let side = |at: usize, whole: u32| {
        let (over, under) = (be(clap, at, 4)?, be(clap, at + 4, 4)?);
        let side = (over + under / 2).checked_div(under)?;
        u32::try_from(side)
            .ok()
            .filter(|side| (1..=whole).contains(side))
    };
    Size::new(
        side(0, size.width).unwrap_or(size.width),
        side(8, size.height).unwrap_or(size.height),
    )
}

/// The type of an item, from the `infe` boxes.
pub(super) fn item_type(meta: &[u8], id: u64) -> Option<[u8; 4]> {
    let (version, iinf) = full(Boxes::new(meta).content(*b"iinf")?)?;
    let entries = iinf.get(if version == 0 { 2 } else { 4 }..)?;
    Boxes::new(entries).find_map(|entry| {
        let (version, content) = full(entry.content).filter(|_| entry.name == *b"infe")?;
        let n = if version >= 3 { 4 } else { 2 };
        // Two bytes of protection index lie between.
        (be(content, 0, n)? == id).then(|| content.get(n + 2..)?.first_chunk().copied())?
    })
}

/// The properties of an item: numbers of boxes in `ipco`, from one.
fn associations(ipma: &[u8], id: u64) -> Option<Vec<usize>> {
    let flags = be(ipma, 0, 4)?;
    let n_id = if flags >> 24 == 0 { 2 } else { 4 };
    let n_index = if flags & 1 == 0 { 1 } else { 2 };
    let n_items = be(ipma, 4, 4)?;
    let mut at = 8;
    for _ in 0..n_items {
        let found = be(ipma, at, n_id)?;
        let n = usize::from(*ipma.get(at + n_id)?);
        let first = at + n_id + 1;
        at = first + n * n_index;
        if found == id {
            // The topmost bit says only how important it is.
            let mask = (1 << (8 * n_index - 1)) - 1;
            return Some(
                (0..n)
                    .map_while(|i| be(ipma, first + i * n_index, n_index))
                    .filter_map(|index| usize::try_from(index & mask).ok())
                    .collect(),
            );
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A box around a content.
    pub(crate) fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&length[..], name, content].concat()
    }

    /// The head of a HEIF file whose only item has these properties.
    pub(crate) fn heif(brand: &[u8; 4], item: &[u8; 4], properties: &[Vec<u8>]) -> Vec<u8> {
        let ftyp = boxed(b"ftyp", &[*brand, [0; 4], *b"mif1", *brand].concat());
        let infe = boxed(
            b"infe",
            &[&[2, 0, 0, 0, 0, 7, 0, 0], &item[..], &[0]].concat(),
        );
        let n = u8::try_from(properties.len()).unwrap();
        let indices: Vec<u8> = (1..=n).collect();
        let ipma = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 7, n][..], &indices].concat();
        let iprp = [boxed(b"ipco", &properties.concat()), boxed(b"ipma", &ipma)].concat();
        let meta = [
            &[0; 4][..],
            &boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            &boxed(b"pitm", &[0, 0, 0, 0, 0, 7]),
            &boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1], &infe[..]].concat()),
            &boxed(b"iprp", &iprp),
        ]
        .concat();
        [ftyp, boxed(b"meta", &meta), boxed(b"mdat", &[0; 64])].concat()
    }

    pub(crate) fn ispe(width: u32, height: u32) -> Vec<u8> {
        let sides = [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat();
        boxed(b"ispe", &sides)
    }

    #[test]
    fn turns_and_mirrors_add_up_in_their_order() {
        let irot = |n: u8| boxed(b"irot", &[n]);
        let imir = |axis: u8| boxed(b"imir", &[axis]);
        for (properties, turned) in [
            (vec![], None),
            (vec![irot(0)], Some(1)),
            (vec![irot(1)], Some(8)),
            (vec![irot(2)], Some(3)),
            (vec![irot(3)], Some(6)),
            (vec![imir(0)], Some(4)),
            (vec![imir(1)], Some(2)),
            (vec![irot(1), imir(1)], Some(7)),
            (vec![imir(1), irot(1)], Some(5)),
        ] {
            let file = heif(
                b"heic",
                b"hvc1",
                &[vec![ispe(40, 30)], properties.clone()].concat(),
            );
            let found = primary(&file).unwrap();
            assert_eq!(found.item, *b"hvc1");
            assert_eq!(found.size, Some(Size::new(40, 30)));
            assert_eq!(
                found.turned,
                turned.and_then(Orientation::from_exif),
                "{properties:?}"
            );
        }
    }

    #[test]
    fn a_crop_is_seen() {
        let clap = |width: u32| {
            let numbers = [width, 2, 20, 1, 0, 1, 0, 1].map(u32::to_be_bytes).concat();
            boxed(b"clap", &numbers)
        };
        for (width, left) in [(61, 31), (60, 30), (600, 40), (0, 40)] {
            let file = heif(b"avif", b"av01", &[ispe(40, 30), clap(width)]);
            let size = primary(&file).unwrap().size;
            assert_eq!(size, Some(Size::new(left, 20)), "{width}");
        }
    }

    #[test]
    fn boxes_end_where_sense_ends() {
        let file = [
            boxed(b"free", b"abc"),
            b"\0\0\0\x01wide\0\0\0\0\0\0\0\x12xy".to_vec(),
        ]
        .concat();
        let mut boxes = Boxes::new(&file);
        let names: Vec<_> = boxes
            .by_ref()
            .map(|found| (found.name, found.content))
            .collect();
        assert_eq!(names, [(*b"free", &b"abc"[..]), (*b"wide", b"xy")]);
        for nonsense in [
            &b"\0\0\0\x07free"[..],
            b"\0\0\0\x01free\0\0\0\0\0\0\0\x0F",
            b"\0\0\0\x10\0\0\0\0trailing",
            b"SEFT",
        ] {
            let file = [boxed(b"free", b"abc"), nonsense.to_vec()].concat();
            let mut boxes = Boxes::new(&file);
            assert_eq!(boxes.by_ref().count(), 1, "{nonsense:?}");
        }
        let cut = Boxes::new(b"\0\0\x01\0mdat123").next().unwrap();
        assert_eq!((cut.content, cut.cut), (&b"123"[..], true));
    }

    #[test]
    fn every_head_of_a_heif_is_read_without_a_fuss() {
        let file = heif(b"heic", b"hvc1", &[ispe(40, 30), boxed(b"irot", &[1])]);
        for end in 0..file.len() {
            if let Some(found) = primary(&file[..end]) {
                assert!(found.size.is_none() || found.size == Some(Size::new(40, 30)));
            }
        }
    }
}
