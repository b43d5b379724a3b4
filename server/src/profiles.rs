//! Short names for screens, each with the settings that belong to it: what `/tv/NAME` leads to.
//!
//! A small JSON file in the data directory, replaced whole. Without a data
//! directory names last as long as the program. Never HTTP, and no opinion on what settings mean.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, MutexGuard},
};

use mantel_shared::MAX_SCREEN_NAME_BYTES;

use crate::{blocking::Blocking, locked::locked, state::PROFILES, store};

/// Two hundred of the longest names are 320 KB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// More screens than any house has; what comes beyond is somebody filling the disk.
pub const MAX_PROFILES: usize = 200;
/// The longest settings, in bytes. All keys at once with long albums have about 600.
pub const MAX_QUERY_BYTES: usize = 1500;

/// A screen's name: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScreenName(String);

/// Settings of a screen as a query string without its question mark, safe in a header and in a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Settings(String);

/// Why names or settings can't be kept, as a sentence for whoever asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not a name.
    #[error(
        "a screen's name has 1 to {MAX_SCREEN_NAME_BYTES} of the characters a to z, 0 to 9 and -"
    )]
    Name,
    /// Not a query string.
    #[error(
        "settings are a query string like fit=cover&clock=on, of at most {MAX_QUERY_BYTES} characters"
    )]
    Settings,
    /// There are as many as may be.
    #[error("{MAX_PROFILES} screens have names already; delete one that is no more")]
    Full,
    /// The file can't be written.
    #[error("the names can't be saved: {0}")]
    Save(String),
}

impl FromStr for ScreenName {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=MAX_SCREEN_NAME_BYTES).contains(&text.len());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if fits && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileError::Name)
        }
    }
}

impl FromStr for Settings {
    type Err = ProfileError;

    /// Takes a query with or without its question mark. `name` is left out: it is the name's own. So is
    /// `token`: whoever may watch reads these settings, and a token may open more than that.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_start_matches('?');
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"%&=._~+,:*'()!$;/@-".contains(&b);
        if text.len() > MAX_QUERY_BYTES || !text.bytes().all(plain) {
            return Err(ProfileError::Settings);
        }
        let kept: Vec<&str> = text
            .split('&')
            .filter(|pair| !pair.is_empty() && !is_left_out(pair))
            .collect();
        Ok(Self(kept.join("&")))
    }
}

/// Whether a pair of a query is no setting, however its key is written.
fn is_left_out(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or("");
    // With an escape in it no server of ours would take it for a token, but another might.
    let key = key.to_ascii_lowercase();
    key == "name" || key.contains("token") || key.contains('%')
}

