//! What a viewer or a script asks of a channel. Carrying it out is the timeline's.

use alloc::string::String;
use core::fmt;

/// A command, as `POST /control` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "command", rename_all = "lowercase"))]
pub enum Command {
    /// The next slide, now.
    Next,
    /// The slide before this one, now.
    Previous,
    /// Stay on this slide.
    Pause,
    /// Go on.
    Resume,
    /// Show one photo, now.
    Show {
        /// The photo, by its path as the library names it.
        photo: String,
    },
}

/// The JSON that `POST /control` takes, `{"command":"next"}`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str(r#"{"command":"next"}"#),
            Self::Previous => f.write_str(r#"{"command":"previous"}"#),
            Self::Pause => f.write_str(r#"{"command":"pause"}"#),
            Self::Resume => f.write_str(r#"{"command":"resume"}"#),
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
