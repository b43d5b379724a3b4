use std::time::Duration;

use mantel_media::inlet::{self, Inlet};
use mantel_shared::Timestamp;

use super::{limits::MAX_PER_SECOND, *};
use crate::{
    clock::virtual_time::SetClock,
    render::{self, Picture, Quality},
};

const START: UnixMillis = UnixMillis(1_000_000);

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = Picture::filled(width, height, [200, 40, 40]);
    render::encode(&picture, Quality::default()).unwrap()
}

fn sample(bytes: &[u8]) -> inlet::Sample {
    let mut inlet = Inlet::new(None, None);
    let found = inlet.next(&mut &bytes[..]).unwrap();
    found.or_else(|| inlet.finish().unwrap()).unwrap()
}

fn source(silent_after: Option<u64>) -> (Arc<Source>, SetClock) {
    let clock = SetClock::at(START);
    let source = Source::new(
        "plot",
        silent_after.map(Duration::from_millis),
        clock.clock(),
    );
    (Arc::new(source), clock)
}

/// A picture comes that is within the limits.
fn taken(source: &Source, bytes: &[u8]) -> (SampleNo, bool) {
    match source.came(sample(bytes)) {
        Came::Taken { no, was_missed } => (no, was_missed),
        Came::TooFast => panic!("too fast"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_picture_is_what_is_live() {
    let (source, _clock) = source(None);
    let reader = source.reader();
    assert_eq!(reader.now().signal, Signal::Waiting);
    assert!(reader.now().sample.is_none() && source.size().is_none());
    let (first, _) = taken(&source, &jpeg(641, 360));
    let (second, _) = taken(&source, &jpeg(320, 240));
    assert!(first < second);
    let live = reader.now();
    assert_eq!(live.signal, Signal::On);
    let newest = live.sample.unwrap();
    assert_eq!((newest.no, newest.kind), (second, Kind::Jpeg));
    assert_eq!(newest.size, Some(Size::new(320, 240)));
    // The first one's, and even.
    assert_eq!(live.size, Some(Size::new(640, 360)));
}

#[tokio::test(start_paused = true)]
async fn pictures_that_nobody_took_are_counted_while_somebody_watches() {
    let (source, _clock) = source(None);
    let reader = source.reader();
    let picture = jpeg(64, 48);
    let came = || taken(&source, &picture);
    assert!(!came().1 && !came().1, "nobody watches");
    let watcher = reader.watch();
    let (no, _) = came();
    assert!(came().1);
    reader.take(no);
    let (last, was_missed) = came();
    assert!(was_missed, "the one between them");
    reader.take(last);
    assert!(!came().1);
    drop(watcher);
    assert!(!came().1 && !came().1);
    let counts = Counts {
        came: 8,
        dropped: 3,
        too_fast: 0,
    };
    assert_eq!(source.counts(), counts);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_held_to_the_limit_and_counted_whoever_brings_it() {
    let (source, _clock) = source(None);
    let picture = jpeg(64, 48);
    let before = source.reader().now().last;
    for _ in 0..3000 {
        source.came(sample(&picture));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let Counts { came, too_fast, .. } = source.counts();
    assert_eq!((came, too_fast), (3000, 3000 - 3 * MAX_PER_SECOND as u64));
    // What was left out has no number.
    let last = source.reader().now().last.unwrap().0;
    assert_eq!(before, None);
    assert_eq!(last, START.0 + 3 * MAX_PER_SECOND as u64);
    // Who waits for room loses none.
    for _ in 0..1000 {
        source.room().await;
        taken(&source, &picture);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_let_go_when_the_picture_is_taken_or_nobody_watches() {
    let (source, _clock) = source(None);
    let reader = source.reader();
    let (no, _) = taken(&source, &jpeg(64, 48));
    source.taken(no).await;
    let watcher = reader.watch();
    let waits = {
        let source = source.clone();
        tokio::spawn(async move { source.taken(no).await })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waits.is_finished());
    reader.take(no);
    waits.await.unwrap();
    let (no, _) = taken(&source, &jpeg(64, 48));
    let waits = tokio::spawn(async move { source.taken(no).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(watcher);
    waits.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_when_it_has_lasted_too_long() {
    let (source, _clock) = source(Some(3000));
    let keeper = tokio::spawn(source.clone().keep());
    let mut live = source.reader().live();
    source.came(sample(&jpeg(64, 48)));
    live.mark_unchanged();
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert!(!live.has_changed().unwrap());
    tokio::time::sleep(Duration::from_millis(790)).await;
    assert_eq!(
        live.borrow_and_update().signal,
        Signal::Stale { since: START }
    );
    assert!(!live.has_changed().unwrap());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(
        live.borrow_and_update().signal,
        Signal::Silent { since: START }
    );
    source.came(sample(&jpeg(64, 48)));
    assert_eq!(live.borrow_and_update().signal, Signal::On);
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn a_senders_clock_is_believed_when_it_is_near() {
    let (source, clock) = source(None);
    let reader = source.reader();
    for (differs, taken_at) in [
        (-1500_i64, START.0 - 1500),
        (0, START.0),
        (2000, START.0 + 2000),
        // An hour off: the arrival counts, and the difference shows.
        (3_600_000, START.0),
        (-2001, START.0),
    ] {
        let stamp = START.0.checked_add_signed(differs).unwrap();
        let stamped = inlet::Sample {
            timestamp: Some(Timestamp {
                seconds: stamp / 1000,
                micros: (stamp % 1000) as u32 * 1000,
            }),
            ..sample(&jpeg(64, 48))
        };
        source.came(stamped);
        let sample = reader.now().sample.unwrap();
        assert_eq!(sample.clock_differs_millis, Some(differs));
        assert_eq!(sample.taken_at, UnixMillis(taken_at), "{differs}");
        assert_eq!(sample.came_at, clock.now());
    }
    source.came(sample(&jpeg(64, 48)));
    let plain = reader.now().sample.unwrap();
    assert_eq!(
        (plain.clock_differs_millis, plain.taken_at),
        (None, clock.now())
    );
}

#[test]
fn frames_have_an_even_size_within_limits() {
    for (first, frame) in [
        ((1280, 720), Some((1280, 720))),
        ((641, 481), Some((640, 480))),
        ((7680, 4320), Some((3840, 2160))),
        ((10_000, 20), None),
        ((1, 1), None),
        ((u32::MAX, u32::MAX), Some((3840, 3840))),
    ] {
        let frame = frame.map(|(width, height)| Size::new(width, height));
        assert_eq!(frame_size(Size::new(first.0, first.1)), frame, "{first:?}");
    }
}
