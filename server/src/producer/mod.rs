//! One producer per rendition drives the stages: asks the timeline what is on, has it rendered, and
//! publishes it.
//!
//! The only code that calls several stages. It sleeps between its moments: while a slide stands
//! nothing is rendered, with no viewer for a while it ends. What it decides is in [`stills`] and
//! [`motion`], which know no task and no clock.

mod motion;
mod stills;
mod studio;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet, time::Instant};

use mantel_shared::UnixMillis;

use crate::{
    channel::Channel,
    channels::Show,
    clock,
    hub::{Feed, Feeds, Framing},
    library::Library,
    timeline::{PhotoId, Programme, Showing, Timeline},
};
use motion::{Motion, Wanted};
use stills::Stills;
pub use studio::{Done, Rendered, Studio};

/// Everything a producer works with.
#[derive(Debug)]
pub struct Producer {
    /// What to render, and in which shape.
    pub show: Show,
    /// Where to publish.
    pub feed: Arc<Feed>,
    /// All feeds, to give the place back.
    pub feeds: std::sync::Weak<Feeds<Show>>,
    /// What is on when.
    pub channel: Channel,
    /// Where photos come from.
    pub library: Arc<Library>,
    /// Where pixels are worked on.
    pub studio: Arc<Studio>,
    /// How frames are framed.
    pub framing: Arc<Framing>,
}

/// How long a rendition stays warm after its last viewer left: a page that is loaded again, or a
/// client that polls snapshots, finds it ready.
const LINGER: Duration = Duration::from_secs(30);

/// The longest sleep: a clock that was set forward is noticed within this.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

