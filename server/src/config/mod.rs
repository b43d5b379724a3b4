//! The configuration: from the text that was typed to values that have been checked.
//!
//! `Args` and `FileConfig` hold text; [`Config`] holds values that have been checked, and all
//! checking happens here. Settings are read from the environment here alone. Beside them, `main` reads how much
//! is logged, `dirs` the platform's folders, `net::host` this machine's name and `net::listen` what systemd
//! hands over.

mod access;
mod args;
mod bus;
mod channels;
mod choice;
mod error;
mod file;
mod folders;
mod given;
mod house;
mod ice;
mod invocation;
mod library;
mod limits;
mod memory;
mod page;
mod push;
mod secrets;
mod values;
mod webrtc;

use std::{
    ffi::OsString,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

pub use access::{Access, AccessArgs, Listen, LogFormat, Tls};
pub use args::{Args, Command, PasswordArgs, PlaceArgs, TokenCommand};
pub use bus::{BusArgs, BusConfig, HouseName, Seed};
use channels::FileChannel;
pub use channels::{ChannelConfig, SourceConfig};
pub use error::ConfigError;
use error::bad;
use file::FileConfig;
use folders::check_folder;
pub use house::{HouseArgs, MqttConfig};
pub use ice::IceServer;
pub use invocation::{Invocation, LibraryTask};
pub use library::LibraryArgs;
use limits::Costs;
pub use limits::{LimitArgs, Limits};
pub use page::{NoPage, Page};
pub use push::{Pictures, PushArgs, PushTask};
pub use secrets::{PasswordTask, TokenAction, TokenTask};
use values::{DEFAULT_PAUSE_MILLIS, millis, resume_after, whole};
pub use webrtc::WebRtc;

use crate::{
    dirs::Dirs,
    library::{Clips, Filter, Reach},
    photo::Order,
    render::{Fit, Quality},
    rendition::{Captions, EncoderChoice, Fps, Pair, Rendition, Wishes},
    rights::ChannelName,
    size::Size,
    source::{clips::ClipMode, live::Words},
    timeline::{
        Often, Settings, Transition,
        night::{Plan, Position},
    },
};

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folders of photos, none for the demo. They existed when this was made.
    pub folders: Vec<PathBuf>,
    /// How far a look through them reaches.
    pub reach: Reach,
    /// How clips are shown.
    pub clips: ClipMode,
    /// For how long one plays at most, in milliseconds.
    pub clip_millis: u32,
    /// The encoder of video.
    pub encoder: EncoderChoice,
    /// The addresses and paths to listen on; at least one.
    pub listen: Vec<Listen>,
    /// Whether `listen` is the default; then sockets that systemd hands over take its place.
    pub listens_by_default: bool,
    /// Interval and transition.
    pub timeline: Settings,
    /// The milliseconds after which a pause ends by itself, if it does.
    pub resume_after: Option<NonZeroU64>,
    /// The order of photos.
    pub order: Order,
    /// The photos that come more often in a shuffle.
    pub often: Often,
    /// The choice of photos that are shown.
    pub filter: Filter,
    /// The words that are written on the gallery's pictures.
    pub words: Option<Words>,
    /// When the pictures are darkened.
    pub night: Option<Plan>,
    /// Where the sun is looked for, if it is known.
    pub position: Option<Position>,
    /// The broker that is told of the house, if one is.
    pub mqtt: Option<MqttConfig>,
    /// The bus by which the house's pictures come to other machines, or from one, if there is one.
    pub bus: Option<BusConfig>,
    /// The name that the house is told, if one is.
    pub mdns: Option<String>,
    /// The live channels.
    pub channels: Vec<ChannelConfig>,
    /// Whether a push makes the channel that it names.
    pub push_creates: bool,
    /// A shuffle fixed by the user.
    pub seed: Option<u64>,
    /// The rendition for a client that asks for nothing in particular.
    pub rendition: Rendition,
    /// The folders of index and state.
    pub dirs: Dirs,
    /// The options of who may watch.
    pub access: Access,
    /// How much one connection, or one address, may take.
    pub limits: Limits,
    /// The largest body of a `POST`, in bytes.
    pub max_body: u64,
    /// How many renditions are produced at once.
    pub max_renditions: usize,
    /// How much memory photos may take while they are decoded.
    pub decode_memory_bytes: u64,
    /// How much memory old frames may take that slow viewers have not read yet.
    pub slow_viewer_bytes: usize,
    /// Whether formats other than JPEG are decoded in a process of their own.
    pub decoder_process: bool,
    /// How long a viewer may take no byte, while there is something to send, before it is cut off.
    pub stall_timeout: std::time::Duration,
    /// Whether a viewer that keeps missing frames gets a rendition of fewer bytes.
    pub step_down: bool,
    /// Where WebRTC is spoken.
    pub webrtc: WebRtc,
    /// The servers that viewers of WebRTC are told of.
    pub ice_servers: Vec<IceServer>,
    /// How the log is written.
    pub log: LogFormat,
}

