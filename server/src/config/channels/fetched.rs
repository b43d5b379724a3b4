//! The settings of channels whose pictures the server itself fetches: cameras, programs, other servers.

use super::{
    super::{ConfigError, bad, whole},
    FileChannel,
};
use crate::{
    fetch::{Credentials, Target, Trust},
    size::SizeError,
    source::live::{Camera, Command, Device, Relay},
};

impl FileChannel {
    pub(super) fn relay(&self, name: &str) -> Result<Relay, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let url = self.url.as_ref().and_then(toml::Value::as_str).ok_or_else(|| {
            let reason =
                "a channel whose source is a relay needs the url of the other server's pictures";
            bad(key("url"), "", reason)
        })?;
        // The text may hold a password: it is not repeated.
        let mut target: Target = url.parse().map_err(|error| bad(key("url"), "", error))?;
        let password = self.password.as_ref().map(|value| value.as_str().ok_or(()));
        match (&self.user, password) {
            (Some(user), Some(Ok(password))) => {
                target = target.with_credentials(Credentials::User {
                    name: user.clone(),
                    password: password.to_owned(),
                });
            }
            (None, None) => {}
            (_, Some(Err(()))) => return Err(bad(key("password"), "", "it has to be a text")),
            _ => return Err(bad(key("user"), "", "user and password belong together")),
        }
        let trust = match (&self.fingerprint, self.insecure) {
            (None, None | Some(false)) => Trust::System,
            (Some(text), None | Some(false)) => {
                let fingerprint = text
                    .parse()
                    .map_err(|reason| bad(key("fingerprint"), text, reason))?;
                Trust::Fingerprint(fingerprint)
            }
            (None, Some(true)) => Trust::Anyone,
            (Some(_), Some(true)) => {
                let reason = "a certificate with a fingerprint is not insecure: one of both";
                return Err(bad(key("insecure"), "true", reason));
            }
        };
        Ok(Relay { target, trust })
    }

    pub(super) fn command(&self, name: &str) -> Result<Command, ConfigError> {
        let words = self.run.as_ref().and_then(words);
        words.and_then(Command::new).ok_or_else(|| {
            let reason = "a command is a list, the program first: \
                          [\"rpicam-vid\", \"-t\", \"0\", \"--codec\", \"mjpeg\", \"-o\", \"-\"]";
            bad(format!("channel.{name}.run"), "", reason)
        })
    }

    pub(super) fn camera(&self, name: &str) -> Result<Camera, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let device: Device = match &self.device {
            Some(toml::Value::String(text)) => text
                .parse()
                .map_err(|reason| bad(key("device"), hidden(text), reason))?,
            _ => {
                let reason =
                    "a camera needs a device, like \"/dev/video0\": `mantel cameras` lists them";
                return Err(bad(key("device"), "", reason));
            }
        };
        let size = match self.size.as_deref() {
            Some(text) => Some(
                text.parse()
                    .map_err(|error: SizeError| bad(key("size"), text, error))?,
            ),
            None => None,
        };
        let fps = whole(&key("fps"), self.fps, 0, 1..=MAX_FPS)?;
        let quality = whole(
            &key("quality"),
            self.quality,
            Camera::QUALITY.into(),
            1..=100,
        )?;
        let input_options = match &self.input_options {
            None => Vec::new(),
            Some(value) => words(value).ok_or_else(|| {
                let reason =
                    "it has to be a list of ffmpeg's options: [\"-rtsp_transport\", \"udp\"]";
                bad(key("input-options"), "", reason)
            })?,
        };
        Ok(Camera {
            device,
            size,
            fps: u32::try_from(fps).ok().filter(|fps| *fps > 0),
            quality: u8::try_from(quality).unwrap_or(Camera::QUALITY),
            input_options,
        })
    }
}

/// The most pictures a second that a camera may be asked for: no more are taken.
const MAX_FPS: usize = 120;

/// The words of a list that has nothing but words in it, of which none holds what can't be printed but at its end.
fn words(value: &toml::Value) -> Option<Vec<String>> {
    let list = value.as_array()?.iter();
    let words = list.map(|word| Some(word.as_str()?.trim_end_matches(['\r', '\n']).to_owned()));
    let words: Vec<String> = words.collect::<Option<_>>()?;
    let is_clean = |word: &String| !word.contains(char::is_control);
    words.iter().all(is_clean).then_some(words)
}

/// A device as an error may quote it: of one with an address its beginning, since it may hold a password anywhere.
fn hidden(device: &str) -> &str {
    match device.find("://") {
        Some(at) => &device[..at + 3],
        None if device.contains('@') => "",
        None => device,
    }
}
