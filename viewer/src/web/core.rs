//! The pure parts wired to the browser's: parts go from the session to the player, pictures from
//! the player to the canvas. Everything here is synchronous and borrows nothing across a callback;
//! timers, connections and tasks are [`super::app`]'s.

use mantel_shared::{Area, Focus, FrameMeta, SlideNo, Transition, UnixMillis};
use wasm_bindgen::prelude::*;

use super::{
    page::{self, Page, now},
    picture::{Method, Picture},
    surface::{Surface, wants_stillness},
};
use crate::{
    clock::{Clock, Local},
    link::{Backoff, Watchdog},
    pace::{Judge, Pace},
    player::{Announcement, Player, Step, Ticket, Verdict, Wake},
    query::Query,
    session::{Part, Session, SessionError},
    stats::Stats,
};

/// An encoded picture that waits for its turn to be decoded.
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) body: Vec<u8>,
    pub(super) content_type: String,
    pub(super) sights: Sights,
}

/// The areas and the point of interest of a picture, as far as they are known.
pub(super) struct Sights {
    pub(super) focus: Option<Focus>,
    pub(super) photos: Vec<Area>,
}

/// The settings with which a picture is decoded.
pub(super) struct Decoding {
    pub(super) method: Method,
    /// The longest side of a picture.
    pub(super) limit: u32,
}

/// The limit of notes: as many as slides can show and wait at a time, and one that is shown again.
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
    /// The metadata of the slides that show and wait, the latest last.
    notes: Vec<(SlideNo, FrameMeta)>,
    /// The number of slides that came on.
    pub(super) n_slides: u32,
    session: Option<Session>,
    /// The pictures to decode, one after the other, so that a slow engine is never asked for more
    /// than it can do. Those that are not wanted any more are dropped: at most two wait.
    jobs: Vec<Job>,
    decoding: Option<(Ticket, Local)>,
    judge: Judge,
    is_fading: bool,
    drawn_at: Local,
    offset_millis: f64,
    is_still: bool,
    /// Whether the page's address names a way of drawing.
    is_forced: bool,
    /// Why the last connection or picture failed.
    pub(super) trouble: &'static str,
}

/// How long a picture may be decoded: an engine that takes longer has lost it.
const STUCK_MILLIS: f64 = 12_000.0;

/// The least time between two draws of a slow move, which looks the same at half the display's rate
/// and costs half.
const GENTLE_MILLIS: f64 = 28.0;

impl Core {
    pub(super) fn new(page: Page, surface: Surface, query: &Query) -> Self {
        let mut core = Self {
            judge: Judge::new(surface.pace()),
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
            decoding: None,
            is_fading: false,
            drawn_at: now(),
            offset_millis: 0.0,
            is_still: wants_stillness(),
            is_forced: query.renderer.is_some(),
            trouble: "",
        };
        core.set(query);
        core
    }

    /// Takes over the settings of the page.
    pub(super) fn set(&mut self, query: &Query) {
        let affords = self.judge.pace() < Pace::Still;
        self.player
            .set_moves(query.moves && affords && !self.is_still);
        self.offset_millis = query.offset_millis;
        self.surface.hang(query.wall);
    }

    /// Begins a session: a response began.
    pub(super) fn opened(&mut self) {
        self.session = Some(Session::default());
        self.player.connected();
        self.watchdog.heard(now());
    }

