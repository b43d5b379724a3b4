//! A channel: the one task that owns a timeline, and what others hold of it.
//!
//! Commands come in through one bounded queue, changes of the library through a watch; after each
//! the new timeline is published whole. Everybody else works with such a copy, which is a pure
//! function of time, so nobody asks this task what is on. Knows no pixels and no HTTP.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mantel_shared::UnixMillis;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    clock,
    library::{Filter, Library},
    timeline::{Act, Order, Playlist, Saved, Timeline, UnknownPhoto},
};

/// What others hold of a channel.
#[derive(Clone, Debug)]
pub struct Channel {
    timeline: watch::Receiver<Arc<Timeline>>,
    acts: mpsc::Sender<Ask>,
}

#[derive(Debug)]
struct Ask {
    act: Act,
    reply: oneshot::Sender<Result<Arc<Timeline>, UnknownPhoto>>,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// See there.
    #[error(transparent)]
    UnknownPhoto(#[from] UnknownPhoto),
    /// The server is going down.
    #[error("the server is stopping")]
    Stopping,
}

/// Commands that may wait; a person presses no faster than they are carried out.
const QUEUE: usize = 16;

/// How often the clock is compared with itself.
const CLOCK_CHECK: Duration = Duration::from_secs(1);

impl Channel {
    /// The timeline as it is now, and word of every change.
    pub fn timeline(&self) -> watch::Receiver<Arc<Timeline>> {
        self.timeline.clone()
    }

    /// Has a command carried out; returns the timeline after it.
    pub async fn act(&self, act: Act) -> Result<Arc<Timeline>, ActError> {
        let (reply, answer) = oneshot::channel();
        self.acts
            .send(Ask { act, reply })
            .await
            .map_err(|_| ActError::Stopping)?;
        answer
            .await
            .map_err(|_| ActError::Stopping)?
            .map_err(ActError::from)
    }
}

/// The owner of a channel's timeline.
#[derive(Debug)]
pub struct ChannelTask {
    library: Arc<Library>,
    order: Order,
    seed: u64,
    state: Option<StateFile>,
    timeline: Timeline,
    published: watch::Sender<Arc<Timeline>>,
    acts: mpsc::Receiver<Ask>,
}

impl ChannelTask {
    /// A channel over `library`, going on from what `state` remembers.
    pub fn new(
        library: Arc<Library>,
        settings: crate::timeline::Settings,
        order: Order,
        seed: u64,
        state: Option<StateFile>,
        saved: Option<Saved>,
    ) -> (Self, Channel) {
        let playlist = Arc::new(Playlist::new(
            library.entries(&Filter::default(), order),
            order,
            seed,
        ));
        let timeline = Timeline::new(settings, playlist, saved, clock::now());
        let (published, receiver) = watch::channel(Arc::new(timeline.clone()));
        let (sender, acts) = mpsc::channel(QUEUE);
        let task = Self {
            library,
            order,
            seed,
            state,
            timeline,
            published,
            acts,
        };
        (
            task,
            Channel {
                timeline: receiver,
                acts: sender,
            },
        )
    }

    /// Runs until every [`Channel`] is gone or the task is aborted.
    pub async fn run(mut self) {
        let mut changes = self.library.changes();
        // Changes from before this task began count too.
        changes.mark_changed();
        let mut tick = tokio::time::interval(CLOCK_CHECK);
        let mut last = clock::now();
        loop {
            tokio::select! {
                ask = self.acts.recv() => {
                    let Some(ask) = ask else { return };
                    let result = self.timeline.act(ask.act, clock::now());
                    self.publish();
                    // Who asked may have gone: the command stands all the same.
                    let _ = ask.reply.send(result.map(|()| self.published.borrow().clone()));
                }
                Ok(()) = changes.changed() => {
                    changes.mark_unchanged();
                    self.take_playlist().await;
                }
                _ = tick.tick() => {
                    let now = clock::now();
                    if now.0 + 500 < last.0 {
                        tracing::warn!("the clock went back; slides go on from where they were");
                        self.timeline.clock_went_back(UnixMillis(last.0), now);
                        self.publish();
                    }
                    last = now;
                }
            }
        }
    }

