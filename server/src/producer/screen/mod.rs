//! The frames for `/stream`: every one that is on screen, one after the other, each known before
//! its moment.
//!
//! Pure but for the count of frames: time is an argument, pixels are blended elsewhere ([`blending`](super::blending))
//! and their JPEGs handed back. A slide is a run of frames, first those of its transition, last the
//! slide itself, which stands. While a slide stands, the first frames of the next run are made, so
//! that clients can be promised what follows: browsers paint a frame only when the next part's head
//! has come.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use mantel_shared::{FrameMeta, SlideNo, UnixMillis};

use super::Rendered;
use crate::{
    hub::{Frame, FrameNo, Framing, Look, Now},
    render::Alpha,
    rendition::Rendition,
    timeline::{Showing, Slide, Transition, Turn, blend_steps},
};

/// How many frames of a transition are made before their moment: the one that is promised, and the
/// one after it, so that the promise is known when the first is sent.
const AHEAD: usize = 2;

/// Which frame of which transition; what was blended for another is thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepKey {
    slide: SlideNo,
    turn: Turn,
    from: FrameNo,
    step: usize,
}

/// A frame that is to be blended.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: StepKey,
    pub(super) from: Arc<Frame>,
    pub(super) to: Arc<Frame>,
    pub(super) alpha: Alpha,
}

/// The screen as one rendition shows it.
#[derive(Debug)]
pub(super) struct Screen {
    framing: Arc<Framing>,
    rendition: Rendition,
    /// How slides are to change; in the rendition is how they do.
    asked: Transition,
    current: Option<Run>,
    upcoming: Option<Run>,
    /// The last run's frame that is on; the run's length means the slide itself.
    on: Option<usize>,
    published: Option<(FrameNo, Option<FrameNo>)>,
    /// The slide that is on moves: nobody knows yet what the next one comes from.
    plays: bool,
}

/// The frames of one slide.
#[derive(Debug)]
struct Run {
    slide: Slide,
    /// The frame that its transition starts from.
    from: Option<Arc<Frame>>,
    steps: Vec<(UnixMillis, Alpha)>,
    ends_at: UnixMillis,
    blended: BTreeMap<usize, Arc<Frame>>,
    given_up: bool,
    standing: Arc<Frame>,
}

impl Screen {
    pub(super) fn new(framing: Arc<Framing>, rendition: Rendition) -> Self {
        Self {
            framing,
            rendition,
            asked: rendition.transition,
            current: None,
            upcoming: None,
            on: None,
            published: None,
            plays: false,
        }
    }

    /// Something else was on meanwhile: the slide that is on now is there at once, from no other one.
    pub(super) fn was_interrupted(&mut self) {
        (self.current, self.upcoming, self.on) = (None, None, None);
        self.published = Some((FrameNo(0), None));
    }

    /// From now on slides stay so many milliseconds: they change in no more.
    pub(super) fn set_interval(&mut self, millis: u64) {
        self.rendition.transition = self.asked.within(millis);
    }

    /// From now on the slide that is on moves, or stands.
    pub(super) fn set_plays(&mut self, plays: bool) {
        self.plays = plays;
    }

    /// The slide that is on has moved, where it has come.
    pub(super) fn moved(&mut self, now: UnixMillis, jpeg: &Bytes) {
        let Some(run) = self.current.as_mut().filter(|run| now >= run.ends_at) else {
            return;
        };
        let frame = self
            .framing
            .frame(self.framing.next_no(), now, FrameMeta::default(), jpeg);
        let before = std::mem::replace(&mut run.standing, Arc::new(frame));
        // What moves is no cut.
        run.from.get_or_insert(before);
    }

