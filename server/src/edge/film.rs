//! Video of another machine, put on a tape here: pictures that build upon each other, so that none is taken behind one that
//! was lost, until a key frame comes.

use std::{sync::Arc, time::Duration};

use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::StreamExt;
use mantel_media::{
    annexb::{self, Unit},
    avc::ParameterSets,
    wire::{Assembler, FilmUnit, Kind, Topic},
};
use tokio::time::Instant;

use super::{
    bus::{Bus, Unsent},
    shown::Ahead,
};
use crate::{
    hub::{self, Encoded, Start, Tape},
    size::Size,
};

/// How long video is taken after its last viewer.
const KEPT_UP: Duration = Duration::from_secs(5);

/// Video of one rendition, while somebody wants it.
pub(super) struct FilmEar {
    topic: Topic,
    run: u64,
    wanted_until: Option<Instant>,
    subscriber: Option<Subscriber>,
    parts: Assembler,
    film: Film,
}

impl FilmEar {
    pub(super) fn new(topic: Topic) -> Self {
        Self {
            topic,
            run: 0,
            wanted_until: None,
            subscriber: None,
            parts: Assembler::new(Kind::Video, topic, 0),
            film: Film::default(),
        }
    }

    /// Listens while somebody reads `tape`, to what the run `run` sends.
    pub(super) async fn keep_up(
        &mut self,
        tape: &Tape,
        run: Option<u64>,
        bus: &Bus,
        subject: &str,
        now: Instant,
    ) -> Result<(), Unsent> {
        if tape.n_readers() > 0 {
            self.wanted_until = Some(now + KEPT_UP);
        }
        if self.wanted_until.is_some_and(|until| now >= until) {
            *self = Self::new(self.topic);
            tape.wind();
        }
        if let Some(run) = run.filter(|run| *run != self.run) {
            self.run = run;
            self.parts.follow(run);
            self.film.forget();
        }
        if self.wanted_until.is_some() && self.subscriber.is_none() {
            self.subscriber = Some(bus.hear(subject.to_owned()).await?);
        }
        Ok(())
    }

    /// Until when it is wanted, if it is.
    pub(super) fn wanted_until(&self) -> Option<Instant> {
        self.wanted_until
    }

    /// Whether a key frame has to be asked for.
    pub(super) fn is_lost(&self, tape: &Tape) -> bool {
        self.subscriber.is_some() && (self.film.last.is_none() || tape.wants_key())
    }

    /// Nothing is taken before the next key frame: what was sent meanwhile is lost.
    pub(super) fn lose(&mut self) {
        self.film.last = None;
    }

    pub(super) async fn next(&mut self) -> Option<async_nats::Message> {
        match &mut self.subscriber {
            Some(subscriber) => subscriber.next().await,
            None => std::future::pending().await,
        }
    }

    /// Takes a message; gives the picture that it completes.
    pub(super) fn take(&mut self, bus: &Bus, message: &[u8], ahead: Ahead) -> Option<Encoded> {
        let part = bus.read(message)?;
        let content = self.parts.take(&part, ahead.there(bus.clock.now()));
        bus.count(self.parts.counts());
        let content = content?;
        let unit = FilmUnit::read(&content.bytes).ok();
        unit.and_then(|unit| self.film.take(&unit, ahead))
    }
}

/// The pictures of one rendition.
#[derive(Debug, Default)]
struct Film {
    start: Option<Arc<Start>>,
    /// The number of the picture that was taken last; none while a key frame is waited for.
    last: Option<u64>,
}

