//! The frames for `/bytes`: one a slide, the next one ahead of its moment.
//!
//! Pure but for the count of frames. A frame is made anew only when what it says changes; a slide whose
//! moment moves is sent again under a new number with the bytes it had.

use std::sync::Arc;

use bytes::Bytes;
use mantel_shared::FrameMeta;

use super::Rendered;
use crate::{
    hub::{Frame, Framing, Now},
    timeline::{Showing, Slide, Transition},
};

/// The stills of one rendition.
#[derive(Debug)]
pub(super) struct Stills {
    framing: Arc<Framing>,
    /// How slides are to change, and how they do: in no more time than they stay.
    asked: Transition,
    transition: Transition,
    current: Option<Still>,
    next: Option<Still>,
    has_published: bool,
    /// How long the slide that follows stays, where that is known to differ.
    next_stays: Option<u64>,
    /// Nothing is to be seen: that no slide follows is no pause that anybody asked for.
    is_dark: bool,
}

#[derive(Clone, Debug)]
struct Still {
    slide: Slide,
    paused: bool,
    frame: Arc<Frame>,
}

impl Stills {
    pub(super) fn new(framing: Arc<Framing>, transition: Transition) -> Self {
        Self {
            framing,
            asked: transition,
            transition,
            current: None,
            next: None,
            has_published: false,
            next_stays: None,
            is_dark: false,
        }
    }

    /// From now on nothing is to be seen of the slides, or something.
    pub(super) fn set_dark(&mut self, is_dark: bool) {
        self.is_dark = is_dark;
    }

