//! Rights to channels, and the right that a request needs.
//!
//! Pure.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// A channel's name, as addresses and rights have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(String);

impl ChannelName {
    /// The name of the gallery's own channel, which is meant where none is named.
    pub const MAIN: &str = "main";

    const MAX_CHARS: usize = 32;

    /// The gallery's own channel.
    pub fn main() -> Self {
        Self(Self::MAIN.to_owned())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a channel's name is of a to z, 0 to 9 and -, and has 32 letters at most")
        }
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that may be done to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Seeing pictures, pages and figures.
    Watch,
    /// Sending commands.
    Control,
    /// Sending pictures.
    Push,
}

impl Right {
    /// The right's name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Control => "control",
            Self::Push => "push",
        }
    }
}

/// The right that a request takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anyone may.
    Nothing,
    /// A right to a channel.
    Of(Right, ChannelName),
}

/// The need as the end of "this takes the right to …".
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("ask"),
            Self::Of(right, channel) => match right {
                Right::Watch | Right::Control => write!(f, "{} {channel}", right.name()),
                Right::Push => write!(f, "push to {channel}"),
            },
        }
    }
}

/// The channels that one right is a right to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    All,
    /// None of them, where it is empty.
    Some(BTreeSet<ChannelName>),
}

impl Reach {
    const NONE: Self = Self::Some(BTreeSet::new());

    fn has(&self, channel: &ChannelName) -> bool {
        match self {
            Self::All => true,
            Self::Some(channels) => channels.contains(channel),
        }
    }

    /// Adds one channel, or all.
    fn add(&mut self, channel: Option<&ChannelName>) {
        match (&mut *self, channel) {
            (Self::All, _) => {}
            (Self::Some(channels), Some(channel)) => {
                channels.insert(channel.clone());
            }
            (Self::Some(_), None) => *self = Self::All,
        }
    }
}

/// The rights of somebody, and to which channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    watch: Reach,
    control: Reach,
    push: Reach,
}

impl Default for Rights {
    fn default() -> Self {
        Self::NONE
    }
}

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self {
        watch: Reach::NONE,
        control: Reach::NONE,
        push: Reach::NONE,
    };

    /// Everything.
    pub const ALL: Self = Self {
        watch: Reach::All,
        control: Reach::All,
        push: Reach::All,
    };

    /// The rights of a screen with a remote.
    pub const SCREEN: Self = Self {
        watch: Reach::All,
        control: Reach::All,
        push: Reach::NONE,
    };

    /// Whether they are enough.
    pub fn allow(&self, need: &Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Of(right, channel) => self.reach(*right).has(channel),
        }
    }

    fn reach(&self, right: Right) -> &Reach {
        match right {
            Right::Watch => &self.watch,
            Right::Control => &self.control,
            Right::Push => &self.push,
        }
    }
}

/// The sentence for somebody who typed rights that are none.
const EXPECTED: &str = "rights are any of watch, control and push with commas between; @ and a channel's name behind one, \
as in push@plot, make it a right to that channel alone";

impl FromStr for Rights {
    type Err = &'static str;

    /// Reads `watch,control` or `watch@main,push@plot`. Who commands a channel may watch it; who pushes
    /// sees nothing: a script that sends a plot has no business with a family's photos.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rights = Self::NONE;
        for word in text.split(',').map(str::trim) {
            let (right, channel) = match word.split_once('@') {
                Some((right, channel)) => (right, Some(channel.parse().map_err(|_| EXPECTED)?)),
                None => (word, None),
            };
            let channel = channel.as_ref();
            match right {
                "watch" => rights.watch.add(channel),
                "control" => {
                    rights.watch.add(channel);
                    rights.control.add(channel);
                }
                "push" => rights.push.add(channel),
                _ => return Err(EXPECTED),
            }
        }
        Ok(rights)
    }
}

/// The rights as [`FromStr`] reads them.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        for right in [Right::Watch, Right::Control, Right::Push] {
            let name = right.name();
            match self.reach(right) {
                Reach::All => words.push(name.to_owned()),
                Reach::Some(channels) => {
                    words.extend(channels.iter().map(|channel| format!("{name}@{channel}")));
                }
            }
        }
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_and_written() {
        for (text, written) in [
            ("watch", "watch"),
            ("control", "watch,control"),
            ("push", "push"),
            ("push, watch", "watch,push"),
            ("push,control", "watch,control,push"),
            ("watch,control,push", "watch,control,push"),
            ("push@plot", "push@plot"),
            ("control@door", "watch@door,control@door"),
            ("push@b,push@a,push@b", "push@a,push@b"),
            // All is more than some, whichever comes first.
            ("watch@main,control", "watch,control"),
            ("watch,watch@main", "watch"),
            ("push@a,push", "push"),
        ] {
            let rights: Rights = text.parse().unwrap();
            assert_eq!(rights.to_string(), written);
            assert_eq!(rights.to_string().parse(), Ok(rights));
        }
        for text in [
            "",
            "watch,",
            "all",
            "Watch",
            "push@",
            "@plot",
            "push@Plot",
            "push@a@b",
            "push@a b",
        ] {
            let error = text.parse::<Rights>().unwrap_err();
            assert!(error.starts_with("rights are any of"), "{text:?}");
        }
    }

    #[test]
    fn a_right_is_to_its_channels_alone() {
        let of = |right, channel: &str| Need::Of(right, channel.parse().unwrap());
        let rights: Rights = "push@plot,watch@main,control@door".parse().unwrap();
        for (right, channels) in [
            (Right::Watch, &["main", "door"][..]),
            (Right::Control, &["door"]),
            (Right::Push, &["plot"]),
        ] {
            for channel in ["main", "door", "plot", "other"] {
                let may = channels.contains(&channel);
                assert_eq!(
                    rights.allow(&of(right, channel)),
                    may,
                    "{right:?} {channel}"
                );
            }
        }
        assert!(rights.allow(&Need::Nothing) && Rights::NONE.allow(&Need::Nothing));
        for right in [Right::Watch, Right::Control, Right::Push] {
            assert!(Rights::ALL.allow(&of(right, "other")));
            assert!(!Rights::NONE.allow(&of(right, "main")));
            let may = right != Right::Push;
            assert_eq!(Rights::SCREEN.allow(&of(right, "main")), may);
        }
    }

    #[test]
    fn names_of_channels_are_plain() {
        for name in ["main", "a", "3d-printer", "-", &"x".repeat(32)] {
            assert_eq!(name.parse::<ChannelName>().unwrap().as_str(), name);
        }
        for name in ["", "Main", "a b", "ä", "a/b", "a.b", &"x".repeat(33)] {
            assert!(name.parse::<ChannelName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_need_is_said_in_words() {
        let told = |right| Need::Of(right, ChannelName::main()).to_string();
        assert_eq!(told(Right::Watch), "watch main");
        assert_eq!(told(Right::Control), "control main");
        assert_eq!(told(Right::Push), "push to main");
    }
}
