//! The filler of a feed at an edge: the frames that the house publishes, taken as they come and published here. It wishes for
//! them while somebody watches, asks for what stands when it comes, or when something was lost, and says so when the house
//! is silent for long.

#![expect(
    clippy::disallowed_methods,
    reason = "how long nobody has watched is no matter of the wall clock"
)]

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture};
use mantel_media::wire::Kind as Content;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    bus::Bus,
    card,
    contact::{Contact, Signal, Why},
    ear::Ear,
    film::FilmEar,
    shown::Ahead,
    wants::{self, Kinds, WantText},
    wish::Wish,
};
use crate::{
    channel::{Channel, choices::FeedKey},
    clock,
    hub::{Ending, Feed, Feeds, Frame, Framing, Hub, Linger, Look, Next, Now},
    rendition::Rendition,
};

/// How often pictures are wished for while they are watched.
const WISHES_EVERY: Duration = Duration::from_secs(5);
/// How long pictures of a kind are taken after the last who looked at them.
const KEPT_UP: Duration = Duration::from_secs(30);
/// How soon again, where what stands has not come.
const ASKS_AGAIN: Duration = Duration::from_millis(250);

/// Makes video of what a feed shows, whenever somebody watches that.
pub type Filming = Arc<dyn Fn(Arc<Feed>, Rendition) -> BoxFuture<'static, ()> + Send + Sync>;

/// The parts that all replicas share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) bus: Arc<Bus>,
    pub(super) contact: watch::Receiver<Contact>,
    pub(super) framing: Arc<Framing>,
    pub(super) silent_after: Duration,
    pub(super) filming: Filming,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The card in place of a picture: the reason that it says, and its picture.
type Card = (Why, Arc<Frame>);

/// One feed's filler.
pub(super) struct Replica {
    pub(super) shared: Shared,
    pub(super) key: FeedKey,
    pub(super) wish: Wish,
    pub(super) feed: Arc<Feed>,
    pub(super) feeds: Weak<Feeds<FeedKey, Channel>>,
}

