//! An edge's contact with its house: who sends the pictures, how far clocks are apart, and since when nobody does.

#![expect(
    clippy::disallowed_methods,
    reason = "how long a house has been silent is no matter of the wall clock"
)]

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use mantel_media::wire::{Head, Kind};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{
    bus::Bus,
    hello::{self, Compared, Facts, Found},
    shown::Ahead,
};

/// How often an edge asks who is there.
const ASKS_EVERY: Duration = Duration::from_secs(2);
/// How soon it asks again while nobody answers.
const ASKS_AGAIN: Duration = Duration::from_millis(250);
/// How long an answer may take, of one that was there, and of one that may come.
const ANSWER_TIME: Duration = Duration::from_secs(1);
const FIRST_ANSWER_TIME: Duration = Duration::from_millis(400);
/// How much later another one may answer.
const SECOND_ANSWER: Duration = Duration::from_millis(150);
/// Questions without an answer after which nobody is there.
const GONE_AFTER: u32 = 3;

/// The facts that an edge knows of its house.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    /// The run of the machine whose pictures are shown; none before it is known.
    pub(super) run: Option<u64>,
    pub(super) ahead: Ahead,
    pub(super) facts: Arc<Facts>,
    pub(super) signal: Signal,
}

/// Whether the house can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// It answers.
    On,
    /// Nothing has been heard of it since then, and why.
    Silent { since: Instant, why: Why },
}

/// Why nothing is heard of a house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no way to it.
    NoBus,
    /// Nobody answers.
    NoAnswer,
}

/// A contact before anything is known.
pub(super) fn unknown() -> watch::Sender<Contact> {
    watch::Sender::new(Contact {
        run: None,
        ahead: Ahead::default(),
        facts: Arc::default(),
        signal: Signal::Silent {
            since: Instant::now(),
            why: Why::NoAnswer,
        },
    })
}

/// Asks who is there, all the time, and tells `contact` what is found.
pub(super) async fn keep(bus: Arc<Bus>, contact: Arc<watch::Sender<Contact>>) {
    let mut is_up = bus.is_up();
    let mut compared = Compared::default();
    let mut n_unanswered = 0;
    loop {
        let (known, is_on) = {
            let contact = contact.borrow();
            (contact.run, contact.signal == Signal::On)
        };
        let within = if is_on {
            ANSWER_TIME
        } else {
            FIRST_ANSWER_TIME
        };
        let found = if bus.is_connected() && bus.takes_enough() {
            ask(&bus, known, within).await
        } else {
            None
        };
        let pause = if let Some(found) = found {
            n_unanswered = 0;
            let ahead = compared.with(&found);
            contact.send_if_modified(|contact| heard(contact, &found, ahead));
            ASKS_EVERY
        } else {
            n_unanswered += 1;
            let why = if bus.is_connected() {
                Why::NoAnswer
            } else {
                Why::NoBus
            };
            if n_unanswered >= GONE_AFTER || why == Why::NoBus {
                contact.send_if_modified(|contact| silent(contact, why));
            }
            ASKS_AGAIN
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = is_up.changed() => {}
        }
    }
}

fn heard(contact: &mut Contact, found: &Found, ahead: Ahead) -> bool {
    let is_news = contact.run != Some(found.run)
        || contact.signal != Signal::On
        || contact.ahead != ahead
        || contact.facts.channels != found.facts.channels;
    if contact.signal != Signal::On {
        tracing::info!("the house answers; its clock is ahead by {} ms", ahead.0);
    }
    *contact = Contact {
        run: Some(found.run),
        ahead,
        facts: Arc::new(found.facts.clone()),
        signal: Signal::On,
    };
    is_news
}

fn silent(contact: &mut Contact, why: Why) -> bool {
    let since = match contact.signal {
        Signal::On => {
            tracing::warn!(
                "nothing is heard of the house any more; its last picture stays for a while"
            );
            Instant::now()
        }
        Signal::Silent { since, .. } => since,
    };
    let signal = Signal::Silent { since, why };
    let is_news = contact.signal != signal;
    contact.signal = signal;
    is_news
}

/// Asks once. Of several who answer it is the one that was there before, else the one that has been there longest.
async fn ask(bus: &Bus, known: Option<u64>, within: Duration) -> Option<Found> {
    let all = ask_all(bus, known, within).await;
    let known = all.iter().find(|found| Some(found.run) == known).cloned();
    known.or_else(|| {
        all.into_iter()
            .max_by_key(|found| (found.facts.up_millis, found.run))
    })
}

/// Everyone who answers within this time, or until the one that is known does.
pub(super) async fn ask_all(bus: &Bus, known: Option<u64>, within: Duration) -> Vec<Found> {
    let inbox = bus.inbox();
    let Ok(mut answers) = bus.hear(inbox.clone()).await else {
        return Vec::new();
    };
    let topic = hello::topic(bus.house());
    let mut no = [0; 8];
    if getrandom::fill(&mut no).is_err() {
        return Vec::new();
    }
    // No answer to another question is one to this.
    let no = u64::from_le_bytes(no);
    let asked_at = bus.clock.now().0;
    let head = Head {
        kind: Kind::Hello,
        topic,
        run: bus.run,
        no,
        sent_at: asked_at,
    };
    let subject = bus.subject("hello");
    if bus.send(&subject, Some(&inbox), head, b"").await.is_err() {
        return Vec::new();
    }
    let mut all: Vec<Found> = Vec::new();
    let mut until = Instant::now() + within;
    while let Ok(Some(message)) = timeout_at(until, answers.next()).await {
        // The bus says at once that nobody listens.
        if message.status.is_some() {
            break;
        }
        let Some(part) = bus.read_whole(&message.payload, Kind::Answer, topic) else {
            continue;
        };
        if let Some(found) = hello::found(&part, no, asked_at, bus.clock.now().0) {
            let is_known = known == Some(found.run);
            all.push(found);
            if is_known {
                break;
            }
            // A second one may answer as well.
            until = until.min(Instant::now() + SECOND_ANSWER);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::link::LAST_PAUSE;

    #[test]
    fn a_bus_that_was_restarted_shows_the_house_again_within_three_seconds() {
        // Both machines are back on it within a pause; one question may come too early, one answer may get lost, and then what stands
        // is asked for, perhaps twice.
        let asked_for = Duration::from_millis(250);
        let back = LAST_PAUSE + ASKS_AGAIN + FIRST_ANSWER_TIME + ASKS_AGAIN + 2 * asked_for;
        assert!(back < Duration::from_secs(3), "{back:?}");
    }
}
