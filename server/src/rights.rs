//! Rights: what somebody may do, and what a request takes.
//!
//! Ground for config, net and endpoints. Pure.

use std::fmt;

/// What somebody may do. `watch` is everything that only looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// See pictures, pages and figures.
    pub watch: bool,
    /// Send commands.
    pub control: bool,
    /// Send pictures.
    pub push: bool,
}

impl Rights {
    /// Everything.
    pub const ALL: Self = Self {
        watch: true,
        control: true,
        push: true,
    };

    /// What a screen with a remote needs.
    pub const SCREEN: Self = Self {
        push: false,
        ..Self::ALL
    };
}

impl std::str::FromStr for Rights {
    type Err = &'static str;

    /// Reads `watch,control`. Who commands may watch; who pushes need not: a script that sends a plot has
    /// no business with a family's photos.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rights = Self::default();
        for word in text.split(',') {
            match word.trim() {
                "watch" => rights.watch = true,
                "control" => (rights.watch, rights.control) = (true, true),
                "push" => rights.push = true,
                _ => return Err("rights are any of watch, control and push, with commas between"),
            }
        }
        Ok(rights)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            (self.watch, "watch"),
            (self.control, "control"),
            (self.push, "push"),
        ];
        let mut separator = "";
        for (_, name) in named.into_iter().filter(|(has, _)| *has) {
            write!(f, "{separator}{name}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// What a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anyone may.
    Nothing,
    /// Looking.
    Watch,
    /// Commanding.
    Control,
    /// Sending pictures.
    Push,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "ask",
            Self::Watch => "watch",
            Self::Control => "control",
            Self::Push => "push",
        })
    }
}

impl Rights {
    /// Whether they are enough.
    pub fn allow(self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Watch => self.watch,
            Need::Control => self.control,
            Need::Push => self.push,
        }
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
        ] {
            assert_eq!(text.parse::<Rights>().unwrap().to_string(), written);
        }
        for text in ["", "watch,", "all", "Watch"] {
            assert!(text.parse::<Rights>().is_err(), "{text:?}");
        }
    }
}
