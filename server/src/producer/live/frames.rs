//! The frames of live pictures for one rendition: which picture is to be made a frame of, and when. Pure but for the count
//! of frames.
//!
//! Newest wins: while a frame is being made, pictures that come are passed over for the last of them.

use std::sync::Arc;

use mantel_shared::{FrameMeta, SlideNo, UnixMillis};

use crate::{
    caption, clock,
    hub::{Framing, Next, Now},
    render::words::Caption,
    rendition::Rendition,
    source::live::{Live, Sample, SampleNo, Signal},
    timeline::Veil,
};

/// The picture or the words that a frame is made of.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// A picture that came.
    Sample(Arc<Sample>),
    /// The last picture that came, with words about its age over it.
    Aged(Arc<Sample>, Caption),
    /// The words that stand in for the next one, in the place of this one, if one has come.
    Card(Caption, Option<SampleNo>),
}

/// The mark that tells one subject from another.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Sample(SampleNo),
    Aged(SampleNo),
    Card(Caption),
}

impl Subject {
    fn key(&self) -> Key {
        match self {
            Self::Sample(sample) => Key::Sample(sample.no),
            Self::Aged(sample, _) => Key::Aged(sample.no),
            Self::Card(words, _) => Key::Card(words.clone()),
        }
    }
}

/// The thing to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing until something comes, or until this moment.
    Wait(Option<UnixMillis>),
    /// A frame is to be made of this.
    Make(Subject),
}

/// The time between two frames of which nobody can see anything: they tell that pictures come.
const UNSEEN_APART_MILLIS: u64 = 1000;
/// The time between two frames that are made for somebody who may come back: a snapshot that is asked for then is no older.
const IDLE_APART_MILLIS: u64 = 200;

/// The frames of one rendition.
#[derive(Debug)]
pub(super) struct LiveFrames {
    framing: Arc<Framing>,
    rendition: Rendition,
    /// The name of the channel.
    name: Arc<str>,
    /// The subject of the last frame, or of the one that is being made.
    begun: Option<(Key, Veil)>,
    is_making: bool,
    /// The moment at which the last one was begun: frames are no closer than the rendition allows.
    begun_at: Option<UnixMillis>,
}

impl LiveFrames {
    pub(super) fn new(framing: Arc<Framing>, rendition: Rendition, name: &str) -> Self {
        Self {
            framing,
            rendition,
            name: name.into(),
            begun: None,
            is_making: false,
            begun_at: None,
        }
    }

    /// Looks at the live picture, and at the veil over it, and says what to do about it; `is_idle`: nobody has looked for a
    /// while.
    pub(super) fn step(
        &mut self,
        live: &Live,
        veil: &Veil,
        is_idle: bool,
        now: UnixMillis,
    ) -> Step {
        let subject = subject(live, &self.name);
        let begun = (subject.key(), veil.clone());
        if self.is_making || self.begun.as_ref() == Some(&begun) {
            return Step::Wait(None);
        }
        let mut apart = self.rendition.fps.least_apart(1000);
        if veil.is_opaque()
            && self
                .begun
                .as_ref()
                .is_some_and(|(_, before)| before == veil)
        {
            apart = apart.max(UNSEEN_APART_MILLIS);
        }
        if is_idle {
            apart = apart.max(IDLE_APART_MILLIS);
        }
        if let Some(begun_at) = self.begun_at
            && now.0 >= begun_at.0
            && now.0 - begun_at.0 < apart
            && matches!(subject, Subject::Sample(_))
        {
            return Step::Wait(Some(UnixMillis(begun_at.0 + apart)));
        }
        self.begun = Some(begun);
        self.begun_at = Some(now);
        self.is_making = true;
        Step::Make(subject)
    }

    /// Nothing came of what was begun: the next picture is made.
    pub(super) fn gave_up(&mut self) {
        self.is_making = false;
    }