impl Config {
    /// Reads a command line without the program's name, the environment, and the file they name.
    pub fn from_args(
        line: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, ConfigError> {
        Self::resolve(Args::parse_line(line)?)
    }

    /// Checks what was typed; the command line wins over the file.
    pub fn resolve(args: Args) -> Result<Self, ConfigError> {
        let mut file = read_file(args.config.as_deref())?;
        let filter = args.choice.over(file.choice())?;
        let main = file.channel.remove(ChannelName::MAIN);
        let main = main.map(FileChannel::of_gallery).transpose()?;
        let (words, main_night) = main.unwrap_or_default();
        if let (Some(text), Some(_)) = (&main_night, &file.night) {
            let reason = "it stands at the top of the file as well: one of both";
            return Err(bad("channel.main.night", text, reason));
        }
        let channels = std::mem::take(&mut file.channel).into_iter();
        let position = args.position.or(file.position.take());
        let position = values::position(position.as_deref())?;
        let channels = channels.map(|(name, channel)| channel.checked(&name, position));
        let channels = channels.collect::<Result<Vec<_>, _>>()?;
        let access = args.access.over(file.access()).checked()?;
        let limit_args = args.limits.over(file.limits());
        let (limits, costs) = limit_args.checked()?;
        let encoder = limit_args.encoder()?;
        let clip_millis = limit_args.clip_millis()?;
        let ice_servers = limit_args.ice_servers()?;
        let Costs {
            max_body,
            max_renditions,
            decode_memory_bytes,
            slow_viewer_bytes,
            decoder_process,
            step_down,
            webrtc,
        } = costs;
        let house = args.house.over(file.house());
        let mdns = house.name(args.edge)?;
        let mqtt = house.checked()?;
        let bus = args.bus.over(file.bus()).checked(args.edge)?;
        let is_typed = !args.listen.is_empty() || args.port.is_some();
        let (listen, port) = if is_typed {
            (&args.listen, args.port)
        } else {
            (&file.listen.0, file.port)
        };
        let listens_by_default = listen.is_empty() && port.is_none();
        let listen = access::listen_on(listen, port)?;

        let interval = args
            .interval
            .or(file.interval)
            .unwrap_or_else(|| "10s".into());
        let interval_millis = millis("--interval", &interval)?;
        if interval_millis < MIN_INTERVAL_MILLIS {
            return Err(bad(
                "--interval",
                &interval,
                "a photo has to stay for at least 100ms",
            ));
        }
        let resume_after = match args.resume_after.or(file.resume_after) {
            Some(text) => resume_after("--resume-after", &text)?,
            None => Some(DEFAULT_PAUSE_MILLIS),
        };
        let often = values::often(
            args.favour.or(file.favour),
            args.memories.or(file.memories).as_deref(),
            args.fresh.or(file.fresh).as_deref(),
        )?;
        let night = args.night.or(main_night).or(file.night);
        let night = values::night("--night", night.as_deref(), position)?;
        let number = |number: i64| number.to_string();
        let mut wishes = Wishes::default();
        for (key, typed, in_file) in [
            ("size", args.size, file.size),
            ("fit", args.fit.map(|fit| fit.to_string()), file.fit),
            (
                "quality",
                args.quality.map(number),
                file.quality.map(number),
            ),
            ("bitrate", limit_args.bitrate, None),
            ("gop", limit_args.gop, None),
            ("fps", args.fps.map(number), file.fps.map(number)),
            ("transition", args.transition, file.transition),
            ("pair", args.pair, file.pair),
            ("caption", args.caption, file.caption),
        ] {
            if let Some(text) = typed.or(in_file) {
                wishes
                    .set(key, &text, interval_millis)
                    .map_err(|error| bad(format!("--{key}"), &text, error))?;
            }
        }
        let size = wishes.size().unwrap_or(DEFAULT_SIZE);
        // The default gives way to a short interval; a wish does not.
        let transition = wishes.transition().unwrap_or(Transition::Crossfade {
            millis: 1000.min(interval_millis / 2) as u32,
        });
        let default = Rendition {
            size,
            fit: Fit::Blur,
            quality: Quality::default(),
            bitrate: None,
            gop: None,
            fps: Fps(20),
            transition,
            pair: Pair::of(size),
            captions: Captions::default(),
            note: true,
        };
        let folders = if args.folders.is_empty() {
            file.folders.unwrap_or_default()
        } else {
            args.folders
        };
        for folder in &folders {
            check_folder(folder)?;
        }
        Ok(Self {
            folders,
            reach: Reach {
                follow_links: args.follow_links || file.follow_links,
                left_out: args.show_left_out || file.show_left_out,
                // Whether there are programs for them is seen when the program starts.
                clips: Clips::Off,
            },
            clips: limit_args.clips.unwrap_or_default(),
            clip_millis,
            encoder,
            listen,
            listens_by_default,
            timeline: Settings {
                interval_millis,
                transition,
            },
            resume_after,
            order: args.order.or(file.order).unwrap_or(Order::Shuffle),
            often,
            filter,
            words,
            night,
            position,
            mqtt,
            bus,
            mdns,
            channels,
            push_creates: args.push_creates || file.push_creates,
            seed: args.seed.or(file.seed),
            rendition: wishes.over(&default, size),
            dirs: Dirs::new(args.data_dir.or(file.data_dir)),
            access,
            limits,
            max_body,
            max_renditions,
            decode_memory_bytes,
            slow_viewer_bytes,
            decoder_process,
            stall_timeout: limits.stall_timeout,
            step_down,
            webrtc,
            ice_servers,
            log: args.log.or(file.log).unwrap_or_default(),
        })
    }
}

fn read_file(path: Option<&Path>) -> Result<FileConfig, ConfigError> {
    path.map(FileConfig::read)
        .transpose()
        .map(Option::unwrap_or_default)
}

/// Full HD: what most screens are, and what old ones can still decode.
const DEFAULT_SIZE: Size = Size {
    width: 1920,
    height: 1080,
};

/// Shorter than this is a strobe light, and more work than a home server should do.
const MIN_INTERVAL_MILLIS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(line: &[&str]) -> Result<Config, ConfigError> {
        Config::from_args(line.iter().copied())
    }