    /// Takes bytes that came. Returns whether they completed a part.
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
        self.stats.parse_millis += page::now().since(now);
        Ok(came)
    }

    /// Ends the session: the connection broke, or could not be made.
    pub(super) fn lost(&mut self, reason: &'static str) {
        self.trouble = reason;
        self.session = None;
        self.stats.n_reconnects += 1;
        self.player.disconnected();
        // Another server may answer next time, or the same one with its clock set.
        self.clock.restart();
        self.tell();
    }

    /// The next picture to decode, unless one is being decoded.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        if self.decoding.is_some() || self.jobs.is_empty() {
            return None;
        }
        let job = self.jobs.remove(0);
        self.decoding = Some((job.ticket, now()));
        Some(job)
    }

    /// The settings with which the next picture is decoded.
    pub(super) fn decoding(&self) -> Decoding {
        Decoding {
            method: self.method,
            limit: self.surface.limit(),
        }
    }

    /// Gives up on a picture that the engine has lost, and decodes by elements from now on, which
    /// may do better. Returns whether there was one.
    pub(super) fn give_up_decoding(&mut self) -> bool {
        let stuck = |(_, since): &mut (Ticket, Local)| now().since(*since) > STUCK_MILLIS;
        let Some((ticket, _)) = self.decoding.take_if(stuck) else {
            return false;
        };
        self.method = Method::Element;
        self.spoilt(ticket, "a picture was never decoded");
        true
    }

    fn spoilt(&mut self, ticket: Ticket, reason: &'static str) {
        self.trouble = reason;
        self.stats.n_undecodable += 1;
        self.player.undecodable(ticket);
    }

    /// Takes the result of a job that took `millis`.
    pub(super) fn decoded(
        &mut self,
        ticket: Ticket,
        sights: Sights,
        result: Result<(Picture, Method), JsValue>,
        millis: f64,
    ) {
        self.decoding.take_if(|(job, _)| *job == ticket);
        match result {
            Ok((mut picture, method)) => {
                self.method = method;
                picture.focus = sights.focus.unwrap_or(picture.focus);
                picture.photos = sights.photos;
                if !self.player.wants(ticket) {
                    return;
                }
                let is_first = self.player.showing().is_none();
                if self.surface.prepare(&mut picture, is_first) {
                    self.flatten();
                }
                self.stats.decode.add(millis);
                // The first picture has no lead: it is shown as soon as it is there.
                let show_at = self.player.show_at(ticket);
                if let Some(show_at) = show_at.filter(|_| self.player.showing().is_some()) {
                    self.stats.lead.add(show_at.since(now()));
                }
                self.player.decoded(ticket, picture);
            }
            Err(_) => self.spoilt(ticket, "a picture could not be decoded"),
        }
    }

    /// Goes on without WebGL, which was lost or is no gain. The picture stays on screen.
    pub(super) fn flatten(&mut self) {
        if self.judge.pace() == Pace::Gl && self.surface.flatten().is_ok() {
            self.judge.slow_down();
            for picture in self.player.pictures_mut() {
                picture.texture = None;
            }
            self.draw(now());
        }
    }

    /// Judges this engine by the last crossfade, and slows down if need be.
    fn judge(&mut self) {
        let was_fading = std::mem::replace(&mut self.is_fading, self.player.is_fading());
        if !was_fading || self.is_fading || self.is_forced {
            return;
        }
        let Some(per_second) = self.stats.frames.per_second() else {
            return;
        };
        match self.judge.judge(per_second) {
            Some(Pace::Flat) => {
                // `flatten` slows down from WebGL by itself, so the judge's own step is taken back.
                self.judge = Judge::new(Pace::Gl);
                self.flatten();
            }
            Some(Pace::Still | Pace::Cut) => self.player.set_moves(false),
            Some(Pace::Gl) | None => {}
        }
    }

    /// Lets the player take a step and draws if it asks for it. Returns when to call again, and the
    /// metadata of the slide that came on, if one did.
    pub(super) fn advance(&mut self) -> (Wake, Option<FrameMeta>) {
        let now = now();
        let Step { draw, gently, wake } = self.player.advance(now);
        if draw && !(gently && now.since(self.drawn_at) < GENTLE_MILLIS) {
            self.draw(now);
            let is_fading = self.player.is_fading();
            self.stats.frames.drawn(now, is_fading);
            self.judge();
        }
        (wake, self.tell())
    }

    /// Draws the pictures that show, as after a change of the canvas.
    pub(super) fn draw(&mut self, at: Local) {
        self.surface.draw(self.player.layers(at));
        self.drawn_at = at;
        self.stats.draw.add(now().since(at));
    }

    /// Brings the page's attributes up to date. Returns the metadata of the slide that came on, if
    /// one did.
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
        // Slides without numbers are shown in the order in which they come.
        let next = || SlideNo(self.player.newest().map_or(0, |SlideNo(newest)| newest + 1));
        let slide = meta.slide.unwrap_or_else(next);
        let cuts = self.is_still || self.judge.pace() == Pace::Cut;
        let verdict = self.player.announce(Announcement {
            slide,
            fingerprint,
            show_at: meta
                .show_at
                .map(|at: UnixMillis| self.clock.local(at).after(self.offset_millis)),
            fade_millis: match meta.transition {
                Some(Transition::Crossfade { millis }) if !cuts => f64::from(millis),
                _ => 0.0,
            },
            dwell_millis: meta.dwell_millis.unwrap_or(0) as f64,
            paused: meta.paused,
        });
        if let Verdict::Decode(ticket) = verdict {
            let content_type = head.content_type.as_str().to_owned();
            if is_half(&body) {
                self.spoilt(ticket, "a picture came without its end");
            } else {
                self.jobs.push(Job {
                    ticket,
                    body,
                    content_type,
                    sights: Sights {
                        focus: meta.focus,
                        photos: meta.photos.clone(),
                    },
                });
            }
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

/// Whether a body is a JPEG without its end, which engines would show with grey below. Zeros after
/// the end are padding.
fn is_half(body: &[u8]) -> bool {
    let end = body.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    body.starts_with(b"\xff\xd8") && !body[..=end.min(body.len() - 1)].ends_with(b"\xff\xd9")
}
