//! The night that somebody has set over the plan, kept over a restart: a power cut at night is no sunrise.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mantel_shared::UnixMillis;

use super::{Veils, veils::ByHand};
use crate::{blocking::Blocking, clock, state::NIGHT, store};

/// The file's limit: it holds a word and a number.
const MAX_BYTES: u64 = 4096;

/// A hand as it is kept.
#[derive(Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
struct Kept {
    /// Whether anything was set.
    by_hand: bool,
    /// `None`: awake.
    mode: Option<String>,
    until_millis: Option<u64>,
}

impl Kept {
    fn of(hand: Option<ByHand>) -> Self {
        hand.map_or_else(Self::default, |hand| Self {
            by_hand: true,
            mode: hand.mode.map(|mode| mode.to_string()),
            until_millis: hand.until.map(|until| until.0),
        })
    }

    /// The hand, if there was one that makes sense.
    fn hand(self) -> Option<ByHand> {
        let mode = self.mode.map(|text| text.parse()).transpose().ok()?;
        self.by_hand.then_some(ByHand {
            mode,
            until: self.until_millis.map(UnixMillis),
        })
    }
}

/// Sets what was set when the program ended. Before anything is served.
pub fn restore(veils: &Veils, dir: Option<&Path>) {
    let Some(path) = dir.map(|dir| dir.join(NIGHT)) else {
        return;
    };
    let kept: Kept =
        store::read_json(&path, MAX_BYTES, "the night that was set").unwrap_or_default();
    veils.take_hand(kept.hand());
}

/// Keeps what is set from now on, until it is aborted.
pub async fn keep(veils: Arc<Veils>, dir: PathBuf) {
    let (path, mut changes) = (dir.join(NIGHT), veils.changes());
    let mut last = Kept::of(veils.hand(clock::now()));
    while changes.changed().await.is_ok() {
        let now = Kept::of(veils.hand(clock::now()));
        if now == last {
            continue;
        }
        let (path, text) = (path.clone(), serde_json::to_vec(&now));
        let kept = Blocking::run(move |blocking| {
            store::replace(blocking, &path, &text.map_err(std::io::Error::from)?)
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!("the night that was set is not kept over a restart: {error}");
        }
        last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::night::Mode;

    #[tokio::test]
    async fn a_hand_holds_over_a_restart_as_long_as_it_would_have() {
        let dir = tempfile::tempdir().unwrap();
        let now = clock::now();
        let veils = Arc::new(Veils::new(None));
        restore(&veils, Some(dir.path()));
        assert_eq!(veils.night(now), None);
        let keeper = tokio::spawn(keep(veils.clone(), dir.path().to_owned()));
        tokio::task::yield_now().await;
        let again = || {
            let veils = Veils::new(None);
            restore(&veils, Some(dir.path()));
            veils.night(now)
        };
        for mode in [Some(Mode::Dim(20)), Some(Mode::Warm(7)), Some(Mode::Clock)] {
            veils.set(mode, Some(3_600_000), now);
            let is_kept = async {
                while again() != veils.night(now) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            let kept = tokio::time::timeout(std::time::Duration::from_secs(10), is_kept);
            kept.await.expect("to be kept");
        }
        let veils = Veils::new(None);
        restore(&veils, Some(dir.path()));
        assert_eq!(veils.night(UnixMillis(now.0 + 3_600_001)), None);
        keeper.abort();
        for text in [
            "",
            "{",
            r#"{"by_hand":true,"mode":"bright"}"#,
            r#"{"by_hand":7}"#,
        ] {
            std::fs::write(dir.path().join(NIGHT), text).unwrap();
            assert_eq!(again(), None, "{text}");
        }
    }
}
