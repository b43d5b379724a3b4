//! Streams that leave as they came: slices untouched, sets before every key frame, and every reason why one can't.

use mantel_media::annexb::{Nal, NalKind, Unit, split};
use mantel_media::avc::{NotThrough, ParameterSets, Sps, Through};
use proptest::prelude::*;

use crate::avc::{LIVE, from_hex, units};

const SLICES: &[u8] = include_bytes!("../samples/x264-slices.h264");
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
/// `first_mb_in_slice` 0, `slice_type` 7 (I) and 5 (P).
const KEY: &[u8] = &[0x65, 0x88, 0x80, 0x40];
const DELTA: &[u8] = &[0x41, 0x9a, 0x20, 0x40];

fn unit(nals: &[&[u8]]) -> Unit {
    Unit::new(nals.iter().filter_map(|nal| Nal::new(nal)))
}

fn slices(unit: &Unit) -> Vec<Vec<u8>> {
    let slices = unit.nals().filter(|nal| nal.kind().is_slice());
    slices.map(|nal| nal.bytes().to_vec()).collect()
}

/// The head of an encoder that tells no more than it has to: Baseline, 64x48, one reference, no VUI.
fn bare() -> Vec<u8> {
    from_hex("6742c00af423c8")
}

#[test]
fn a_real_stream_leaves_with_its_own_slices_and_says_that_nothing_waits() {
    let mut through = Through::default();
    let units = units(LIVE);
    assert!(units.len() > 2);
    for (no, came) in units.iter().enumerate() {
        let left = through.take(came).unwrap();
        assert_eq!(slices(&left), slices(came), "{no}");
        let sets = ParameterSets::of(&left).unwrap();
        assert_eq!(sets.is_some(), came.is_key(), "{no}");
        assert_eq!(left.is_key(), came.is_key(), "{no}");
        if let Some(sets) = sets {
            assert_eq!(sets.head().n_reordered(), Some(0));
            assert_eq!(through.sets(), Some(&sets));
        }
    }
}

#[test]
fn who_tells_the_sets_once_has_them_before_every_key_frame_and_nowhere_else() {
    let sps = bare();
    assert_eq!(Sps::parse(&sps).unwrap().n_reordered(), None);
    let mut through = Through::default();
    let first = through.take(&unit(&[&[9, 0xf0], &sps, PPS, KEY])).unwrap();
    let kinds = |unit: &Unit| unit.nals().map(Nal::kind).collect::<Vec<_>>();
    let told = [
        NalKind::Delimiter,
        NalKind::Sps,
        NalKind::Pps,
        NalKind::IdrSlice,
    ];
    assert_eq!(kinds(&first), told);
    let sets = through.sets().unwrap().clone();
    assert_eq!(sets.head().n_reordered(), Some(0));
    assert_eq!(
        kinds(&through.take(&unit(&[DELTA])).unwrap()),
        [NalKind::Slice]
    );
    // The same again between two key frames is nothing new.
    let again = through.take(&unit(&[&sps, PPS, DELTA])).unwrap();
    assert_eq!(kinds(&again), [NalKind::Slice]);
    let later = through.take(&unit(&[KEY])).unwrap();
    assert_eq!(kinds(&later), told[1..]);
    assert_eq!(through.sets(), Some(&sets));
}

#[test]
fn what_can_not_leave_is_told_why_and_heals_at_a_key_frame() {
    let sps = bare();
    let whole = unit(&[&sps, PPS, KEY]);
    let mut through = Through::default();
    assert_eq!(through.take(&unit(&[DELTA])), Err(NotThrough::WaitsForKey));
    assert!(matches!(
        through.take(&unit(&[KEY])),
        Err(NotThrough::Head(_))
    ));
    through.take(&whole).unwrap();
    // A PPS of another meaning in the middle.
    let changed = unit(&[&[0x68, 0xce, 0x38, 0x80], DELTA]);
    assert_eq!(through.take(&changed), Err(NotThrough::SetsChange));
    assert_eq!(through.take(&unit(&[DELTA])), Err(NotThrough::WaitsForKey));
    through.take(&unit(&[KEY])).unwrap();
    let told = through.sets().unwrap().pps().next().unwrap();
    assert_eq!(told, [0x68, 0xce, 0x38, 0x80], "the newer one");
    // `slice_type` 1.
    let b = unit(&[&[0x01, 0b1010_1000, 0x80]]);
    assert_eq!(through.take(&b), Err(NotThrough::Reorders));
    assert_eq!(through.take(&unit(&[DELTA])), Err(NotThrough::WaitsForKey));
    through.take(&whole).unwrap();
    through.lost();
    assert_eq!(through.take(&unit(&[DELTA])), Err(NotThrough::WaitsForKey));
    assert!(through.sets().is_none());
}

#[test]
fn kinds_of_video_that_players_may_not_have_are_refused_by_their_head() {
    let mut through = Through::default();
    let refused = [
        // High with B-frames, interlaced, 4:2:2 in ten bits, 4:4:4, grey.
        (
            "67640028acd940780227e5c05a808080a0000003002000000781e30632c0",
            NotThrough::Reorders,
        ),
        (
            "6764001eacd940b424d8088000000300800000193020007a12000f427261807c50a658",
            NotThrough::Interlaced,
        ),
        (
            "677a000db6cd941519e222f011000003000100000300320f142996",
            NotThrough::Samples,
        ),
        (
            "67f4000d91964054678f8dc044000003000400000300ca3c50a920",
            NotThrough::Samples,
        ),
        (
            "6764000df2c80a8cf1f1b80b64000003000400000300c83c50a920",
            NotThrough::Samples,
        ),
    ];
    for (hex, why) in refused {
        let key = unit(&[&from_hex(hex), PPS, KEY]);
        assert_eq!(through.take(&key), Err(why), "{hex}");
        assert!(!why.to_string().is_empty());
    }
    let mut b_frames = units(SLICES).into_iter();
    assert!(b_frames.any(|unit| through.take(&unit) == Err(NotThrough::Reorders)));
}

#[test]
fn of_a_stream_that_is_cut_anywhere_only_slices_that_came_leave() {
    let cut = &LIVE[..LIVE.len().min(2000)];
    for end in 0..cut.len() {
        let mut through = Through::default();
        for came in units(&cut[..end]) {
            if let Ok(left) = through.take(&came) {
                assert_eq!(slices(&left), slices(&came));
                assert!(through.sets().is_some());
            }
        }
    }
}

#[test]
fn sets_without_end_are_not_kept_without_end() {
    let sps = bare();
    let mut through = Through::default();
    through.take(&unit(&[&sps, PPS, KEY])).unwrap();
    let huge = vec![0x68; 100_000];
    assert_eq!(
        through.take(&unit(&[&huge, DELTA])),
        Err(NotThrough::SetsChange)
    );
    through.take(&unit(&[KEY])).unwrap();
    assert_eq!(through.sets().unwrap().pps().count(), 1);
}

proptest! {
    #[test]
    fn damaged_streams_leave_by_their_own_slices_or_not_at_all(
        at in 0..LIVE.len(),
        byte in any::<u8>(),
    ) {
        let mut stream = LIVE.to_vec();
        stream[at] = byte;
        let nals: Vec<_> = split(&stream).collect();
        let mut through = Through::default();
        for nal in nals.chunks(3) {
            let came = Unit::new(nal.iter().copied());
            if let Ok(left) = through.take(&came) {
                prop_assert_eq!(slices(&left), slices(&came));
            }
        }
    }
}