    /// Takes what is on by the timeline; returns what to publish, if that changed.
    pub(super) fn turn(
        &mut self,
        now: UnixMillis,
        showing: &Showing,
        current: &Rendered,
        next: Option<&Arc<Rendered>>,
    ) -> Option<Now> {
        self.take_current(showing.current, current);
        self.take_upcoming(showing.next, next);
        let run = self.current.as_ref()?;

        // The newest frame that is due and ready; a slow machine skips, it never lags.
        let due = run.due_at(now);
        let from = self.on.unwrap_or(0);
        let on = (from..=due).rev().find(|step| run.frame(*step).is_some());
        let on = match (on, self.on) {
            (Some(on), _) => on,
            (None, Some(on)) => on,
            // Nothing of this run is ready: what was on before stays, but a first viewer has to
            // be shown something.
            (None, None) if self.published.is_none() => run.steps.len(),
            (None, None) => return None,
        };
        self.on = Some(on);
        let frame = run.frame(on)?.clone();
        let following = (on + 1..=run.steps.len()).find_map(|step| run.frame(step).cloned());
        let following = match following {
            Some(frame) => Some(frame),
            None if on == run.steps.len() && !self.plays => {
                self.upcoming.as_ref().and_then(|run| run.frame(0).cloned())
            }
            None => None,
        };
        let numbers = (frame.no, following.as_ref().map(|frame| frame.no));
        (self.published.replace(numbers) != Some(numbers)).then_some(Now {
            current: frame,
            next: following.into(),
        })
    }

    /// The look of the screen, for whoever blends by themselves.
    pub(super) fn look(&self) -> Option<Look> {
        let run = self.current.as_ref()?;
        Some(Look {
            from: run.from.clone(),
            to: run.standing.clone(),
            starts_at: run.slide.starts_at,
            ends_at: run.ends_at,
            next: self
                .upcoming
                .as_ref()
                .filter(|_| !self.plays)
                .map(|run| run.standing.clone()),
        })
    }

    /// When there is something to publish next, by what is known.
    pub(super) fn due(&self, now: UnixMillis) -> Option<UnixMillis> {
        let run = self.current.as_ref()?;
        let dues = run.steps.iter().map(|(due, _)| *due).chain([run.ends_at]);
        dues.filter(|due| *due > now).min()
    }

    /// The frame that is to be blended next, if any.
    pub(super) fn wanted(&self, now: UnixMillis) -> Option<Wanted> {
        let current = self.current.iter().filter_map(|run| {
            // What is already late is not worth making.
            let first = if now < run.slide.starts_at {
                0
            } else {
                run.due_at(now) + 1
            };
            run.wanted(first..(first + AHEAD).min(run.steps.len()))
        });
        let upcoming = self
            .upcoming
            .iter()
            .filter(|_| !self.plays)
            .filter_map(|run| run.wanted(0..AHEAD.min(run.steps.len())));
        current.chain(upcoming).next()
    }

    /// Whether a transition is under way: more of its frames will be wanted.
    pub(super) fn is_moving(&self, now: UnixMillis) -> bool {
        let runs = self.current.iter();
        runs.filter(|run| !run.given_up)
            .any(|run| now < run.ends_at)
    }

    /// A frame that was wanted is ready, or could not be made.
    pub(super) fn blended(&mut self, key: StepKey, jpeg: Option<Bytes>) {
        let run = [&mut self.current, &mut self.upcoming]
            .into_iter()
            .flatten()
            .find(|run| run.key(key.step) == Some(key));
        let Some(run) = run else { return };
        let Some(jpeg) = jpeg else {
            run.given_up = true;
            return;
        };
        let no = self.framing.next_no();
        let at = run.steps[key.step].0;
        let frame = self.framing.frame(no, at, FrameMeta::default(), &jpeg);
        run.blended.insert(key.step, Arc::new(frame));
    }

