//! The pure parts wired to the browser's: parts go from the session to the player, pictures from
//! the player to the canvas. Everything here is synchronous and borrows
//! nothing across a callback; timers, connections and tasks are [`super::app`]'s.

use mantel_shared::{FrameMeta, SlideNo, Transition, UnixMillis};
use wasm_bindgen::prelude::*;

use super::page::{self, Page, now};
use super::picture::{Method, Picture};
use super::surface::Surface;
use crate::clock::{Clock, Local};
use crate::link::{Backoff, Watchdog};
use crate::player::{Announcement, Player, Step, Ticket, Verdict, Wake};
use crate::session::{Part, Session, SessionError};
use crate::stats::Stats;

/// An encoded picture that waits for its turn to be decoded.
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) body: Vec<u8>,
    pub(super) content_type: String,
}

/// As many slides as can show and wait at a time, and one that is shown again.
const MAX_NOTES: usize = 6;

pub(super) struct Core {
    pub(super) page: Page,
    pub(super) surface: Surface,
    pub(super) player: Player<Picture>,
    pub(super) stats: Stats,
    pub(super) clock: Clock,
    pub(super) backoff: Backoff,
    pub(super) watchdog: Watchdog,
    pub(super) method: Method,
    /// What was said about the slides that show and wait, the latest last.
    notes: Vec<(SlideNo, FrameMeta)>,
    /// Slides that came on.
    pub(super) n_slides: u32,
    session: Option<Session>,
    /// Pictures are decoded one after the other, so that a slow engine is never asked for more
    /// than it can do. Those that nobody wants any more are dropped: at most two wait.
    jobs: Vec<Job>,
    is_decoding: bool,
}

impl Core {
    pub(super) fn new(page: Page, surface: Surface) -> Self {
        Self {
            page,
            surface,
            player: Player::default(),
            stats: Stats::default(),
            clock: Clock::new(now(), page::wall_clock()),
            backoff: Backoff::default(),
            watchdog: Watchdog::new(now()),
            method: Method::detect(),
            notes: Vec::new(),
            n_slides: 0,
            session: None,
            jobs: Vec::new(),
            is_decoding: false,
        }
    }

    /// A response began.
    pub(super) fn opened(&mut self) {
        self.session = Some(Session::default());
        self.player.connected();
        self.watchdog.heard(now());
    }

    /// Bytes came. Returns whether parts were among them.
    pub(super) fn received(&mut self, chunk: &[u8]) -> Result<bool, SessionError> {
        let now = now();
        self.watchdog.heard(now);
        self.stats.received.add(chunk.len() as f64, now);
        self.stats.n_bytes += chunk.len() as f64;
        let Some(mut session) = self.session.take() else {
            return Ok(false);
        };
        let mut came = false;
        session.feed(chunk, now, &mut |part| {
            came = true;
            self.take_part(part);
        })?;
        self.session = Some(session);
        Ok(came)
    }

    /// The connection broke, or never was.
    pub(super) fn lost(&mut self) {
        self.session = None;
        self.stats.n_reconnects += 1;
        self.player.disconnected();
        // Another machine may answer next time, or the same one with its clock set.
        self.clock.restart();
        self.tell();
    }

    /// The next picture to decode, unless one is being decoded.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        if self.is_decoding || self.jobs.is_empty() {
            return None;
        }
        self.is_decoding = true;
        Some(self.jobs.remove(0))
    }

    /// A job is done, after `millis`.
    pub(super) fn decoded(
        &mut self,
        ticket: Ticket,
        result: Result<(Picture, Method), JsValue>,
        millis: f64,
    ) {
        self.is_decoding = false;
        match result {
            Ok((picture, method)) => {
                self.method = method;
                self.stats.decode.add(millis);
                // The first picture of all is late by nature.
                let show_at = self.player.show_at(ticket);
                if let Some(show_at) = show_at.filter(|_| self.player.showing().is_some()) {
                    self.stats.lead.add(show_at.since(now()));
                }
                self.player.decoded(ticket, picture);
            }
            Err(_) => {
                self.stats.n_undecodable += 1;
                self.player.undecodable(ticket);
            }
        }
    }

    /// Lets the player take a step and draws what it wants drawn. Returns when to call again, and
    /// what is known of the slide that came on with it, if one did.
    pub(super) fn advance(&mut self) -> (Wake, Option<FrameMeta>) {
        let now = now();
        let Step { draw, wake } = self.player.advance(now);
        if draw {
            self.draw(now);
            self.stats.frames.drawn(now, wake == Wake::NextFrame);
        }
        (wake, self.tell())
    }

    /// Draws what shows, as after a change of the canvas.
    pub(super) fn draw(&mut self, at: Local) {
        self.surface.draw(self.player.layers(at));
        self.stats.draw.add(now().since(at));
    }

    /// Brings the page's attributes up to date; the slide that came on is returned.
    pub(super) fn tell(&mut self) -> Option<FrameMeta> {
        let showing = self.player.showing();
        if !self.page.tell(self.player.phase(), showing) {
            return None;
        }
        self.n_slides = self.n_slides.wrapping_add(1);
        let (_, meta) = self.notes.iter().rfind(|(no, _)| Some(*no) == showing)?;
        Some(meta.clone())
    }

    fn take_part(&mut self, part: Part) {
        let fingerprint = part.fingerprint();
        let Part {
            head,
            body,
            head_at,
        } = part;
        let meta = head.meta;
        if let Some(sent_at) = meta.sent_at {
            self.clock.sample(sent_at, head_at);
        }
        if let Some(dwell) = meta.dwell_millis {
            self.watchdog.dwell(dwell as f64);
        }
        self.backoff.succeeded();
        // A stream that does not number its slides is shown in the order in which it comes.
        let next = || SlideNo(self.player.newest().map_or(0, |SlideNo(newest)| newest + 1));
        let slide = meta.slide.unwrap_or_else(next);
        let verdict = self.player.announce(Announcement {
            slide,
            fingerprint,
            show_at: meta.show_at.map(|at: UnixMillis| self.clock.local(at)),
            fade_millis: match meta.transition {
                Some(Transition::Crossfade { millis }) => f64::from(millis),
                Some(Transition::Cut) | None => 0.0,
            },
            paused: meta.paused,
        });
        if let Verdict::Decode(ticket) = verdict {
            let content_type = head.content_type.as_str().to_owned();
            self.jobs.push(Job {
                ticket,
                body,
                content_type,
            });
        }
        self.notes.retain(|(no, _)| *no != slide);
        if self.notes.len() >= MAX_NOTES {
            self.notes.remove(0);
        }
        self.notes.push((slide, meta));
        let player = &self.player;
        self.jobs.retain(|job| player.wants(job.ticket));
    }
}
