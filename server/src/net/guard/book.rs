//! The users and tokens that are known, and the files that they stand in.

#![expect(
    clippy::disallowed_methods,
    reason = "the passwords are small, and read at the start and when they change, on a thread that may wait"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use subtle::ConstantTimeEq;

use crate::{blocking::Blocking, rights::Rights};

use super::{
    GuardError, Member,
    passwords::{self, User},
    tokens::{self, Token, TokenFile},
    unix_now,
};

/// The files that say who is let in.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) passwords: Option<PathBuf>,
    /// The users of `passwords` that count; all where it is empty.
    pub(super) chosen: Vec<String>,
    pub(super) tokens: Option<TokenFile>,
}

/// Everybody who is known, as the files had them when they were read last.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Everyone, as long as there are neither users nor tokens.
    pub(super) everyone: Option<Arc<Member>>,
    pub(super) users: Vec<(User, Arc<Member>)>,
    pub(super) tokens: Vec<(Token, [u8; 32], Arc<Member>)>,
    /// There were tokens, and they are gone.
    pub(super) has_lost_tokens: bool,
    pub(super) stamps: Stamps,
}

/// How the files looked when they were read.
pub(super) type Stamps = [Option<(SystemTime, u64)>; 2];

impl Files {
    /// Reads both. A member of `old` that has not changed stays the same, so that its streams go on.
    pub(super) fn read(&self, blocking: Blocking, old: &Book) -> Result<Book, GuardError> {
        let stamps = self.stamps();
        let mut users = Vec::new();
        if let Some(path) = &self.passwords {
            let text = fs::read_to_string(path).map_err(|source| GuardError::Passwords {
                path: path.clone(),
                source,
            })?;
            users = passwords::parse(&text, &self.chosen).map_err(|reason| {
                GuardError::PasswordLine {
                    path: path.clone(),
                    reason,
                }
            })?;
        }
        let tokens = self.tokens.as_ref().map_or(Ok(None), TokenFile::read)?;
        let has_lost_tokens = match (&self.tokens, &tokens) {
            (Some(file), None) => file.had_tokens(),
            (Some(file), Some(_)) => {
                file.mark(blocking);
                false
            }
            (None, _) => false,
        };
        let open = self.passwords.is_none() && tokens.is_none() && !has_lost_tokens;
        let now = unix_now();
        Ok(Book {
            everyone: open.then(|| {
                let everyone = || Arc::new(Member::new(None, Rights::ALL));
                old.everyone.clone().unwrap_or_else(everyone)
            }),
            users: users
                .into_iter()
                .map(|user| {
                    let known = old.users.iter().find(|(known, _)| *known == user);
                    let member = known.map_or_else(
                        || {
                            Arc::new(Member::new(
                                Some(user.name.as_str().into()),
                                user.rights.clone(),
                            ))
                        },
                        |(_, member)| member.clone(),
                    );
                    (user, member)
                })
                .collect(),
            tokens: tokens
                .into_iter()
                .flatten()
                .filter(|token| token.expires.is_none_or(|end| end > now))
                .filter_map(|token| {
                    let known = old.tokens.iter().find(|(known, _, _)| *known == token);
                    let rights = token.rights.parse().ok()?;
                    let member = known.map_or_else(
                        || Arc::new(Member::new(Some(token.name.as_str().into()), rights)),
                        |(_, _, member)| member.clone(),
                    );
                    let hash = token.hash()?;
                    Some((token, hash, member))
                })
                .collect(),
            has_lost_tokens,
            stamps,
        })
    }

    /// How the files look now.
    pub(super) fn stamps(&self) -> Stamps {
        let stamp = |path: Option<&Path>| {
            let metadata = fs::metadata(path?).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [
            stamp(self.passwords.as_deref()),
            stamp(self.tokens.as_ref().map(TokenFile::path)),
        ]
    }
}

impl Book {
    /// The user of that name.
    pub(super) fn user(&self, name: &str) -> Option<&(User, Arc<Member>)> {
        self.users.iter().find(|(user, _)| user.name == name)
    }

    /// The token with that secret. All are looked at, whichever it is: how long it takes tells nothing.
    pub(super) fn token(&self, secret: &str) -> Option<&(Token, [u8; 32], Arc<Member>)> {
        let hash = tokens::hash_of(secret);
        let now = unix_now();
        let mut found = None;
        for entry in &self.tokens {
            let is_alive = entry.0.expires.is_none_or(|end| end > now);
            if bool::from(entry.1.ct_eq(&hash)) && is_alive {
                found = Some(entry);
            }
        }
        found
    }
}
