//! Live channels that interrupt the gallery: one task looks out for their pictures and tells whose the screens are. Who
//! that is [`air`](super::air) decides; the gallery's own slides count on meanwhile.

#![expect(
    clippy::disallowed_methods,
    reason = "the monotonic clock tells how long an interruption lasts, however the wall clock is set"
)]

use std::time::Duration;

use futures_util::future::select_all;
use mantel_shared::UnixMillis;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use super::air::{Air, Event, Place, Rules};
use crate::{
    clock::Clock,
    source::live::{Live, LiveSource, SampleNo},
};

/// A live channel that may interrupt the gallery.
#[derive(Clone, Debug)]
pub struct Interrupter {
    /// The channel's source.
    pub source: LiveSource,
    /// When it does.
    pub rules: Rules,
}

/// An interruption of the gallery.
#[derive(Clone, Debug)]
pub struct Interruption {
    /// The source whose pictures are shown.
    pub source: LiveSource,
    /// Since when.
    pub since: UnixMillis,
}

/// The interruptions of the gallery, as its channels know of them.
#[derive(Clone, Debug)]
pub(super) struct Interruptions {
    pub(super) now: watch::Receiver<Option<Interruption>>,
    /// Until when it lasts if nothing more comes. It moves with each picture, of which producers are to hear nothing.
    until: watch::Receiver<Option<Instant>>,
    dismissals: mpsc::Sender<oneshot::Sender<()>>,
}

impl Interruptions {
    /// How long the interruption that is on lasts from now on, if nothing more comes.
    pub(super) fn lasts(&self) -> Option<Duration> {
        let until = *self.until.borrow();
        until.map(|until| until - Instant::now())
    }

    /// Ends whatever interrupts, and waits until that is told.
    pub(super) async fn dismiss(&self) {
        let (reply, done) = oneshot::channel();
        if self.dismissals.send(reply).await.is_ok() {
            // It ends with the server.
            let _ = done.await;
        }
    }
}

/// The task that tells whose the screens are.
#[derive(Debug)]
pub(super) struct Interrupts {
    air: Air,
    ears: Vec<Ear>,
    on: Option<Place>,
    told: watch::Sender<Option<Interruption>>,
    told_until: watch::Sender<Option<Instant>>,
    dismissals: mpsc::Receiver<oneshot::Sender<()>>,
    clock: Clock,
    started: Instant,
}

#[derive(Debug)]
struct Ear {
    source: LiveSource,
    live: watch::Receiver<Live>,
    /// The newest picture that was noticed.
    heard: Option<SampleNo>,
}

/// Dismissals that may wait.
const QUEUE: usize = 4;

impl Interrupts {
    pub(super) fn new(interrupters: Vec<Interrupter>, clock: Clock) -> (Self, Interruptions) {
        let air = Air::new(interrupters.iter().map(|interrupter| interrupter.rules));
        let ears = interrupters
            .into_iter()
            .map(|Interrupter { source, .. }| Ear {
                live: source.live(),
                source,
                heard: None,
            });
        let (told, now) = watch::channel(None);
        let (told_until, until) = watch::channel(None);
        let (sender, dismissals) = mpsc::channel(QUEUE);
        let task = Self {
            air,
            ears: ears.collect(),
            on: None,
            told,
            told_until,
            dismissals,
            clock,
            started: Instant::now(),
        };
        let interruptions = Interruptions {
            now,
            until,
            dismissals: sender,
        };
        (task, interruptions)
    }