    /// Takes a frame that was made, or could not be; returns what to publish. `number` takes the place of the picture's own
    /// where frames of several sources follow each other.
    pub(super) fn made(
        &mut self,
        subject: &Subject,
        jpeg: Option<Vec<u8>>,
        now: UnixMillis,
        number: Option<SlideNo>,
    ) -> Option<Now> {
        self.is_making = false;
        let jpeg = jpeg?;
        let (SampleNo(no), at, caption) = match subject {
            Subject::Sample(sample) | Subject::Aged(sample, _) => {
                (sample.no, sample.taken_at, sample.caption.clone())
            }
            // Under the number of the picture that it replaces, which a page then draws anew.
            Subject::Card(_, replaced) => (replaced.unwrap_or(SampleNo(0)), now, None),
        };
        let meta = FrameMeta {
            slide: Some(number.unwrap_or(SlideNo(no))),
            caption,
            ..FrameMeta::default()
        };
        let no = self.framing.next_no();
        let mut frame = self.framing.frame_in_place(no, at, meta, jpeg);
        // One that is shown again with its age is no newer for that.
        frame.taken_at = matches!(subject, Subject::Sample(_)).then_some(at);
        Some(Now {
            current: Arc::new(frame.of(self.name.clone())),
            next: Next::Unforeseen,
        })
    }
}

