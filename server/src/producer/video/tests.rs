use std::sync::Mutex;

use ::openh264::{decoder::Decoder, formats::YUVSource as _};
use bytes::Bytes;
use mantel_shared::{FrameMeta, UnixMillis};

use super::*;
use crate::{
    clock::virtual_time::SetClock,
    hub::{Feeds, Frame, Framing, Lease, Pictures, Reader, Start, Tape, Unit},
    render::{Fit, Picture, Quality, encode},
    rendition::{Captions, Fps, Pair},
    size::Size,
    timeline::Transition,
};

const SIZE: Size = Size::new(64, 48);

fn rendition(fps: u32) -> Rendition {
    Rendition {
        size: SIZE,
        fit: Fit::Contain,
        quality: Quality::default(),
        bitrate: None,
        gop: None,
        fps: Fps(fps),
        transition: Transition::Cut,
        pair: Pair::Off,
        captions: Captions::default(),
        note: false,
    }
}

/// A rendition's film at work, by a clock that counts with tokio's.
struct Set {
    feed: Arc<Feed>,
    lease: Option<Lease>,
    clock: Clock,
    framing: Framing,
    _stop: watch::Sender<bool>,
    _feeds: Feeds<u8, ()>,
}

impl Set {
    fn new() -> Self {
        Self::of(rendition(20))
    }

    fn of(rendition: Rendition) -> Self {
        let opened = Arc::new(Mutex::new(None));
        let filled = opened.clone();
        let feeds = Feeds::new(1, move |_, (), feed| *filled.lock().unwrap() = Some(feed));
        let lease = feeds.open(&0, &()).unwrap();
        let feed: Arc<Feed> = opened.lock().unwrap().take().unwrap();
        let clock = SetClock::at(UnixMillis(1000)).clock();
        let (stop, stopped) = watch::channel(false);
        let film = Film {
            feed: feed.clone(),
            rendition,
            encoder: EncoderChoice::OpenH264,
            clock: clock.clone(),
        };
        tokio::spawn(film.run(stopped));
        Self {
            feed,
            lease,
            clock,
            framing: Framing::default(),
            _stop: stop,
            _feeds: feeds,
        }
    }

    fn frame(&self, shade: u8) -> Arc<Frame> {
        let picture = Picture::filled(SIZE.width, SIZE.height, [shade; 3]);
        let jpeg = encode(&picture, Quality::new(95).unwrap()).unwrap();
        let no = self.framing.next_no();
        let meta = FrameMeta::default();
        Arc::new(self.framing.frame(no, self.clock.now(), meta, &jpeg))
    }

    fn read(&self) -> Reader {
        self.lease.as_ref().unwrap().read(false)
    }

    /// A fade from one frame to another that begins now.
    fn fade(&self, from: &Arc<Frame>, to: &Arc<Frame>, millis: u64) -> Look {
        let starts_at = self.clock.now();
        Look {
            from: Some(from.clone()),
            to: to.clone(),
            starts_at,
            ends_at: UnixMillis(starts_at.0 + millis),
            next: None,
        }
    }
}

/// The brightness of what comes out of a decoder.
struct Eye(Decoder);

impl Eye {
    fn new() -> Self {
        Self(Decoder::new().unwrap())
    }

    fn see(&mut self, annexb: &Bytes) -> u8 {
        let picture = self
            .0
            .decode(annexb)
            .unwrap()
            .expect("a picture for each unit");
        assert_eq!(picture.dimensions(), (64, 48));
        let luma = u16::from(picture.y()[0]);
        u8::try_from(luma.saturating_sub(16) * 255 / 219).unwrap_or(255)
    }
}

async fn next(reader: &mut Reader) -> Arc<Unit> {
    reader.next().await.expect("the film goes on")
}

