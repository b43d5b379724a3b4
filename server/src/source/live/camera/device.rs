//! The devices of cameras, as people write them.

use std::{fmt, str::FromStr};

/// Something that ffmpeg opens.
#[derive(Clone, PartialEq, Eq)]
pub enum Device {
    /// A camera of this machine's, by its path.
    V4l2(String),
    /// The screen of an X display; none named: the one that programs are started on.
    Screen(String),
    /// An input of one of ffmpeg's devices, of this format.
    Format {
        /// The format's name.
        name: &'static str,
        /// The input.
        input: String,
    },
    /// An address in a network.
    Url(Url),
}

/// An address in a network, whose parts are told apart to know the secret ones.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// All of it.
    pub(super) text: String,
    /// `rtsp`, `http` and so on.
    pub(super) scheme: &'static str,
    /// The user and password.
    user: Option<String>,
    /// The host, and the port if one is named.
    host: String,
    /// The text behind `?`: tokens and passwords stand there, too.
    query: Option<String>,
}

/// Formats by whose name and a colon an input is meant.
const FORMATS: [&str; 6] = [
    "avfoundation",
    "dshow",
    "fbdev",
    "gdigrab",
    "kmsgrab",
    "lavfi",
];

const SCHEMES: [&str; 10] = [
    "http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp",
];

/// The longest device: what hides secrets in long lines counts on it.
const MAX_BYTES: usize = 2000;

impl FromStr for Device {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES || text.contains(char::is_control) {
            return Err("it is too long, or holds what can't be printed");
        }
        if text == "screen" {
            return Ok(Self::Screen(String::new()));
        }
        if text.starts_with(':') {
            return Ok(Self::Screen(text.to_owned()));
        }
        if text.starts_with("/dev/") {
            return Ok(Self::V4l2(text.to_owned()));
        }
        if text.contains("://") {
            return text.parse().map(Self::Url);
        }
        let known = "it has to be like /dev/video0 (`mantel cameras` lists them), rtsp://HOST/…, http://HOST/…, \
                     screen, :0.0 or lavfi:testsrc2";
        let (name, input) = text.split_once(':').ok_or(known)?;
        let name = FORMATS.into_iter().find(|format| *format == name);
        let name = name.filter(|_| !input.is_empty()).ok_or(known)?;
        let input = input.to_owned();
        Ok(Self::Format { name, input })
    }
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = "cameras in a network are reached by rtsp, rtsps, http, https, rtmp, rtmps, rtp, srt, tcp or udp";
        let (scheme, rest) = text.split_once("://").ok_or(unknown)?;
        let scheme = SCHEMES.into_iter().find(|known| *known == scheme);
        let scheme = scheme.ok_or(unknown)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        // Behind the last bracket: those of IPv6 hold colons of their own.
        let port = host.rsplit(']').next().and_then(|end| end.split_once(':'));
        if port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err("in a password / is written %2F, ? %3F, # %23 and @ %40");
        }
        if host.is_empty() && scheme != "udp" && scheme != "srt" {
            return Err("it names no host");
        }
        let query = behind.split_once('?').map(|(_, query)| query.to_owned());
        Ok(Self {
            text: text.to_owned(),
            scheme,
            user,
            host: host.to_owned(),
            query,
        })
    }
}

impl Url {
    /// Whether others must not read it.
    pub(super) fn is_secret(&self) -> bool {
        self.user.is_some() || self.query.is_some()
    }
}

impl Device {
    /// The parts that nobody is to read.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Self::Url(url) = self else {
            return Vec::new();
        };
        let mut secrets: Vec<String> = Vec::new();
        if let Some(user) = &url.user {
            secrets.push(user.clone());
            // Without a colon it is a token, and hidden whole.
            secrets.extend(
                user.split_once(':')
                    .map(|(_, password)| password.to_owned()),
            );
        }
        if let Some(query) = &url.query {
            let pairs = form_urlencoded::parse(query.as_bytes());
            // Which are secret nobody knows; short ones, like channel=1, stand in every second line.
            secrets.extend(
                pairs
                    .map(|(_, value)| value.into_owned())
                    .filter(|value| value.len() >= 4),
            );
            secrets.push(query.clone());
        }
        let as_typed: Vec<String> = secrets
            .iter()
            .map(|secret| {
                let form = format!("x={}", secret.replace('+', "%2B"));
                let mut pairs = form_urlencoded::parse(form.as_bytes());
                pairs
                    .next()
                    .map_or_else(String::new, |(_, value)| value.into_owned())
            })
            .collect();
        secrets.extend(as_typed);
        secrets
    }
}

impl fmt::Display for Device {
    /// The words for it in a sentence, without a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4l2(path) => f.write_str(path),
            Self::Screen(display) if display.is_empty() => f.write_str("the screen"),
            Self::Screen(display) => write!(f, "the screen {display}"),
            Self::Format { name, input } => write!(f, "{name}:{input}"),
            Self::Url(url) => write!(f, "{}://{}", url.scheme, url.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_apart() {
        for (text, told) in [
            ("/dev/video0", "/dev/video0"),
            (
                "/dev/v4l/by-id/usb-Cam-index0",
                "/dev/v4l/by-id/usb-Cam-index0",
            ),
            ("screen", "the screen"),
            (":0.0", "the screen :0.0"),
            (
                "lavfi:testsrc2=size=64x48:rate=5",
                "lavfi:testsrc2=size=64x48:rate=5",
            ),
            (
                "rtsp://joe:geheim@10.0.0.7:554/live?token=abcd",
                "rtsp://10.0.0.7:554",
            ),
            ("http://[fe80::1]/video", "http://[fe80::1]"),
            ("http://u:p@[fe80::1]:81/", "http://[fe80::1]:81"),
        ] {
            assert_eq!(
                text.parse::<Device>().map(|device| device.to_string()),
                Ok(told.into())
            );
        }
        for text in [
            "",
            "video0",
            "oracle:x",
            "lavfi:",
            "gopher://host/",
            "rtsp://",
            "rtsp://u:p/w@host/",
            "http://host/\nfile",
        ] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_urls_secrets_are_its_password_and_its_query() {
        let secrets = |text: &str| text.parse::<Device>().map(|device| device.secrets());
        assert_eq!(secrets("http://host/video"), Ok(vec![]));
        let found = secrets("http://joe:se%27cret@host/v?user=joe&pwd=12345").unwrap();
        for secret in [
            "joe:se%27cret",
            "se%27cret",
            "se'cret",
            "12345",
            "user=joe&pwd=12345",
        ] {
            assert!(found.contains(&secret.to_owned()), "{secret}: {found:?}");
        }
        assert!(!found.contains(&"joe".to_owned()));
    }
}
