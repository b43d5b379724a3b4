//! Options of more machines than one: the bus by which one house's pictures come to others.

#![expect(
    clippy::disallowed_methods,
    reason = "secrets are read before anything is served"
)]

use std::{fmt, path::PathBuf, time::Duration};

use mantel_media::wire::Key;

use super::{ConfigError, bad, values::millis};
use crate::{fetch::NatsServers, rights::Rights};

/// How a house's pictures come from one machine to others.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// The servers of the bus.
    pub servers: NatsServers,
    /// The secret of an nkey to log in with.
    pub nkey: Option<Seed>,
    /// The certificate of the authority that vouches for the servers, where that is one of their own.
    pub ca: Option<PathBuf>,
    /// The name of the house on the bus.
    pub house: HouseName,
    /// The key that all machines of the house sign with.
    pub key: Option<Key>,
    /// The rights of machines that show this house.
    pub edge_rights: Rights,
    /// How long an edge shows the last picture of a house that is silent.
    pub silent_after: Duration,
    /// Whether this machine shows the house of another one.
    pub is_edge: bool,
}

/// The secret of an nkey, which no log shows.
#[derive(Clone)]
pub struct Seed(pub String);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The name of a house on a bus: one word of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseName(String);

impl HouseName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for HouseName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "the name of a house is of letters without accents, digits, - and _, at most 64 of them: \
                 it is one word of a subject, without dots and spaces",
            )
        }
    }
}

/// The options of more machines than one, as typed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "More machines")]
pub struct BusArgs {
    /// NATS servers by which other machines show this house, `nats://NAME:PASSWORD@HOST`, with TLS `tls://…`, several with
    /// commas between; where a secret is in it, better in the file or the environment [default: none].
    #[arg(
        long,
        value_name = "URL,…",
        env = "MANTEL_NATS",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub nats: Option<String>,

    /// A file with the seed of an nkey to log in to the NATS servers with.
    #[arg(
        long,
        value_name = "FILE",
        env = "MANTEL_NATS_NKEY",
        hide_short_help = true
    )]
    pub nats_nkey: Option<PathBuf>,

    /// A file with the certificate of the authority that vouches for the NATS servers, where it is your own.
    #[arg(
        long,
        value_name = "FILE",
        env = "MANTEL_NATS_CA",
        hide_short_help = true
    )]
    pub nats_ca: Option<PathBuf>,

    /// The name of the house on the bus, where there are several [default: home].
    #[arg(
        long,
        value_name = "NAME",
        env = "MANTEL_HOUSE",
        hide_short_help = true
    )]
    pub house: Option<String>,

    /// A file with a secret of 16 bytes or more that all machines of the house have: without it whoever may publish on the bus
    /// can show anything on your screens.
    #[arg(
        long,
        value_name = "FILE",
        env = "MANTEL_HOUSE_KEY",
        hide_short_help = true
    )]
    pub house_key: Option<PathBuf>,

    /// The rights of machines that show this house, as for tokens; each has its own visitors' rights besides
    /// [default: watch,control].
    #[arg(
        long,
        value_name = "LIST",
        env = "MANTEL_EDGE_RIGHTS",
        hide_short_help = true
    )]
    pub edge_rights: Option<String>,

    /// How long an edge shows the last picture when the house is silent, before it says so [default: 30s].
    #[arg(
        long,
        value_name = "DURATION",
        env = "MANTEL_EDGE_SILENT_AFTER",
        hide_short_help = true
    )]
    pub edge_silent_after: Option<String>,
}

/// A secret that is shorter is guessed.
const MIN_SECRET: usize = 16;

impl BusArgs {
    /// These, and where they say nothing those of the file.
    pub(super) fn over(self, file: Self) -> Self {
        Self {
            nats: self.nats.or(file.nats),
            nats_nkey: self.nats_nkey.or(file.nats_nkey),
            nats_ca: self.nats_ca.or(file.nats_ca),
            house: self.house.or(file.house),
            house_key: self.house_key.or(file.house_key),
            edge_rights: self.edge_rights.or(file.edge_rights),
            edge_silent_after: self.edge_silent_after.or(file.edge_silent_after),
        }
    }