impl TryFrom<String> for ScreenName {
    type Error = ProfileError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for Settings {
    type Error = ProfileError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ScreenName> for String {
    fn from(name: ScreenName) -> Self {
        name.0
    }
}

impl From<Settings> for String {
    fn from(settings: Settings) -> Self {
        settings.0
    }
}

impl fmt::Display for ScreenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Kept = BTreeMap<ScreenName, Settings>;

/// All names.
#[derive(Debug, Default)]
pub struct Profiles {
    path: Option<PathBuf>,
    /// Why the file must not be written: it holds what could be neither read nor set aside.
    blocked: Option<String>,
    kept: Mutex<Kept>,
    /// Held while the file is written: changes come one after the other, and readers don't wait for a disk.
    writing: Mutex<()>,
}

impl Profiles {
    /// The names kept in `dir`. A file that can't be read is set aside, so that the next change does
    /// not write over what somebody may want to repair.
    pub fn open(dir: Option<&Path>) -> Self {
        let path = dir.map(|dir| dir.join(PROFILES));
        let kept = path.as_deref().map_or_else(
            || Ok(Kept::default()),
            |path| store::read_json(path, MAX_FILE_BYTES, "the screens' names"),
        );
        let (kept, blocked) = match kept {
            Ok(kept) => (kept, None),
            Err(reason) => (Kept::default(), Some(reason)),
        };
        Self {
            path,
            blocked,
            kept: Mutex::new(kept),
            writing: Mutex::default(),
        }
    }

    /// All names with their settings, sorted.
    pub fn all(&self) -> Vec<(ScreenName, Settings)> {
        let kept = self.lock();
        kept.iter()
            .map(|(name, settings)| (name.clone(), settings.clone()))
            .collect()
    }

    /// The settings of one.
    pub fn find(&self, name: &ScreenName) -> Option<Settings> {
        self.lock().get(name).cloned()
    }

    /// Keeps `settings` under `name`, in place of what was there.
    ///
    /// # Errors
    /// There are too many, or the file can't be written; then nothing has changed.
    pub fn set(
        &self,
        blocking: Blocking,
        name: ScreenName,
        settings: Settings,
    ) -> Result<(), ProfileError> {
        let _turn = self.turn_to_write();
        let mut changed = self.lock().clone();
        if changed.len() >= MAX_PROFILES && !changed.contains_key(&name) {
            return Err(ProfileError::Full);
        }
        changed.insert(name, settings);
        self.write(blocking, &changed)?;
        *self.lock() = changed;
        Ok(())
    }

    /// Forgets `name`; says whether there was one.
    ///
    /// # Errors
    /// The file can't be written; then nothing has changed.
    pub fn remove(&self, blocking: Blocking, name: &ScreenName) -> Result<bool, ProfileError> {
        let _turn = self.turn_to_write();
        let mut changed = self.lock().clone();
        let was_there = changed.remove(name).is_some();
        if was_there {
            self.write(blocking, &changed)?;
            *self.lock() = changed;
        }
        Ok(was_there)
    }

    fn turn_to_write(&self) -> MutexGuard<'_, ()> {
        locked(&self.writing)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }

    fn write(&self, blocking: Blocking, kept: &Kept) -> Result<(), ProfileError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        if let Some(reason) = &self.blocked {
            return Err(ProfileError::Save(reason.clone()));
        }
        let save = serde_json::to_vec_pretty(kept)
            .map_err(std::io::Error::from)
            .and_then(|text| store::replace(blocking, path, &text));
        save.map_err(|error| ProfileError::Save(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScreenName {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_plain() {
        for good in ["tv", "living-room", "4k", &"x".repeat(40)] {
            assert_eq!(name(good).to_string(), good);
        }
        for bad in ["", "Living", "a b", "../x", "ä", "a\r\nb", &"x".repeat(41)] {
            assert_eq!(bad.parse::<ScreenName>(), Err(ProfileError::Name), "{bad}");
        }
    }

    #[test]
    fn settings_can_not_leave_a_header_or_a_link() {
        let settings: Settings = "?fit=cover&name=x&&album=A%20%26%20B&on-this-day"
            .parse()
            .unwrap();
        assert_eq!(
            settings.to_string(),
            "fit=cover&album=A%20%26%20B&on-this-day"
        );
        let long = "x".repeat(MAX_QUERY_BYTES + 1);
        for bad in [
            "a=\r\nSet-Cookie: x",
            "a=<script>",
            "a=\"b\"",
            "a=#b",
            "a=ä",
            "a b",
            &long,
        ] {
            assert_eq!(
                bad.parse::<Settings>(),
                Err(ProfileError::Settings),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_token_is_no_setting() {
        for (query, kept) in [
            ("?token=abc", ""),
            ("fit=cover&token=abc&clock=on", "fit=cover&clock=on"),
            ("TOKEN=abc&%74oken=abc&fit=blur&token", "fit=blur"),
        ] {
            assert_eq!(query.parse::<Settings>().unwrap().to_string(), kept);
        }
        // Nor in a file of before.
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("profiles.json"),
            r#"{"tv":"token=abc&fit=cover"}"#,
        )
        .unwrap();
        let profiles = Profiles::open(Some(dir.path()));
        assert_eq!(profiles.all(), [(name("tv"), "fit=cover".parse().unwrap())]);
    }

    #[test]
    fn names_outlive_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let profiles = Profiles::open(Some(dir.path()));
        profiles
            .set(Blocking::here(), name("tv"), "fit=cover".parse().unwrap())
            .unwrap();
        profiles
            .set(Blocking::here(), name("tv"), "fit=blur".parse().unwrap())
            .unwrap();
        profiles
            .set(Blocking::here(), name("hall"), Settings::default())
            .unwrap();
        assert!(profiles.remove(Blocking::here(), &name("hall")).unwrap());
        assert!(!profiles.remove(Blocking::here(), &name("hall")).unwrap());
        let again = Profiles::open(Some(dir.path()));
        assert_eq!(again.all(), [(name("tv"), "fit=blur".parse().unwrap())]);
        assert_eq!(again.find(&name("hall")), None);
    }

    #[test]
    fn a_damaged_or_huge_file_is_set_aside_whole() {
        let huge = format!("{{\"tv\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        for content in [r#"{"tv":"a=\r\n"}"#, "\0\0", "", &huge] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("profiles.json");
            std::fs::write(&path, content).unwrap();
            let profiles = Profiles::open(Some(dir.path()));
            assert_eq!(profiles.all(), []);
            profiles
                .set(Blocking::here(), name("tv"), Settings::default())
                .unwrap();
            let aside = std::fs::read_to_string(dir.path().join("profiles.json.damaged"));
            assert_eq!(aside.unwrap(), content);
            assert_eq!(Profiles::open(Some(dir.path())).all().len(), 1);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_tightened() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("profiles.json");
        std::fs::write(&path, r#"{"tv":"fit=cover"}"#).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Profiles::open(Some(dir.path())).all().len(), 1);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let profiles = Profiles::open(Some(&blocked));
        let error = profiles
            .set(Blocking::here(), name("tv"), Settings::default())
            .unwrap_err();
        assert!(matches!(error, ProfileError::Save(_)));
        assert_eq!(profiles.all(), []);
    }

    #[test]
    fn there_is_an_end_to_names() {
        let profiles = Profiles::default();
        for n in 0..MAX_PROFILES {
            profiles
                .set(
                    Blocking::here(),
                    name(&format!("tv-{n}")),
                    Settings::default(),
                )
                .unwrap();
        }
        assert_eq!(
            profiles.set(Blocking::here(), name("one-more"), Settings::default()),
            Err(ProfileError::Full)
        );
        profiles
            .set(Blocking::here(), name("tv-0"), "fit=cover".parse().unwrap())
            .unwrap();
    }
}
