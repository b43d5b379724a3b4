//! The pictures of one wish, sent for all edges that have it: as they are published here, and what stands for those who come.

#![expect(
    clippy::disallowed_methods,
    reason = "how long nobody has wished for anything is no matter of the wall clock"
)]

use std::{sync::Arc, time::Duration};

use mantel_media::wire::{Kind as Content, Topic};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    bus::{Bus, Unsent},
    film,
    shown::{Ahead, Written},
    wants::{Kinds, Want},
};
use crate::hub::{Framing, Kind, Lease, Now, Pictures, Reader, Subscription, Unit};

/// How long pictures are sent after the last wish for them: two wishes may get lost.
const LASTS: Duration = Duration::from_secs(12);
/// How long what stands is waited for, for somebody who comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sending of one wish's pictures.
pub(super) struct Publisher {
    pub(super) bus: Arc<Bus>,
    pub(super) framing: Arc<Framing>,
    pub(super) topic: Topic,
    /// The last words of its subjects.
    pub(super) subject: String,
    pub(super) lease: Lease,
    pub(super) wants: mpsc::Receiver<Want>,
}

/// How often what stands is named again: whoever has missed it, behind a server that went without their noticing, asks for it.
const NAMED_EVERY: Duration = Duration::from_secs(2);

/// One of the two hubs of a feed, while somebody wants what it has.
struct Line {
    kind: Kind,
    wanted_until: Option<Instant>,
    subscription: Option<Subscription>,
    written: Written,
    on: Option<Now>,
    /// Where the sheet that stands is to be sent, as soon as there is one.
    waiting: Vec<String>,
}

impl Line {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            wanted_until: None,
            subscription: None,
            written: Written::default(),
            on: None,
            waiting: Vec::new(),
        }
    }

    /// The next thing that is on; never, while nobody wants it.
    async fn changed(&mut self) -> Option<Now> {
        match &mut self.subscription {
            Some(subscription) => subscription.changed().await,
            None => std::future::pending().await,
        }
    }
}

/// The tape of a feed, while somebody wants its video.
#[derive(Default)]
struct FilmLine {
    wanted_until: Option<Instant>,
    reader: Option<Reader>,
    cuts: bool,
    /// How many pictures are needed, and until when.
    needs: Option<(Pictures, Instant)>,
}

impl FilmLine {
    fn want(&mut self, lease: &Lease, want: &Want, until: Instant) {
        self.wanted_until = Some(until);
        let cuts = self.cuts || want.kinds.cuts;
        if self.reader.is_none() || cuts != self.cuts {
            self.reader = Some(lease.read(cuts));
            self.cuts = cuts;
        }
        self.needs = match (want.kinds.pictures, self.needs) {
            (Pictures::Few, before) => before,
            (Pictures::Many, Some((Pictures::Steady, until))) => Some((Pictures::Steady, until)),
            (needs, _) => Some((needs, until)),
        };
        self.keep_up();
        // Who comes, or has lost a picture, begins with a key frame.
        if let Some(reader) = self.reader.as_ref().filter(|_| want.reply.is_some()) {
            reader.want_key();
        }
    }

    /// Needs no longer what is not wished for any more.
    fn keep_up(&mut self) {
        self.needs = self.needs.filter(|(_, until)| Instant::now() < *until);
        if let Some(reader) = &mut self.reader {
            reader.need(self.needs.map_or(Pictures::Few, |(needs, _)| needs));
        }
    }

    async fn next(&mut self) -> Option<Arc<Unit>> {
        match &mut self.reader {
            Some(reader) => reader.next().await,
            None => std::future::pending().await,
        }
    }
}

