//! `mantel push`, checked.

use std::{io::IsTerminal as _, path::PathBuf, time::Duration};

use super::{ConfigError, bad, millis};
use crate::{
    fetch::{Credentials, Target, Trust},
    rights::ChannelName,
};

/// The options of `mantel push`.
#[derive(Clone, Debug, clap::Args)]
pub struct PushArgs {
    /// The channel to send to.
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Pictures, sent one after another; or one folder, of which each new or changed picture is sent when it is whole;
    /// or - for standard input, which may hold MJPEG in any dialect [default: - unless that is a terminal].
    #[arg(value_name = "FILE|FOLDER|-")]
    pub what: Vec<PathBuf>,

    /// The server's address; a name and a password may stand in it: `https://anna:secret@frame.local`.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://localhost:8080",
        env = "MANTEL_TO",
        hide_env_values = true
    )]
    pub to: String,

    /// A token that may push, if the server wants one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MANTEL_TOKEN",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub token: Option<String>,

    /// The time between two files [default: none].
    #[arg(long, value_name = "SPAN")]
    pub every: Option<String>,

    /// The rule for pictures that come faster than they can be sent and shown: the newest wins, or all wait for their
    /// turn [default: newest for standard input, wait for files].
    #[arg(long, value_name = "newest|wait")]
    pub when_full: Option<String>,

    /// The SHA-256 of the server's certificate, as the server prints it when it made that itself.
    #[arg(long, value_name = "SHA256", conflicts_with = "insecure")]
    pub fingerprint: Option<String>,

    /// Takes any certificate: nobody can listen in, but who it is that gets the pictures is not known.
    #[arg(long)]
    pub insecure: bool,
}

/// A checked wish to push.
#[derive(Clone, Debug)]
pub struct PushTask {
    /// The channel to send to.
    pub name: ChannelName,
    /// The pictures to send.
    pub what: Pictures,
    /// The server's address, with credentials where there are some.
    pub to: Target,
    /// The rule by which its certificate is believed.
    pub trust: Trust,
    /// The time between two files.
    pub every: Duration,
    /// Whether each picture waits for its turn; else the newest wins.
    pub waits: bool,
}

/// The pictures that are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// Those in these files, in their order.
    Files(Vec<PathBuf>),
    /// Each new or changed one in this folder.
    Folder(PathBuf),
    /// Those that come from standard input.
    Input,
}

impl PushTask {
    pub(super) fn resolve(args: PushArgs) -> Result<Self, ConfigError> {
        let name = args.name.parse();
        let name = name.map_err(|reason| bad("NAME", &args.name, reason))?;
        // Neither the address nor the token is repeated: they may hold secrets.
        let to: Target = args.to.parse().map_err(|reason| bad("--to", "…", reason))?;
        let to = match args.token {
            Some(token) => to.with_credentials(Credentials::Token(token)),
            None => to,
        };
        if to.credentials().is_some() && to.authorization().is_none() {
            let reason = "a name, a password or a token has no line breaks";
            return Err(bad("--token", "…", reason));
        }
        let what = pictures(args.what)?;
        let waits = match args.when_full.as_deref() {
            None => what != Pictures::Input,
            Some("wait") => true,
            Some("newest") => false,
            Some(other) => {
                return Err(bad("--when-full", other, "it has to be newest or wait"));
            }
        };
        let every = args.every.as_deref().map(|text| millis("--every", text));
        let trust = match args.fingerprint.as_deref() {
            Some(text) => {
                let fingerprint = text.parse();
                let fingerprint =
                    fingerprint.map_err(|reason| bad("--fingerprint", text, reason))?;
                Trust::Fingerprint(fingerprint)
            }
            None if args.insecure => Trust::Anyone,
            None => Trust::System,
        };
        Ok(Self {
            name,
            what,
            to,
            trust,
            every: Duration::from_millis(every.transpose()?.unwrap_or(0)),
            waits,
        })
    }
}

fn pictures(what: Vec<PathBuf>) -> Result<Pictures, ConfigError> {
    let is_input = |path: &PathBuf| path.as_os_str() == "-";
    match &what[..] {
        [] if std::io::stdin().is_terminal() => Err(ConfigError::Line(
            "there is nothing to send: name files or a folder, or pipe pictures in".into(),
        )),
        [] => Ok(Pictures::Input),
        [only] if is_input(only) => Ok(Pictures::Input),
        [only] if only.is_dir() => Ok(Pictures::Folder(only.clone())),
        several => match several.iter().find(|path| is_input(path) || path.is_dir()) {
            Some(path) => Err(ConfigError::Line(format!(
                "{} has to stand alone: it goes on, and nothing would come after it",
                path.display()
            ))),
            None => Ok(Pictures::Files(what)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invocation;

    fn task(line: &[&str]) -> Result<PushTask, ConfigError> {
        match Invocation::from_args([&["push"], line].concat())? {
            Invocation::Push(task) => Ok(task),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_wait_for_their_turn_and_input_is_as_new_as_can_be() {
        let files = task(&["plot", "a.jpg", "b.jpg", "--every", "2s"]).unwrap();
        let paths = vec!["a.jpg".into(), "b.jpg".into()];
        assert_eq!(files.what, Pictures::Files(paths));
        assert_eq!((files.waits, files.every.as_secs()), (true, 2));
        assert_eq!(files.to.to_string(), "http://localhost:8080/");
        let input = task(&["plot", "-", "--to", "https://anna:secret@frame.local/m"]).unwrap();
        assert_eq!((&input.what, input.waits), (&Pictures::Input, false));
        assert!(!format!("{input:?}").contains("secret"));
        assert!(task(&["plot", "-", "--when-full", "wait"]).unwrap().waits);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        assert_eq!(
            task(&["plot", path]).unwrap().what,
            Pictures::Folder(path.into())
        );
        assert!(task(&["plot", path, "a.jpg"]).is_err());
        let token = task(&["plot", "-", "--token", "abc", "--insecure"]).unwrap();
        assert_eq!(token.trust, Trust::Anyone);
        assert_eq!(token.to.authorization().unwrap(), "Bearer abc");
        // One token in sixty-four begins so.
        let token = task(&["plot", "-", "--token", "-9abc"]).unwrap();
        assert_eq!(token.to.authorization().unwrap(), "Bearer -9abc");
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_a_secret() {
        for (line, names) in [
            (&["Plot", "-"][..], "channel's name"),
            (&["plot", "-", "--to", "anna:secret@frame.local"], "--to"),
            (&["plot", "-", "--token", "secret\n"], "--token"),
            (&["plot", "-", "--when-full", "now"], "newest or wait"),
            (&["plot", "-", "--every", "soon"], "--every"),
            (
                &["plot", "-", "--fingerprint", "12"],
                "64 hexadecimal digits",
            ),
            (&["plot", "-", "a.jpg"], "stand alone"),
        ] {
            let error = task(line).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
