//! WHEP: a viewer's offer of WebRTC is answered by video.

#![cfg_attr(
    not(feature = "webrtc"),
    allow(dead_code, reason = "without WebRTC no talk begins")
)]

use std::{pin::Pin, sync::Arc, time::Duration};

use http::Method;
use mantel_media::avc::Profile;
use warp::reply::Response;

use super::{
    backlog::{Backlog, Flow},
    no_video, rtc,
};
use crate::{
    channel::choices::FeedKey,
    clock,
    endpoints::{
        Outputs, Request, open,
        pictures::pace::{MAX_LEVEL, Pace},
        request::Body,
        state::viewers::{Outlet, Viewing},
    },
    hub::{Lease, Reader, Unit},
    net::{Cut, Refusal},
    rendition::{Bitrate, Rendition, video},
    source::live::{Fate, Passage},
    webrtc::{self, Offer, Talk},
};

/// The answer where viewers send offers to.
pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    body: Body,
) -> Result<Response, Refusal> {
    if request.method != Method::POST {
        return Ok(rtc::told(outputs, request));
    }
    rtc::peers(outputs)?;
    let text = rtc::offer(outputs, request, body).await?;
    let offer = Offer::to_be_sent(&text).map_err(rtc::refused)?;
    let passage = open::passage(outputs, request)?;
    let mut wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    let takes = offer.profile();
    if !is_taken(outputs, request, takes) {
        wishes.rendition = made_here(wishes.rendition);
    }
    video::can_be(wishes.rendition.size).map_err(|why| no_video(&why))?;
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    video::can_be(key.rendition.size).map_err(|why| no_video(&why))?;
    let viewing = outputs.watched.viewers.enter(
        Outlet::Whep,
        request.who(),
        key,
        clock::now(),
        Cut::default(),
    );
    let watching = Watching {
        outputs: outputs.clone(),
        asked: key,
        shown: key,
        reel: Reel::of(lease, &key),
        moving: None,
        takes,
        pace: outputs
            .looks
            .step_down
            .then(|| Pace::resting(outputs.uptime(), REST)),
        backlog: Backlog::default(),
        flow: Flow::default(),
        began_at: outputs.uptime(),
        viewing,
        gone: Box::pin(request.visitor.gone()),
        _passage: passage,
    };
    rtc::answer(outputs, request, offer, "whep", watching)
}

/// Whether a viewer who takes this profile of H.264 takes what the channel's sender may have passed through.
fn is_taken(outputs: &Outputs, request: &Request, takes: Profile) -> bool {
    let live = outputs.house.channels.live().named(&request.channel);
    let fate = live.map(|live| *live.source().reader().strip().fate().borrow());
    match fate {
        None | Some(Fate::None) => true,
        Some(Fate::Passed(form)) => form.profile.is_some_and(|profile| profile <= takes),
        // It may be passed through yet, in whichever profile it is.
        Some(Fate::Encoded(_)) => takes >= Profile::High,
    }
}

/// The rendition as it is made here, in the Baseline profile, whatever comes: with a bitrate of its own.
fn made_here(rendition: Rendition) -> Rendition {
    let bits = rendition.video_bits_per_second();
    let bitrate = rendition.bitrate.unwrap_or(Bitrate::near(bits));
    Rendition {
        bitrate: Some(bitrate),
        ..rendition
    }
}

/// After a step the network is judged anew when it has had time to carry what it was sent before.
const REST: Duration = Duration::from_secs(1);

/// The time in which the estimate of what the network carries comes to what that is, where a sender's video is passed on: it
/// begins at a few million bits a second, falls while an engine starts on a busy machine, and grows by a tenth a second.
const SETTLES: Duration = Duration::from_secs(20);

/// One who watches by WebRTC.
struct Watching {
    outputs: Arc<Outputs>,
    /// The feed that was asked for.
    asked: FeedKey,
    /// The feed that is shown, or is about to be.
    shown: FeedKey,
    reel: Reel,
    /// The video that is about to be sent instead, from its first key frame on.
    moving: Option<Reel>,
    /// The highest profile of H.264 that the viewer takes.
    takes: Profile,
    pace: Option<Pace>,
    backlog: Backlog,
    /// The bits a second of a sender's video, which has as many as it has.
    flow: Flow,
    began_at: Duration,
    viewing: Viewing,
    /// Done when the viewer is to be sent nothing more.
    gone: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    _passage: Option<Passage>,
}

