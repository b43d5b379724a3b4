//! Tests of directories, and those of pixels.

mod pictures;

use super::*;

/// A directory to be written: tags with one LONG each, and directories below it.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<(u16, u32)>,
    pub(crate) below: Vec<Directory>,
}

/// A TIFF file of one directory and those below it, without pixels.
pub(crate) fn file(main: &Directory, big_endian: bool) -> Vec<u8> {
    let mut file = if big_endian { b"MM\0*" } else { b"II*\0" }.to_vec();
    long(&mut file, 8, big_endian);
    write(&mut file, main, big_endian);
    file
}

fn short(file: &mut Vec<u8>, value: u16, big_endian: bool) {
    file.extend(if big_endian {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    });
}

fn long(file: &mut Vec<u8>, value: u32, big_endian: bool) {
    file.extend(if big_endian {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    });
}

fn write(file: &mut Vec<u8>, directory: &Directory, big_endian: bool) {
    let mut entries: Vec<(u16, u32, u32)> = directory
        .entries
        .iter()
        .map(|&(tag, value)| (tag, 1, value))
        .collect();
    let n_below = directory.below.len() as u32;
    let end = file.len() as u32 + 2 + 12 * (entries.len() as u32 + n_below.min(1)) + 4;
    let list = if n_below > 1 { 4 * n_below } else { 0 };
    let mut below: Vec<u8> = vec![];
    let mut places = vec![];
    for directory in &directory.below {
        places.push(end + list + below.len() as u32);
        // Written for its place: offsets count from the start of the file.
        let mut part = vec![0; (end + list) as usize + below.len()];
        let start = part.len();
        write(&mut part, directory, big_endian);
        below.extend(&part[start..]);
    }
    match places[..] {
        [] => {}
        [place] => entries.push((tag::SUB_DIRECTORIES, 1, place)),
        _ => entries.push((tag::SUB_DIRECTORIES, n_below, end)),
    }
    short(file, entries.len() as u16, big_endian);
    for (tag, count, value) in entries {
        short(file, tag, big_endian);
        short(file, 4, big_endian);
        long(file, count, big_endian);
        long(file, value, big_endian);
    }
    long(file, 0, big_endian);
    if list > 0 {
        for place in places {
            long(file, place, big_endian);
        }
    }
    file.extend(below);
}

fn leaf(width: u32) -> Directory {
    Directory {
        entries: vec![(tag::WIDTH, width), (tag::HEIGHT, 10)],
        below: vec![],
    }
}

#[test]
fn directories_are_found_at_every_level() {
    let main = Directory {
        below: vec![
            leaf(2),
            Directory {
                below: vec![leaf(4)],
                ..leaf(3)
            },
        ],
        ..leaf(1)
    };
    for big_endian in [false, true] {
        let file = file(&main, big_endian);
        let tiff = Tiff::new(&file).unwrap();
        let widths: Vec<_> = tiff
            .directories()
            .into_iter()
            .filter_map(|directory| Some(tiff.size(directory)?.width))
            .collect();
        assert_eq!(widths, [1, 2, 3, 4]);
    }
}

#[test]
fn nothing_goes_in_circles() {
    // The next directory is the same; so is the one below.
    let mut circle = file(&leaf(1), false);
    let end = circle.len() - 4;
    circle[end..].copy_from_slice(&8u32.to_le_bytes());
    let tiff = Tiff::new(&circle).unwrap();
    assert_eq!(tiff.directories(), [8]);
    let below = Directory {
        entries: vec![(tag::SUB_DIRECTORIES, 8)],
        below: vec![],
    };
    let file = file(&below, false);
    assert_eq!(Tiff::new(&file).unwrap().directories(), [8]);

    // A file of nothing but directories, each naming thousands of others.
    let mut many = b"II*\0\x08\0\0\0".to_vec();
    for i in 0..5000u32 {
        many.extend([1, 0, 0x4A, 1, 4, 0]);
        many.extend(1000u32.to_le_bytes());
        many.extend((8 + 18 * (i * 7 % 5000)).to_le_bytes());
        many.extend((8 + 18 * (i * 11 % 5000)).to_le_bytes());
    }
    let tiff = Tiff::new(&many).unwrap();
    assert!(tiff.directories().len() <= MAX_DIRECTORIES);
}

#[test]
fn big_tiff_is_read() {
    let mut file = b"II\x2B\0\x08\0\0\0".to_vec();
    file.extend(16u64.to_le_bytes());
    file.extend(2u64.to_le_bytes());
    for (tag, value) in [(tag::WIDTH, 70_000u64), (tag::HEIGHT, 3)] {
        file.extend(tag.to_le_bytes());
        file.extend(16u16.to_le_bytes());
        file.extend(1u64.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend(0u64.to_le_bytes());
    let tiff = Tiff::new(&file).unwrap();
    assert_eq!(tiff.size(tiff.main().unwrap()), Some(Size::new(70_000, 3)));
    assert_eq!(tiff.directories(), [16]);
}

#[test]
fn lying_numbers_are_nothing() {
    for place in [4, 8, 10, 12, 14, 18] {
        let mut file = file(&leaf(1), false);
        file[place..place + 4].fill(0xFF);
        let Some(tiff) = Tiff::new(&file) else {
            continue;
        };
        for directory in tiff.directories() {
            let _ = tiff.size(directory);
        }
    }
}