    pub(super) fn checked(self, is_edge: bool) -> Result<Option<BusConfig>, ConfigError> {
        let off = |text: &String| text.trim().eq_ignore_ascii_case("off");
        let house = self.house.as_deref().unwrap_or("home");
        let house = house
            .parse()
            .map_err(|error| bad("--house", house, error))?;
        let Some(servers) = self.nats.filter(|text| !off(text)) else {
            if is_edge {
                let sentence = "an edge shows the house of another machine; give --nats nats://HOST, by which that one sends its pictures";
                return Err(ConfigError::Line(sentence.into()));
            }
            return Ok(None);
        };
        // It isn't repeated: it may hold a secret.
        let servers = servers.parse().map_err(|error| bad("--nats", "…", error))?;
        let read = |option: &'static str, path: &PathBuf| {
            let text = std::fs::read(path);
            text.map_err(|error| bad(option, path.display(), format!("it can't be read: {error}")))
        };
        let key = match &self.house_key {
            None => None,
            Some(path) => {
                let secret = read("--house-key", path)?;
                let secret = secret.trim_ascii();
                if secret.len() < MIN_SECRET {
                    let reason = "the secret in it has to have 16 bytes or more, as `openssl rand -hex 32` makes them";
                    return Err(bad("--house-key", path.display(), reason));
                }
                Some(Key::new(secret))
            }
        };
        let nkey = match &self.nats_nkey {
            None => None,
            Some(path) => Some(
                seed(&read("--nats-nkey", path)?)
                    .map_err(|reason| bad("--nats-nkey", path.display(), reason))?,
            ),
        };
        if let Some(path) = &self.nats_ca {
            read("--nats-ca", path)?;
        }
        let rights = self.edge_rights.as_deref().unwrap_or("watch,control");
        let edge_rights = rights
            .parse()
            .map_err(|error| bad("--edge-rights", rights, error))?;
        let silent = self.edge_silent_after.as_deref().unwrap_or("30s");
        let silent = millis("--edge-silent-after", silent)?;
        Ok(Some(BusConfig {
            servers,
            nkey,
            ca: self.nats_ca,
            house,
            key,
            edge_rights,
            silent_after: Duration::from_millis(silent),
            is_edge,
        }))
    }
}

/// The line of a file that is a user's seed.
fn seed(text: &[u8]) -> Result<Seed, &'static str> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim);
    let is_seed = |line: &&str| {
        line.len() == 58
            && line.starts_with("SU")
            && line
                .bytes()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
    };
    let seed = lines.find(is_seed);
    seed.map(|seed| Seed(seed.to_owned()))
        .ok_or("there has to be a line in it with the seed of a user's nkey: SU and 56 more letters and digits")
}

#[cfg(test)]
mod tests {
    use crate::Config;

    fn read(line: &[&str]) -> Result<Config, String> {
        Config::from_args(line.iter().copied()).map_err(|error| error.to_string())
    }

    #[test]
    fn mistakes_get_one_sentence_that_tells_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (short, none) = (file("short", "geheim\n"), file("none", "geheim"));
        for (line, expected) in [
            (
                &["--nats", "mqtt://geheim@a"][..],
                "--nats \"…\": the address of a NATS server",
            ),
            (
                &["--nats", "nats://a", "--house", "my.house"],
                "without dots and spaces",
            ),
            (&["--house", "my house"], "without dots and spaces"),
            (&["--house", ""], "--house"),
            (
                &["--nats", "nats://a", "--house-key", &short],
                "16 bytes or more",
            ),
            (
                &["--nats", "nats://a", "--house-key", "/no/such"],
                "can't be read",
            ),
            (
                &["--nats", "nats://a", "--nats-nkey", &none],
                "a user's nkey",
            ),
            (
                &["--nats", "nats://a", "--edge-rights", "all"],
                "rights are any of",
            ),
            (
                &["--nats", "nats://a", "--edge-silent-after", "soon"],
                "--edge-silent-after",
            ),
        ] {
            let sentence = read(line).unwrap_err();
            assert!(sentence.contains(expected), "{sentence}");
            assert!(!sentence.contains("geheim"), "{sentence}");
        }
    }

    #[test]
    fn a_bus_is_read_and_its_secrets_told_to_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "geheim geheim geheim\n").unwrap();
        assert!(read(&[]).unwrap().bus.is_none());
        assert!(read(&["--nats", "off"]).unwrap().bus.is_none());
        let line = [
            "--nats",
            "nats://anna:geheim@a",
            "--house-key",
            path.to_str().unwrap(),
        ];
        let bus = read(&line).unwrap().bus.unwrap();
        assert_eq!(
            (bus.house.as_str(), bus.servers.to_string().as_str()),
            ("home", "nats://a:4222")
        );
        assert!(bus.key.is_some() && !bus.is_edge);
        assert!(!format!("{bus:?}").contains("geheim"));
    }
}
