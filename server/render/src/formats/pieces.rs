//! Pieces of files, read one by one from wherever they stand: bytes, chunks, and boxes that are in no other box. Bounded in
//! length and in number; knows no kind of picture.

use std::io::{self, Read, Seek, SeekFrom};

use super::bmff;

/// The longest piece that is read, and the largest box that is read whole.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// The limit of segments, chunks or boxes that are passed: PNGs have their pixels in pieces of 8 KB.
pub(super) const MAX_STEPS: usize = 16_384;

/// `n` bytes from a place, or as many as there are.
pub(super) fn part(file: &mut (impl Read + Seek), at: u64, n: usize) -> io::Result<Vec<u8>> {
    /// The bytes for which memory is taken before they come: most pieces are small, and there.
    const AT_ONCE: usize = 4096;
    let mut bytes = Vec::with_capacity(n.min(AT_ONCE));
    // No file reaches beyond what can be said with a sign.
    if i64::try_from(at).is_ok() {
        file.seek(SeekFrom::Start(at))?;
        file.take(n as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The eight bytes before the content of a chunk of PNG or WebP; `None` at the end of the file.
pub(super) fn chunk(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<([u8; 4], [u8; 4])>> {
    let head = part(file, at, 8)?;
    let (chunks, _) = head.as_chunks::<4>();
    Ok(match chunks {
        &[first, second] => Some((first, second)),
        _ => None,
    })
}

/// The boxes of a file that are in no other box, one after the other.
#[derive(Default)]
pub(super) struct TopBoxes {
    at: Option<u64>,
    n_passed: usize,
}

/// One of them: where its content stands, and how long it is; `None` up to the end of the file.
pub(super) struct TopBox {
    pub(super) name: [u8; 4],
    pub(super) at: u64,
    n: Option<u64>,
}

impl TopBoxes {
    pub(super) fn next(&mut self, file: &mut (impl Read + Seek)) -> io::Result<Option<TopBox>> {
        let at = match self.at {
            Some(at) => at,
            None if self.n_passed == 0 => 0,
            None => return Ok(None),
        };
        self.n_passed += 1;
        let head = part(file, at, 16)?;
        let Some((name, n_head, n)) = bmff::box_head(&head) else {
            return Ok(None);
        };
        let start = at + n_head;
        let next = n.and_then(|n| start.checked_add(n));
        self.at = next.filter(|_| self.n_passed < MAX_STEPS);
        Ok(Some(TopBox { name, at: start, n }))
    }
}

impl TopBox {
    /// The content, or as much of it as is ever needed.
    pub(super) fn content(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        let n = self.n.and_then(|n| usize::try_from(n).ok());
        part(file, self.at, n.unwrap_or(MAX_BYTES).min(MAX_BYTES))
    }
}

/// The content of the first box of that name that is in no other box.
pub(super) fn top_box(file: &mut (impl Read + Seek), name: [u8; 4]) -> io::Result<Option<Vec<u8>>> {
    let mut boxes = TopBoxes::default();
    while let Some(found) = boxes.next(file)? {
        if found.name == name {
            return found.content(file).map(Some);
        }
    }
    Ok(None)
}