/// The subject to be seen: the newest picture while there is a signal, else words that say why there is none.
fn subject(live: &Live, name: &str) -> Subject {
    let words = match (&live.signal, &live.sample) {
        (Signal::On, Some(sample)) => return Subject::Sample(sample.clone()),
        (Signal::Stale { since }, Some(sample)) => {
            let words = caption::aged(&clock::time_of_day(*since));
            return Subject::Aged(sample.clone(), words);
        }
        (Signal::On | Signal::Waiting | Signal::Stale { .. }, _) => caption::waiting(name),
        (Signal::Silent { since }, _) => caption::silent(name, &clock::time_of_day(*since)),
        (Signal::Lost { since, why }, _) => caption::lost(name, &clock::time_of_day(*since), why),
    };
    Subject::Card(words, live.last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        render::{Fit, Orientation, Quality},
        rendition::{Captions, Fps, Pair},
        size::Size,
        source::live::Kind,
        timeline::Transition,
    };
    use bytes::Bytes;

    fn frames(fps: u32) -> LiveFrames {
        let rendition = Rendition {
            size: Size::new(64, 48),
            fit: Fit::Contain,
            quality: Quality::default(),
            bitrate: None,
            gop: None,
            fps: Fps(fps),
            transition: Transition::Cut,
            pair: Pair::Off,
            captions: Captions::default(),
            note: false,
        };
        LiveFrames::new(Arc::default(), rendition, "plot")
    }

    fn live(no: u64) -> Live {
        let sample = Sample {
            no: SampleNo(no),
            bytes: Bytes::new(),
            kind: Kind::Jpeg,
            taken_at: UnixMillis(no),
            clock_differs_millis: None,
            came_at: UnixMillis(no),
            caption: Some(format!("number {no}")),
            size: None,
            turned: Orientation::default(),
        };
        Live {
            size: None,
            sample: Some(Arc::new(sample)),
            last: Some(SampleNo(no)),
            signal: Signal::On,
        }
    }

    /// The subject that is to be made now.
    fn made(frames: &mut LiveFrames, live: &Live, now: u64) -> Subject {
        match frames.step(live, &Veil::default(), false, UnixMillis(now)) {
            Step::Make(subject) => subject,
            other => panic!("{other:?} at {now}"),
        }
    }

    fn waits(frames: &mut LiveFrames, live: &Live, now: u64) -> Option<u64> {
        match frames.step(live, &Veil::default(), false, UnixMillis(now)) {
            Step::Wait(wake) => wake.map(|at| at.0),
            other => panic!("{other:?} at {now}"),
        }
    }

    #[test]
    fn while_a_frame_is_made_the_newest_picture_waits_alone() {
        let mut frames = frames(60);
        let first = made(&mut frames, &live(1), 0);
        for no in 2..9 {
            assert_eq!(waits(&mut frames, &live(no), 100), None);
        }
        let now = frames.made(&first, Some(b"jpeg".to_vec()), UnixMillis(100), None);
        let now = now.expect("a frame");
        assert_eq!(now.current.meta.slide, Some(SlideNo(1)));
        assert_eq!(now.current.meta.caption.as_deref(), Some("number 1"));
        assert!(matches!(now.next, Next::Unforeseen));
        match made(&mut frames, &live(9), 100) {
            Subject::Sample(sample) => assert_eq!(sample.no, SampleNo(9)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_picture_is_made_twice_and_a_bad_one_is_left_out() {
        let mut frames = frames(60);
        let first = made(&mut frames, &live(1), 0);
        assert!(frames.made(&first, None, UnixMillis(1), None).is_none());
        assert_eq!(waits(&mut frames, &live(1), 500), None);
        made(&mut frames, &live(2), 500);
        frames.gave_up();
        made(&mut frames, &live(3), 600);
    }

    #[test]
    fn frames_are_no_closer_than_asked_for() {
        let mut frames = frames(10);
        let first = made(&mut frames, &live(1), 1000);
        frames.made(&first, Some(Vec::new()), UnixMillis(1001), None);
        assert_eq!(waits(&mut frames, &live(2), 1010), Some(1090));
        assert_eq!(waits(&mut frames, &live(3), 1089), Some(1090));
        let second = made(&mut frames, &live(3), 1090);
        frames.made(&second, Some(Vec::new()), UnixMillis(1091), None);
        // A clock that was set back holds nothing up.
        made(&mut frames, &live(4), 5);
    }

    #[test]
    fn for_nobody_there_are_few_and_whoever_comes_has_the_newest_at_once() {
        let mut frames = frames(60);
        let mut is_made = |no, is_idle, now| {
            let step = frames.step(&live(no), &Veil::default(), is_idle, UnixMillis(now));
            let Step::Make(subject) = step else {
                return false;
            };
            let jpeg = Some(b"jpeg".to_vec());
            frames.made(&subject, jpeg, UnixMillis(now), None).is_some()
        };
        assert!(is_made(1, false, 1000) && is_made(2, false, 1033));
        let idle = (3..33).filter(|no| is_made(*no, true, 1000 + 33 * (no - 1)));
        assert_eq!(idle.count(), 4);
        assert!(is_made(40, true, 3000) && !is_made(41, true, 3033));
        assert!(is_made(41, false, 3050));
    }

    #[test]
    fn a_picture_that_was_late_does_not_hold_up_all_behind_it() {
        let mut frames = frames(25);
        let mut due = None;
        for no in 0..50_u64 {
            let came = 1000 + no * 40 + if no == 10 { 30 } else { 0 };
            let at = came.max(due.unwrap_or(0));
            assert!(at - came <= if no < 20 { 30 } else { 0 }, "{no}: {at}");
            let subject = made(&mut frames, &live(no), at);
            frames.made(&subject, Some(Vec::new()), UnixMillis(at), None);
            due = waits(&mut frames, &live(no + 1), at);
        }
    }

    /// A picture that stands is made anew when the light changes; of what nobody sees there is a frame a second.
    #[test]
    fn under_another_veil_the_same_picture_is_made_again() {
        let mut frames = frames(60);
        let mut is_made = |no, light, now| {
            let step = frames.step(&live(no), &Veil::dimmed(light), false, UnixMillis(now));
            let Step::Make(subject) = step else {
                return false;
            };
            let jpeg = Some(b"jpeg".to_vec());
            frames.made(&subject, jpeg, UnixMillis(now), None).is_some()
        };
        assert!(is_made(1, 1000, 0) && !is_made(1, 1000, 100));
        assert!(is_made(1, 500, 200) && !is_made(1, 500, 300));
        assert!(is_made(2, 500, 400));
        // Black at once, and then slowly.
        assert!(is_made(3, 0, 500));
        assert!(!is_made(4, 0, 600) && !is_made(5, 0, 1400) && is_made(6, 0, 1500));
        assert!(is_made(6, 1000, 1600), "light at once");
    }

    #[test]
    fn words_take_the_place_of_pictures_that_no_longer_come() {
        let mut frames = frames(60);
        let card = made(&mut frames, &Live::default(), 0);
        assert!(matches!(&card, Subject::Card(words, None) if words.text.starts_with("plot: ")));
        let now = frames
            .made(&card, Some(Vec::new()), UnixMillis(0), None)
            .unwrap();
        assert_eq!(now.current.meta.slide, Some(SlideNo(0)));
        let picture = made(&mut frames, &live(7), 100);
        frames.made(&picture, Some(Vec::new()), UnixMillis(101), None);
        let signal = Signal::Silent {
            since: UnixMillis(7),
        };
        let gone = Live { signal, ..live(7) };
        let card = made(&mut frames, &gone, 200);
        // Under the picture's number, so that pages draw it anew.
        let now = frames
            .made(&card, Some(Vec::new()), UnixMillis(201), None)
            .unwrap();
        assert_eq!(now.current.meta.slide, Some(SlideNo(7)));
        assert_eq!(waits(&mut frames, &gone, 300), None);
        // The same picture once more is none that has been shown since.
        made(&mut frames, &live(8), 400);
    }
}
