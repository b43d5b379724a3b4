//! The viewers, and how it goes: a row for each viewer, with counters that it alone writes.

#![expect(
    clippy::disallowed_methods,
    reason = "rows hold since when somebody watches"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use mantel_shared::UnixMillis;

use crate::{
    channel::choices::FeedKey,
    endpoints::pictures::held::{Held, Holding},
    locked::locked,
    net::Cut,
    stats::Histogram,
};

/// An outlet: the thing that a viewer watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlet {
    /// `/stream`.
    Stream,
    /// `/bytes`.
    Bytes,
    /// `/snapshot`.
    Snapshot,
    /// `/stream.h264`.
    H264,
    /// `/stream.ts`.
    Ts,
    /// `/stream.mp4`.
    Mp4,
    /// `/hls/`.
    Hls,
    /// `/whep`.
    Whep,
}

impl Outlet {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Stream,
        Self::Bytes,
        Self::Snapshot,
        Self::H264,
        Self::Ts,
        Self::Mp4,
        Self::Hls,
        Self::Whep,
    ];

    /// The outlet's name in its address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Bytes => "bytes",
            Self::Snapshot => "snapshot",
            Self::H264 => "stream.h264",
            Self::Ts => "stream.ts",
            Self::Mp4 => "stream.mp4",
            Self::Hls => "hls",
            Self::Whep => "whep",
        }
    }
}

impl serde::Serialize for Outlet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The totals of what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Frames handed to connections.
    pub n_frames: u64,
    /// Their bytes, heads included.
    pub n_bytes: u64,
    /// Frames that a viewer was too slow for.
    pub n_skipped: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.n_frames += other.n_frames;
        self.n_bytes += other.n_bytes;
        self.n_skipped += other.n_skipped;
    }
}

/// A client's identity, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The address that it asks from.
    pub address: String,
    /// The name that the client gives itself; cut to a length.
    pub agent: String,
    /// The user's or the token's name.
    pub name: Option<Arc<str>>,
}

/// An agent longer than this says nothing more.
const MAX_AGENT_CHARS: usize = 200;

impl Who {
    /// A client with an agent of bounded length.
    pub fn new(address: String, agent: &str, name: Option<Arc<str>>) -> Self {
        let agent = agent.chars().take(MAX_AGENT_CHARS).collect();
        Self {
            address,
            agent,
            name,
        }
    }
}

/// Everybody who watches, and what was sent in all.
#[derive(Debug, Default)]
pub struct Viewers {
    rows: Mutex<BTreeMap<u64, Arc<Row>>>,
    last: AtomicU64,
    /// The totals of viewers that left.
    past: Mutex<[Totals; Outlet::ALL.len()]>,
    /// From the moment a frame was on until a viewer's socket had taken it, of `/stream`.
    age: Histogram,
    /// From a live picture's stamp until a viewer's socket had taken it, of `/stream` and `/bytes`.
    live_age: Histogram,
    n_stepped_down: AtomicU64,
}

/// One who watches. Only ever written by its own connection, but for reading.
#[derive(Debug)]
struct Row {
    endpoint: Outlet,
    who: Who,
    since: UnixMillis,
    key: Mutex<FeedKey>,
    stepped_down: AtomicBool,
    n_frames: AtomicU64,
    n_bytes: AtomicU64,
    n_skipped: AtomicU64,
    /// Of the frame sent last.
    age_micros: AtomicU64,
    rate: Mutex<Rate>,
    /// The frames that its connection still has to send, since when.
    held: Mutex<Option<(tokio::time::Instant, Vec<Held>)>>,
    connection: Cut,
}

impl Row {
    fn totals(&self) -> Totals {
        Totals {
            n_frames: self.n_frames.load(Relaxed),
            n_bytes: self.n_bytes.load(Relaxed),
            n_skipped: self.n_skipped.load(Relaxed),
        }
    }
}

/// Frames per second over the last few.
#[derive(Debug)]
struct Rate {
    since: Instant,
    n_frames: u64,
    per_second: f64,
}

/// How long frames are counted before their rate is told.
const RATE_SPAN: Duration = Duration::from_secs(2);

impl Rate {
    /// The rate at `now`, when `n_frames` had been sent since the start.
    fn at(&mut self, now: Instant, n_frames: u64) -> f64 {
        let span = now.duration_since(self.since);
        if span >= RATE_SPAN {
            let new = n_frames.saturating_sub(self.n_frames) as f64;
            *self = Self {
                since: now,
                n_frames,
                per_second: new / span.as_secs_f64(),
            };
        }
        self.per_second
    }
}

