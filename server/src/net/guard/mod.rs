//! The guard: users by password, screens by token, or everyone.
//!
//! Tokens, cookies and passwords that were right before cost microseconds and always pass. A password
//! that was not seen yet costs argon2's tens of milliseconds, on a thread of its own and only two at
//! a time, and a try of those that an address has.

mod book;
pub(in crate::net) mod credentials;
mod passwords;
mod tokens;

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use self::{
    book::{Book, Files, Stamps},
    credentials::Credentials,
    passwords::User,
};
use super::{throttle::Throttle, visitor::Member};
use crate::{blocking::Blocking, locked::locked, rights::Rights};

pub(in crate::net) use passwords::check_name;
pub use tokens::{Token, TokenError, TokenFile};

/// Passwords are checked at most so many at a time: each takes 19 MB and a core.
const MAX_CHECKS: usize = 2;

/// Whoever waits longer than this for a check is told to come back.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Right passwords are remembered, hashed with a key of this run: so many.
const MAX_REMEMBERED: usize = 256;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long browsers keep a cookie at most.
const COOKIE_SECONDS: u64 = 400 * 24 * 3600;

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The password file can't be read.
    #[error("can't read the password file {}: {source}", path.display())]
    Passwords {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The password file makes no sense.
    #[error("{}, {reason}", path.display())]
    PasswordLine {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// The tokens can't be read.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// There is nothing to make keys of.
    #[error("this system has no randomness: {0}")]
    Random(getrandom::Error),
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// He said nothing, or something wrong.
    Unknown,
    /// He said too much that was wrong.
    Throttled(Duration),
    /// Too many are being checked.
    Busy,
}

/// Somebody who is let in.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) member: Arc<Member>,
    /// The cookie's content and its seconds, so that the page's own requests pass.
    pub(super) cookie: Option<(String, u64)>,
}

/// Stands at the door.
#[derive(Debug)]
pub struct Guard {
    files: Files,
    book: RwLock<Arc<Book>>,
    nobody: Member,
    /// With a key of this run.
    mac: Hmac<Sha256>,
    /// Keyed hashes of right names and passwords.
    remembered: Mutex<HashSet<[u8; 32]>>,
    throttle: Mutex<Throttle>,
    checks: Semaphore,
}

impl Guard {
    /// Reads who is known: the users `chosen` of `password_file`, and the tokens of `token_file`.
    ///
    /// # Errors
    /// A file can't be read, or makes no sense.
    pub fn new(
        password_file: Option<PathBuf>,
        chosen: Vec<String>,
        token_file: Option<TokenFile>,
    ) -> Result<Self, GuardError> {
        let mut key = [0; 64];
        getrandom::fill(&mut key).map_err(GuardError::Random)?;
        let guard = Self {
            files: Files {
                passwords: password_file,
                chosen,
                tokens: token_file,
            },
            book: RwLock::default(),
            nobody: Member::new(None, Rights::default()),
            mac: Hmac::new(&key.into()),
            remembered: Mutex::default(),
            throttle: Mutex::default(),
            checks: Semaphore::new(MAX_CHECKS),
        };
        let book = guard.files.read(Blocking::here(), &guard.book())?;
        guard.replace(book);
        Ok(guard)
    }

    /// Somebody who may do nothing but what takes no rights.
    pub(super) fn nobody(&self) -> &Member {
        &self.nobody
    }

    /// Whether everyone is let in.
    pub(super) fn is_open(&self) -> bool {
        self.book().everyone.is_some()
    }

    /// Whether a password could let somebody in.
    pub(super) fn has_users(&self) -> bool {
        !self.book().users.is_empty()
    }

    /// Whether tokens were made that are gone, so that nobody's opens anything.
    pub(super) fn has_lost_tokens(&self) -> bool {
        self.book().has_lost_tokens
    }

