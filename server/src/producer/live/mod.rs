//! The loop of a producer of live pictures: a frame of the newest picture whenever one has come, until nobody has watched
//! for a while. Who asks for a snapshot now and then finds a picture of this moment, not of the last time.

mod frames;
mod pixels;
mod signs;

use std::sync::Arc;

use bytes::Bytes;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{LONGEST_SLEEP, Producer, linger::Linger};
use crate::source::live::LiveSource;
use frames::{LiveFrames, Step, Subject};
use signs::Signs;

impl Producer {
    /// Makes frames of what `source` brings: the newest one, when the one before is made.
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell: how long nobody has watched is no matter of the wall clock"
    )]
    pub(super) async fn produce_live(&self, source: &LiveSource, mut stop: watch::Receiver<bool>) {
        let mut live = source.live();
        let mut demand = self.feed.demand();
        let mut frames = LiveFrames::new(self.framing.clone(), self.key.rendition);
        let signs = Arc::new(Signs::new(source.words(), source.name()));
        let mut making: JoinSet<(Subject, Option<Bytes>)> = JoinSet::new();
        let mut linger = Linger::new(Instant::now());
        let mut watcher = None;
        tracing::debug!(rendition = ?self.key.rendition, "a live rendition starts");
        loop {
            demand.mark_unchanged();
            if self.feed.is_retired() {
                return;
            }
            let is_watched = self.feed.n_viewers() > 0;
            if is_watched {
                watcher.get_or_insert_with(|| source.watch());
            }
            let linger = linger.until(is_watched, Instant::now());
            if self.is_left(linger) {
                return;
            }
            let now = self.clock.now();
            let what = live.borrow_and_update().clone();
            let wake = match frames.step(&what, source.name(), now) {
                Step::Wait(wake) => wake,
                Step::Make(subject) => {
                    let (rendition, limits) = (self.key.rendition, self.studio.decode_limits());
                    let signs = signs.clone();
                    making.spawn_blocking(move || {
                        let made = pixels::make(&subject, rendition, &limits, &signs);
                        if let Err(error) = &made {
                            tracing::debug!(%error, "a live picture can't be shown");
                        }
                        (subject, made.ok())
                    });
                    None
                }
            };
            let sleep = wake.map_or(LONGEST_SLEEP, |wake| self.clock.until(wake));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = tokio::time::sleep_until(linger), if !is_watched => {}
                changed = live.changed() => if changed.is_err() {
                    return;
                },
                _ = demand.changed() => {}
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
                    if let Subject::Sample(sample) | Subject::Aged(sample, _) = &subject {
                        source.take(sample.no);
                    }
                    if let Some(now) = frames.made(&subject, jpeg, self.clock.now()) {
                        self.feed.stills.publish(now.clone());
                        self.feed.motion.publish(now);
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}
