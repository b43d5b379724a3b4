//! Heads, rows and cleaning.

use mantel_media::jpeg::{Coding, Head, JpegErrorKind, Splitter, cleaned};
use proptest::prelude::*;

use crate::oracle;

const ROW: &[u8] = include_bytes!("../samples/ffmpeg.mjpeg");
const ONE: &[u8] = include_bytes!("../samples/gstreamer.jpg");

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, u64, u64, bool) {
    let mut splitter = Splitter::new(1 << 20);
    let mut pictures = Vec::new();
    for chunk in chunks {
        let mut input = chunk;
        while let Some(picture) = splitter.next(&mut input).unwrap() {
            pictures.push(picture);
        }
        assert!(input.is_empty());
    }
    let (skipped, given_up) = (splitter.n_skipped_bytes(), splitter.n_given_up());
    (pictures, skipped, given_up, splitter.is_inside())
}

/// A picture with a segment put in behind SOI.
fn with_segment(code: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, 0xd8, 0xff, code][..], &length, content, &ONE[2..]].concat()
}

/// The same picture without its Huffman tables.
fn without_tables() -> Vec<u8> {
    let (mut out, mut at) = (ONE[..2].to_vec(), 2);
    while ONE[at + 1] != 0xda {
        let end = at + 2 + usize::from(ONE[at + 2]) * 256 + usize::from(ONE[at + 3]);
        if ONE[at + 1] != 0xc4 {
            out.extend_from_slice(&ONE[at..end]);
        }
        at = end;
    }
    out.extend_from_slice(&ONE[at..]);
    out
}

#[test]
fn a_row_is_three_pictures_however_it_is_cut() {
    let whole = split([ROW]);
    assert_eq!((whole.0.len(), whole.1, whole.2, whole.3), (3, 0, 0, false));
    assert_eq!(whole.0.concat(), ROW);
    for at in 0..=ROW.len() {
        let (one, two) = ROW.split_at(at);
        assert_eq!(split([one, two]), whole, "cut at {at}");
    }
    assert_eq!(split(ROW.chunks(1)), whole);
}

#[test]
fn every_truncation_keeps_the_whole_pictures() {
    let pictures = split([ROW]).0;
    for end in 0..ROW.len() {
        let (got, skipped, given_up, _) = split([&ROW[..end]]);
        assert_eq!(got[..], pictures[..got.len()], "{end}");
        assert_eq!((skipped, given_up), (0, 0), "{end}");
    }
}

#[test]
fn a_thumbnail_is_no_end_and_a_lost_end_costs_one_picture() {
    let nested = with_segment(0xe1, ONE);
    let lost = &ONE[..ONE.len() - 2];
    let stream = [b"junk\xff", &nested[..], b"\0\0", lost, ONE].concat();
    let (pictures, skipped, given_up, inside) = split([&stream[..]]);
    assert_eq!(pictures, [&nested[..], ONE]);
    assert_eq!(
        (skipped, given_up, inside),
        (5 + 2 + lost.len() as u64, 1, false)
    );
}

#[test]
fn the_limit_holds_to_the_byte_and_stays() {
    let mut splitter = Splitter::new(ONE.len());
    assert_eq!(splitter.next(&mut &ONE[..]).unwrap().as_deref(), Some(ONE));
    let mut splitter = Splitter::new(ONE.len() - 1);
    assert!(splitter.next(&mut &ONE[..]).is_err());
    assert!(splitter.next(&mut &ROW[..]).is_err());
}

#[test]
fn a_head_says_what_is_there() {
    let head = Head::parse(ONE).unwrap();
    assert_eq!((head.width, head.height, head.precision_bits), (64, 48, 8));
    assert_eq!(head.coding, Coding::Baseline);
    assert!(head.is_420() && head.has_tables && head.has_jfif && !head.has_exif);
    let head = Head::parse(&with_segment(0xe1, b"Exif\0\0")).unwrap();
    assert!(head.has_exif && !head.has_more_pictures);
    assert!(
        Head::parse(&with_segment(0xe2, b"MPF\0"))
            .unwrap()
            .has_more_pictures
    );
    assert_eq!(
        Head::parse(&with_segment(0xdd, &[1, 2]))
            .unwrap()
            .restart_interval,
        258
    );
    let adobe = with_segment(0xee, b"Adobe\0\x64\0\0\0\0\x02");
    assert_eq!(Head::parse(&adobe).unwrap().adobe_transform, Some(2));
    assert_eq!(
        Head::parse(b"\x89PNG").unwrap_err().kind,
        JpegErrorKind::NotAJpeg
    );
}

#[test]
fn cleaning_takes_out_what_is_besides_and_puts_tables_in() {
    let plain = cleaned(ONE).unwrap();
    assert_eq!(cleaned(&plain).unwrap(), plain);
    for (code, content) in [
        (0xe1, ONE),
        (0xfe, b"a comment"),
        (0xe0, b"AVI1\0"),
        (0xe2, b"MPF\0"),
    ] {
        let dirty = [&with_segment(code, content)[..], ONE].concat();
        assert_eq!(cleaned(&dirty).unwrap(), plain, "{code:x}");
    }
    let bare = without_tables();
    assert!(!Head::parse(&bare).unwrap().has_tables);
    let filled = cleaned(&bare).unwrap();
    assert!(Head::parse(&filled).unwrap().has_tables);
    // GStreamer's tables are the standard ones, in four segments in place of one.
    assert_eq!(filled.len() + 3 * 4, plain.len());
    for end in 0..ONE.len() {
        assert!(cleaned(&ONE[..end]).is_err(), "{end}");
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Picture,
    Noise(Vec<u8>),
}

proptest! {
    #[test]
    fn splits_as_the_oracle_does(
        pieces in prop::collection::vec(prop_oneof![
            Just(Piece::Picture),
            prop::collection::vec(prop_oneof![
                Just(0xff), Just(0xd8), Just(0xd9), Just(0xda), Just(0xc0), Just(0), Just(2), any::<u8>(),
            ], 0..24).prop_map(Piece::Noise),
        ], 0..12),
        size in 1_usize..40,
    ) {
        let stream = pieces.iter().fold(Vec::new(), |mut all, piece| {
            match piece {
                Piece::Picture => all.extend_from_slice(b"\xff\xd8\xff\xda\0\x02x\xff\0\xff\xd3y\xff\xd9"),
                Piece::Noise(noise) => all.extend_from_slice(noise),
            }
            all
        });
        let (pictures, skipped, open) = oracle::split(&stream);
        let whole = split([&stream[..]]);
        prop_assert_eq!(&whole.0, &pictures);
        // A last `FF` may be the beginning of a picture.
        prop_assert_eq!(pictures.iter().map(Vec::len).sum::<usize>() + skipped + open, stream.len());
        prop_assert_eq!(whole.1, skipped as u64);
        prop_assert_eq!(split(stream.chunks(size)), whole);
    }
}