    /// The entry of whoever brings these credentials.
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock is read here for `throttle`, which is pure"
    )]
    pub(super) async fn admit(
        &self,
        credentials: &Credentials,
        from: Option<IpAddr>,
    ) -> Result<Entry, Denied> {
        let book = self.book();
        if let Some(everyone) = &book.everyone {
            return Ok(Entry {
                member: everyone.clone(),
                cookie: None,
            });
        }
        if let Some(entry) = self.known(&book, credentials) {
            return Ok(entry);
        }
        if !credentials.is_try() {
            return Err(Denied::Unknown);
        }
        // Behind a unix socket is a proxy; where it names nobody all of its clients are one.
        let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let taken = locked(&self.throttle).take(from, Instant::now());
        taken.map_err(Denied::Throttled)?;
        let Some((name, password)) = credentials.basic.clone() else {
            return Err(Denied::Unknown);
        };
        let entry = self.check(&book, name, password).await;
        if let Ok(_) | Err(Denied::Busy) = &entry {
            locked(&self.throttle).give_back(from);
        }
        entry
    }

    /// The entry that costs next to nothing to find.
    fn known(&self, book: &Book, credentials: &Credentials) -> Option<Entry> {
        let token = |secret: &String| {
            let (token, _, member) = book.token(secret)?;
            let seconds = token.expires.map_or(COOKIE_SECONDS, |end| {
                end.saturating_sub(unix_now()).min(COOKIE_SECONDS)
            });
            Some(Entry {
                member: member.clone(),
                cookie: Some((secret.clone(), seconds)),
            })
        };
        let in_address = credentials.in_query.iter().chain(&credentials.bearer);
        if let Some(entry) = in_address.filter_map(token).next() {
            return Some(entry);
        }
        if let Some((name, password)) = &credentials.basic {
            let digest = self.digest(name, password);
            if locked(&self.remembered).contains(&digest) {
                return book.user(name).map(|user| self.entry(user));
            }
        }
        credentials.cookies.iter().find_map(|cookie| {
            // Who has the cookie needs no new one.
            let member = match token(cookie) {
                Some(entry) => entry.member,
                None => self.by_signature(book, cookie)?,
            };
            Some(Entry {
                member,
                cookie: None,
            })
        })
    }

    async fn check(&self, book: &Book, name: String, password: String) -> Result<Entry, Denied> {
        let digest = self.digest(&name, &password);
        let user = book.user(&name);
        // An unknown name takes as long as a wrong password.
        let hash = user
            .or(book.users.first())
            .map(|(user, _)| user.hash.clone());
        let hash = hash.ok_or(Denied::Unknown)?;
        let permit = tokio::time::timeout(MAX_WAIT, self.checks.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Denied::Busy);
        };
        // Six requests of one page come at once, and the first has found it out.
        if !locked(&self.remembered).contains(&digest) {
            let check = move || passwords::verify(&password, &hash);
            let right = tokio::task::spawn_blocking(check).await.unwrap_or(false);
            if !right || user.is_none() {
                return Err(Denied::Unknown);
            }
            let mut remembered = locked(&self.remembered);
            if remembered.len() >= MAX_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(digest);
        }
        user.map(|user| self.entry(user)).ok_or(Denied::Unknown)
    }

    fn entry(&self, (user, member): &(User, Arc<Member>)) -> Entry {
        let cookie = credentials::signed(&user.name, &self.signature(user));
        Entry {
            member: member.clone(),
            cookie: Some((cookie, COOKIE_SECONDS)),
        }
    }

    fn by_signature(&self, book: &Book, cookie: &str) -> Option<Arc<Member>> {
        let (name, signature) = credentials::unsigned(cookie)?;
        let (user, member) = book.user(&name)?;
        let right = self.signature(user).ct_eq(&signature[..]);
        bool::from(right).then(|| member.clone())
    }

    /// Good until the password changes, or the server starts again: then the browser's password does.
    fn signature(&self, user: &User) -> [u8; 32] {
        self.keyed(b"cookie", &[&user.name, &user.hash])
    }

    fn digest(&self, name: &str, password: &str) -> [u8; 32] {
        self.keyed(b"password", &[name, password])
    }

    /// HMAC-SHA-256 (RFC 2104) under this run's key, of texts that can't run into each other.
    fn keyed(&self, purpose: &[u8], texts: &[&str]) -> [u8; 32] {
        let mut mac = self.mac.clone().chain_update(purpose);
        for text in texts {
            mac.update(&(text.len() as u64).to_le_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// Follows the files, for ever: who is revoked is sent away within a second or two.
    pub(super) async fn keep_up(self: Arc<Self>) {
        let mut complained = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let guard = self.clone();
            let looked = Blocking::run(move |blocking| guard.look(blocking, complained)).await;
            complained = looked.unwrap_or(complained);
        }
    }

    /// Reads the files again if they have changed. Returns the state of them that was complained about last.
    fn look(&self, blocking: Blocking, complained: Option<Stamps>) -> Option<Stamps> {
        let book = self.book();
        let stamps = self.files.stamps();
        let now = unix_now();
        let is_over = |token: &Token| token.expires.is_some_and(|end| end <= now);
        if stamps == book.stamps && !book.tokens.iter().any(|(token, _, _)| is_over(token)) {
            return complained;
        }
        match self.files.read(blocking, &book) {
            Ok(mut book) => {
                // A file that was lost opens nothing; starting again without it does.
                if !self.is_open() {
                    book.everyone = None;
                }
                self.replace(book);
                complained
            }
            // Whoever is known stays known until somebody has put it right.
            Err(error) => {
                if complained != Some(stamps) {
                    tracing::error!("{error}; who may watch stays as it was");
                }
                Some(stamps)
            }
        }
    }

    fn replace(&self, book: Book) {
        if let Some(file) = self.files.tokens.as_ref().filter(|_| book.has_lost_tokens)
            && !self.has_lost_tokens()
        {
            tracing::error!(
                "tokens were made here, and {} is gone, so nobody's token is good; `mantel token new NAME` makes \
                 one, `mantel token open` lets everyone in the house watch again",
                file.path().display()
            );
        }
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
        locked(&self.remembered).clear();
    }

    fn book(&self) -> Arc<Book> {
        self.book
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A line for the password file.
///
/// # Errors
/// The name can't be one, or there is no randomness.
pub fn password_line(
    name: Option<&str>,
    rights: &Rights,
    password: &str,
) -> Result<String, String> {
    let hash = passwords::hash(password)?;
    let Some(name) = name else {
        return Ok(hash);
    };
    check_name(name)?;
    Ok(format!("{name}:{rights}:{hash}"))
}

fn unix_now() -> u64 {
    crate::clock::now().0 / 1000
}

#[cfg(test)]
mod tests;
