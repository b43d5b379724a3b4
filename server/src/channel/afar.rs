//! A channel of another server, shown here as it is there.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Channel, OnAir};
use crate::{library::Filter, rights::ChannelName};

/// The content of another server: which of its channels, which of its photos, and whether that may be interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Afar {
    /// The channel's name there.
    pub name: ChannelName,
    /// The choice of its photos.
    pub filter: Filter,
    /// Whether live channels there may interrupt it, where they interrupt others.
    pub is_interruptible: bool,
}

impl Afar {
    /// All that a channel shows there.
    pub fn of(name: ChannelName) -> Self {
        Self {
            name,
            filter: Filter::default(),
            is_interruptible: true,
        }
    }

    /// This content as a screen has it that nothing interrupts.
    pub(super) fn undisturbed(self) -> Self {
        Self {
            is_interruptible: false,
            ..self
        }
    }
}

impl Channel {
    /// A channel that shows what another server shows.
    pub fn of_afar(afar: Afar) -> Self {
        let (on_air, own) = watch::channel(OnAir::Afar(afar));
        Self {
            own,
            interruptions: None,
            own_night: None,
            acts: None,
            history: Arc::default(),
            holds: Arc::default(),
            _on_air: Some(Arc::new(on_air)),
        }
    }
}
