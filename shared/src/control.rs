//! Commands that a viewer or a script gives to a channel. The timeline carries them out.

use alloc::string::String;
use core::fmt;

/// A command, as `POST /control` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "command", rename_all = "lowercase"))]
pub enum Command {
    /// Shows the next slide, now.
    Next,
    /// Shows the slide before this one, now.
    Previous,
    /// Stays on this slide.
    Pause,
    /// Goes on.
    Resume,
    /// Shows one photo, now.
    Show {
        /// The photo, by its path as the library names it.
        photo: String,
    },
    /// Sets how long each slide stays from now on.
    Interval {
        /// How long a slide stays, in seconds.
        seconds: u32,
    },
    /// Ends what interrupts the slides; nothing where nothing does.
    Dismiss,
}

/// The JSON that `POST /control` takes, `{"command":"next"}`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str(r#"{"command":"next"}"#),
            Self::Previous => f.write_str(r#"{"command":"previous"}"#),
            Self::Pause => f.write_str(r#"{"command":"pause"}"#),
            Self::Resume => f.write_str(r#"{"command":"resume"}"#),
            Self::Interval { seconds } => {
                write!(f, r#"{{"command":"interval","seconds":{seconds}}}"#)
            }
            Self::Dismiss => f.write_str(r#"{"command":"dismiss"}"#),
            Self::Show { photo } => {
                f.write_str(r#"{"command":"show","photo":""#)?;
                for c in photo.chars() {
                    match c {
                        '"' | '\\' => write!(f, "\\{c}")?,
                        '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(c))?,
                        _ => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"}")
            }
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn commands_are_the_json_of_the_contract() {
        for (command, json) in [
            (Command::Next, r#"{"command":"next"}"#),
            (Command::Previous, r#"{"command":"previous"}"#),
            (Command::Pause, r#"{"command":"pause"}"#),
            (Command::Resume, r#"{"command":"resume"}"#),
            (Command::Dismiss, r#"{"command":"dismiss"}"#),
            (
                Command::Interval { seconds: 8 },
                r#"{"command":"interval","seconds":8}"#,
            ),
            (
                Command::Show {
                    photo: "a/b.jpg".into(),
                },
                r#"{"command":"show","photo":"a/b.jpg"}"#,
            ),
        ] {
            assert_eq!(command.to_string(), json);
            assert_eq!(serde_json::to_string(&command).unwrap(), json);
            assert_eq!(serde_json::from_str::<Command>(json).unwrap(), command);
        }
        for bad in [
            "",
            "{}",
            r#"{"command":"stop"}"#,
            r#"{"command":"show"}"#,
            r#"{"command":"interval","seconds":-1}"#,
            r#"{"command":1}"#,
        ] {
            assert!(serde_json::from_str::<Command>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_name_of_a_photo_survives_the_json(photo in any::<String>()) {
            let command = Command::Show { photo };
            prop_assert_eq!(serde_json::from_str::<Command>(&command.to_string()).unwrap(), command);
        }
    }
}