impl Publisher {
    /// Sends until nobody has wished for it for a while, or the feed ends.
    pub(super) async fn run(mut self) {
        let mut stills = Line::new(Kind::Stills);
        let mut motion = Line::new(Kind::Motion);
        let mut film = FilmLine::default();
        let mut until = Instant::now() + LASTS;
        let mut is_up = self.bus.is_up();
        let mut name_at = Instant::now() + NAMED_EVERY;
        loop {
            let sent = tokio::select! {
                want = self.wants.recv() => {
                    let Some(want) = want else { return };
                    until = Instant::now() + LASTS;
                    let is_wanted = [want.kinds.stills, want.kinds.motion];
                    for (line, is_wanted) in [&mut stills, &mut motion].into_iter().zip(is_wanted) {
                        if is_wanted {
                            self.want(line, until, want.reply.as_deref()).await;
                        }
                    }
                    if want.kinds.video {
                        film.want(&self.lease, &want, until);
                    }
                    Ok(())
                }
                unit = film.next() => match unit {
                    Some(unit) => self.send_video(&unit).await,
                    None => return,
                },
                now = stills.changed() => match now {
                    Some(now) => {
                        name_at = Instant::now() + NAMED_EVERY;
                        self.send(&mut stills, now).await
                    }
                    None => return,
                },
                now = motion.changed() => match now {
                    Some(now) => {
                        name_at = Instant::now() + NAMED_EVERY;
                        self.send(&mut motion, now).await
                    }
                    None => return,
                },
                () = sleep_until(name_at) => {
                    name_at = Instant::now() + NAMED_EVERY;
                    self.name_again([&mut stills, &mut motion]).await
                }
                // What was published meanwhile is sent now: others may never have lost their connection.
                Ok(()) = is_up.changed() => {
                    name_at = Instant::now();
                    Ok(())
                }
                () = sleep_until(until) => return,
            };
            for line in [&mut stills, &mut motion] {
                if line
                    .wanted_until
                    .is_some_and(|until| until <= Instant::now())
                {
                    *line = Line::new(line.kind);
                }
            }
            if film
                .wanted_until
                .is_some_and(|until| until <= Instant::now())
            {
                film = FilmLine::default();
            }
            film.keep_up();
            match sent {
                Ok(()) | Err(Unsent::Small(_)) => {}
                Err(Unsent::Closed) => return,
                Err(Unsent::Long(_)) => {
                    tracing::warn!("a picture is too large to be sent by NATS");
                }
            }
        }
    }

    async fn want(&self, line: &mut Line, until: Instant, reply: Option<&str>) {
        line.wanted_until = Some(until);
        if line.subscription.is_none() {
            line.subscription = Some(self.lease.subscribe(line.kind));
        }
        if let Some(reply) = reply
            && line.waiting.len() < MAX_WAITING
        {
            line.waiting.push(reply.to_owned());
            // What stands is there already, unless this is the first wish for it.
            let mut standing = self.lease.subscribe(line.kind);
            let now = timeout(Duration::ZERO, standing.changed()).await;
            if let Ok(Some(now)) = now {
                self.answer(line, &now).await;
            }
        }
    }

    async fn send_video(&self, unit: &Unit) -> Result<(), Unsent> {
        if !self.bus.is_connected() {
            return Ok(());
        }
        let head = self.bus.head(Content::Video, self.topic, Ahead::default());
        let subject = self.bus.subject(&format!("show.{}.video", self.subject));
        self.bus
            .send(&subject, None, head, &film::written(unit))
            .await
    }

    /// Sends what stands once more, by the numbers of pictures that were sent.
    async fn name_again(&self, lines: [&mut Line; 2]) -> Result<(), Unsent> {
        for line in lines {
            if let Some(now) = line.on.take() {
                self.send(line, now).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, line: &mut Line, now: Now) -> Result<(), Unsent> {
        line.on = Some(now.clone());
        if !self.bus.is_connected() {
            // Nothing waits for a connection: who comes back asks for what stands then.
            line.written = Written::default();
            return Ok(());
        }
        self.answer(line, &now).await;
        let sent_at = self.bus.clock.now();
        let content = line.written.sheet(&now, &self.framing, sent_at, false);
        let (kind, word) = match line.kind {
            Kind::Stills => (Content::Stills, "stills"),
            Kind::Motion => (Content::Motion, "motion"),
        };
        let head = self.bus.head(kind, self.topic, Ahead::default());
        let subject = self.bus.subject(&format!("show.{}.{word}", self.subject));
        self.bus.send(&subject, None, head, &content).await
    }

    /// Sends what stands to those who wait for it.
    async fn answer(&self, line: &mut Line, now: &Now) {
        if line.waiting.is_empty() {
            return;
        }
        let content = line
            .written
            .sheet(now, &self.framing, self.bus.clock.now(), true);
        let kind = match line.kind {
            Kind::Stills => Content::Stills,
            Kind::Motion => Content::Motion,
        };
        for reply in line.waiting.drain(..) {
            let head = self.bus.head(kind, self.topic, Ahead::default());
            // Whoever misses it asks again.
            let sending = self.bus.send(&reply, None, head, &content);
            let _ = timeout(PATIENCE, sending).await;
        }
    }
}

/// More than this who come in one moment ask again.
const MAX_WAITING: usize = 64;

impl Kinds {
    /// Whether anything is wanted.
    pub(super) fn any(self) -> bool {
        self.stills || self.motion || self.video
    }
}
