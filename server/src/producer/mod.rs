//! One producer per rendition drives the stages: asks the timeline what is on, has it rendered, and
//! publishes it.
//!
//! The only code that calls several stages. It sleeps between its moments: while a slide stands
//! nothing is rendered, with no viewer for a while it ends. What it decides is in [`stills`] and
//! [`screen`], which know no task and no clock.

mod admission;
mod blending;
mod cache;
mod clip;
mod coarseness;
mod finished;
mod live;
mod making;
mod nights;
mod patience;
mod pool;
mod queue;
mod screen;
mod slide;
mod steady;
mod stills;
mod studio;
mod thumbnails;
mod video;
mod work;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

use mantel_shared::UnixMillis;

use crate::{
    channel::{Channel, OnAir, choices::FeedKey},
    clock::Clock,
    hub::{Ending, Feed, Feeds, Framing, Linger, Next, Now},
    source::catalogue::Catalogue,
    timeline::{Programme, Showing, Timeline, Turn},
};
use admission::Claim;
use blending::Between;
use clip::Place;
use coarseness::Coarseness;
pub use live::asks;
use live::{Beneath, Left};
pub use making::PictureMaker;
use making::make;
use queue::Urgency;
use screen::{Screen, Wanted};
use slide::Rendered;
use steady::Steady;
use stills::Stills;
pub use studio::{Studio, StudioLimits};
pub use thumbnails::Thumbnails;
pub use video::Film;
use work::{Job, Work};

/// Everything a producer works with.
#[derive(Debug)]
pub struct Producer {
    /// The channel to render, and in which shape.
    pub key: FeedKey,
    /// Where to publish.
    pub feed: Arc<Feed>,
    /// All feeds, to give the place back.
    pub feeds: Weak<Feeds<FeedKey, Channel>>,
    /// The channel's handle: what is on when.
    pub channel: Channel,
    /// Where photos come from.
    pub catalogue: Arc<Catalogue>,
    /// Where pixels are worked on.
    pub studio: Arc<dyn PictureMaker>,
    /// How frames are framed.
    pub framing: Arc<Framing>,
    /// By which slides come and go: the channel's.
    pub clock: Clock,
}

/// The slide that is on with the next one, and the pictures of both as far as they are ready.
type Prepared = (Showing, Option<Arc<Rendered>>, Option<Arc<Rendered>>);

/// The longest sleep: a clock that was set forward is noticed within this.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How often it is looked how dark it is by a screen's own nights.
const NIGHT_CHECK: Duration = Duration::from_secs(1);

