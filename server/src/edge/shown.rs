//! Sheets of another machine made into what is on here, and what is on here into sheets. Pure but for the count of frames.

use std::{collections::VecDeque, sync::Arc};

use mantel_media::wire::{Next as NextSlot, Sheet, SheetFrame, Slot};
use mantel_shared::{PartHead, UnixMillis};

use crate::hub::{Frame, Framing, Next, Now};

/// Frames that a sheet may name by their number alone: those of the last one, and those that were announced and have not been
/// on yet, as a slide that is announced again while its crossfade is late.
const KEPT: usize = 4;
/// Frames that are kept at the other end: more, since who has been sent a whole sheet has seen others.
const KEPT_THERE: usize = KEPT + 2;

/// Frames by their numbers, the last that were named at the end. Both ends of a way forget by the same rule.
#[derive(Debug)]
struct Kept<T> {
    frames: VecDeque<(u64, T)>,
    on: Option<u64>,
    at_most: usize,
}

impl<T> Kept<T> {
    fn new(at_most: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            on: None,
            at_most,
        }
    }

    fn get(&self, no: u64) -> Option<&T> {
        let found = self.frames.iter().find(|(known, _)| *known == no);
        found.map(|(_, frame)| frame)
    }

    /// Keeps the frames of a sheet, of which the first is on: the one that was on before is not any more.
    fn keep(&mut self, sheet: impl IntoIterator<Item = (u64, T)>) {
        let mut sheet = sheet.into_iter().peekable();
        let on = sheet.peek().map(|(no, _)| *no);
        if let Some(before) = self.on.filter(|before| Some(*before) != on) {
            self.frames.retain(|(no, _)| *no != before);
        }
        self.on = on;
        for (no, frame) in sheet {
            self.frames.retain(|(known, _)| *known != no);
            self.frames.push_back((no, frame));
        }
        while self.frames.len() > self.at_most {
            self.frames.pop_front();
        }
    }

    fn forget(&mut self) {
        self.frames.clear();
        self.on = None;
    }
}

/// By how many milliseconds the clock of the other machine is ahead of this one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ahead(pub(super) i64);

impl Ahead {
    /// A moment there, by the clock here.
    pub(super) fn here(self, at: u64) -> UnixMillis {
        UnixMillis(at.saturating_add_signed(self.0.saturating_neg()))
    }

    /// A moment here, by the clock there.
    pub(super) fn there(self, at: UnixMillis) -> u64 {
        at.0.saturating_add_signed(self.0)
    }
}

/// The frames of one rendition.
#[derive(Debug)]
pub(super) struct Shown {
    framing: Arc<Framing>,
    /// The frames that are known, by their numbers at the other machine.
    known: Kept<Arc<Frame>>,
}

impl Shown {
    pub(super) fn new(framing: Arc<Framing>) -> Self {
        Self {
            framing,
            known: Kept::new(KEPT_THERE),
        }
    }

    /// Nothing is known any more: another program numbers frames.
    pub(super) fn forget(&mut self) {
        self.known.forget();
    }

    /// The frames that a sheet shows. `None`: it names a frame that never came, or what came is none.
    pub(super) fn take(&mut self, sheet: &Sheet<'_>, ahead: Ahead) -> Option<Now> {
        let current = self.frame(&sheet.current, ahead)?;
        let next = match &sheet.next {
            NextSlot::Known(slot) => Some(self.frame(slot, ahead)?),
            NextSlot::NotYet | NextSlot::Unforeseen => None,
        };
        self.known
            .keep([Some(current.clone()), next.clone()].into_iter().flatten());
        let (_, current) = current;
        let next = match (&sheet.next, next) {
            (NextSlot::Unforeseen, _) => Next::Unforeseen,
            (_, next) => next.map(|(_, frame)| frame).into(),
        };
        Some(Now { current, next })
    }

