//! The topics under which this server speaks and listens. Pure.

/// The topics of one server.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    id: String,
}

/// The thing that a command's topic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant<'a> {
    /// An entity of the server.
    Server(&'a str),
    /// An entity of a screen: the screen's name, and the entity.
    Screen(&'a str, &'a str),
}

impl Topics {
    /// Those of the server with this id, which has letters, digits, `_` and `-` alone.
    pub(super) fn new(id: String) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the server is there.
    pub(super) fn availability(&self) -> String {
        format!("mantel/{}/availability", self.id)
    }

    pub(super) fn state(&self, key: &str) -> String {
        format!("mantel/{}/{key}", self.id)
    }

    pub(super) fn command(&self, key: &str) -> String {
        format!("mantel/{}/{key}/set", self.id)
    }

    pub(super) fn screen_device(&self, name: &str) -> String {
        format!("{}_{name}", self.id)
    }

    pub(super) fn screen_state(&self, name: &str, key: &str) -> String {
        format!("mantel/{}/screen/{name}/{key}", self.id)
    }

    pub(super) fn screen_command(&self, name: &str, key: &str) -> String {
        format!("mantel/{}/screen/{name}/{key}/set", self.id)
    }

    /// Where commands are listened for.
    pub(super) fn commands(&self) -> [String; 2] {
        [self.command("+"), self.screen_command("+", "+")]
    }

    /// The thing that a command's topic is about, if it is one of these.
    pub(super) fn meant<'a>(&self, topic: &'a str) -> Option<Meant<'a>> {
        let rest = topic.strip_prefix("mantel/")?.strip_prefix(&*self.id)?;
        let rest = rest.strip_prefix('/')?.strip_suffix("/set")?;
        match rest.split('/').collect::<Vec<_>>()[..] {
            [key] => Some(Meant::Server(key)),
            ["screen", name, key] => Some(Meant::Screen(name, key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_s_topic_tells_what_it_is_about() {
        let topics = Topics::new("mantel_7f".into());
        let command = topics.command("next");
        assert_eq!(topics.meant(&command), Some(Meant::Server("next")));
        let command = topics.screen_command("hall", "screen");
        assert_eq!(
            topics.meant(&command),
            Some(Meant::Screen("hall", "screen"))
        );
        for other in [
            "",
            "mantel/mantel_7f/set",
            "mantel/mantel_7f0/next/set",
            "mantel/mantel_7f/next",
            "mantel/mantel_7f/screen/hall/a/b/set",
            "mantel/mantel_7f/screen/hall/set/x",
        ] {
            assert_eq!(topics.meant(other), None, "{other}");
        }
    }
}
