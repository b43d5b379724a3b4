//! The languages in which names of places are written.

use std::{fmt, str::FromStr};

/// A language, by its subtag. What it has no name for is written in English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Italian.
    It,
    /// Japanese.
    Ja,
    /// Dutch.
    Nl,
    /// Polish.
    Pl,
    /// Portuguese.
    Pt,
    /// Swedish.
    Sv,
    /// Chinese.
    Zh,
}

impl Language {
    /// All of them, English first.
    pub const ALL: [Self; 11] = [
        Self::En,
        Self::De,
        Self::Es,
        Self::Fr,
        Self::It,
        Self::Ja,
        Self::Nl,
        Self::Pl,
        Self::Pt,
        Self::Sv,
        Self::Zh,
    ];
}

/// The form that [`FromStr`] reads.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// There is no language of this name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl FromStr for Language {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter();
        let mut found = known.filter(|language| language.to_string() == text);
        found.next().ok_or(Unknown)
    }
}