    /// The frame of a slot, and its number at the other machine.
    fn frame(&self, slot: &Slot<'_>, ahead: Ahead) -> Option<(u64, Arc<Frame>)> {
        let (no, sent) = match slot {
            Slot::Sent(no) => (*no, None),
            Slot::Whole(frame) => (frame.no, Some(frame)),
        };
        if let Some(known) = self.known.get(no) {
            return Some((no, known.clone()));
        }
        Some((no, Arc::new(self.made(sent?, ahead)?)))
    }

    fn made(&self, frame: &SheetFrame<'_>, ahead: Ahead) -> Option<Frame> {
        let SheetFrame {
            at,
            taken_at,
            source,
            head,
            jpeg,
            ..
        } = *frame;
        let mut meta = PartHead::parse(head).ok()?.meta;
        // What is sent to clients is a JPEG from its first byte to its last.
        if !jpeg.starts_with(&[0xff, 0xd8]) || !jpeg.ends_with(&[0xff, 0xd9]) {
            return None;
        }
        meta.show_at = meta.show_at.map(|at| ahead.here(at.0));
        meta.sent_at = None;
        let framing = &self.framing;
        let mut made = framing.frame(framing.next_no(), ahead.here(at), meta, jpeg);
        made.taken_at = taken_at.map(|at| ahead.here(at));
        Some(match source {
            Some(source) => made.of(source.into()),
            None => made,
        })
    }
}

/// The frames that were sent: they are written by their numbers alone.
#[derive(Debug)]
pub(super) struct Written {
    sent: Kept<()>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            sent: Kept::new(KEPT),
        }
    }
}

