//! Video of which nothing is made, because it comes as it is wanted: from the tape of its source to the feed's.

#![expect(
    clippy::disallowed_methods,
    reason = "how long nothing has come is told by the monotonic clock"
)]

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Ended, Film, LINGER};
use crate::hub::{Encoded, Feed, Reader, Start, Tape, Unit};

/// So long a key frame is waited for by whoever comes first; then pictures are encoded instead.
const KEY_WITHIN: Duration = Duration::from_millis(4500);
/// Where nothing has come for so long the picture that stands is encoded, since players need some all the time.
const STANDS: Duration = Duration::from_secs(1);

/// The place where what comes can be entered, while pictures are encoded.
pub(super) struct Entry {
    given: watch::Receiver<Option<Arc<Tape>>>,
    reader: Option<Reader>,
}

impl Entry {
    pub(super) fn of(feed: &Feed) -> Self {
        let mut given = feed.given.tape();
        given.mark_changed();
        Self {
            given,
            reader: None,
        }
    }

    /// Waits for a key frame of what comes, and who reads on from there; for ever where nothing does. Cancel safe.
    pub(super) async fn key(&mut self) -> (Reader, Arc<Unit>) {
        loop {
            if self.given.has_changed().unwrap_or_default() {
                let tape = self.given.borrow_and_update().clone();
                self.reader = tape.map(Reader::at_once);
            }
            let unit = async {
                match &mut self.reader {
                    Some(reader) => reader.next().await,
                    None => std::future::pending().await,
                }
            };
            let unit = tokio::select! {
                unit = unit => unit,
                changed = self.given.changed() => match changed {
                    Ok(()) => {
                        self.given.mark_changed();
                        continue;
                    }
                    Err(_) => std::future::pending().await,
                },
            };
            match (unit, self.reader.take()) {
                (Some(unit), Some(reader)) => return (reader, unit),
                _ => std::future::pending().await,
            }
        }
    }
}

impl Film {
    /// One run of what comes as it is wanted, from `first` on, or from the first key frame. Its starts are numbered from `no` on.
    pub(super) async fn pass(
        &self,
        mut reader: Reader,
        first: Option<Arc<Unit>>,
        mut no: u64,
        stop: &mut watch::Receiver<bool>,
    ) -> Ended {
        let tape = &self.feed.tape;
        let mut given = self.feed.given.tape();
        let mut starts: Option<(Arc<Start>, Arc<Start>)> = None;
        let (mut came_at, mut patience) = (Instant::now(), KEY_WITHIN);
        let (mut left_at, mut last_key) = (None, 0);
        let mut next = first;
        tracing::debug!(rendition = ?self.rendition, "video is passed on as it comes");
        loop {
            if let Some(unit) = next.take() {
                (came_at, patience) = (Instant::now(), STANDS);
                let start = match starts.take() {
                    Some((theirs, own)) if Arc::ptr_eq(&theirs, &unit.start) => (theirs, own),
                    known => {
                        no += u64::from(known.is_some());
                        let sets = unit.start.sets.clone();
                        let own = Start {
                            no,
                            sets,
                            ..*unit.start
                        };
                        (unit.start.clone(), Arc::new(own))
                    }
                };
                tape.push_given(given_on(&unit, start.1.clone()), unit.since);
                starts = Some(start);
                if unit.is_key {
                    last_key = unit.at;
                } else if tape.is_cut()
                    && unit.at.saturating_sub(last_key) >= self.rendition.gop_ticks()
                {
                    reader.want_key();
                }
            }
            if tape.is_over() {
                return Ended::Over;
            }
            if given.borrow_and_update().is_none() {
                return Ended::NotGiven;
            }
            if tape.wants_key() {
                reader.want_key();
            }
            let now = Instant::now();
            let until_left = if tape.n_readers() > 0 {
                left_at = None;
                None
            } else {
                Some(*left_at.get_or_insert(now + LINGER))
            };
            if until_left.is_some_and(|until| now >= until) {
                return Ended::Left;
            }
            tokio::select! {
                unit = reader.next() => match unit {
                    Some(unit) => next = Some(unit),
                    None => return Ended::NotGiven,
                },
                () = sleep_until(came_at + patience) => return Ended::NotGiven,
                () = sleep_until(until_left.unwrap_or(now)), if until_left.is_some() => {}
                changed = given.changed() => if changed.is_err() {
                    return Ended::Over;
                },
                () = tape.asked() => {}
                _ = stop.wait_for(|stop| *stop) => return Ended::Over,
            }
        }
    }
}

/// The unit, of another start.
fn given_on(unit: &Unit, start: Arc<Start>) -> Encoded {
    Encoded {
        start,
        at: unit.at,
        duration: unit.duration,
        is_key: unit.is_key,
        annexb: unit.annexb.clone(),
        sample: unit.sample.clone(),
    }
}
