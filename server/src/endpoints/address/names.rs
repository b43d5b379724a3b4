//! The names of the channels that there are.

use std::{fmt, sync::Arc};

use crate::{channel::roster::Roster, rights::ChannelName};

/// The names of the channels that there are at a moment; the gallery's own comes first.
#[derive(Clone, Debug)]
pub(in crate::endpoints) struct Names {
    all: Arc<[ChannelName]>,
    /// Whether a push makes the channel that it names.
    pub(super) creates: bool,
}

impl Names {
    /// Those of the gallery and of live channels, as they are now.
    pub(in crate::endpoints) fn of(live: &Roster) -> Self {
        Self {
            all: live.names(),
            creates: live.creates(),
        }
    }

    /// The gallery's channel, and these.
    pub(in crate::endpoints) fn with(live: impl IntoIterator<Item = ChannelName>) -> Self {
        Self {
            all: std::iter::once(ChannelName::main()).chain(live).collect(),
            creates: false,
        }
    }

    /// Whether a push makes the channel that it names.
    pub(super) fn creates(&self) -> bool {
        self.creates
    }

    /// Whether there is a channel of this name.
    pub(super) fn has(&self, name: &ChannelName) -> bool {
        self.all.contains(name)
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.all.iter().map(ChannelName::as_str).collect();
        f.write_str(&names.join(", "))
    }
}
