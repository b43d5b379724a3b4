//! The file that a restart goes on from: the seed and the place of the main channel.

use std::path::{Path, PathBuf};

use crate::{
    blocking::Blocking,
    state::CHANNEL,
    store,
    timeline::{Programme, SavedProgramme},
};

/// The state of a channel with all its waves has a few kilobytes.
const MAX_STATE_BYTES: u64 = 1024 * 1024;

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
    /// The programme that the saved place is a place in: other folders make it meaningless.
    programme: u64,
    #[serde(flatten)]
    saved: SavedProgramme,
}

impl StateFile {
    /// The state kept in `dir` for the programme identified by `programme`; with it the seed and
    /// the place that were saved there, if any were.
    ///
    /// A folder that can't be written is no reason not to show photos; that nothing is saved is told
    /// at the first attempt.
    pub fn open(dir: &Path, programme: u64) -> (Self, Option<u64>, SavedProgramme) {
        let path = dir.join(CHANNEL);
        store::tighten(&path);
        let state = store::read(&path, MAX_STATE_BYTES)
            .ok()
            .flatten()
            .and_then(|text| serde_json::from_slice::<State>(&text).ok());
        let seed = state.as_ref().map(|state| state.seed);
        let saved = state
            .filter(|state| state.programme == programme)
            .map(|state| state.saved)
            .unwrap_or_default();
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

    pub(super) async fn save(&mut self, seed: u64, programme: &Programme) {
        let state = State {
            seed,
            programme: self.programme,
            saved: programme.saved(),
        };
        let path = self.path.clone();
        // A disk that takes long must not hold up a thread that serves.
        let saved = Blocking::run(move |blocking| {
            store::replace(blocking, &path, &serde_json::to_vec(&state)?)
        });
        let saved = saved.await.map_err(std::io::Error::other);
        if let Err(error) = saved.and_then(|saved| saved)
            && !std::mem::replace(&mut self.failed, true)
        {
            tracing::warn!(path = %self.path.display(), %error,
                "can't save the state; after a restart the slides start anew");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_version_without_pairs_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let old = r#"{"seed":77,"programme":1,"saved":{"anchor":{"slide":5,"starts_at":6,
            "place":{"round":1,"index":2},"shown":null,"paused_at":null},
            "interval_millis":10000,"photo":18446744073709551615}}"#;
        std::fs::write(dir.path().join(CHANNEL), old).unwrap();
        let (_, seed, saved) = StateFile::open(dir.path(), 1);
        assert_eq!(seed, Some(77));
        let first = saved.saved.unwrap();
        assert_eq!((first.anchor.slide, first.photo), (5, Some(u64::MAX)));
        assert_eq!((saved.landscape, saved.portrait), (None, None));
    }
}