impl Written {
    /// The sheet of what is on, as bytes; with everything in it, where it is for somebody who has nothing yet.
    pub(super) fn sheet(
        &mut self,
        now: &Now,
        framing: &Framing,
        sent_at: UnixMillis,
        is_whole: bool,
    ) -> Vec<u8> {
        let frames: Vec<_> = [Some(&now.current), now.next.known()]
            .into_iter()
            .flatten()
            .map(|frame| (frame, framing.detailed_head(frame, sent_at), frame.jpeg()))
            .collect();
        let slots: Vec<Slot<'_>> = frames
            .iter()
            .map(|(frame, head, jpeg)| {
                if !is_whole && self.sent.get(frame.no.0).is_some() {
                    return Slot::Sent(frame.no.0);
                }
                Slot::Whole(SheetFrame {
                    no: frame.no.0,
                    at: frame.at.0,
                    taken_at: frame.taken_at.map(|at| at.0),
                    source: frame.source(),
                    head,
                    jpeg,
                })
            })
            .collect();
        let next = match (&now.next, slots.get(1)) {
            (Next::Known(_), Some(slot)) => NextSlot::Known(*slot),
            (Next::Unforeseen, _) => NextSlot::Unforeseen,
            (Next::Known(_) | Next::NotYet, _) => NextSlot::NotYet,
        };
        let sheet = Sheet {
            // There is one for what is on.
            current: slots.first().copied().unwrap_or(Slot::Sent(0)),
            next,
        };
        let bytes = sheet.write();
        if !is_whole {
            self.sent
                .keep(frames.iter().map(|(frame, ..)| (frame.no.0, ())));
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use mantel_shared::{FrameMeta, SlideNo};

    use super::*;
    use crate::hub::FrameNo;

    const JPEG: &[u8] = b"\xff\xd8 a picture \xff\xd9";

    fn frame(no: u64) -> Arc<Frame> {
        let meta = FrameMeta {
            slide: Some(SlideNo(no)),
            show_at: Some(UnixMillis(100_000 + no)),
            caption: Some("Süden".into()),
            ..FrameMeta::default()
        };
        let frame = Framing::default().frame(FrameNo(no), UnixMillis(100_000 + no), meta, JPEG);
        Arc::new(if no.is_multiple_of(2) {
            frame.of("door".into())
        } else {
            frame
        })
    }

    fn now(current: u64, next: Next) -> Now {
        Now {
            current: frame(current),
            next,
        }
    }

    /// What comes out at the other end, whose clock is 5 s ahead of that of the machine that sends.
    fn carried(shown: &mut Shown, bytes: &[u8]) -> Option<Now> {
        shown.take(&Sheet::read(bytes).unwrap(), Ahead(-5000))
    }

    #[test]
    fn what_is_promised_there_is_promised_here_and_each_picture_travels_once() {
        let (mut written, mut shown) = (Written::default(), Shown::new(Arc::default()));
        let framing = Framing::default();
        let mut sheet = |now: &Now, whole| written.sheet(now, &framing, UnixMillis(99_000), whole);
        let first = carried(&mut shown, &sheet(&now(1, Next::NotYet), false)).unwrap();
        assert_eq!(first.current.at, UnixMillis(105_001));
        assert_eq!(first.current.meta.show_at, Some(UnixMillis(105_001)));
        assert_eq!(first.current.meta.caption.as_deref(), Some("Süden"));
        assert_eq!(first.current.jpeg(), JPEG);
        let foreseen = sheet(&now(1, Next::Known(frame(2))), false);
        let second = carried(&mut shown, &foreseen).unwrap();
        assert_eq!(second.current.no, first.current.no);
        let promised = second.next.known().unwrap();
        assert_eq!(promised.source(), Some("door"));
        let kept = sheet(&now(2, Next::Unforeseen), false);
        assert!(kept.len() < 20, "no picture travels twice");
        let third = carried(&mut shown, &kept).unwrap();
        assert_eq!(third.current.no, promised.no);
        assert!(matches!(third.next, Next::Unforeseen));
        // Who missed one is told the whole, and asks for it where it is not.
        let mut late = Shown::new(Arc::default());
        assert!(carried(&mut late, &kept).is_none());
        let whole = sheet(&now(2, Next::Known(frame(3))), true);
        assert!(carried(&mut late, &whole).is_some());
        // Somebody else's whole sheet is not what everybody has.
        let known = sheet(&now(2, Next::Known(frame(3))), false);
        assert!(carried(&mut shown, &known).unwrap().next.known().is_some());
        shown.forget();
        assert!(carried(&mut shown, &kept).is_none());
    }

    #[test]
    fn a_slide_that_is_announced_again_and_again_travels_once() {
        const SLIDE: u64 = 100;
        let (mut written, mut shown) = (Written::default(), Shown::new(Arc::default()));
        let framing = Framing::default();
        let mut n_pictures = 0;
        let mut carry = |now: Now| {
            let sheet = written.sheet(&now, &framing, UnixMillis(0), false);
            n_pictures += sheet.windows(JPEG.len()).filter(|at| *at == JPEG).count();
            let on = carried(&mut shown, &sheet).expect("nothing is asked for again");
            assert_eq!(on.next.known().is_some(), now.next.known().is_some());
        };
        // A crossfade that is late at every frame: what is known to follow is the slide itself, until the frame is made. Some
        // frames are announced and passed over.
        carry(now(1, Next::NotYet));
        for no in (10..40).step_by(2) {
            carry(now(no, Next::Known(frame(SLIDE))));
            carry(now(no, Next::Known(frame(no + 1))));
            if no % 3 == 0 {
                carry(now(no + 1, Next::Known(frame(no + 2))));
            }
        }
        carry(now(SLIDE, Next::NotYet));
        assert_eq!(n_pictures, 1 + 15 * 2 + 1, "each once");
        // And nothing is kept for good.
        assert!(shown.known.frames.len() <= KEPT_THERE);
    }

    #[test]
    fn only_pictures_are_shown() {
        let mut shown = Shown::new(Arc::default());
        let sheet = |jpeg, head| Sheet {
            current: Slot::Whole(SheetFrame {
                no: 1,
                at: 0,
                taken_at: None,
                source: None,
                head,
                jpeg,
            }),
            next: NextSlot::NotYet,
        };
        let head: &[u8] = b"Content-Type: image/jpeg\r\n\r\n";
        for (jpeg, head) in [(&b"<html>"[..], head), (&JPEG[..5], head), (b"", head)] {
            assert!(shown.take(&sheet(jpeg, head), Ahead::default()).is_none());
        }
        assert!(shown.take(&sheet(JPEG, head), Ahead::default()).is_some());
    }
}
