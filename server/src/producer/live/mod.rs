//! The loop of a producer of live pictures: a frame of the newest picture whenever one has come, until nobody has watched
//! for a while, or something else is on the air. Who asks for a snapshot now and then finds a picture of this moment, not of the last time.

mod frames;
mod given;
mod pixels;
mod signs;

use std::sync::Arc;

use mantel_shared::{SlideNo, UnixMillis};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{Producer, screen::Screen, steady::Steady, stills::Stills, wake_at_change, work::Work};
use crate::{
    channel::{Airing, OnAir},
    hub::{Linger, Look},
    source::live::LiveSource,
    timeline::Veil,
};
use frames::{LiveFrames, Step, Subject};
pub use given::asks;
use signs::Signs;

/// The slides of a channel that others interrupt: they are made meanwhile, so that the right one is there afterwards.
pub(super) struct Beneath<'a> {
    pub(super) work: &'a mut Work,
    pub(super) stills: &'a mut Stills,
    pub(super) screen: &'a mut Screen,
    pub(super) steady: &'a mut Steady,
    /// How many frames have interrupted them so far.
    pub(super) n_shown: &'a mut u64,
    /// Whether one of those is on the screen.
    pub(super) is_hidden: &'a mut bool,
}

/// Why a producer makes no more frames of a live source.
pub(super) enum Left {
    /// Something else is on the air.
    OtherOnAir,
    /// Nobody wants any.
    Nobody,
}

impl Producer {
    /// Makes frames of what `source` brings, as long as it is on the air: the newest one, when the one before is made. The
    /// slides of a channel that it interrupts are made as well, and not shown.
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell: how long nobody has watched is no matter of the wall clock"
    )]
    pub(super) async fn produce_live(
        &self,
        source: &LiveSource,
        on_air: &mut Airing,
        mut beneath: Beneath<'_>,
        stop: &mut watch::Receiver<bool>,
    ) -> Left {
        let mut giving = self.giving(source);
        let mut live = source.live();
        let mut demand = self.feed.demand();
        let signs = Arc::new(Signs::new(source.words(), source.name()));
        let mut frames = LiveFrames::new(self.framing.clone(), self.key.rendition, source.name());
        let mut making: JoinSet<(Subject, Option<Vec<u8>>)> = JoinSet::new();
        let mut linger = Linger::new(Instant::now());
        let mut watcher = None;
        tracing::debug!(rendition = ?self.key.rendition, channel = source.name(), "live pictures are on");
        loop {
            demand.mark_unchanged();
            if self.feed.is_retired() {
                return Left::Nobody;
            }
            if !matches!(on_air.now(), OnAir::Live(on) if on.name() == source.name()) {
                return Left::OtherOnAir;
            }
            let is_watched = self.feed.n_viewers() > 0;
            if is_watched {
                watcher.get_or_insert_with(|| source.watch());
            }
            let left_at = linger.until(is_watched, Instant::now());
            if self.is_left(left_at) {
                return Left::Nobody;
            }
            let slide = self.go_on_beneath(&mut beneath);
            let now = self.clock.now();
            let what = live.borrow_and_update().clone();
            let own_night = self.channel.own_night();
            // What interrupts slides at night is there to be seen.
            let own_night = own_night.filter(|_| self.channel.programme().is_none());
            let veil = own_night.map_or_else(Veil::default, |night| night.veil(now));
            giving.step(self, &what, signs.is_empty() && veil.is_none(), is_watched);
            let is_idle = linger.is_idle(Instant::now());
            let wake = match frames.step(&what, &veil, is_idle, now) {
                Step::Wait(wake) => wake.into_iter().chain(slide).min(),
                Step::Make(subject) => {
                    let (mut rendition, limits) = (self.key.rendition, self.studio.decode_limits());
                    if let Some(coarseness) = &beneath.work.coarseness {
                        rendition.quality = coarseness.quality();
                    }
                    let signs = signs.clone();
                    making.spawn_blocking(move || {
                        let made = pixels::make(&subject, rendition, &limits, &signs, &veil);
                        if let Err(error) = &made {
                            tracing::debug!(%error, "a live picture can't be shown");
                        }
                        (subject, made.ok())
                    });
                    slide
                }
            };
            let longest = self.longest_sleep();
            let sleep = wake.map_or(longest, |wake| self.clock.until(wake).min(longest));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = tokio::time::sleep_until(left_at), if !is_watched => {}
                changed = live.changed() => if changed.is_err() {
                    return Left::Nobody;
                },
                changed = on_air.changed() => {
                    if changed.is_err() {
                        return Left::Nobody;
                    }
                    // What failed may have been mended.
                    beneath.work.failed.clear();
                }
                _ = demand.changed() => {}
                () = giving.changed() => {}
                Some(done) = beneath.work.running.join_next() => {
                    self.finish(done, beneath.work, beneath.screen);
                }
                Some(done) = making.join_next() => {
                    let (subject, jpeg) = match done {
                        Ok(done) => done,
                        Err(error) => {
                            // A panic in a worker is a bug, but no reason to stand still.
                            tracing::error!(%error, "a live picture's worker failed");
                            frames.gave_up();
                            continue;
                        }
                    };
                    if let (Some(coarseness), Some(jpeg)) = (&mut beneath.work.coarseness, &jpeg) {
                        coarseness.took(jpeg.len(), self.clock.now());
                    }
                    if let Subject::Sample(sample) | Subject::Aged(sample, _) = &subject {
                        source.take(sample.no);
                    }
                    // What interrupts slides counts for itself: pages see by it what is newer, whichever channel it is of.
                    let number = self.channel.is_interruptible().then(|| {
                        *beneath.n_shown += 1;
                        SlideNo(*beneath.n_shown)
                    });
                    if let Some(now) = frames.made(&subject, jpeg, self.clock.now(), number) {
                        self.feed.show(Look::at_once(now.current.clone()));
                        self.feed.stills.publish(now.clone());
                        self.feed.motion.publish(now);
                        beneath.left_the_screen();
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return Left::Nobody,
            }
        }
    }

    /// The slides that would be on if nothing interrupted them: they are shown as long as no picture could be, and made ready
    /// from then on. Returns when to look again.
    fn go_on_beneath(&self, beneath: &mut Beneath<'_>) -> Option<UnixMillis> {
        let all = self.channel.programme()?;
        let Beneath {
            work,
            stills,
            screen,
            steady,
            is_hidden,
            ..
        } = beneath;
        let now = steady.now(&all, self.clock.now());
        let timeline = self.timeline(&all);
        if !**is_hidden {
            return self.step(now, timeline, work, stills, screen);
        }
        // What came too late for its slide is no slide to go on with.
        work.spare = None;
        let (showing, ..) = self.prepare(now, timeline, work)?;
        wake_at_change(&showing)
    }
}

impl Beneath<'_> {
    /// Something else is on the screen from now on.
    fn left_the_screen(&mut self) {
        if !std::mem::replace(self.is_hidden, true) {
            self.stills.was_interrupted();
            self.screen.was_interrupted();
            self.work.between = None;
            self.work.clip.stop();
        }
    }
}
