//! `mantel token` and `mantel password`: make, list and revoke what lets people in.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{
    announce,
    blocking::Blocking,
    clock,
    config::{PasswordTask, TokenAction, TokenTask},
    net::{self, Token, TokenError, TokenFile},
    state, store,
};

/// Why a token or a password was not made, listed or revoked, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The tokens can't be read or changed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The password can't be one, or can't be read.
    #[error("{0}")]
    Password(String),
    /// The password file can't be changed.
    #[error("{}: {source}", path.display())]
    File {
        /// The password file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Standard output is closed, or its disk is full.
    #[error("can't print: {0}")]
    Print(#[from] io::Error),
}

/// Makes, lists or revokes tokens.
///
/// # Errors
/// They can't be read or written, or the name is taken or unknown.
pub fn token(task: &TokenTask, out: &mut impl Write) -> Result<(), SecretError> {
    let dir = state::of_tokens(&task.dirs).unwrap_or_default();
    let file = TokenFile::of(&dir, task.dirs.index.as_deref());
    let now = clock::now().0 / 1000;
    match &task.action {
        TokenAction::New {
            name,
            rights,
            expires_in,
            url,
        } => {
            let is_first = file.read()?.is_none();
            let secret = file.create(name, rights, now, expires_in.map(|span| now + span))?;
            let link = format!("{url}?token={secret}");
            writeln!(
                out,
                "{name} may {}. Its link, told only now:\n",
                rights.to_string().replace(',', ", ")
            )?;
            writeln!(out, "  {link}\n")?;
            if let Some(code) = announce::code(&link, io::stdout().is_terminal()) {
                writeln!(out, "{code}")?;
            }
            writeln!(out, "For VLC, ffmpeg and <img>: {url}stream?token={secret}")?;
            if is_first {
                writeln!(
                    out,
                    "From now on nobody watches without a token, or a password."
                )?;
            }
        }
        TokenAction::List { json } => list(&file.read()?.unwrap_or_default(), *json, now, out)?,
        TokenAction::Revoke { name } => {
            file.revoke(name)?;
            writeln!(
                out,
                "{name} is revoked; what is watched with it ends within seconds"
            )?;
        }
        TokenAction::Open => {
            file.forget()?;
            writeln!(
                out,
                "there is no token any more; when the server is started again, everyone in the house may watch \
                 without one"
            )?;
        }
    }
    Ok(())
}

fn list(tokens: &[Token], json: bool, now: u64, out: &mut impl Write) -> Result<(), SecretError> {
    let day = |seconds: u64| {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        chrono::DateTime::from_timestamp(seconds, 0)
            .map_or_else(String::new, |moment| moment.format("%Y-%m-%d").to_string())
    };
    if json {
        let rows: Vec<_> = tokens
            .iter()
            .map(|token| {
                serde_json::json!({
                    "name": token.name,
                    "rights": token.rights,
                    "created": token.created,
                    "expires": token.expires,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(rows))?;
        return Ok(());
    }
    if tokens.is_empty() {
        writeln!(out, "there is no token; `mantel token new NAME` makes one")?;
    }
    for token in tokens {
        let until = match token.expires {
            Some(end) if end <= now => ", ended".to_owned(),
            Some(end) => format!(", until {}", day(end)),
            None => String::new(),
        };
        let (name, rights) = (&token.name, &token.rights);
        writeln!(out, "{name}: {rights}, since {}{until}", day(token.created))?;
    }
    Ok(())
}

/// Asks for a password, and prints its line or puts it into a file.
///
/// # Errors
/// There is none, it can't be one, or the file can't be changed.
pub fn password(task: &PasswordTask, out: &mut impl Write) -> Result<(), SecretError> {
    let password = ask()?;
    if password.is_empty() {
        return Err(SecretError::Password("an empty password is none".into()));
    }
    let line = net::password_line(task.name.as_deref(), &task.rights, &password);
    let line = line.map_err(SecretError::Password)?;
    let (Some(path), Some(name)) = (&task.file, &task.name) else {
        writeln!(out, "{line}")?;
        return Ok(());
    };
    put(path, name, &line).map_err(|source| SecretError::File {
        path: path.clone(),
        source,
    })?;
    writeln!(
        out,
        "{name} may watch with it; a server that has the file notices within seconds"
    )?;
    Ok(())
}

/// Puts a user's `line` into a password file, in place of the line that the user has there, if any.
#[expect(
    clippy::disallowed_methods,
    reason = "a task of the command line, which may wait"
)]
fn put(path: &Path, name: &str, line: &str) -> io::Result<()> {
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let is_his = |known: &str| known.trim().split(':').next() == Some(name);
    let mut new: Vec<&str> = old.lines().filter(|known| !is_his(known)).collect();
    new.push(line);
    store::replace(
        Blocking::here(),
        path,
        format!("{}\n", new.join("\n")).as_bytes(),
    )
}

fn ask() -> Result<String, SecretError> {
    let failed =
        |error: io::Error| SecretError::Password(format!("can't read the password: {error}"));
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(failed)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ").map_err(failed)?;
    if rpassword::prompt_password("Once more: ").map_err(failed)? != password {
        return Err(SecretError::Password("the two differ".into()));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_the_place_of_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwords");
        put(&path, "anna", "anna:watch:1").unwrap();
        fs::write(&path, "# ours\nanna:watch:1\nannabel:watch:2\n").unwrap();
        put(&path, "anna", "anna:watch:3").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# ours\nannabel:watch:2\nanna:watch:3\n");
    }
}
