//! Tokens: passwords that a link carries, for screens on which nobody can type.
//!
//! Kept in the folder for state as SHA-256 hashes, which is enough for what has 128 random bits; the
//! file is replaced as a whole, readable to its owner alone. From the day on which the file is
//! there nobody is let in without a token or a password, even when the last token is revoked, and
//! even when the file is lost: marks beside it and beside the index tell that there was one.

#![expect(
    clippy::disallowed_methods,
    reason = "the tokens are small, and their errors are told one by one"
)]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::passwords::check_name;
use crate::{
    blocking::Blocking,
    hex::{hex, unhex},
    rights::Rights,
    state::TOKENS,
    store,
};

/// A token, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Which screen has it.
    pub name: String,
    /// The rights that it gives: `watch,control`, or `push@plot`.
    pub rights: String,
    /// SHA-256 of the token, in hex.
    sha256: String,
    /// When it was made, in Unix seconds.
    pub created: u64,
    /// When it ends, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    tokens: Vec<Token>,
}

const MARK: &str = "tokens.made";
const MARK_TEXT: &str = "Tokens were made for this Mantel. When they are lost it lets nobody in until \
`mantel token new` makes others, or `mantel token open` lets everyone in the house in again.\n";

/// More than a house has screens.
const MAX_TOKENS: usize = 1000;

/// Why the file can't be used. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It was not written by us.
    #[error("{}: {reason}; put it away, and make the tokens anew", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// The fault.
        reason: String,
    },
    /// The wish is not possible.
    #[error("{0}")]
    Wish(String),
}

/// The tokens of a server.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
    /// Files that say that there were tokens. Whoever empties a folder hardly empties the other as well.
    marks: Vec<PathBuf>,
}