impl Producer {
    /// Runs until nobody watches, or `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut programme = self.channel.programme();
        let mut demand = self.feed.demand();
        let mut work = Work::default();
        let mut stills = Stills::new(self.framing.clone(), self.show.rendition.transition);
        let mut motion = Motion::new(self.framing.clone(), self.show.rendition);
        let mut unwatched_since = Instant::now();
        tracing::debug!(rendition = ?self.show.rendition, "a rendition starts");
        loop {
            let all = programme.borrow_and_update().clone();
            let timeline = self.timeline(&all);
            demand.mark_unchanged();
            let wake = self.step(timeline, &mut work, &mut stills, &mut motion);

            if self.feed.n_viewers() > 0 {
                unwatched_since = Instant::now();
            }
            let linger = unwatched_since + LINGER;
            if Instant::now() >= linger
                && self
                    .feeds
                    .upgrade()
                    .is_none_or(|feeds| feeds.release(&self.show, &self.feed))
            {
                tracing::debug!(rendition = ?self.show.rendition, "a rendition ends");
                return;
            }
            let sleep = wake.map_or(LONGEST_SLEEP, |wake| clock::until(wake).min(LONGEST_SLEEP));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = tokio::time::sleep_until(linger), if self.feed.n_viewers() == 0 => {}
                changed = programme.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // What failed may have been mended.
                    work.failed.clear();
                }
                _ = demand.changed() => {}
                Some(done) = work.running.join_next() => self.finish(done, &mut work, &mut motion),
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// The timeline for screens of this shape.
    fn timeline<'a>(&self, programme: &'a Programme) -> &'a Timeline {
        programme.timeline(self.show.rendition.size, self.show.rendition.pair)
    }

    /// Starts what is missing, publishes what is due. Returns when to look again.
    fn step(
        &self,
        timeline: &Timeline,
        work: &mut Work,
        stills: &mut Stills,
        motion: &mut Motion,
    ) -> Option<UnixMillis> {
        let now = clock::now();
        let mut showing = timeline.at(now)?;
        let spare = work.spare.take();
        work.shelf
            .retain(|id, _| [showing.current.photo, showing.next.photo].contains(id));
        let current = self.rendered(showing.current.photo, work);
        // The picture that is due comes before the one that is not, unless it comes too late: then
        // only what is begun early can ever be shown.
        let next = (current.is_some() || work.lagging)
            .then(|| self.rendered(showing.next.photo, work))
            .flatten();
        let current = match (current, spare) {
            (Some(current), _) => current,
            // Rendered, but for a slide that has passed: better than a screen that stays empty.
            (None, Some((photo, rendered))) if stills.is_empty() => {
                showing.current.photo = photo;
                rendered
            }
            _ => return wake_at_change(&showing),
        };

        let dwell = timeline.settings().interval_millis;
        if let Some(now) = stills.turn(&showing, &current, next.as_ref(), dwell) {
            self.feed.stills.publish(now);
        }

        let watched = self.feed.motion.n_subscribers() > 0;
        if let Some(on) = motion.turn(now, &showing, &current, next.as_ref()) {
            self.feed.motion.publish(on);
        }
        if watched
            && !work.blending
            && let Some(wanted) = motion.wanted(now)
        {
            work.blending = true;
            self.blend(wanted, work);
        }
        let change = wake_at_change(&showing);
        match (motion.due(now), change) {
            (Some(due), Some(change)) => Some(due.min(change)),
            (due, change) => due.or(change),
        }
    }

    /// The photo as this rendition shows it, if it is ready; else its rendering is begun.
    fn rendered(&self, id: PhotoId, work: &mut Work) -> Option<Arc<Rendered>> {
        if let Some(rendered) = work.shelf.get(&id) {
            return Some(rendered.clone());
        }
        if work.failed.contains(&id) || !work.rendering.insert(id) {
            return None;
        }
        let Some(photo) = self.library.photo(id) else {
            // Gone since the playlist was made; a new one is on its way.
            work.rendering.remove(&id);
            work.failed.insert(id);
            return None;
        };
        work.running
            .spawn(self.studio.clone().render(photo, self.show.rendition));
        None
    }

    fn blend(&self, wanted: Wanted, work: &mut Work) {
        let Wanted {
            key,
            from,
            to,
            alpha,
        } = wanted;
        let quality = self.show.rendition.quality;
        work.running
            .spawn(self.studio.clone().blend(key, from, to, alpha, quality));
    }

    fn finish(
        &self,
        done: Result<Done, tokio::task::JoinError>,
        work: &mut Work,
        motion: &mut Motion,
    ) {
        match done {
            Ok(Done::Rendered(photo, Ok(rendered))) => {
                work.rendering.remove(&photo.id);
                let rendered = Arc::new(rendered);
                let all = self.channel.programme().borrow().clone();
                let showing = self.timeline(&all).at(clock::now());
                work.lagging = showing.is_none_or(|showing| {
                    ![showing.current.photo, showing.next.photo].contains(&photo.id)
                });
                work.spare = Some((photo.id, rendered.clone()));
                work.shelf.insert(photo.id, rendered);
            }
            Ok(Done::Rendered(photo, Err(error))) => {
                work.rendering.remove(&photo.id);
                work.failed.insert(photo.id);
                match error {
                    crate::source::gallery::LoadError::Gone => self.library.forget(&photo),
                    error => self.library.skip(&photo, error.to_string()),
                }
            }
            Ok(Done::Blended(key, jpeg)) => {
                work.blending = false;
                motion.blended(key, jpeg);
            }
            Err(error) => {
                // A panic in a worker is a bug, but no reason for a black wall.
                tracing::error!(%error, "a rendering worker failed");
                work.blending = false;
                work.failed.extend(work.rendering.drain());
            }
        }
    }
}

fn wake_at_change(showing: &Showing) -> Option<UnixMillis> {
    (!showing.paused).then_some(showing.next.starts_at)
}

/// What is ready, what is under way, what went wrong.
#[derive(Debug, Default)]
struct Work {
    shelf: HashMap<PhotoId, Arc<Rendered>>,
    rendering: HashSet<PhotoId>,
    failed: HashSet<PhotoId>,
    blending: bool,
    /// The picture finished last, should it be too late for its slide.
    spare: Option<(PhotoId, Arc<Rendered>)>,
    /// True when rendering takes longer than slides stay.
    lagging: bool,
    running: JoinSet<Done>,
}