    fn take_current(&mut self, slide: Slide, rendered: &Rendered) {
        if let Some(run) = &mut self.current
            && run.is(slide)
        {
            return;
        }
        let on_screen = self.on_screen();
        let ready = self.upcoming.take().filter(|run| run.is(slide));
        // Frames made to start from another picture than the one on screen would jump.
        let no = |frame: &Option<Arc<Frame>>| frame.as_ref().map(|frame| frame.no);
        let same_start = |run: &Run| no(&run.from) == no(&on_screen);
        let run = match ready {
            Some(mut run) if same_start(&run) => {
                run.set_start(slide.starts_at, self.rendition);
                run
            }
            _ => self.run(slide, on_screen, rendered),
        };
        self.current = Some(run);
        self.on = None;
    }

    fn take_upcoming(&mut self, slide: Slide, rendered: Option<&Arc<Rendered>>) {
        let from = self.current.as_ref().map(|run| run.standing.clone());
        let no = |frame: &Option<Arc<Frame>>| frame.as_ref().map(|frame| frame.no);
        // What has moved meanwhile is what it comes from.
        let is_good = |run: &Run| run.is(slide) && (self.plays || no(&run.from) == no(&from));
        match (&mut self.upcoming, rendered) {
            (Some(run), Some(_)) if is_good(run) => run.set_start(slide.starts_at, self.rendition),
            (_, Some(rendered)) => self.upcoming = Some(self.run(slide, from, rendered)),
            (upcoming, None) => *upcoming = None,
        }
    }

    fn run(&mut self, slide: Slide, from: Option<Arc<Frame>>, rendered: &Rendered) -> Run {
        let no = self.framing.next_no();
        let standing =
            self.framing
                .frame(no, slide.starts_at, FrameMeta::default(), &rendered.jpeg);
        let mut run = Run {
            slide,
            from,
            steps: Vec::new(),
            ends_at: slide.starts_at,
            blended: BTreeMap::new(),
            given_up: false,
            standing: Arc::new(standing),
        };
        run.set_start(slide.starts_at, self.rendition);
        run
    }

    /// The frame on screen: one between two slides, when a command interrupts a transition.
    fn on_screen(&self) -> Option<Arc<Frame>> {
        let run = self.current.as_ref()?;
        run.frame(self.on?).cloned()
    }
}

impl Run {
    fn is(&self, slide: Slide) -> bool {
        (self.slide.no, self.slide.turn()) == (slide.no, slide.turn())
    }

    /// Moves the run in time; what was blended stays good.
    fn set_start(&mut self, starts_at: UnixMillis, rendition: Rendition) {
        self.slide.starts_at = starts_at;
        self.steps.clear();
        if self.from.is_some() {
            let steps = blend_steps(rendition.transition, starts_at, rendition.fps.0);
            self.steps
                .extend(steps.map(|(due, alpha)| (due, Alpha::new(alpha))));
        }
        let length = match rendition.transition {
            Transition::Crossfade { millis } if !self.steps.is_empty() => u64::from(millis),
            _ => 0,
        };
        self.ends_at = UnixMillis(starts_at.0 + length);
    }

    /// The frame whose turn it is at `now`; the number of steps stands for the slide itself.
    fn due_at(&self, now: UnixMillis) -> usize {
        if now >= self.ends_at {
            return self.steps.len();
        }
        self.steps
            .iter()
            .rposition(|(due, _)| *due <= now)
            .unwrap_or(0)
    }

    fn frame(&self, step: usize) -> Option<&Arc<Frame>> {
        if step == self.steps.len() {
            Some(&self.standing)
        } else {
            self.blended.get(&step)
        }
    }

    fn key(&self, step: usize) -> Option<StepKey> {
        Some(StepKey {
            slide: self.slide.no,
            turn: self.slide.turn(),
            from: self.from.as_ref()?.no,
            step,
        })
    }

    fn wanted(&self, steps: std::ops::Range<usize>) -> Option<Wanted> {
        if self.given_up {
            return None;
        }
        let step = steps
            .into_iter()
            .find(|step| !self.blended.contains_key(step))?;
        let (_, alpha) = *self.steps.get(step)?;
        Some(Wanted {
            key: self.key(step)?,
            from: self.from.clone()?,
            to: self.standing.clone(),
            alpha,
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
