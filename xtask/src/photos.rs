//! `photos`: a library as large as one likes, for benchmarks: small pictures with real EXIF, in
//! albums by year and place, the same ones every time.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use anyhow::Context as _;

/// Two of the pictures that Mantel draws itself.
const BASES: [&[u8]; 2] = [
    include_bytes!("photos/landscape.jpg"),
    include_bytes!("photos/portrait.jpg"),
];
const CAMERAS: [(&str, &str); 4] = [
    ("Canon", "Canon EOS 5D"),
    ("Apple", "iPhone 13"),
    ("NIKON CORPORATION", "NIKON D750"),
    ("samsung", "SM-S906U"),
];
/// Where people go: name, degrees north, degrees east.
const PLACES: [(&str, f64, f64); 6] = [
    ("Rome", 41.9, 12.5),
    ("Lisbon", 38.7, -9.1),
    ("Kyoto", 35.0, 135.8),
    ("Moab", 38.6, -109.5),
    ("home", 52.5, 13.4),
    ("Hobart", -42.9, 147.3),
];
/// An album holds so many.
const PER_ALBUM: u64 = 250;

/// Makes `n` photos below `folder`; those that are there already stay.
pub(crate) fn make(folder: &Path, n: u64) -> anyhow::Result<()> {
    let done = AtomicU64::new(0);
    let n_threads = thread::available_parallelism().map_or(2, |n| n.get() as u64);
    thread::scope(|threads| {
        let workers: Vec<_> = (0..n_threads)
            .map(|first| {
                let done = &done;
                threads.spawn(move || -> anyhow::Result<()> {
                    for i in (first..n).step_by(n_threads as usize) {
                        put(folder, i)?;
                        done.fetch_add(1, Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let on_terminal = std::io::stderr().is_terminal();
        while on_terminal && !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            eprint!("\r{} of {n} photos", done.load(Relaxed));
            let _ = std::io::stderr().flush();
            thread::sleep(Duration::from_millis(200));
        }
        if on_terminal {
            eprintln!();
        }
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(())
    })
}

fn put(folder: &Path, i: u64) -> anyhow::Result<()> {
    let photo = Photo::number(i);
    let path = folder.join(photo.path());
    if path.exists() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).with_context(|| format!("can't make {}", parent.display()))?;
    fs::write(&path, photo.bytes()).with_context(|| format!("can't write {}", path.display()))
}

/// Everything about a photo that its number decides.
struct Photo {
    number: u64,
    year: u64,
    month: u64,
    day: u64,
    time: [u64; 3],
    place: (&'static str, f64, f64),
    dice: u64,
}

impl Photo {
    fn number(number: u64) -> Self {
        let album = number / PER_ALBUM;
        let dice = mix(number);
        Self {
            number,
            year: 2000 + album % 25,
            month: 1 + mix(album) % 12,
            day: 1 + dice % 28,
            time: [dice >> 8 & 15, dice >> 12 & 31, dice >> 17 & 31],
            place: PLACES[(mix(album) >> 20) as usize % PLACES.len()],
            dice,
        }
    }

    fn path(&self) -> PathBuf {
        let Self {
            year, month, day, ..
        } = self;
        let album = self.number / PER_ALBUM;
        format!(
            "{year}/{year}-{month:02} {} {album}/IMG_{year}{month:02}{day:02}_{:06}.jpg",
            self.place.0, self.number
        )
        .into()
    }

    fn bytes(&self) -> Vec<u8> {
        let base = BASES[usize::from(self.dice.is_multiple_of(3))];
        // After the start of image; a comment at the end makes each file another one.
        let comment = format!("number {}", self.number);
        [
            &base[..2],
            &segment(0xe1, &[b"Exif\0\0".as_slice(), &self.exif()].concat()),
            &self
                .xmp()
                .map(|xmp| segment(0xe1, &xmp))
                .unwrap_or_default(),
            &segment(0xfe, comment.as_bytes()),
            &base[2..],
        ]
        .concat()
    }

    /// Every fifth has stars, every seventh keywords.
    fn xmp(&self) -> Option<Vec<u8>> {
        let stars = self.number.is_multiple_of(5).then(|| 1 + self.dice % 5);
        let keyword = self.number.is_multiple_of(7).then_some(self.place.0);
        if stars.is_none() && keyword.is_none() {
            return None;
        }
        let rating = stars
            .map(|n| format!(" xmp:Rating=\"{n}\""))
            .unwrap_or_default();
        let subject = keyword
            .map(|word| {
                format!("<dc:subject><rdf:Bag><rdf:li>{word}</rdf:li></rdf:Bag></dc:subject>")
            })
            .unwrap_or_default();
        Some(
            format!(
                "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF>\
                 <rdf:Description{rating}>{subject}</rdf:Description></rdf:RDF></x:xmpmeta>"
            )
            .into_bytes(),
        )
    }

    /// Big-endian TIFF: camera and orientation, the EXIF directory with the date, and for two of
    /// three the position.
    fn exif(&self) -> Vec<u8> {
        let (make, model) = CAMERAS[(self.dice >> 24) as usize % CAMERAS.len()];
        let Self {
            year,
            month,
            day,
            time: [hour, minute, second],
            ..
        } = self;
        let date = format!("{year}:{month:02}:{day:02} {hour:02}:{minute:02}:{second:02}");
        let has_position = !self.dice.is_multiple_of(3);
        let mut tiff = Tiff::default();
        tiff.text(0x010f, make);
        tiff.text(0x0110, model);
        tiff.short(0x0112, 1);
        let mut exif = Tiff::default();
        exif.text(0x9003, &date);
        let mut gps = Tiff::default();
        let spread = (self.dice >> 32 & 0xff) as f64 / 1000.0;
        let (north, east) = (self.place.1 + spread, self.place.2 + spread);
        gps.text(1, if north < 0.0 { "S" } else { "N" });
        gps.degrees(2, north.abs());
        gps.text(3, if east < 0.0 { "W" } else { "E" });
        gps.degrees(4, east.abs());
        tiff.file(&[(0x8769, Some(exif)), (0x8825, has_position.then_some(gps))])
    }
}

/// A directory that is being put together.
#[derive(Clone, Default)]
struct Tiff {
    /// Tag, type, count, and the value's bytes.
    entries: Vec<(u16, u16, u32, Vec<u8>)>,
}

impl Tiff {
    fn text(&mut self, tag: u16, text: &str) {
        let bytes = [text.as_bytes(), &[0]].concat();
        self.entries.push((tag, 2, bytes.len() as u32, bytes));
    }

    fn short(&mut self, tag: u16, value: u16) {
        self.entries
            .push((tag, 3, 1, [value.to_be_bytes(), [0, 0]].concat()));
    }

    fn long(&mut self, tag: u16, value: u32) {
        self.entries.push((tag, 4, 1, value.to_be_bytes().to_vec()));
    }

    fn degrees(&mut self, tag: u16, degrees: f64) {
        // Never below zero: the letter before says which side.
        #[expect(clippy::cast_sign_loss)]
        let micro = (degrees * 1e6) as u32;
        let parts = [(micro, 1_000_000_u32), (0, 1), (0, 1)];
        let bytes = parts
            .iter()
            .flat_map(|(n, d)| [n.to_be_bytes(), d.to_be_bytes()].concat())
            .collect();
        self.entries.push((tag, 5, 3, bytes));
    }

    fn n_bytes(&self) -> usize {
        let values = self
            .entries
            .iter()
            .map(|(.., value)| value.len().next_multiple_of(2));
        2 + 12 * self.entries.len() + 4 + values.filter(|n| *n > 4).sum::<usize>()
    }

    /// The whole file, with directories that it points to.
    fn file(mut self, below: &[(u16, Option<Self>)]) -> Vec<u8> {
        let n_pointers = below
            .iter()
            .filter(|(_, directory)| directory.is_some())
            .count();
        let mut at = 8 + self.n_bytes() + 12 * n_pointers;
        let mut behind = Vec::new();
        for (tag, directory) in below {
            let Some(directory) = directory else { continue };
            self.long(*tag, at as u32);
            behind.extend(directory.bytes(at));
            at += directory.n_bytes();
        }
        [b"MM\0*\0\0\0\x08".to_vec(), self.bytes(8), behind].concat()
    }

    fn bytes(&self, at: usize) -> Vec<u8> {
        let mut directory = (self.entries.len() as u16).to_be_bytes().to_vec();
        let mut values = Vec::new();
        let values_at = at + 2 + 12 * self.entries.len() + 4;
        for (tag, kind, count, value) in &self.entries {
            directory.extend(tag.to_be_bytes());
            directory.extend(kind.to_be_bytes());
            directory.extend(count.to_be_bytes());
            let mut value = value.clone();
            if value.len() <= 4 {
                value.resize(4, 0);
                directory.extend(value);
            } else {
                directory.extend(((values_at + values.len()) as u32).to_be_bytes());
                value.resize(value.len().next_multiple_of(2), 0);
                values.extend(value);
            }
        }
        directory.extend([0; 4]);
        [directory, values].concat()
    }
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() + 2) as u16;
    [&[0xff, marker], &length.to_be_bytes()[..], content].concat()
}

/// Splitmix64's finaliser: numbers that look like chance and are always the same.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_point_into_the_file() {
        for number in 0..50 {
            let exif = Photo::number(number).exif();
            assert_eq!(exif.len() % 2, 0);
            let n = u16::from_be_bytes([exif[8], exif[9]]);
            for i in 0..usize::from(n) {
                let entry = &exif[10 + 12 * i..22 + 12 * i];
                let value = u32::from_be_bytes(entry[8..].try_into().expect("four bytes"));
                if entry[..2] == [0x87, 0x69] || entry[..2] == [0x01, 0x0f] {
                    assert!((value as usize) < exif.len(), "{number}: {entry:?}");
                }
            }
        }
    }

    #[test]
    fn every_photo_is_another_one_and_always_the_same() {
        assert_ne!(Photo::number(1).bytes(), Photo::number(2).bytes());
        assert_eq!(Photo::number(7).bytes(), Photo::number(7).bytes());
    }
}