/// A viewer's row, as it is told.
#[derive(Clone, Debug)]
pub struct ViewerRow {
    /// The viewer's number, which is never another's.
    pub no: u64,
    /// The outlet that the viewer watches.
    pub endpoint: Outlet,
    /// The viewer's identity.
    pub who: Who,
    /// Since when.
    pub since: UnixMillis,
    /// The feed that the viewer is shown.
    pub key: FeedKey,
    /// Whether that is less than it asked for, because its network is too slow.
    pub stepped_down: bool,
    /// The totals of what the viewer got.
    pub sent: Totals,
    /// How old its last frame was when its socket had taken it.
    pub age: Duration,
    /// Frames per second, over the last seconds.
    pub fps: f64,
}

impl Viewers {
    /// Somebody begins to watch; its row goes when the result is dropped.
    pub fn enter(
        self: &Arc<Self>,
        endpoint: Outlet,
        who: Who,
        key: FeedKey,
        now: UnixMillis,
        connection: Cut,
    ) -> Viewing {
        let no = self.last.fetch_add(1, Relaxed) + 1;
        let row = Arc::new(Row {
            endpoint,
            who,
            since: now,
            key: Mutex::new(key),
            stepped_down: AtomicBool::default(),
            n_frames: AtomicU64::default(),
            n_bytes: AtomicU64::default(),
            n_skipped: AtomicU64::default(),
            age_micros: AtomicU64::default(),
            rate: Mutex::new(Rate {
                since: Instant::now(),
                n_frames: 0,
                per_second: 0.0,
            }),
            held: Mutex::default(),
            connection,
        });
        locked(&self.rows).insert(no, row.clone());
        Viewing {
            viewers: self.clone(),
            no,
            row,
        }
    }

    /// One answer that was no watching: a snapshot.
    pub fn answered(&self, endpoint: Outlet, n_bytes: usize) {
        if let Some(totals) = locked(&self.past).get_mut(endpoint as usize) {
            *totals += Totals {
                n_frames: 1,
                n_bytes: n_bytes as u64,
                n_skipped: 0,
            };
        }
    }

    /// A row for each, in the order in which they came.
    pub fn rows(&self) -> Vec<ViewerRow> {
        let now = Instant::now();
        let rows = locked(&self.rows);
        rows.iter()
            .map(|(no, row)| {
                let sent = row.totals();
                ViewerRow {
                    no: *no,
                    endpoint: row.endpoint,
                    who: row.who.clone(),
                    since: row.since,
                    key: *locked(&row.key),
                    stepped_down: row.stepped_down.load(Relaxed),
                    sent,
                    age: Duration::from_micros(row.age_micros.load(Relaxed)),
                    fps: locked(&row.rate).at(now, sent.n_frames),
                }
            })
            .collect()
    }

    /// The totals of what was sent since the start, by endpoint.
    pub fn totals(&self) -> [(Outlet, Totals); Outlet::ALL.len()] {
        // Rows first: who leaves meanwhile is counted there or there, as the lock is held.
        let rows = locked(&self.rows);
        let past = *locked(&self.past);
        let mut all = Outlet::ALL.map(|endpoint| (endpoint, past[endpoint as usize]));
        for row in rows.values() {
            all[row.endpoint as usize].1 += row.totals();
        }
        all
    }

    /// The frames that connections still have to send.
    pub(in crate::endpoints) fn holdings(&self) -> Vec<Holding> {
        let rows = locked(&self.rows);
        let rows = rows.iter().filter_map(|(no, row)| {
            let (since, frames) = locked(&row.held).clone()?;
            Some(Holding {
                no: *no,
                since,
                frames,
            })
        });
        rows.collect()
    }

    /// Ends a viewer's connection.
    pub(in crate::endpoints) fn cut(&self, no: u64) {
        if let Some(row) = locked(&self.rows).get(&no) {
            row.connection.cut();
        }
    }

    /// How old frames were when the viewers' sockets had taken them.
    pub fn age(&self) -> &Histogram {
        &self.age
    }

    /// How old live pictures were, from their senders' stamps on, when the viewers' sockets had taken them.
    pub fn live_age(&self) -> &Histogram {
        &self.live_age
    }

    /// How often a viewer was given less than it asked for.
    pub fn n_stepped_down(&self) -> u64 {
        self.n_stepped_down.load(Relaxed)
    }
}

/// One who watches, as its own connection sees it.
#[derive(Debug)]
pub struct Viewing {
    viewers: Arc<Viewers>,
    no: u64,
    row: Arc<Row>,
}

