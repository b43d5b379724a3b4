//! The keeper of what brings a source its pictures, where the server itself fetches them: a camera, a program, another
//! server, a file. It runs from the first watcher on until some seconds after the last, once however many watch, and is
//! started again when it ends, after a pause that doubles.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: how long nobody has watched is no matter of the wall clock"
)]

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{Command, File, Source};
use crate::locked::locked;

/// The thing that brings pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A program: a camera's, or one that the configuration names.
    Command(Command),
    /// A file that is written again and again.
    File(File),
}

/// For how long an upstream is kept running that nobody watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Some seconds.
    #[default]
    Watched,
    /// For ever, so that its first picture comes at once.
    Always,
}

/// Why an upstream has ended, in a sentence without a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Ended(pub String);

/// How long an upstream is kept after the last watcher: who changes pages finds it running.
const LINGER: Duration = Duration::from_secs(5);

/// The pause before an upstream is started again: at first, and at most. What is back is live again within five seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(4);

/// An upstream that has run for so long starts with the shortest pause again.
const IS_WELL: Duration = Duration::from_secs(10);

impl Upstream {
    /// Brings pictures until it can't, or until this is dropped: then what it has started ends.
    async fn run(&self, source: &Source) -> Ended {
        match self {
            Self::Command(command) => command.run(source).await,
            Self::File(file) => file.run(source).await,
        }
    }

    /// The word for it: `camera`, `relay`, `command` or `file`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(command) => command.kind(),
            Self::File(_) => "file",
        }
    }
}

impl Source {
    /// Has `upstream` bring pictures while somebody watches; runs as long as the server does.
    pub async fn keep_upstream(self: Arc<Self>, upstream: Upstream, keep: Keep) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.watched(keep).await;
            let started = Instant::now();
            {
                let mut facts = locked(&self.upstream);
                facts.is_running = true;
                facts.n_starts += 1;
            }
            tracing::debug!(channel = &*self.name, "what brings pictures starts");
            let ended = tokio::select! {
                ended = upstream.run(&self) => Some(ended),
                () = self.unwatched(keep) => None,
            };
            locked(&self.upstream).is_running = false;
            let Some(ended) = ended else {
                tracing::debug!(
                    channel = &*self.name,
                    "nobody watches: what brings pictures ends"
                );
                locked(&self.upstream).trouble = None;
                pause = FIRST_PAUSE;
                continue;
            };
            if started.elapsed() >= IS_WELL {
                pause = FIRST_PAUSE;
            }
            self.tell(&ended);
            // Nobody who has left waits for the next try.
            let _ = timeout(pause, self.unwatched(keep)).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Tells that the upstream has ended: to who watches, and in the log when the reason is a new one.
    fn tell(&self, Ended(why): &Ended) {
        let now = self.clock.now();
        let mut facts = locked(&self.upstream);
        let is_known = facts
            .trouble
            .as_ref()
            .is_some_and(|(_, known)| **known == **why);
        let since = facts.trouble.take().map_or(now, |(since, _)| since);
        facts.trouble = Some((since, why.as_str().into()));
        let last_words = facts.last_words.clone();
        drop(facts);
        if is_known {
            tracing::debug!(
                channel = &*self.name,
                why,
                "what brings pictures ended again"
            );
        } else {
            tracing::warn!(
                channel = &*self.name,
                why,
                last_words,
                "no pictures come; it is tried again"
            );
        }
        self.lost(why);
    }

    /// Waits until somebody watches.
    async fn watched(&self, keep: Keep) {
        if keep == Keep::Watched {
            // The source's own end is held here.
            let _ = self.watchers.subscribe().wait_for(|n| *n > 0).await;
        }
    }

    /// Waits until nobody has watched for a while.
    async fn unwatched(&self, keep: Keep) {
        if keep == Keep::Always {
            std::future::pending::<()>().await;
        }
        let mut watchers = self.watchers.subscribe();
        loop {
            let _ = watchers.wait_for(|n| *n == 0).await;
            tokio::select! {
                () = sleep(LINGER) => return,
                _ = watchers.wait_for(|n| *n > 0) => {}
            }
        }
    }
}
