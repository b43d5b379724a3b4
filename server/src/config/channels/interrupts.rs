//! The settings of a channel that interrupts the gallery.

use std::time::Duration;

use super::{
    super::{ConfigError, bad, millis},
    FileChannel,
};
use crate::{channel::air::Rules, rights::ChannelName};

impl FileChannel {
    /// The rules by which it does, if it does.
    pub(super) fn interrupts(&self, name: &str) -> Result<Option<Rules>, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        match self.interrupts.as_deref() {
            Some(ChannelName::MAIN) => {}
            Some(other) => {
                let reason = "only main, the gallery, can be interrupted";
                return Err(bad(key("interrupts"), other, reason));
            }
            None => {
                let given = [
                    ("priority", self.priority.is_some()),
                    ("hold", self.hold.is_some()),
                    ("least", self.least.is_some()),
                    ("longest", self.longest.is_some()),
                ];
                let reason = "it is for channels that interrupt the gallery, and this one does not: \
                              it takes interrupts = \"main\"";
                return match given.into_iter().find(|(_, is_given)| *is_given) {
                    Some((setting, _)) => Err(bad(key(setting), "", reason)),
                    None => Ok(None),
                };
            }
        }
        if self.keep.as_deref() == Some("watched") {
            let reason = "a channel that interrupts the gallery is kept always; leave it out";
            return Err(bad(key("keep"), "watched", reason));
        }
        let usual = Rules::default();
        let span = |setting: &str, text: &Option<String>, usual: Duration| match text {
            Some(text) => millis(&key(setting), text).map(Duration::from_millis),
            None => Ok(usual),
        };
        let rules = Rules {
            priority: self.priority.unwrap_or(usual.priority),
            hold: span("hold", &self.hold, usual.hold)?,
            least: span("least", &self.least, usual.least)?,
            longest: match self.longest.as_deref() {
                None => usual.longest,
                Some("off") => None,
                Some(text) => Some(Duration::from_millis(millis(&key("longest"), text)?)),
            },
        };
        if rules.hold.is_zero() {
            let reason = "an interruption has to be seen: it has to be longer than nothing";
            return Err(bad(key("hold"), "0", reason));
        }
        if let Some(longest) = rules.longest
            && longest < rules.least
        {
            let reason = "an interruption can't last longer at least than it lasts at most (least)";
            return Err(bad(
                key("longest"),
                self.longest.as_deref().unwrap_or_default(),
                reason,
            ));
        }
        Ok(Some(rules))
    }
}
