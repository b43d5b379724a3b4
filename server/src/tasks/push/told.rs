//! How a push goes, told to people: a line that changes at a terminal, one now and then elsewhere.

#![expect(
    clippy::disallowed_methods,
    reason = "rates and pauses between lines go by the monotonic clock"
)]

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    fetch::Target,
    progress::{Line, grouped, many},
    rights::ChannelName,
};

/// The span over which the rate is taken.
const RATE_SPAN: Duration = Duration::from_secs(5);
/// How many reasons are told before only their number is.
const MAX_REASONS: u64 = 20;

/// How it goes.
#[derive(Debug)]
pub(super) struct Told {
    line: Line,
    name: String,
    to: String,
    started: Instant,
    n_sent: u64,
    n_bytes: u64,
    /// A newer one took their place here.
    n_dropped: u64,
    /// A newer one took their place at the server.
    n_unseen: u64,
    n_bad: u64,
    n_viewers: u64,
    /// The moments of the last pictures.
    recent: VecDeque<Instant>,
    /// Why the server does not answer.
    away: Option<String>,
}

impl Told {
    pub(super) fn new(name: &ChannelName, to: &Target) -> Self {
        Self {
            line: Line::start(),
            name: name.to_string(),
            to: to.to_string(),
            started: Instant::now(),
            n_sent: 0,
            n_bytes: 0,
            n_dropped: 0,
            n_unseen: 0,
            n_bad: 0,
            n_viewers: 0,
            recent: VecDeque::new(),
            away: None,
        }
    }

    /// A picture was taken, while so many watched.
    pub(super) fn sent(&mut self, n_bytes: usize, n_viewers: u64) {
        self.n_sent += 1;
        self.n_bytes += n_bytes as u64;
        self.n_viewers = n_viewers;
        self.recent.push_back(Instant::now());
        if self.away.take().is_some() {
            self.line.say(&format!("{} answers again", self.to));
        }
    }

    /// So many pictures gave way to a newer one before they were sent.
    pub(super) fn dropped(&mut self, n: u64) {
        self.n_dropped = n;
    }

    /// So many more gave way after it.
    pub(super) fn unseen(&mut self, n: u64) {
        self.n_unseen += n;
    }

    /// A picture is none that can be sent.
    pub(super) fn bad(&mut self, name: Option<&str>, why: &str) {
        self.n_bad += 1;
        if self.n_bad <= MAX_REASONS {
            let name = name.unwrap_or("a picture").escape_debug();
            self.line.say(&format!("{name}: {why}"));
        }
    }

    /// How many pictures could not be sent.
    pub(super) fn n_bad(&self) -> u64 {
        self.n_bad
    }

    /// The server doesn't answer, and is tried again.
    pub(super) fn away(&mut self, why: &str) {
        if self.away.as_deref() != Some(why) {
            self.line.say(&format!("{why}; trying again"));
            self.away = Some(why.to_owned());
        }
    }

    /// Tells how it goes, if it is time.
    pub(super) fn tell(&mut self) {
        let now = Instant::now();
        while self.recent.front().is_some_and(|at| now - *at > RATE_SPAN) {
            self.recent.pop_front();
        }
        let span = RATE_SPAN.min(now - self.started).as_secs_f64().max(0.5);
        let rate = self.recent.len() as f64 / span;
        let viewers = many(self.n_viewers, "viewer");
        let text = format!("{}, {rate:.1}/s, {viewers}", self.counts());
        self.line.set(&text);
    }

    /// The last line.
    pub(super) fn end(&mut self) -> String {
        self.line.end();
        let seconds = self.started.elapsed().as_secs_f64();
        format!("{} in {seconds:.1} s", self.counts())
    }

    fn counts(&self) -> String {
        let megabytes = self.n_bytes as f64 / 1e6;
        let sent = many(self.n_sent, "picture");
        let mut text = format!("{}: {sent} sent, {megabytes:.1} MB", self.name);
        for (n, what) in [
            (self.n_dropped, "dropped for newer ones"),
            (self.n_unseen, "that nobody had time to see"),
            (self.n_bad, "not sent"),
        ] {
            if n > 0 {
                text += &format!(", {} {what}", grouped(n));
            }
        }
        text
    }
}
