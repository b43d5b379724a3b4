//! The keeper of what brings a source its pictures, where the server itself fetches them: a camera, a program, another
//! server, a file. It runs from the first watcher on until some seconds after the last, once however many watch, and is
//! started again when it ends, after a pause that doubles.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: how long nobody has watched is no matter of the wall clock"
)]

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::{Command, File, Relay, RunName, Source};
use crate::locked::locked;

/// The thing that brings pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A program: a camera's, or one that the configuration names.
    Command(Command),
    /// A file that is written again and again.
    File(File),
    /// Another server's pictures.
    Relay(Relay),
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
    async fn run(&self, source: &Source, run: &RunName) -> Ended {
        match self {
            Self::Command(command) => command.run(source).await,
            Self::File(file) => file.run(source).await,
            Self::Relay(relay) => relay.run(source, run).await,
        }
    }

    /// The word for it: `camera`, `relay`, `command` or `file`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(command) => command.kind(),
            Self::File(_) => "file",
            Self::Relay(_) => "relay",
        }
    }
}

impl Source {
    /// Has `upstream` bring pictures while somebody watches, in this run of the server, as long as that lasts.
    pub async fn keep_upstream(self: Arc<Self>, upstream: Upstream, keep: Keep, run: RunName) {
        let begin = || upstream.run(&self, &run).boxed();
        self.keep_running(keep, begin).await;
    }

    async fn keep_running<'a>(&self, keep: Keep, run: impl Fn() -> BoxFuture<'a, Ended>) {
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
                ended = run() => Some(ended),
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
            // Whoever comes next finds it tried at once.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;
    use crate::{clock::Clock, source::live::Signal};

    /// Counts an upstream's runs: those that go on end when they are dropped.
    #[derive(Debug, Default)]
    struct Runs {
        begun: AtomicUsize,
        running: Arc<AtomicUsize>,
    }

    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    impl Runs {
        fn begin(&self) -> Running {
            self.begun.fetch_add(1, SeqCst);
            self.running.fetch_add(1, SeqCst);
            Running(self.running.clone())
        }

        async fn run(&self) -> Ended {
            let _running = self.begin();
            std::future::pending().await
        }

        async fn fail(&self) -> Ended {
            drop(self.begin());
            Ended("it is unplugged".into())
        }

        fn seen(&self) -> (usize, usize) {
            (self.begun.load(SeqCst), self.running.load(SeqCst))
        }
    }

    fn source() -> Arc<Source> {
        Arc::new(Source::new("door", None, Clock::system()))
    }

    #[tokio::test(start_paused = true)]
    async fn one_runs_from_the_first_watcher_until_after_the_last() {
        let (source, runs) = (source(), Arc::new(Runs::default()));
        let (kept, counted) = (source.clone(), runs.clone());
        let keeper = tokio::spawn(async move {
            kept.keep_running(Keep::Watched, || counted.run().boxed())
                .await;
        });
        sleep(Duration::from_secs(60)).await;
        assert_eq!(runs.seen(), (0, 0));
        let reader = source.reader();
        let watchers = [reader.watch(), reader.watch()];
        sleep(Duration::from_millis(1)).await;
        assert_eq!(runs.seen(), (1, 1));
        drop(watchers);
        sleep(LINGER / 2).await;
        let again = reader.watch();
        sleep(LINGER * 2).await;
        assert_eq!(runs.seen(), (1, 1));
        drop(again);
        sleep(LINGER * 2).await;
        assert_eq!(runs.seen(), (1, 0));
        let _last = reader.watch();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(runs.seen(), (2, 1));
        assert_eq!(source.upstream().n_starts, 2);
        keeper.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_is_tried_again_within_five_seconds_while_somebody_watches() {
        let (source, runs) = (source(), Arc::new(Runs::default()));
        let (kept, counted) = (source.clone(), runs.clone());
        let keeper = tokio::spawn(async move {
            let fails = || counted.fail().boxed();
            kept.keep_running(Keep::Watched, fails).await;
        });
        let reader = source.reader();
        let watcher = reader.watch();
        sleep(Duration::from_secs(8)).await;
        let soon = runs.seen().0;
        assert!(soon >= 5, "{soon}");
        sleep(Duration::from_secs(1000)).await;
        let (begun, _) = runs.seen();
        assert!((200..=soon + 250).contains(&begun), "{begun}");
        assert!(matches!(reader.now().signal, Signal::Lost { .. }));
        assert_eq!(
            source.upstream().trouble.map(|(_, why)| why.to_string()),
            Some("it is unplugged".into())
        );
        drop(watcher);
        sleep(Duration::from_secs(20)).await;
        let (begun, _) = runs.seen();
        sleep(Duration::from_secs(1000)).await;
        assert_eq!(runs.seen().0, begun, "nobody watches");
        keeper.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_always_kept_runs_though_nobody_watches() {
        let (source, runs) = (source(), Arc::new(Runs::default()));
        let (kept, counted) = (source.clone(), runs.clone());
        let keeper = tokio::spawn(async move {
            kept.keep_running(Keep::Always, || counted.run().boxed())
                .await;
        });
        sleep(Duration::from_secs(100)).await;
        assert_eq!(runs.seen(), (1, 1));
        keeper.abort();
    }
}
