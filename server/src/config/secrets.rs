//! `mantel token` and `mantel password`, checked.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    Args, ConfigError, Listen, PasswordArgs, PlaceArgs, Tls, TokenCommand,
    access::{self, AccessArgs},
    bad, read_file,
};
use crate::{dirs::Dirs, lan::lan_address, rights::Rights};

/// A checked piece of work on tokens.
#[derive(Clone, Debug)]
pub struct TokenTask {
    /// The server's folders; the one for state is known.
    pub dirs: Dirs,
    /// The action.
    pub action: TokenAction,
}

/// An action on tokens.
#[derive(Clone, Debug)]
pub enum TokenAction {
    /// Makes one.
    New {
        /// The screen or the people that it is for.
        name: String,
        /// The rights that it gives.
        rights: Rights,
        /// The seconds until it ends; `None` for never.
        expires_in: Option<u64>,
        /// The server's address, with a final slash.
        url: String,
    },
    /// Prints all.
    List {
        /// Whether JSON is printed, for programs.
        json: bool,
    },
    /// Takes one away.
    Revoke {
        /// The token's name.
        name: String,
    },
    /// Takes all away, so that everyone in the house is let in.
    Open,
}

/// A checked wish for a line of the password file.
#[derive(Clone, Debug)]
pub struct PasswordTask {
    /// The user's name; without one the line is for the one user.
    pub name: Option<String>,
    /// The rights that the user gets.
    pub rights: Rights,
    /// The file that gets the line; without one it is printed.
    pub file: Option<PathBuf>,
}

impl TokenTask {
    pub(super) fn resolve(command: TokenCommand, args: Args) -> Result<Self, ConfigError> {
        let (TokenCommand::New { place, .. }
        | TokenCommand::List { place, .. }
        | TokenCommand::Revoke { place, .. }
        | TokenCommand::Open { place }) = &command;
        let PlaceArgs { data_dir, config } = place.clone();
        let mut file = read_file(config.or(args.config).as_deref())?;
        let dirs = Dirs::new(data_dir.or(args.data_dir).or(file.data_dir.take()));
        if dirs.state.is_none() {
            return Err(ConfigError::NoDataDir);
        }
        let action = match command {
            TokenCommand::New {
                name,
                rights,
                expires,
                url,
                ..
            } => TokenAction::New {
                name,
                rights: self::rights(rights.as_deref())?,
                expires_in: expires.as_deref().map(seconds).transpose()?,
                url: match url {
                    Some(url) => checked_url(&url)?,
                    None => {
                        let listen = if args.listen.is_empty() && args.port.is_none() {
                            access::listen_on(&file.listen.0, file.port)?
                        } else {
                            access::listen_on(&args.listen, args.port)?
                        };
                        let tls = AccessArgs {
                            tls: args.access.tls,
                            tls_cert: args.access.tls_cert,
                            tls_key: args.access.tls_key,
                            ..AccessArgs::default()
                        };
                        likely_url(&listen, &tls.over(file.access()).checked()?.tls)
                    }
                },
            },
            TokenCommand::List { json, .. } => TokenAction::List { json },
            TokenCommand::Revoke { name, .. } => TokenAction::Revoke { name },
            TokenCommand::Open { .. } => TokenAction::Open,
        };
        Ok(Self { dirs, action })
    }
}

impl PasswordTask {
    pub(super) fn resolve(args: PasswordArgs) -> Result<Self, ConfigError> {
        Ok(Self {
            name: args.name,
            rights: rights(args.rights.as_deref())?,
            file: args.file,
        })
    }
}

fn rights(text: Option<&str>) -> Result<Rights, ConfigError> {
    text.map_or(Ok(Rights::SCREEN), |text| {
        text.parse()
            .map_err(|reason: &str| bad("--rights", text, reason))
    })
}

/// Reads a span in seconds: `12h`, `30d`, `2w`, `1y`.
fn seconds(text: &str) -> Result<u64, ConfigError> {
    const HINT: &str = "it has to be a number with h, d, w or y, like 30d";
    const LONGEST: u64 = 100 * 365 * 24 * 3600;
    let wrong = || bad("--expires", text, HINT);
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let unit: u64 = match unit {
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        "y" => 365 * 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let span = number
        .checked_mul(unit)
        .filter(|span| (1..=LONGEST).contains(span));
    span.ok_or_else(|| {
        bad(
            "--expires",
            text,
            "it has to be between an hour and a hundred years",
        )
    })
}

fn checked_url(text: &str) -> Result<String, ConfigError> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['?', '#', ' '])) {
        let hint = "it has to be the address of the page, like https://photos.example.org/";
        return Err(bad("--url", text, hint));
    }
    Ok(format!("{}/", text.trim_end_matches('/')))
}

/// The address of a server with these settings, for another device in the house if it has one.
fn likely_url(listen: &[Listen], tls: &Tls) -> String {
    let scheme = if *tls == Tls::Off { "http" } else { "https" };
    let first = listen.iter().find_map(|listen| match listen {
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) => None,
    });
    let address = first.unwrap_or(([127, 0, 0, 1], 80).into());
    let ip = if address.ip().is_unspecified() {
        lan_address().unwrap_or([127, 0, 0, 1].into())
    } else {
        address.ip()
    };
    format!("{scheme}://{}/", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, expected) in [
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
            ("1y", 31_536_000),
        ] {
            assert_eq!(seconds(text).unwrap(), expected);
        }
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "1",
            "1m",
            "30 d",
            "1ü",
            "999999999999999999d",
            "101y",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn where_the_server_is_found() {
        let listen = |text: &str| [text.parse::<Listen>().unwrap()];
        assert_eq!(
            likely_url(&listen("10.0.0.1:8080"), &Tls::Off),
            "http://10.0.0.1:8080/"
        );
        assert_eq!(
            likely_url(&listen("[::1]:443"), &Tls::Own),
            "https://[::1]:443/"
        );
        assert_eq!(
            checked_url("https://a.example").unwrap(),
            "https://a.example/"
        );
        assert_eq!(
            checked_url("https://a.example/m/").unwrap(),
            "https://a.example/m/"
        );
        for text in [
            "a.example",
            "ftp://a",
            "https://",
            "https://a?b",
            "https://a#b",
        ] {
            assert!(checked_url(text).is_err(), "{text}");
        }
    }
}