impl Film {
    /// Another program's encoder numbers its starts.
    fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes a picture. `None`: it is none, or builds upon one that was lost.
    fn take(&mut self, unit: &FilmUnit<'_>, ahead: Ahead) -> Option<Encoded> {
        let follows = self.last.is_some_and(|last| unit.no == last + 1);
        if !follows && !unit.is_key {
            self.last = None;
            return None;
        }
        let pictures = Unit::new(annexb::split(unit.annexb));
        if !pictures.has_picture() || pictures.is_key() != unit.is_key {
            self.last = None;
            return None;
        }
        let start = self.started(unit, ahead)?;
        self.last = Some(unit.no);
        Some(Encoded {
            start,
            at: unit.at,
            duration: unit.duration,
            is_key: unit.is_key,
            annexb: Bytes::copy_from_slice(unit.annexb),
            sample: pictures.sample().into(),
        })
    }

    fn started(&mut self, unit: &FilmUnit<'_>, ahead: Ahead) -> Option<Arc<Start>> {
        if let Some(start) = self.start.as_ref().filter(|start| start.no == unit.start) {
            return Some(start.clone());
        }
        let sets = ParameterSets::new(unit.sps, unit.pps.iter().copied()).ok()?;
        let start = Arc::new(Start {
            no: unit.start,
            began_at: ahead.here(unit.began_at),
            size: Size::new(unit.size.0, unit.size.1),
            sets,
        });
        self.start = Some(start.clone());
        Some(start)
    }
}

/// A picture of a tape as bytes.
pub(super) fn written(unit: &hub::Unit) -> Vec<u8> {
    let start = &unit.start;
    FilmUnit {
        no: unit.no,
        start: start.no,
        began_at: start.began_at.0,
        size: (start.size.width, start.size.height),
        sps: start.sets.sps(),
        pps: start.sets.pps().collect(),
        at: unit.at,
        duration: unit.duration,
        is_key: unit.is_key,
        annexb: &unit.annexb,
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a picture of 64x48, from openh264.
    const SPS: [u8; 10] = [0x67, 0x42, 0xC0, 0x0A, 0x8C, 0x8D, 0x44, 0x2A, 0x01, 0xE0];
    const PPS: [u8; 4] = [0x68, 0xCE, 0x3C, 0x80];
    const KEY: &[u8] = b"\0\0\0\x01\x65\x88\x84";
    const OTHER: &[u8] = b"\0\0\0\x01\x41\x9a\x02";

    fn unit(no: u64, start: u64, is_key: bool) -> FilmUnit<'static> {
        FilmUnit {
            no,
            start,
            began_at: 10_000,
            size: (64, 48),
            sps: &SPS,
            pps: vec![&PPS],
            at: no * 3600,
            duration: 3600,
            is_key,
            annexb: if is_key { KEY } else { OTHER },
        }
    }

    #[test]
    fn nothing_is_taken_behind_what_was_lost_until_a_key_frame() {
        let mut film = Film::default();
        let mut take = |no, is_key| film.take(&unit(no, 0, is_key), Ahead(-5000));
        assert!(take(1, false).is_none());
        let first = take(2, true).unwrap();
        assert_eq!(first.start.began_at.0, 15_000);
        let second = take(3, false).unwrap();
        assert!(Arc::ptr_eq(&first.start, &second.start) && !second.sample.is_empty());
        assert!(take(5, false).is_none(), "the fourth was lost");
        assert!(take(6, false).is_none());
        assert!(take(9, true).is_some() && take(10, false).is_some());
    }

    #[test]
    fn what_is_no_picture_is_none() {
        let mut film = Film::default();
        for wrong in [
            FilmUnit {
                annexb: b"",
                ..unit(1, 0, true)
            },
            FilmUnit {
                annexb: OTHER,
                ..unit(1, 0, true)
            },
            FilmUnit {
                sps: b"sps",
                ..unit(1, 0, true)
            },
        ] {
            assert!(film.take(&wrong, Ahead::default()).is_none());
        }
        let old = film.take(&unit(1, 0, true), Ahead::default()).unwrap();
        let new = film.take(&unit(2, 1, true), Ahead::default()).unwrap();
        assert!(!Arc::ptr_eq(&old.start, &new.start));
    }
}