impl Producer {
    /// Runs until nobody watches, until its place is wanted for another feed, or until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        // However it ends, with a panic or without: nobody waits for a feed that no one fills.
        let ending = Ending {
            feeds: self.feeds.clone(),
            key: self.key,
            feed: self.feed.clone(),
        };
        let Some(_place) = ending.place(&mut stop).await else {
            return;
        };
        self.produce(stop).await;
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a producer lingers by the monotonic clock; slides come by `Clock`"
    )]
    async fn produce(&self, mut stop: watch::Receiver<bool>) {
        let mut on_air = self.channel.on_air();
        let mut demand = self.feed.demand();
        let mut work = Work {
            coarseness: Coarseness::of(&self.key.rendition),
            ..Work::default()
        };
        let mut stills = Stills::new(self.framing.clone(), self.key.rendition.transition);
        let mut screen = Screen::new(self.framing.clone(), self.key.rendition);
        let mut steady = Steady::default();
        let (mut n_interrupting, mut is_hidden) = (0, false);
        let mut linger = Linger::new(Instant::now());
        tracing::debug!(rendition = ?self.key.rendition, "a rendition starts");
        loop {
            demand.mark_unchanged();
            if self.feed.is_retired() {
                tracing::debug!(rendition = ?self.key.rendition, "a rendition makes room");
                return;
            }
            let all = match on_air.now() {
                OnAir::Programme(all) => all,
                // Its frames are made elsewhere.
                OnAir::Afar(_) => return,
                OnAir::Live(source) => {
                    let beneath = Beneath {
                        work: &mut work,
                        stills: &mut stills,
                        screen: &mut screen,
                        steady: &mut steady,
                        n_shown: &mut n_interrupting,
                        is_hidden: &mut is_hidden,
                    };
                    match self
                        .produce_live(&source, &mut on_air, beneath, &mut stop)
                        .await
                    {
                        Left::OtherOnAir => {
                            linger = Linger::new(Instant::now());
                            continue;
                        }
                        Left::Nobody => return,
                    }
                }
            };
            is_hidden = false;
            let timeline = self.timeline(&all);
            let now = steady.now(&all, self.clock.now());
            match self.channel.own_night() {
                Some(night) => {
                    let veil = night.veil(now);
                    if let Some(showing) = timeline.at(now) {
                        work.own.take(&veil, showing, now);
                    }
                    work.take_veil(&veil, now);
                }
                None => work.take_veil(all.veil(), now),
            }
            let wake = self.step(now, timeline, &mut work, &mut stills, &mut screen);

            let linger = linger.until(self.feed.n_viewers() > 0, Instant::now());
            if self.is_left(linger) {
                tracing::debug!(rendition = ?self.key.rendition, "a rendition ends");
                return;
            }
            let longest = self.longest_sleep();
            let sleep = wake.map_or(longest, |wake| self.clock.until(wake).min(longest));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = tokio::time::sleep_until(linger), if self.feed.n_viewers() == 0 => {}
                changed = on_air.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // What failed may have been mended.
                    work.failed.clear();
                }
                _ = demand.changed() => {}
                Some(done) = work.running.join_next() => self.finish(done, &mut work, &mut screen),
                frame = work.clip.next() => self.move_on(frame, &mut work, &mut stills, &mut screen),
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// The longest sleep between two looks: how dark it is by an own night is nobody's news.
    fn longest_sleep(&self) -> Duration {
        match self.channel.own_night() {
            Some(_) => NIGHT_CHECK,
            None => LONGEST_SLEEP,
        }
    }

    /// Whether nobody has watched until `linger`, and nobody does now: then the feed is forgotten.
    #[expect(
        clippy::disallowed_methods,
        reason = "a producer lingers by the monotonic clock; slides come by `Clock`"
    )]
    fn is_left(&self, linger: Instant) -> bool {
        let forget = |feeds: Arc<Feeds<FeedKey, Channel>>| feeds.release(&self.key, &self.feed);
        Instant::now() >= linger && self.feeds.upgrade().is_none_or(forget)
    }

    /// The timeline for screens of this shape.
    fn timeline<'a>(&self, programme: &'a Programme) -> &'a Timeline {
        programme.timeline(self.key.rendition.size, self.key.rendition.pair)
    }

    /// Starts what is missing, publishes what is due. Returns when to look again.
    fn step(
        &self,
        now: UnixMillis,
        timeline: &Timeline,
        work: &mut Work,
        stills: &mut Stills,
        screen: &mut Screen,
    ) -> Option<UnixMillis> {
        let spare = work.spare.take();
        let (mut showing, current, next) = self.prepare(now, timeline, work)?;
        let current = match (current, spare) {
            (Some(current), _) => current,
            // Rendered, but for a slide that has passed: better than a screen that stays empty.
            (None, Some((turn, rendered))) if stills.is_empty() => {
                (showing.current.photo, showing.current.beside) = (turn.photo, turn.beside);
                rendered
            }
            _ => return wake_at_change(&showing),
        };

        let dwell = timeline.settings().interval_millis;
        stills.set_dark(work.veil.is_opaque());
        let place = Place {
            rendition: &self.key.rendition,
            clock: &self.clock,
            is_watched: self.feed.n_viewers() > 0,
            coming_millis: timeline.coming_millis(),
        };
        let plays = work.clip.follow(now, &showing, &current, &place);
        stills.set_next_stays(timeline.stays_millis(showing.next.turn()));
        if let Some(now) = stills.turn(&showing, &current, next.as_ref(), dwell) {
            self.feed.stills.publish(now);
        }

        screen.set_interval(dwell);
        screen.set_plays(plays);
        let watched = self.feed.motion.n_subscribers() > 0;
        if let Some(on) = screen.turn(now, &showing, &current, next.as_ref()) {
            self.feed.motion.publish(self.promising(on, plays));
        }
        self.feed.show(screen.look());
        let wanted = screen.wanted(now).filter(|_| watched);
        if wanted.is_none() && !(watched && screen.is_moving(now)) {
            // Pixels are held while they move, and no longer.
            work.between = None;
        }
        if !work.blending
            && let Some(wanted) = wanted
        {
            work.blending = true;
            self.blend(wanted, work);
        }
        let change = wake_at_change(&showing);
        let moments = [screen.due(now), change, work.next_waits];
        moments.into_iter().flatten().min()
    }

    /// Takes the next frame of the clip that is on, or its end.
    fn move_on(
        &self,
        frame: Option<Bytes>,
        work: &mut Work,
        stills: &mut Stills,
        screen: &mut Screen,
    ) {
        let (Some(jpeg), now) = (frame, self.clock.now()) else {
            work.clip.over();
            return;
        };
        if let Some(coarseness) = &mut work.coarseness {
            coarseness.took(jpeg.len(), now);
            work.clip.set_quality(coarseness.quality());
        }
        if let Some(now) = stills.moved(&jpeg) {
            self.feed.stills.publish(now);
        }
        screen.moved(now, &jpeg);
    }

    /// The frame that is on, with what others may be promised to follow: where a live channel may interrupt at any moment, or what is on
    /// moves, nobody is promised a slide, for what was announced has to be sent.
    fn promising(&self, on: Now, plays: bool) -> Now {
        if plays || self.channel.is_interruptible() {
            let next = Next::Unforeseen;
            Now { next, ..on }
        } else {
            on
        }
    }

    /// Has the slide that is on and the next one made. Returns both as this rendition shows them, and what is ready of them.
    fn prepare(&self, now: UnixMillis, timeline: &Timeline, work: &mut Work) -> Option<Prepared> {
        let mut showing = work.own.over(timeline.at(now)?);
        for slide in [&mut showing.current, &mut showing.next] {
            // Of two photos the one that can be shown has the screen to itself.
            if let Some(turn) = work.left_of(slide.turn()) {
                (slide.photo, slide.beside) = (turn.photo, turn.beside);
            }
        }
        let wanted = [showing.current.turn(), showing.next.turn()];
        work.cache.retain(|turn, _| wanted.contains(turn));
        let is_watched = self.feed.n_viewers() > 0;
        work.reclaim(wanted, is_watched);
        let now_urgent = if is_watched {
            Urgency::Current
        } else {
            Urgency::Idle
        };
        let current = self.rendered(wanted[0], now_urgent, work);
        // The picture that is due comes before the one that is not, unless it comes too late: then
        // only what is begun early can ever be shown. Nobody is there to see an idle feed's next.
        let waits = work.lets_next_wait(&showing, now);
        let next = if is_watched && !waits && (current.is_some() || work.lagging) {
            self.rendered(wanted[1], Urgency::Next, work)
        } else {
            work.cache.get(&wanted[1]).cloned()
        };
        Some((showing, current, next))
    }

    /// The turn as this rendition shows it, if it is ready; else its rendering is begun.
    fn rendered(&self, turn: Turn, urgency: Urgency, work: &mut Work) -> Option<Arc<Rendered>> {
        if let Some(rendered) = work.cache.get(&turn) {
            return Some(rendered.clone());
        }
        if work.left_of(turn) != Some(turn) || work.rendering.contains_key(&turn) {
            return None;
        }
        let claim = Claim::new(urgency);
        let making = make(
            self.catalogue.clone(),
            self.studio.clone(),
            (turn, work.veil.clone(), self.key.rendition),
            false,
            claim.clone(),
        );
        let task = work.running.spawn(making);
        work.rendering.insert(turn, Job { claim, task });
        None
    }

    fn blend(&self, wanted: Wanted, work: &mut Work) {
        let Wanted {
            key,
            from,
            to,
            alpha,
        } = wanted;
        let known = work.between.take();
        let between = known
            .filter(|between| between.is_between(from.no, to.no))
            .unwrap_or_else(|| Arc::new(Between::new(from, to)));
        work.between = Some(between.clone());
        let quality = work
            .coarseness
            .as_ref()
            .map_or(self.key.rendition.quality, Coarseness::quality);
        work.running
            .spawn(self.studio.clone().blend(key, between, alpha, quality));
    }
}

fn wake_at_change(showing: &Showing) -> Option<UnixMillis> {
    (!showing.paused).then_some(showing.next.starts_at)
}

#[cfg(test)]
mod tests;