impl Viewing {
    /// Frames and bytes were handed to the connection.
    pub fn sent(&self, n_frames: usize, n_bytes: usize) {
        self.row.n_frames.fetch_add(n_frames as u64, Relaxed);
        self.row.n_bytes.fetch_add(n_bytes as u64, Relaxed);
    }

    /// `n` frames came and went while it was busy.
    pub fn skipped(&self, n: u64) {
        self.row.n_skipped.fetch_add(n, Relaxed);
    }

    /// The connection has taken a frame that had been on for `age`.
    pub fn took(&self, age: Duration) {
        let micros = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        self.row.age_micros.store(micros, Relaxed);
        self.viewers.age.record(age);
    }

    /// The connection has taken a live picture that was taken so long ago.
    pub fn took_live(&self, age: Duration) {
        self.viewers.live_age.record(age);
    }

    /// From now on its connection has these frames to send; none when it has sent all it was given.
    pub(in crate::endpoints) fn holds(&self, frames: impl Iterator<Item = Held>) {
        let frames: Vec<Held> = frames.collect();
        let held = (!frames.is_empty()).then(|| (tokio::time::Instant::now(), frames));
        *locked(&self.row.held) = held;
    }

    /// From now on it is shown `key`, which is less than it asked for if `stepped_down`.
    pub fn changed(&self, key: FeedKey, stepped_down: bool) {
        *locked(&self.row.key) = key;
        let before = self.row.stepped_down.swap(stepped_down, Relaxed);
        if stepped_down && !before {
            self.viewers.n_stepped_down.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        let mut rows = locked(&self.viewers.rows);
        rows.remove(&self.no);
        if let Some(totals) = locked(&self.viewers.past).get_mut(self.row.endpoint as usize) {
            *totals += self.row.totals();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, channel::choices::MAIN};

    fn key() -> FeedKey {
        FeedKey {
            channel: MAIN,
            rendition: Config::from_args([] as [&str; 0]).unwrap().rendition,
        }
    }

    #[test]
    fn nothing_that_was_sent_is_forgotten_when_a_viewer_leaves() {
        let viewers = Arc::new(Viewers::default());
        let enter = |endpoint| {
            viewers.enter(
                endpoint,
                Who::default(),
                key(),
                UnixMillis(5),
                Cut::default(),
            )
        };
        let (stream, bytes) = (enter(Outlet::Stream), enter(Outlet::Bytes));
        stream.sent(2, 100);
        stream.skipped(3);
        bytes.sent(1, 7);
        viewers.answered(Outlet::Snapshot, 11);
        let before = viewers.totals();
        drop(stream);
        assert_eq!(viewers.totals(), before);
        assert_eq!(viewers.rows().len(), 1);
        let [stream, bytes, snapshot, ..] = before.map(|(_, totals)| totals);
        assert_eq!(
            (stream.n_frames, stream.n_bytes, stream.n_skipped),
            (2, 100, 3)
        );
        assert_eq!((bytes.n_frames, bytes.n_bytes), (1, 7));
        assert_eq!((snapshot.n_frames, snapshot.n_bytes), (1, 11));
    }

    #[test]
    fn a_step_down_is_counted_once_and_numbers_are_never_used_again() {
        let viewers = Arc::new(Viewers::default());
        let first = viewers.enter(
            Outlet::Stream,
            Who::default(),
            key(),
            UnixMillis(0),
            Cut::default(),
        );
        first.changed(key(), true);
        first.changed(key(), true);
        assert_eq!(viewers.n_stepped_down(), 1);
        assert!(viewers.rows()[0].stepped_down);
        drop(first);
        let _second = viewers.enter(
            Outlet::Stream,
            Who::default(),
            key(),
            UnixMillis(0),
            Cut::default(),
        );
        assert_eq!(viewers.rows()[0].no, 2);
    }

    #[test]
    fn agents_are_cut() {
        let who = Who::new("::1".into(), &"é".repeat(5000), None);
        assert_eq!(who.agent.chars().count(), MAX_AGENT_CHARS);
    }

    #[test]
    fn rates_are_over_the_last_seconds() {
        let start = Instant::now();
        let mut rate = Rate {
            since: start,
            n_frames: 0,
            per_second: 0.0,
        };
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(rate.at(after(100), 3), 0.0, "too soon to say");
        assert_eq!(rate.at(after(4000), 80), 20.0);
        assert_eq!(rate.at(after(5000), 80), 20.0, "not yet");
        assert_eq!(rate.at(after(14_000), 80), 0.0);
    }
}
