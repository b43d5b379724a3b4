//! `--ice-server`, checked.

use std::str::FromStr;

/// A server by which viewers of WebRTC find ways through networks (STUN), or are sent all of it where there is none (TURN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    login: Option<Login>,
}

#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: String,
    password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

impl IceServer {
    /// The `Link` by which clients of WHEP and WHIP are told of it (RFC 9725, 4.6).
    pub fn link(&self) -> String {
        let Self { url, login } = self;
        let login = login
            .as_ref()
            .map_or(String::new(), |Login { user, password }| {
                format!(
                    "; username=\"{user}\"; credential=\"{password}\"; credential-type=\"password\""
                )
            });
        format!("<{url}>; rel=\"ice-server\"{login}")
    }
}

impl FromStr for IceServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // In a header they stand within < > and quotes.
        let is_plain = |word: &str| {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte);
            word.bytes().all(is_plain)
        };
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let Some((scheme, rest)) = words.first().and_then(|url| url.split_once(':')) else {
            return Err("it has to be stun:HOST, or turn:HOST USER PASSWORD");
        };
        if rest.is_empty() || rest.starts_with('/') || !words.iter().all(|word| is_plain(word)) {
            return Err(
                "its address has to be HOST or HOST:PORT, and all of it letters, digits and signs but <, >, \" and \\",
            );
        }
        let login = match (scheme, &words[1..]) {
            ("stun" | "stuns", []) => None,
            ("turn" | "turns", [user, password]) => Some(Login {
                user: (*user).into(),
                password: (*password).into(),
            }),
            ("stun" | "stuns", _) => return Err("STUN takes an address alone"),
            ("turn" | "turns", _) => return Err("TURN takes an address, a user and a password"),
            _ => return Err("it has to begin with stun:, stuns:, turn: or turns:"),
        };
        Ok(Self {
            url: words[0].into(),
            login,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_told_as_clients_read_them() {
        let link = |text: &str| text.parse::<IceServer>().map(|server| server.link());
        assert_eq!(
            link("stun:stun.example.org:3478").unwrap(),
            r#"<stun:stun.example.org:3478>; rel="ice-server""#
        );
        assert_eq!(
            link(" turns:turn.example.org?transport=tcp  me  s3cret! ").unwrap(),
            r#"<turns:turn.example.org?transport=tcp>; rel="ice-server"; username="me"; credential="s3cret!"; credential-type="password""#
        );
        let shown = format!("{:?}", "turn:a me s3cret".parse::<IceServer>());
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_is_none_is_said_in_a_sentence() {
        for bad in [
            "",
            "example.org",
            "http://example.org",
            "stun:",
            "stun://example.org",
            "stun:example.org me secret",
            "turn:example.org",
            "turn:example.org me",
            "turn:example.org me a b",
            "turn:example.org m\"e secret",
            "stun:<example.org>",
            "stun:exämple.org",
        ] {
            assert!(bad.parse::<IceServer>().is_err(), "{bad}");
        }
    }
}