    /// True until something was published.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_published
    }

    /// Something else was on meanwhile: the slide that is on now is news, whichever it is.
    pub(super) fn was_interrupted(&mut self) {
        (self.current, self.next) = (None, None);
        self.has_published = true;
    }

    /// From now on the slide that follows stays so many milliseconds.
    pub(super) fn set_next_stays(&mut self, millis: u64) {
        self.next_stays = Some(millis);
    }

    /// The slide that is on has moved; returns what to publish. It is the same slide still.
    pub(super) fn moved(&mut self, jpeg: &Bytes) -> Option<Now> {
        let still = self.current.as_mut()?;
        let (no, at) = (self.framing.next_no(), still.slide.starts_at);
        let frame = self.framing.frame(no, at, still.frame.meta.clone(), jpeg);
        still.frame = Arc::new(frame);
        Some(Now {
            current: still.frame.clone(),
            next: self.next.as_ref().map(|still| still.frame.clone()).into(),
        })
    }

    /// The frames to publish now, if anything changed.
    pub(super) fn turn(
        &mut self,
        showing: &Showing,
        current: &Rendered,
        next: Option<&Arc<Rendered>>,
        dwell_millis: u64,
    ) -> Option<Now> {
        let old = (self.current.take(), self.next.take());
        let known: Vec<Still> = [&old.0, &old.1].into_iter().flatten().cloned().collect();
        let stays = showing
            .next
            .starts_at
            .0
            .saturating_sub(showing.current.starts_at.0);
        let dwell = (!showing.paused).then_some(stays);
        self.transition = self.asked.within(dwell_millis);
        let still = self.still(showing.current, showing.paused, current, dwell, &known);
        let next_stays = self.next_stays.unwrap_or(dwell_millis);
        // While paused nobody knows when the next slide comes.
        let upcoming = next
            .filter(|_| !showing.paused)
            .map(|next| self.still(showing.next, false, next, Some(next_stays), &known));
        let no = |still: &Option<Still>| still.as_ref().map(|still| still.frame.no);
        let changed = no(&old.0) != Some(still.frame.no) || no(&old.1) != no(&upcoming);
        let now = Now {
            current: still.frame.clone(),
            next: upcoming.as_ref().map(|still| still.frame.clone()).into(),
        };
        self.current = Some(still);
        self.next = upcoming;
        self.has_published = true;
        changed.then_some(now)
    }

    fn still(
        &mut self,
        slide: Slide,
        paused: bool,
        rendered: &Rendered,
        dwell: Option<u64>,
        known: &[Still],
    ) -> Still {
        let same_picture = known
            .iter()
            .find(|still| (still.slide.no, still.slide.turn()) == (slide.no, slide.turn()));
        if let Some(still) = same_picture
            && (still.slide, still.paused) == (slide, paused)
        {
            return still.clone();
        }
        let no = self.framing.next_no();
        let meta = FrameMeta {
            slide: Some(slide.no),
            show_at: Some(slide.starts_at),
            dwell_millis: dwell,
            transition: Some(self.transition),
            caption: rendered.notes.caption.clone(),
            taken_at: rendered.notes.taken_at.clone(),
            place: rendered.notes.place.clone(),
            album: rendered.notes.album.clone(),
            focus: rendered.notes.focus,
            photos: rendered.notes.photos.clone(),
            paused: paused && !self.is_dark,
            ..FrameMeta::default()
        };
        let frame = match same_picture {
            Some(still) => self.framing.again(no, meta, &still.frame),
            None => self
                .framing
                .frame(no, slide.starts_at, meta, &rendered.jpeg),
        };
        Still {
            slide,
            paused,
            frame: Arc::new(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{producer::screen::tests::rendered, timeline::PhotoId};
    use mantel_shared::{SlideNo, UnixMillis};

    fn slide(no: u64, photo: u64, starts_at: u64) -> Slide {
        Slide {
            no: SlideNo(no),
            photo: PhotoId(photo),
            beside: None,
            starts_at: UnixMillis(starts_at),
        }
    }

    fn showing(current: Slide, next: Slide) -> Showing {
        Showing {
            current,
            next,
            paused: false,
        }
    }

    fn stills() -> Stills {
        Stills::new(Arc::default(), Transition::Cut)
    }

    #[test]
    fn a_slide_sent_ahead_is_the_same_frame_when_its_moment_comes() {
        let mut stills = stills();
        let (a, b) = (rendered(1), rendered(2));
        let (one, two) = (slide(1, 1, 0), slide(2, 2, 1000));
        let first = stills.turn(&showing(one, two), &a, None, 1000).unwrap();
        assert!(first.next.known().is_none());
        let ahead = stills.turn(&showing(one, two), &a, Some(&b), 1000).unwrap();
        assert_eq!(ahead.current.no, first.current.no);
        assert!(
            stills
                .turn(&showing(one, two), &a, Some(&b), 1000)
                .is_none()
        );
        let flipped = stills
            .turn(&showing(two, slide(3, 1, 2000)), &b, None, 1000)
            .unwrap();
        assert_eq!(flipped.current.no, ahead.next.known().unwrap().no);
        assert_eq!(flipped.current.meta.show_at, Some(UnixMillis(1000)));
    }

    #[test]
    fn a_moment_that_moves_is_told_with_the_bytes_it_had() {
        let mut stills = stills();
        let (a, b) = (rendered(1), rendered(2));
        let ahead = stills
            .turn(
                &showing(slide(1, 1, 0), slide(2, 2, 1000)),
                &a,
                Some(&b),
                1000,
            )
            .unwrap();
        let moved = stills
            .turn(
                &showing(slide(2, 2, 300), slide(3, 1, 1300)),
                &b,
                None,
                1000,
            )
            .unwrap();
        let promised = ahead.next.known().unwrap();
        assert!(moved.current.no > promised.no);
        assert_eq!(moved.current.meta.show_at, Some(UnixMillis(300)));
        assert_eq!(moved.current.body.as_ptr(), promised.body.as_ptr());
    }

    #[test]
    fn no_slide_changes_for_longer_than_it_stays() {
        let mut stills = Stills::new(Arc::default(), Transition::Crossfade { millis: 3000 });
        let (a, b) = (rendered(1), rendered(2));
        let mut told = |starts_at, dwell| {
            let showing = showing(slide(1, 1, starts_at), slide(2, 2, starts_at + dwell));
            let now = stills.turn(&showing, &a, Some(&b), dwell).unwrap();
            [&now.current, now.next.known().unwrap()].map(|frame| frame.meta.transition)
        };
        let fade = |millis| [Some(Transition::Crossfade { millis }); 2];
        assert_eq!(told(0, 10_000), fade(3000));
        assert_eq!(told(1, 2000), fade(2000));
        assert_eq!(told(2, 10_000), fade(3000));
    }

    #[test]
    fn a_pause_is_told_and_takes_the_next_slide_back() {
        let mut stills = stills();
        let (a, b) = (rendered(1), rendered(2));
        let (one, two) = (slide(1, 1, 0), slide(2, 2, 1000));
        stills.turn(&showing(one, two), &a, Some(&b), 1000);
        let paused = stills
            .turn(
                &Showing {
                    paused: true,
                    ..showing(one, two)
                },
                &a,
                Some(&b),
                1000,
            )
            .unwrap();
        assert!(paused.current.meta.paused && paused.next.known().is_none());
        assert_eq!(paused.current.meta.dwell_millis, None);
        let resumed = stills
            .turn(
                &showing(slide(1, 1, 500), slide(2, 2, 1500)),
                &a,
                Some(&b),
                1000,
            )
            .unwrap();
        assert!(!resumed.current.meta.paused);
        assert!(resumed.next.known().unwrap().no > resumed.current.no);
    }

    /// A slide that moves is one slide, and what follows it is not sent again; a pause keeps its last picture.
    #[test]
    fn a_slide_that_moves_stays_itself() {
        let mut stills = stills();
        let (a, b) = (rendered(1), rendered(2));
        let (one, two) = (slide(1, 1, 0), slide(2, 2, 5000));
        assert!(stills.moved(&b.jpeg).is_none(), "nothing is on yet");
        let first = stills.turn(&showing(one, two), &a, Some(&b), 1000).unwrap();
        assert_eq!(first.current.meta.dwell_millis, Some(5000));
        let moved = stills.moved(&Bytes::from_static(b"moved")).unwrap();
        assert!(moved.current.no > first.current.no);
        assert_eq!(moved.current.meta, first.current.meta);
        assert_eq!(&moved.current.jpeg()[..], b"moved");
        let no = |now: &Now| now.next.known().map(|frame| frame.no);
        assert_eq!(no(&moved), no(&first));
        assert!(
            stills
                .turn(&showing(one, two), &a, Some(&b), 1000)
                .is_none()
        );
        let paused = Showing {
            paused: true,
            ..showing(one, two)
        };
        let paused = stills.turn(&paused, &a, Some(&b), 1000).unwrap();
        assert_eq!(&paused.current.jpeg()[..], b"moved");
    }
}