    fn complaint(line: &[&str]) -> (String, u8) {
        let error = config(line).unwrap_err();
        (error.to_string(), error.exit_code())
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = config(&[]).unwrap();
        assert_eq!(config.timeline.interval_millis, 10_000);
        assert_eq!(
            config.timeline.transition,
            Transition::Crossfade { millis: 1000 }
        );
        assert_eq!(
            config.rendition.size,
            Size {
                width: 1920,
                height: 1080
            }
        );
        assert_eq!(config.order, Order::Shuffle);
        assert_eq!(config.listen.len(), 1);
        assert_eq!(config.listen[0].to_string(), "0.0.0.0:8080");
        assert_eq!(config.access.tls, Tls::Off);
        assert_eq!(config.limits.max_connections, 2048);
        assert_eq!((config.max_renditions, config.step_down), (12, true));
        assert_eq!(config.stall_timeout.as_secs(), 60);
    }

    #[test]
    fn mistakes_get_one_sentence_and_a_code() {
        let cases: [(&[&str], &str, u8); 13] = [
            (
                &["--night", "22:30"],
                "--night \"22:30\": in \"22:30\" there has",
                2,
            ),
            (&["--night", "sunset-06:30"], "--position", 2),
            (
                &["--position", "-91,0"],
                "--position \"-91,0\": a latitude",
                2,
            ),
            (
                &["--interval", "1s", "--transition", "2s"],
                "can't be longer than the interval of 1s",
                2,
            ),
            (&["--interval", "0s"], "at least 100ms", 2),
            (&["--size", "0x0"], "--size \"0x0\"", 2),
            (&["--size", "100000x100000"], "--size \"100000x100000\"", 2),
            (&["--quality", "101"], "from 1 to 100", 2),
            (&["--fps", "-1"], "--fps", 2),
            (&["--fit", "stretch"], "stretch", 2),
            (
                &["--pair", "maybe"],
                "--pair \"maybe\": it has to be on, own, wide, upright or off",
                2,
            ),
            (&["/no/such/folder"], "there is no such folder", 1),
            (
                &["--config", "/no/such/file"],
                "can't read the configuration file",
                1,
            ),
        ];
        for (line, expected, code) in cases {
            let (text, exit_code) = complaint(line);
            assert!(text.contains(expected), "{line:?}: {text}");
            assert_eq!(exit_code, code, "{line:?}");
        }
    }