#[tokio::test(start_paused = true)]
async fn who_counts_pictures_has_as_many_as_are_told_while_nothing_moves() {
    let set = Set::new();
    set.feed.show(Look::at_once(set.frame(40)));
    let (mut reader, mut other) = (set.read(), set.read());
    reader.need(Pictures::Steady);
    let mut units = vec![next(&mut reader).await];
    for _ in 0..100 {
        units.push(next(&mut reader).await);
    }
    let timing = units[0].start.sets.head().timing.expect("a timing");
    let frame = TICKS * 2 * u64::from(timing.n_units) / u64::from(timing.time_scale);
    for pair in units.windows(2) {
        assert_eq!(pair[1].at - pair[0].at, frame);
    }
    // One who is satisfied or gone leaves the others with what they need.
    drop(reader);
    let mut last = next(&mut other).await.at;
    while next(&mut other).await.at != last + TICKS / 5 {
        last += frame;
        assert!(last < 200 * frame, "a standing rate comes back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slide_stands_and_the_next_one_comes_slowly() {
    let set = Set::new();
    let (dark, light) = (set.frame(40), set.frame(200));
    set.feed.show(Look::at_once(dark.clone()));
    let mut reader = set.read();
    let mut eye = Eye::new();
    let mut units = Vec::new();
    for _ in 0..10 {
        let unit = next(&mut reader).await;
        assert!(eye.see(&unit.annexb).abs_diff(40) < 4);
        units.push(unit);
    }
    assert!(units[0].is_key && units[1..].iter().all(|unit| !unit.is_key));
    assert!(
        units[1..].iter().all(|unit| unit.annexb.len() < 100),
        "nothing moves"
    );
    assert!(
        units
            .windows(2)
            .all(|pair| pair[1].at - pair[0].at == TICKS / 5)
    );
    let sps = units[0].start.sets.head();
    assert_eq!((sps.width, sps.height), (64, 48));
    assert_eq!(sps.n_reordered(), Some(0));

    set.feed.show(set.fade(&dark, &light, 1000));
    let mut shades = Vec::new();
    loop {
        let unit = next(&mut reader).await;
        shades.push(eye.see(&unit.annexb));
        if unit.duration == TICKS / 5 {
            break;
        }
    }
    assert!((20..=22).contains(&shades.len()), "{shades:?}");
    assert!(
        shades.windows(2).all(|pair| pair[1] + 3 >= pair[0]),
        "{shades:?}"
    );
    assert!(shades.last().unwrap().abs_diff(200) < 4, "{shades:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_overtaken_goes_on_from_where_it_was() {
    let set = Set::new();
    let (dark, light) = (set.frame(40), set.frame(200));
    set.feed.show(Look::at_once(dark.clone()));
    let (mut reader, mut eye) = (set.read(), Eye::new());
    eye.see(&next(&mut reader).await.annexb);
    set.feed.show(set.fade(&dark, &light, 1000));
    let mut shade = 0;
    while shade < 110 {
        shade = eye.see(&next(&mut reader).await.annexb);
    }
    // Back again, from a frame that streams of JPEGs have between the two.
    let between = set.frame(120);
    set.feed.show(set.fade(&between, &dark, 1000));
    let first = eye.see(&next(&mut reader).await.annexb);
    assert!(first.abs_diff(shade) < 12, "from {shade} to {first}");
}

#[tokio::test(start_paused = true)]
async fn a_joiner_begins_with_a_key_frame_and_nobody_else_notices() {
    let set = Set::new();
    set.feed.show(Look::at_once(set.frame(90)));
    let mut first = set.read();
    for _ in 0..20 {
        next(&mut first).await;
    }
    let mut second = set.read();
    let unit = next(&mut second).await;
    assert!(unit.is_key && Eye::new().see(&unit.annexb).abs_diff(90) < 4);
    let mut last = None;
    while last != Some(unit.no) {
        let no = next(&mut first).await.no;
        assert!(last.is_none_or(|last| no == last + 1));
        last = Some(no);
    }
}

#[tokio::test(start_paused = true)]
async fn the_encoder_ends_some_time_after_its_last_viewer_and_starts_anew() {
    let set = Set::new();
    set.feed.show(Look::at_once(set.frame(90)));
    let mut reader = set.read();
    let before = next(&mut reader).await;
    drop(reader);
    tokio::time::sleep(LINGER / 2).await;
    let again = next(&mut set.read()).await;
    assert_eq!(again.start.no, before.start.no, "it lingers");
    tokio::time::sleep(LINGER * 2).await;
    let anew = next(&mut set.read()).await;
    assert!(anew.is_key && anew.start.no > before.start.no);
}

#[tokio::test(start_paused = true)]
async fn key_frames_come_as_often_as_somebody_wishes() {
    let set = Set::of(Rendition {
        gop: Some("1s".parse().unwrap()),
        ..rendition(20)
    });
    set.feed.show(Look::at_once(set.frame(90)));
    let mut reader = set.read();
    let mut keys = Vec::new();
    for _ in 0..20 {
        let unit = next(&mut reader).await;
        if unit.is_key {
            keys.push(unit.at);
        }
    }
    assert_eq!(keys, [0, TICKS, 2 * TICKS, 3 * TICKS]);
}

/// Video that comes as it is wanted, on a tape of its source.
struct Sender {
    tape: Arc<Tape>,
    start: Arc<Start>,
    no: u8,
}

impl Sender {
    fn new() -> Self {
        // Of a picture of 64x48.
        let sps = [0x67, 0x42, 0xC0, 0x0A, 0x8C, 0x8D, 0x44, 0x2A, 0x01, 0xE0];
        let pps = [0x68, 0xCE, 0x3C, 0x80];
        let start = Start {
            no: 0,
            began_at: UnixMillis(0),
            size: SIZE,
            sets: mantel_media::avc::ParameterSets::new(&sps, [&pps[..]]).unwrap(),
        };
        Self {
            tape: Arc::default(),
            start: Arc::new(start),
            no: 0,
        }
    }

    async fn send(&mut self, n: u8, gop: u8) {
        for _ in 0..n {
            let encoded = Encoded {
                start: self.start.clone(),
                at: u64::from(self.no) * 3600,
                duration: 3600,
                is_key: self.no.is_multiple_of(gop),
                annexb: Bytes::from(vec![b's', self.no]),
                sample: Bytes::new(),
            };
            self.tape.push_given(encoded, Instant::now());
            self.no += 1;
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_as_it_is_wanted_is_passed_on_and_what_stands_is_encoded() {
    let set = Set::new();
    set.feed.show(Look::at_once(set.frame(40)));
    let mut sender = Sender::new();
    sender.send(5, 25).await;
    set.feed.given.give(Some(sender.tape.clone()));
    let mut reader = set.read();
    // From a key frame that is young enough, with nothing encoded before it.
    let first = next(&mut reader).await;
    assert_eq!((&first.annexb[..], first.is_key), (&[b's', 0][..], true));
    let is_drawn = set.feed.given.is_drawn();
    assert!(!*is_drawn.borrow());
    sender.send(20, 25).await;
    for no in 1..25 {
        assert_eq!(next(&mut reader).await.annexb[..], [b's', no]);
    }
    // It falls silent: the picture that stands takes its place, by a start of its own.
    let stands = next(&mut reader).await;
    assert!(stands.is_key && stands.annexb[..2] != *b"s\x18");
    assert!(stands.start.no > first.start.no);
    assert!(*is_drawn.borrow(), "pictures are wanted");
    // It comes again: not in the middle, but by its next key frame.
    sender.no = 26;
    sender.send(4, 25).await;
    for _ in 0..3 {
        assert_ne!(next(&mut reader).await.annexb[0], b's');
    }
    sender.no = 50;
    sender.send(2, 25).await;
    let again = loop {
        let unit = next(&mut reader).await;
        if unit.annexb[0] == b's' {
            break unit;
        }
    };
    assert_eq!((again.annexb[1], again.is_key), (50, true));
    assert!(again.start.no > stands.start.no);
    assert!(!*is_drawn.borrow());
    // What would be drawn over it takes it back.
    set.feed.given.give(None);
    let drawn = loop {
        let unit = next(&mut reader).await;
        if unit.annexb[0] != b's' {
            break unit;
        }
    };
    assert!(drawn.is_key && drawn.start.no > again.start.no);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_for_a_key_frame_is_sent_what_is_encoded() {
    let set = Set::new();
    set.feed.show(Look::at_once(set.frame(40)));
    let sender = Sender::new();
    set.feed.given.give(Some(sender.tape.clone()));
    let unit = next(&mut set.read()).await;
    assert!(unit.is_key && unit.annexb[0] != b's');
}