impl TokenFile {
    /// Those kept in `state_dir`, by a server that has its index in `index_dir`.
    pub fn of(state_dir: &Path, index_dir: Option<&Path>) -> Self {
        let mut marks = vec![state_dir.join(MARK)];
        marks.extend(
            index_dir
                .filter(|dir| *dir != state_dir)
                .map(|dir| dir.join(MARK)),
        );
        Self {
            path: state_dir.join(TOKENS),
            marks,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there were tokens once, wherever they are now.
    pub(super) fn had_tokens(&self) -> bool {
        self.marks.iter().any(|mark| mark.exists())
    }

    /// Leaves word that there are tokens, where there is none yet and where it can be left.
    pub(super) fn mark(&self, blocking: Blocking) {
        for mark in self.marks.iter().filter(|mark| !mark.exists()) {
            if let Err(error) = store::replace(blocking, mark, MARK_TEXT.as_bytes()) {
                tracing::debug!(path = %mark.display(), %error, "can't leave word that there are tokens");
            }
        }
    }

    /// Takes all tokens away, and every word of them: a server that starts then lets everyone in.
    ///
    /// # Errors
    /// A file can't be removed.
    pub fn forget(&self) -> Result<(), TokenError> {
        // The tokens last: until then there is a reason to keep the door shut.
        for path in self.marks.iter().chain([&self.path]) {
            match fs::remove_file(path) {
                Err(error) if !is_absence(&error) => {
                    return Err(TokenError::Io {
                        path: path.clone(),
                        source: error,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// All tokens; `None` when there is no file of them.
    ///
    /// # Errors
    /// The file can't be read, or makes no sense.
    pub fn read(&self) -> Result<Option<Vec<Token>>, TokenError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(source) => return Err(self.io(source)),
        };
        let content: Content =
            serde_json::from_slice(&text).map_err(|error| self.content(error.to_string()))?;
        let known = |token: &Token| {
            unhex(&token.sha256).is_some()
                && token.rights.parse::<Rights>().is_ok()
                && check_name(&token.name).is_ok()
        };
        if content.tokens.len() > MAX_TOKENS || !content.tokens.iter().all(known) {
            return Err(self.content("it holds what no token is".into()));
        }
        Ok(Some(content.tokens))
    }

    /// Makes a token for `name`, and returns what its link carries. It is nowhere else: only its hash
    /// is kept.
    ///
    /// # Errors
    /// There is one of that name, or the file can't be written.
    pub fn create(
        &self,
        name: &str,
        rights: &Rights,
        now: u64,
        expires: Option<u64>,
    ) -> Result<String, TokenError> {
        check_name(name).map_err(TokenError::Wish)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| TokenError::Wish(format!("this system has no randomness: {error}")))?;
        let secret = BASE64_URL_SAFE_NO_PAD.encode(random);
        self.change(|tokens| {
            tokens.retain(|token| token.expires.is_none_or(|end| end > now));
            if tokens.iter().any(|token| token.name == name) {
                return Err(TokenError::Wish(format!(
                    "there is a token {name:?} already; `mantel token revoke {name:?}` first, or choose another name"
                )));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(TokenError::Wish(format!("there are {MAX_TOKENS} tokens already")));
            }
            tokens.push(Token {
                name: name.to_owned(),
                rights: rights.to_string(),
                sha256: hex(&Sha256::digest(secret.as_bytes())),
                created: now,
                expires,
            });
            Ok(())
        })?;
        Ok(secret)
    }

    /// Takes the token of that name away.
    ///
    /// # Errors
    /// There is none, or the file can't be written.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            let before = tokens.len();
            tokens.retain(|token| token.name != name);
            if tokens.len() < before {
                return Ok(());
            }
            let hint = "`mantel token list` names all there are";
            Err(TokenError::Wish(format!(
                "there is no token {name:?}; {hint}"
            )))
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>,
    ) -> Result<(), TokenError> {
        if let Some(folder) = self.path.parent() {
            store::make_folder(folder).map_err(|source| self.io(source))?;
        }
        // A command has its thread to itself.
        let blocking = Blocking::here();
        // Two commands at once would lose one's change.
        let lock = store::create_private(&self.path.with_extension("lock"));
        let lock = lock.map_err(|source| self.io(source))?;
        lock.lock().map_err(|source| self.io(source))?;
        let mut tokens = self.read()?.unwrap_or_default();
        change(&mut tokens)?;
        let text = serde_json::to_vec_pretty(&Content { tokens })
            .map_err(|error| self.content(error.to_string()))?;
        store::replace(blocking, &self.path, &text).map_err(|source| self.io(source))?;
        self.mark(blocking);
        Ok(())
    }

    fn io(&self, source: io::Error) -> TokenError {
        TokenError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn content(&self, reason: String) -> TokenError {
        TokenError::Content {
            path: self.path.clone(),
            reason,
        }
    }
}

impl Token {
    /// The hash of the token, to compare with.
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        unhex(&self.sha256)
    }
}

/// The hash under which a token is kept.
pub(super) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_listed_and_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(&dir.path().join("data"), None);
        assert!(file.read().unwrap().is_none());
        let secret = file
            .create("living room", &Rights::SCREEN, 100, None)
            .unwrap();
        assert!(secret.len() >= 22 && !secret.contains(['+', '/', '=']));
        let tokens = file.read().unwrap().unwrap();
        assert_eq!(tokens[0].name, "living room");
        assert_eq!(tokens[0].hash().unwrap(), hash_of(&secret));
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains(&secret));
        assert!(file.create("living room", &Rights::ALL, 100, None).is_err());
        file.revoke("living room").unwrap();
        let error = file.revoke("living room").unwrap_err().to_string();
        assert!(error.contains("no token \"living room\""), "{error}");
        // Still a file: nobody is let in again by revoking the last one.
        assert_eq!(file.read().unwrap().unwrap(), []);
    }

    #[test]
    fn an_expired_token_makes_room_for_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(dir.path(), None);
        file.create("tv", &Rights::SCREEN, 100, Some(200)).unwrap();
        assert!(file.create("tv", &Rights::SCREEN, 199, None).is_err());
        file.create("tv", &Rights::SCREEN, 200, None).unwrap();
    }

    #[test]
    fn either_folder_remembers_that_there_were_tokens() {
        let dir = tempfile::tempdir().unwrap();
        let (state, index) = (dir.path().join("state"), dir.path().join("cache"));
        let file = TokenFile::of(&state, Some(&index));
        assert!(!file.had_tokens());
        for emptied in [&state, &index] {
            file.create("tv", &Rights::SCREEN, 100, None).unwrap();
            fs::remove_dir_all(emptied).unwrap();
            assert!(file.had_tokens(), "{}", emptied.display());
            file.forget().unwrap();
            assert!(!file.had_tokens() && file.read().unwrap().is_none());
        }
        file.forget().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_them() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(dir.path(), None);
        file.create("tv", &Rights::SCREEN, 100, None).unwrap();
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn somebody_elses_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(dir.path(), None);
        for text in [
            "",
            "{}",
            "{\"tokens\":[{\"name\":\"a\",\"rights\":\"watch\",\"sha256\":\"ü\",\"created\":1}]}",
            "{\"tokens\":[{\"name\":\"a\\n\",\"rights\":\"watch\",\"sha256\":\"\",\"created\":1}]}",
        ] {
            fs::write(file.path(), text).unwrap();
            assert!(
                matches!(file.read(), Err(TokenError::Content { .. })),
                "{text}"
            );
        }
    }
}
