//! The password file: one line for each user, `NAME:RIGHTS:HASH`, where the hash is argon2's in the
//! PHC string format. `NAME:HASH` has a screen's rights (watch and control), and a file of one `HASH`
//! belongs to the one `--user`. Lines that begin with `#` are comments.

use argon2::{
    Argon2, PasswordHash, PasswordVerifier,
    password_hash::{PasswordHasher, SaltString},
};

use crate::rights::Rights;

/// A user, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::net) struct User {
    pub(super) name: String,
    pub(super) rights: Rights,
    pub(super) hash: String,
}

/// Reads the file. `chosen` are the users that are wanted; all when it is empty.
///
/// # Errors
/// One sentence, with the line's number.
pub(super) fn parse(text: &str, chosen: &[String]) -> Result<Vec<User>, String> {
    let mut users: Vec<User> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let user = parse_line(line, chosen).map_err(|why| format!("line {}: {why}", i + 1))?;
        if users.iter().any(|known| known.name == user.name) {
            return Err(format!("line {}: {} has two lines", i + 1, user.name));
        }
        users.push(user);
    }
    for name in chosen {
        if !users.iter().any(|user| user.name == *name) {
            return Err(format!("there is no line for {name}"));
        }
    }
    if users.is_empty() {
        return Err("there is no user in it; `mantel password NAME` prints a line".into());
    }
    users.retain(|user| chosen.is_empty() || chosen.contains(&user.name));
    Ok(users)
}

fn parse_line(line: &str, chosen: &[String]) -> Result<User, String> {
    let (name, rights, hash) = match line.split(':').collect::<Vec<_>>()[..] {
        [hash] => match chosen {
            [name] => (name.as_str(), None, hash),
            _ => return Err("whose is it? NAME:HASH, or one --user NAME".into()),
        },
        [name, hash] => (name, None, hash),
        [name, rights, hash] => (name, Some(rights), hash),
        _ => return Err("it has to be NAME:RIGHTS:HASH".into()),
    };
    check_name(name)?;
    let known =
        PasswordHash::new(hash).is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2"));
    if !known {
        return Err("that is no argon2 hash; `mantel password` prints one".into());
    }
    Ok(User {
        name: name.to_owned(),
        rights: rights.map_or(Ok(Rights::SCREEN), str::parse)?,
        hash: hash.to_owned(),
    })
}

/// Whether users and tokens may be called that: it stands in files, in logs and on pages.
pub(in crate::net) fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "-_.@+ ".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.trim() != name {
        return Err(format!(
            "a name has 1 to 64 letters, digits, spaces or any of -_.@+, which {name:?} has not"
        ));
    }
    Ok(())
}

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// The system has no randomness, or the password is longer than argon2 takes.
pub(super) fn hash(password: &str) -> Result<String, String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

/// Whether `password` is the one that `hash` is of; takes tens of milliseconds and 19 MB. argon2
/// compares in constant time.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=16,t=1,p=1$c29tZXNhbHRzb21l$2PDsLCvLf7sBFmZjwiQYhw";

    #[test]
    fn lines_are_read() {
        let text = format!("# who\n\nanna:{HASH}\nbob:watch:{HASH}\n  eva:push,control:{HASH}  \n");
        let users = parse(&text, &[]).unwrap();
        let seen: Vec<_> = users
            .iter()
            .map(|user| (user.name.as_str(), user.rights.to_string()))
            .collect();
        assert_eq!(
            seen,
            [
                ("anna", "watch,control".to_owned()),
                ("bob", "watch".to_owned()),
                ("eva", "watch,control,push".to_owned()),
            ]
        );
        let bob = parse(&text, &["bob".into()]).unwrap();
        assert_eq!(bob.len(), 1);
        let alone = parse(HASH, &["anna".into()]).unwrap();
        assert_eq!(alone[0].name, "anna");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, chosen, expected) in [
            ("", &[][..], "no user"),
            (HASH, &[], "line 1: whose"),
            ("anna:secret", &[], "line 1: that is no argon2 hash"),
            ("anna:all:$argon2id$x", &[], "line 1"),
            (
                &format!("anna:{HASH}\nanna:{HASH}"),
                &[],
                "line 2: anna has two",
            ),
            (&format!(":{HASH}"), &[], "line 1: a name"),
            (&format!("a\"b:{HASH}"), &[], "line 1: a name"),
            (&format!("anna:fly:{HASH}"), &[], "rights are"),
            (
                &format!("anna:{HASH}"),
                &["bob".to_owned()],
                "no line for bob",
            ),
        ] {
            let error = parse(text, chosen).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_known_again() {
        let hash = hash("ünter uns").unwrap();
        assert!(verify("ünter uns", &hash));
        assert!(!verify("ünter un", &hash));
        assert!(!verify("ünter uns", "$argon2id$"));
        assert!(!hash.contains(':'));
    }
}