    async fn take_playlist(&mut self) {
        let (library, order, seed) = (self.library.clone(), self.order, self.seed);
        // Sorting a hundred thousand photos is no work for a thread that serves sockets.
        let built = tokio::task::spawn_blocking(move || {
            Playlist::new(library.entries(&Filter::default(), order), order, seed)
        })
        .await;
        if let Ok(playlist) = built {
            self.timeline.set_playlist(Arc::new(playlist), clock::now());
            self.publish();
        }
    }

    fn publish(&mut self) {
        if let Some(state) = &mut self.state {
            state.save(self.seed, &self.timeline);
        }
        self.published.send_replace(Arc::new(self.timeline.clone()));
    }
}

/// The file that a restart goes on from.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    programme: u64,
    failed: bool,
}

#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct State {
    seed: u64,
    /// What the saved place is a place in: other folders make it meaningless.
    programme: u64,
    saved: Option<Saved>,
}

impl StateFile {
    /// The state kept in `dir` for the programme identified by `programme`; with it the seed and
    /// the place that were saved there, if any were.
    pub fn open(dir: &Path, programme: u64) -> (Self, Option<u64>, Option<Saved>) {
        let path = dir.join("channel.json");
        let state = std::fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice::<State>(&text).ok());
        let seed = state.as_ref().map(|state| state.seed);
        let saved = state
            .filter(|state| state.programme == programme)
            .and_then(|state| state.saved);
        (
            Self {
                path,
                programme,
                failed: false,
            },
            seed,
            saved,
        )
    }

    fn save(&mut self, seed: u64, timeline: &Timeline) {
        let state = State {
            seed,
            programme: self.programme,
            saved: Some(timeline.saved()),
        };
        if let Err(error) = self.write(&state)
            && !std::mem::replace(&mut self.failed, true)
        {
            tracing::warn!(path = %self.path.display(), %error,
                "can't save the state; after a restart the slides start anew");
        }
    }

    fn write(&self, state: &State) -> std::io::Result<()> {
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        // Renamed into place: a power cut leaves the old state or the new one, never half.
        let fresh = self.path.with_extension("json.new");
        std::fs::write(&fresh, serde_json::to_vec(state)?)?;
        std::fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Settings, Transition};

    fn settings() -> Settings {
        Settings {
            interval_millis: 10_000,
            transition: Transition::Cut,
        }
    }

    #[tokio::test]
    async fn a_restart_keeps_seed_and_place() {
        let dir = tempfile::tempdir().unwrap();
        let start = || {
            let (state, seed, saved) = StateFile::open(dir.path(), 1);
            let library = Arc::new(Library::in_memory(Vec::new()));
            let (task, channel) = ChannelTask::new(
                library,
                settings(),
                Order::Shuffle,
                seed.unwrap_or(77),
                Some(state),
                saved,
            );
            (tokio::spawn(task.run()), channel)
        };
        let (task, channel) = start();
        channel.act(Act::Previous).await.unwrap();
        let paused = channel.act(Act::Pause).await.unwrap();
        task.abort();

        let (_, seed, _) = StateFile::open(dir.path(), 1);
        assert_eq!(seed, Some(77));
        assert_eq!(
            StateFile::open(dir.path(), 2).2,
            None,
            "another programme has another place"
        );
        let (_task, channel) = start();
        let now = clock::now();
        assert_eq!(channel.timeline().borrow().at(now), paused.at(now));
    }

    #[tokio::test]
    async fn a_command_after_the_end_says_so() {
        let (task, channel) = ChannelTask::new(
            Arc::new(Library::in_memory(Vec::new())),
            settings(),
            Order::Name,
            0,
            None,
            None,
        );
        drop(task);
        assert_eq!(
            channel.act(Act::Next).await.unwrap_err(),
            ActError::Stopping
        );
    }
}