/// A hold on a feed, and its video from a key frame on.
struct Reel {
    _lease: Lease,
    reader: Reader,
    /// Whether all of it is made here; else a sender's may be passed through.
    is_made: bool,
}

impl Reel {
    fn of(lease: Lease, key: &FeedKey) -> Self {
        Self {
            reader: lease.read_at_once(),
            _lease: lease,
            is_made: key.rendition.bitrate.is_some(),
        }
    }
}

impl Talk for Watching {
    fn wished(&self) -> u64 {
        self.needs(0)
    }

    fn has_room(&mut self, bits_per_second: u64) {
        self.backlog
            .set_room(self.outputs.uptime(), bits_per_second);
    }

    async fn next(&mut self) -> Option<Arc<Unit>> {
        loop {
            let unit = self.read().await?;
            let needed = webrtc::needed(&unit.start.sets);
            if self.reel.is_made || needed.is_some_and(|profile| profile <= self.takes) {
                return Some(unit);
            }
            // A sender came whose profile the viewer does not take: nothing of it is sent.
            if unit.is_key && self.moving.is_none() {
                self.have_made();
            }
        }
    }

    fn sent(&mut self, unit: &Unit) {
        let n_bytes = unit.annexb.len();
        self.viewing.sent(1, n_bytes);
        let now = self.outputs.uptime();
        if unit.is_given {
            self.flow.sent(now, n_bytes);
        } else {
            self.flow = Flow::default();
        }
        let is_behind = self.backlog.sent(now, n_bytes);
        let settles = unit.is_given && now < self.began_at + SETTLES;
        let level = self.pace.as_mut().filter(|_| !settles);
        if let Some(level) = level.and_then(|pace| pace.sent(now, is_behind.into())) {
            // Who carries too little carries no more at the levels between.
            let fitting = is_behind.then(|| self.fitting());
            self.step(fitting.map_or(level, |fitting| level.max(fitting)));
        }
    }

    fn want_key(&mut self) {
        self.reel.reader.want_key();
    }
}

impl Watching {
    /// Reads on, of the video that is about to be sent instead as soon as it is there. Cancel safe.
    async fn read(&mut self) -> Option<Arc<Unit>> {
        let moving = &mut self.moving;
        let moved = async {
            match moving {
                Some(reel) => reel.reader.next().await,
                None => std::future::pending().await,
            }
        };
        let (unit, has_moved) = tokio::select! {
            unit = moved => (unit, true),
            unit = self.reel.reader.next() => (unit, false),
            () = &mut self.gone => (None, false),
        };
        if has_moved && let Some(reel) = self.moving.take() {
            tracing::debug!(rendition = ?self.shown.rendition, "a viewer is sent other video");
            self.reel = reel;
        }
        self.viewing.skipped(self.reel.reader.take_missed());
        unit
    }

    /// The level of which the network carries as much as there may be in motion.
    fn fitting(&self) -> u8 {
        (0..MAX_LEVEL)
            .find(|level| self.backlog.has_room_for(self.needs(*level)))
            .unwrap_or(MAX_LEVEL)
    }

    /// The bits a second of a level in motion.
    fn needs(&self, level: u8) -> u64 {
        match (level, self.flow.bits_per_second()) {
            // Of a sender's video as many as come.
            (0, flow @ 1..) => flow,
            _ => self.asked.rendition.narrowed(level).video_bits_per_second(),
        }
    }

    /// Sends less over a network that carries too little, and more after a while in which it did not.
    fn step(&mut self, level: u8) {
        let now = self.outputs.uptime();
        let is_open = self.move_to(self.asked.rendition.narrowed(level), level > 0);
        if let Some(pace) = &mut self.pace {
            if is_open {
                pace.step(now, level);
            } else {
                // There is no room for another rendition.
                pace.stay(now);
            }
        }
    }

    /// Has what is sent made here from now on. Where there is no room for another rendition, that is tried again at the
    /// next key frame.
    fn have_made(&mut self) {
        let rendition = made_here(self.asked.rendition);
        if self.move_to(rendition, false) {
            self.asked.rendition = rendition;
        }
    }

    /// Sends this rendition, from its first key frame on. False: it can't be had.
    fn move_to(&mut self, rendition: Rendition, is_less: bool) -> bool {
        let key = FeedKey {
            rendition,
            ..self.asked
        };
        let feeds = &self.outputs.house.feeds;
        let Ok(Some(lease)) = feeds.open_beside(&self.shown, &key) else {
            return false;
        };
        self.shown = key;
        self.moving = Some(Reel::of(lease, &key));
        self.viewing.changed(key, is_less);
        true
    }
}