    #[test]
    fn folders_that_are_none_get_a_hint() {
        for (path, hint) in [
            ("scna", "did you mean scan?"),
            ("smb://nas/photos", "mount the share first"),
            ("nfs://nas/photos", "mount the share first"),
            ("file:///photos", "the folder's path alone: /photos"),
            ("pictures-of-1999", "check the spelling"),
        ] {
            let (text, code) = complaint(&[path]);
            assert!(text.contains(hint), "{text}");
            assert_eq!(code, 1);
        }
    }

    #[test]
    fn a_port_is_enough() {
        let where_to = |line: &[&str]| config(line).unwrap().listen[0].to_string();
        assert_eq!(where_to(&["--port", "9000"]), "0.0.0.0:9000");
        assert!(!config(&["--port", "9000"]).unwrap().listens_by_default);
        for (line, expected) in [
            (&["--port", "80000"][..], "80000 is too large"),
            (&["--port", "-1"], "--port"),
            (&["--port", "90", "--listen", "1.2.3.4:80"], "one of both"),
        ] {
            let (text, code) = complaint(line);
            assert!(text.contains(expected) && code == 2, "{text}");
        }
    }

    #[test]
    fn the_file_takes_what_the_command_line_takes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantel.toml");
        let text = "interval = 8\ntransition = 0.5\npair = false\nstep-down = true\nport = 9000\n\
                    stall-timeout = 30\nalbum = \"Rome\"\nrating = 4\n";
        std::fs::write(&path, text).unwrap();
        let config = config(&["--config", path.to_str().unwrap()]).unwrap();
        assert_eq!(config.timeline.interval_millis, 8000);
        assert_eq!(
            config.timeline.transition,
            Transition::Crossfade { millis: 500 }
        );
        assert!(config.rendition.pair == Pair::Off && config.step_down);
        assert_eq!(config.listen[0].to_string(), "0.0.0.0:9000");
        assert_eq!(config.stall_timeout.as_secs(), 30);
    }

    #[test]
    fn help_is_in_groups_and_ends_with_examples() {
        let help = |flag: &str| {
            let line = [flag].into_iter();
            match Invocation::from_args(line).unwrap_err() {
                ConfigError::Usage(error) => error.render().to_string(),
                other => panic!("{other}"),
            }
        };
        let (short, long) = (help("-h"), help("--help"));
        for heading in [
            "Pictures:",
            "Server:",
            "Which photos:",
            "Limits:",
            "Examples:",
        ] {
            assert!(long.contains(heading), "{heading} is missing: {long}");
        }
        assert!(short.lines().count() <= 65, "{short}");
        assert!(short.contains("--interval") && !short.contains("--max-head"));
    }

    #[test]
    fn a_short_interval_shortens_the_default_crossfade() {
        let config = config(&["--interval", "500ms"]).unwrap();
        assert_eq!(
            config.timeline.transition,
            Transition::Crossfade { millis: 250 }
        );
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantel.toml");
        std::fs::create_dir(dir.path().join("photos")).unwrap();
        std::fs::write(
            &path,
            "folders = [\"photos\"]\ninterval = \"8s\"\nquality = 70\norder = \"newest\"\n",
        )
        .unwrap();
        let config = config(&["--config", path.to_str().unwrap(), "--interval", "9s"]).unwrap();
        assert_eq!(config.timeline.interval_millis, 9000);
        assert_eq!(config.rendition.quality, Quality::new(70).unwrap());
        assert_eq!(config.order, Order::Newest);
        assert_eq!(config.folders, [dir.path().join("photos")]);
    }
}