impl Replica {
    /// Runs until nobody watches, until its place is wanted for another feed, or until `stopped`.
    pub(super) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let ending = Ending {
            feeds: self.feeds.clone(),
            key: self.key,
            feed: self.feed.clone(),
        };
        let Some(_place) = ending.place(&mut stopped).await else {
            return;
        };
        tokio::select! {
            () = self.replicate() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    async fn replicate(&self) {
        let Shared {
            bus,
            framing,
            silent_after,
            ..
        } = &self.shared;
        let (topic, inbox) = (self.wish.topic(), bus.inbox());
        let Ok(mut answers) = bus.hear(inbox.clone()).await else {
            return;
        };
        let mut stills = Ear::new(Content::Stills, topic, framing);
        let mut motion = Ear::new(Content::Motion, topic, framing);
        let mut film = FilmEar::new(topic);
        let tape = &self.feed.tape;
        let video = bus.subject(&format!("show.{}.video", self.wish.subject()));
        let mut contact = self.shared.contact.clone();
        let mut is_up = bus.is_up();
        let mut demand = self.feed.demand();
        let mut linger = Linger::new(Instant::now());
        let mut wish_at = Instant::now();
        let mut asked_at: Option<Instant> = None;
        // The card that is on the screen, in place of a picture, and what makes video of it.
        let mut card: Option<Card> = None;
        let mut card_film = JoinSet::new();
        let mut was_on = true;
        loop {
            demand.mark_unchanged();
            if self.feed.is_retired() {
                return;
            }
            let is_watched = self.feed.n_viewers() > 0;
            let until = linger.until(is_watched, Instant::now());
            if Instant::now() >= until && self.is_left() {
                return;
            }
            let told = contact.borrow_and_update().clone();
            let is_on = told.signal == Signal::On;
            if is_on && !std::mem::replace(&mut was_on, is_on) {
                // What was sent meanwhile is lost; what comes after a card has numbers behind it.
                stills.lose();
                motion.lose();
                film.lose();
            }
            was_on = is_on;
            for ear in [&mut stills, &mut motion] {
                if let Some(run) = told.run {
                    ear.follow(run);
                }
                let hub = self.hub(ear.kind);
                if hub.n_subscribers() > 0 {
                    ear.wanted_until = Some(Instant::now() + KEPT_UP);
                }
                match ear.wanted_until {
                    Some(until) if Instant::now() >= until => {
                        // What is on there is not known any more.
                        *ear = Ear::new(ear.kind, topic, framing);
                        hub.forget();
                    }
                    Some(_) if ear.subscriber.is_none() => {
                        let Ok(subscriber) = bus.hear(self.subject(ear.kind)).await else {
                            return;
                        };
                        ear.subscriber = Some(subscriber);
                        ear.is_lost = true;
                        // Who comes now is told as well.
                        card = None;
                    }
                    _ => {}
                }
            }
            let kept_up = film.keep_up(tape, told.run, bus, &video, Instant::now());
            if kept_up.await.is_err() {
                return;
            }
            let kinds = Kinds {
                stills: stills.wanted_until.is_some(),
                motion: motion.wanted_until.is_some(),
                video: film.wanted_until().is_some(),
                cuts: tape.is_cut(),
                pictures: tape.needed(),
            };
            // What stands is asked for at once, and again where it doesn't come.
            let now = Instant::now();
            let needs_key = film.is_lost(tape);
            let is_lost = stills.is_lost || motion.is_lost || needs_key;
            let may_ask = asked_at.is_none_or(|at| now >= at + ASKS_AGAIN);
            let asks = is_lost && may_ask && kinds.any();
            if kinds.any() && told.signal == Signal::On && (asks || now >= wish_at) {
                let reply = asks.then_some(inbox.as_str());
                let wanted = Kinds {
                    stills: kinds.stills && (!asks || stills.is_lost),
                    motion: kinds.motion && (!asks || motion.is_lost),
                    video: kinds.video && (!asks || needs_key),
                    ..kinds
                };
                if self.wish(wanted, reply, told.ahead).await.is_err() {
                    return;
                }
                if asks {
                    asked_at = Some(now);
                } else {
                    wish_at = now + WISHES_EVERY;
                }
            }
            let wake = self.silent(&told, &mut card, kinds, *silent_after).await;
            if is_on || !kinds.video {
                // Before the house's own video goes on, nothing more of the card's may come.
                card_film.shutdown().await;
            } else if let Some((_, frame)) = &card {
                self.feed.show(Look::at_once(frame.clone()));
                if card_film.is_empty() {
                    card_film.spawn((self.shared.filming)(self.feed.clone(), self.key.rendition));
                }
            }
            let ask_at = asked_at
                .filter(|_| is_lost && kinds.any() && told.signal == Signal::On)
                .map(|at| at + ASKS_AGAIN);
            let lapses = [&stills, &motion].map(|ear| ear.wanted_until);
            let lapses = lapses.into_iter().chain([film.wanted_until()]);
            let wake = [wake, ask_at, (!is_watched).then_some(until)]
                .into_iter()
                .chain(lapses)
                .flatten()
                .fold(wish_at.max(now + ASKS_AGAIN), Instant::min);
            let ahead = told.ahead;
            tokio::select! {
                Some(message) = stills.next() => {
                    if let Some(now) = stills.take(bus, &message.payload, 0, ahead) {
                        self.feed.stills.publish(now);
                        card = None;
                    }
                }
                Some(message) = motion.next() => {
                    if let Some(now) = motion.take(bus, &message.payload, 0, ahead) {
                        self.feed.motion.publish(now);
                        card = None;
                    }
                }
                Some(message) = film.next() => {
                    if let Some(encoded) = film.take(bus, &message.payload, ahead) {
                        tape.push(encoded);
                    }
                }
                // One alone can listen: while a card is filmed it is the one who films.
                () = tape.asked(), if card_film.is_empty() => {}
                Some(message) = answers.next() => {
                    let kind = bus.read(&message.payload).map(|part| part.head.kind);
                    let ear = match kind {
                        Some(Content::Stills) => &mut stills,
                        Some(Content::Motion) => &mut motion,
                        _ => continue,
                    };
                    if let Some(now) = ear.take(bus, &message.payload, 1, ahead) {
                        self.hub(ear.kind).publish(now);
                        card = None;
                    }
                }
                Ok(()) = is_up.changed() => if *is_up.borrow_and_update() {
                    // Something may have been sent while there was no connection, however short that was.
                    stills.is_lost |= stills.subscriber.is_some();
                    motion.is_lost |= motion.subscriber.is_some();
                    asked_at = None;
                },
                changed = contact.changed() => if changed.is_err() {
                    return;
                },
                _ = demand.changed() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    fn hub(&self, kind: Content) -> &Hub {
        match kind {
            Content::Stills => &self.feed.stills,
            _ => &self.feed.motion,
        }
    }

    fn subject(&self, kind: Content) -> String {
        let word = match kind {
            Content::Stills => "stills",
            _ => "motion",
        };
        let bus = &self.shared.bus;
        bus.subject(&format!("show.{}.{word}", self.wish.subject()))
    }

    /// Whether the feed is forgotten, because nobody watches.
    fn is_left(&self) -> bool {
        let forget = |feeds: Arc<Feeds<FeedKey, Channel>>| feeds.release(&self.key, &self.feed);
        self.feeds.upgrade().is_none_or(forget)
    }

    async fn wish(&self, kinds: Kinds, reply: Option<&str>, ahead: Ahead) -> Result<(), ()> {
        let bus = &self.shared.bus;
        let text = WantText {
            wish: self.wish.text(),
            kinds,
        };
        let content = serde_json::to_vec(&text).map_err(|_| ())?;
        let head = bus.head(Content::Want, wants::topic(bus.house()), ahead);
        let subject = bus.subject(&format!("want.{}", self.wish.subject()));
        let sent = bus.send(&subject, reply, head, &content).await;
        sent.map_err(|_| ())
    }

    /// Says on the screen that the house is silent, when it has been for long. Returns when to look again.
    async fn silent(
        &self,
        told: &Contact,
        card: &mut Option<Card>,
        kinds: Kinds,
        after: Duration,
    ) -> Option<Instant> {
        let Signal::Silent { since, why } = told.signal else {
            return None;
        };
        let is_said = card.as_ref().is_some_and(|(said, _)| *said == why);
        if is_said || !kinds.any() {
            return None;
        }
        // Where there never was a picture nobody has to look at nothing for long.
        let after = if told.run.is_none() {
            after.min(FIRST_CARD)
        } else {
            after
        };
        let at = since + after;
        if Instant::now() < at {
            return Some(at);
        }
        let elapsed = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let bus = &self.shared.bus;
        let now = bus.clock.now();
        let since = clock::time_of_day(mantel_shared::UnixMillis(now.0.saturating_sub(elapsed)));
        let words = card::words(bus.house(), &since, why);
        let name: Arc<str> = self.wish.afar.name.as_str().into();
        let framing = &self.shared.framing;
        let frame = card::frame(words, self.key.rendition, framing, now).await?;
        let frame = Arc::new(frame.of(name));
        *card = Some((why, frame.clone()));
        let now = Now {
            current: frame,
            next: Next::Unforeseen,
        };
        if kinds.stills {
            self.feed.stills.publish(now.clone());
        }
        if kinds.motion {
            self.feed.motion.publish(now);
        }
        None
    }
}

/// How long a screen waits for the first picture before it says that there is none.
const FIRST_CARD: Duration = Duration::from_secs(3);
