//! Where a restart goes on: the state file of these settings, and what makes a saved place meaningless.

use std::{
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    time::Instant,
};

use crate::{channel::StateFile, config::Config, library, photo::Order, timeline::SavedProgramme};

/// The state file, if there is a place for one, with the seed and the place to go on with. Other folders, another order or
/// another seed void the place.
pub(crate) fn open(config: &Config) -> (Option<StateFile>, u64, SavedProgramme) {
    let Some(dir) = &config.dirs.state else {
        tracing::warn!(
            "this system names no folder for state; give --data-dir to keep the place over restarts"
        );
        let seed = config.seed.unwrap_or_else(random);
        return (None, seed, SavedProgramme::default());
    };
    let folders = library::roots_of(&config.folders);
    // With zero keys: the same on every start.
    let mut hasher = DefaultHasher::new();
    let order = match config.order {
        Order::Shuffle => 0_u8,
        Order::Newest => 1,
        Order::Oldest => 2,
        Order::Name => 3,
    };
    (folders, order, config.seed).hash(&mut hasher);
    let (state, seed, saved) = StateFile::open(dir, hasher.finish());
    let seed = config.seed.or(seed).unwrap_or_else(random);
    (Some(state), seed, saved)
}

/// A number that nobody can foresee: the standard library keys its hash maps with such.
#[expect(
    clippy::disallowed_methods,
    reason = "a seed that is another one each time: the clock is only stirred in"
)]
fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}
