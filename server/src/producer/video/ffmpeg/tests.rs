//! With ffmpeg's x264, where it is installed.

use mantel_media::{annexb, annexb::Unit, avc::ParameterSets};

use super::*;
use crate::{render::Picture, size::Size};

const SIZE: Size = Size::new(64, 48);

fn encoder() -> Option<Ffmpeg> {
    let shape = Shape {
        size: SIZE,
        fps: 20,
        bits_per_second: 1_000_000,
    };
    let encoder = Ffmpeg::open(FfmpegEncoder::X264, &shape);
    if encoder.is_err() {
        assert!(std::env::var_os("CI").is_none(), "ffmpeg is to be there");
    }
    encoder.ok()
}

fn encode(encoder: &mut Ffmpeg, n: u64, key: bool) -> Unit {
    let shade = u8::try_from(40 + n * 10 % 150).unwrap();
    let bytes = encoder
        .encode(&Planes::grey(SIZE, shade), n * 4500, key, Qp(26))
        .unwrap();
    Unit::new(annexb::split(&bytes))
}

#[test]
fn each_picture_has_its_unit_and_key_frames_come_where_they_are_wished_for() {
    let Some(mut encoder) = encoder() else {
        return;
    };
    for n in 0..30 {
        let wished = n == 0 || n == 7 || n == 20;
        let unit = encode(&mut encoder, n, wished);
        assert_eq!(unit.is_key(), wished, "{n}");
        let sets = ParameterSets::of(&unit).unwrap();
        assert_eq!(sets.is_some(), wished, "{n}");
        if let Some(sets) = sets {
            assert_eq!((sets.head().width, sets.head().height), (64, 48));
        }
    }
}

/// Times that stand still or run back are no reason to wait for ever.
#[test]
fn times_that_do_not_grow_are_made_to() {
    let Some(mut encoder) = encoder() else {
        return;
    };
    for (n, at) in [0, 0, 90, 45, 9000, 8000].into_iter().enumerate() {
        let unit = encoder.encode(&Planes::grey(SIZE, 90), at, n % 2 == 0, Qp(26));
        assert!(unit.is_ok(), "{n}");
    }
}

#[cfg(unix)]
#[test]
fn one_that_is_killed_is_an_error_that_says_so() {
    let Some(mut encoder) = encoder() else {
        return;
    };
    encode(&mut encoder, 0, true);
    let id = rustix::process::Pid::from_raw(i32::try_from(encoder.process.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    let planes = Planes::grey(SIZE, 90);
    let mut ended = None;
    for n in 1..100 {
        if let Err(error) = encoder.encode(&planes, n * 4500, false, Qp(26)) {
            ended = Some(error.to_string());
            break;
        }
    }
    assert!(ended.expect("an end").contains("signal 9"));
}

/// An encoder that takes the clock's ticks for pictures has a fortieth of the bits for each, and shows blocks.
#[test]
fn pictures_that_are_hard_have_the_bits_that_they_may_have() {
    const LARGE: Size = Size::new(320, 240);
    let shape = Shape {
        size: LARGE,
        fps: 20,
        bits_per_second: 1_000_000,
    };
    let Ok(mut encoder) = Ffmpeg::open(FfmpegEncoder::X264, &shape) else {
        assert!(std::env::var_os("CI").is_none(), "ffmpeg is to be there");
        return;
    };
    let mut state = 1_u32;
    let mut n_bytes = 0;
    for n in 0..40 {
        let noise = (0..LARGE.n_pixels() * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let picture = Picture::new(LARGE.width, LARGE.height, noise.collect()).unwrap();
        let planes = Planes::of(&picture, LARGE);
        let unit = encoder.encode(&planes, n * 4500, n == 0, Qp(26)).unwrap();
        // What it may take at once has gone with the first second.
        if n >= 20 {
            n_bytes += unit.len();
        }
    }
    let rate = n_bytes * 8;
    assert!((500_000..2_000_000).contains(&rate), "{rate} bits a second");
}