    /// Runs until nobody can be interrupted any more.
    pub(super) async fn run(mut self) {
        loop {
            self.hear();
            self.tell();
            let next = self.air.next_change(self.started.elapsed());
            let change = async {
                match next {
                    Some(at) => sleep_until(self.started + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = change => {}
                () = news(&mut self.ears) => {}
                asked = self.dismissals.recv() => {
                    let Some(reply) = asked else { return };
                    // What came before somebody pressed a key is what they don't want to see.
                    self.hear();
                    self.air.input(Event::Dismissed, self.started.elapsed());
                    self.tell();
                    // Who asked may have gone.
                    let _ = reply.send(());
                }
            }
        }
    }

    fn hear(&mut self) {
        let now = self.started.elapsed();
        for (place, ear) in self.ears.iter_mut().enumerate() {
            let newest = ear
                .live
                .borrow_and_update()
                .sample
                .as_ref()
                .map(|sample| sample.no);
            if std::mem::replace(&mut ear.heard, newest) != newest {
                let event = newest.map_or(Event::Gone(place), |_| Event::Came(place));
                self.air.input(event, now);
            }
        }
    }

    fn tell(&mut self) {
        let now = self.started.elapsed();
        let until = self.air.held_until(now);
        self.told_until
            .send_replace(until.map(|at| self.started + at));
        let on = self.air.on(now);
        if std::mem::replace(&mut self.on, on) == on {
            return;
        }
        let source = on
            .and_then(|place| self.ears.get(place))
            .map(|ear| ear.source.clone());
        match &source {
            Some(source) => {
                tracing::info!(channel = source.name(), "a channel interrupts the gallery")
            }
            None => tracing::info!("the gallery goes on"),
        }
        let since = self.clock.now();
        self.told
            .send_replace(source.map(|source| Interruption { source, since }));
    }
}

/// Waits until one of the sources has something to say.
async fn news(ears: &mut [Ear]) {
    let changes = ears.iter_mut().map(|ear| {
        Box::pin(async {
            if ear.live.changed().await.is_err() {
                // It says nothing ever again.
                std::future::pending::<()>().await;
            }
        })
    });
    select_all(changes).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mantel_media::inlet::Inlet;
    use tokio::time::sleep;

    use super::*;
    use crate::{
        clock::virtual_time::SetClock,
        render::{self, Picture, Quality},
        source::live::Source,
    };

    const START: UnixMillis = UnixMillis(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn push(source: &Source) {
        let picture = Picture::filled(64, 48, [200, 40, 40]);
        let jpeg = render::encode(&picture, Quality::default()).unwrap();
        let mut inlet = Inlet::new(None, None);
        let found = inlet.next(&mut &jpeg[..]).unwrap();
        source.came(found.or_else(|| inlet.finish().unwrap()).unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_interrupts_until_it_was_silent_or_somebody_has_enough() {
        let clock = SetClock::at(START);
        let source = |name: &str| Arc::new(Source::new(name, None, clock.clock()));
        let (door, plot) = (source("door"), source("plot"));
        let interrupters = [(&door, 5), (&plot, 0)].map(|(source, priority)| Interrupter {
            source: source.reader(),
            rules: Rules {
                priority,
                ..Rules::default()
            },
        });
        let (task, interruptions) = Interrupts::new(interrupters.into(), clock.clock());
        let task = tokio::spawn(task.run());
        let by = || {
            let now = interruptions.now.borrow().clone();
            now.map(|now| (now.source.name().to_owned(), now.since.0 - START.0))
        };
        let told = |name: &str, seconds: u64| Some((name.to_owned(), seconds * 1000));
        sleep(10 * SECOND).await;
        assert_eq!(by(), None);
        push(&plot);
        sleep(SECOND).await;
        assert_eq!(by(), told("plot", 10));
        assert_eq!(interruptions.lasts(), Some(19 * SECOND));
        push(&door);
        sleep(SECOND).await;
        assert_eq!(by(), told("door", 11));
        // Each picture moves its end, of which nobody is woken who makes pictures.
        let mut producer = interruptions.now.clone();
        producer.mark_unchanged();
        push(&door);
        sleep(SECOND).await;
        assert_eq!(interruptions.lasts(), Some(19 * SECOND));
        assert!(!producer.has_changed().unwrap());
        // A clock that is set moves nothing.
        clock.set_back(900 * SECOND);
        sleep(17 * SECOND).await;
        assert!(by().is_some_and(|(name, _)| name == "door"));
        clock.set_forward(900 * SECOND);
        sleep(3 * SECOND).await;
        assert_eq!((by(), interruptions.lasts()), (None, None));
        push(&door);
        sleep(SECOND).await;
        assert!(by().is_some());
        interruptions.dismiss().await;
        assert_eq!(by(), None);
        push(&door);
        sleep(SECOND).await;
        assert_eq!(by(), None);
        drop(interruptions);
        task.await.unwrap();
    }
}
