//! A file of which the beginning has been read already. What tells of a photo mostly stands there, in many small pieces, and
//! each of them would be two questions to the system. Knows no kind of file.

use std::io::{self, Read, Seek, SeekFrom};

/// A file with its beginning.
#[derive(Debug)]
pub(super) struct Headed<'a, F> {
    head: &'a [u8],
    /// The head is all of the file.
    is_all: bool,
    file: F,
    at: u64,
    /// Where the system reads on.
    file_at: Option<u64>,
}

impl<'a, F: Read + Seek> Headed<'a, F> {
    /// `file`, which begins with `head`; `is_all` says that it ends with it, too.
    pub(super) fn new(head: &'a [u8], is_all: bool, file: F) -> Self {
        Self {
            head,
            is_all,
            file,
            at: 0,
            file_at: None,
        }
    }
}

impl<F: Read + Seek> Read for Headed<'_, F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let rest = self.head.get(at..).unwrap_or_default();
        let n = if rest.is_empty() && !self.is_all {
            if self.file_at != Some(self.at) {
                // Forgotten until it is known again.
                self.file_at = None;
                self.file.seek(SeekFrom::Start(self.at))?;
            }
            let n = self.file.read(to)?;
            self.file_at = Some(self.at + n as u64);
            n
        } else {
            let n = rest.len().min(to.len());
            to[..n].copy_from_slice(&rest[..n]);
            n
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl<F: Read + Seek> Seek for Headed<'_, F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) if self.is_all => (self.head.len() as u64, by),
            SeekFrom::End(by) => {
                self.file_at = None;
                (self.file.seek(SeekFrom::End(0))?, by)
            }
        };
        self.at = from
            .checked_add_signed(by)
            .ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Whatever is asked, the answer is the file's own.
    #[test]
    fn it_reads_as_the_file_does() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut dice = 1_u64;
        let mut roll = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) % n
        };
        for n_head in [0, 1, 7, 50, 99, 100] {
            let mut plain = Cursor::new(&bytes);
            let head = &bytes[..n_head];
            let mut headed = Headed::new(head, n_head == bytes.len(), Cursor::new(&bytes));
            for _ in 0..2000 {
                let to = match roll(4) {
                    0 => Some(SeekFrom::Start(roll(120))),
                    1 => Some(SeekFrom::Current(roll(60).cast_signed() - 30)),
                    2 => Some(SeekFrom::End(-roll(110).cast_signed())),
                    _ => None,
                };
                if let Some(to) = to {
                    let (here, there) = (headed.seek(to), plain.seek(to));
                    assert_eq!(here.ok(), there.ok(), "{to:?}");
                }
                let n = roll(20);
                let (mut here, mut there) = (Vec::new(), Vec::new());
                headed.by_ref().take(n).read_to_end(&mut here).unwrap();
                plain.by_ref().take(n).read_to_end(&mut there).unwrap();
                assert_eq!(here, there);
            }
        }
    }
}
