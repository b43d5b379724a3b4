//! The options, as typed on the command line or set in the environment.

use std::{ffi::OsString, path::PathBuf};

use clap::{CommandFactory, FromArgMatches};

use super::{
    access::{AccessArgs, LogFormat},
    bus::BusArgs,
    choice::ChoiceArgs,
    house::HouseArgs,
    library::LibraryArgs,
    limits::LimitArgs,
    push::PushArgs,
};
use crate::{photo::Order, render::Fit};

const PICTURES: &str = "Pictures";
const SERVER: &str = "Server";

const EXAMPLES: &str = "\
Examples:
  mantel ~/Pictures                           all photos, on http://this-machine:8080/
  mantel --interval 30s --caption all ~/Pictures
  mantel --album 'Holidays/*' --rating 4 ~/Pictures
  mantel --port 9000 --order newest ~/Pictures /mnt/nas/photos
  mantel --config mantel.toml                 options from a file
  mantel scan ~/Pictures                      what can't be shown, and why
  mantel token new living-room                nobody watches without a link any more
  mantel push plot plot.png                   to the channel plot of a server that runs

Every option can also stand in the environment (--quality 90 is MANTEL_QUALITY=90) or, by the same
name, in the file of --config (quality = 90); only --log is MANTEL_LOG_FORMAT there. The command line wins over the environment, the
environment over the file.";

/// Streams a folder of photos, as video, to every screen in the house.
///
/// Open the printed address on a TV, tablet or computer; put `<img src="http://…/stream">` in a
/// page; or open http://…/stream in VLC. Without a folder it shows eight pictures of its own.
#[derive(Debug, Default, clap::Parser)]
#[command(name = "mantel", version, about, long_about, max_term_width = 100)]
#[command(
    after_help = "mantel --help tells more, with all options and examples.",
    after_long_help = EXAMPLES
)]
#[command(
    subcommand_value_name = "COMMAND",
    subcommand_help_heading = "Commands"
)]
pub struct Args {
    /// A task to do in place of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Folders of photos; all folders below them are searched too.
    #[arg(value_name = "FOLDER")]
    pub folders: Vec<PathBuf>,

    /// Follow links that lead out of the folders; without this only those that stay inside.
    #[arg(long, hide_short_help = true, env = "MANTEL_FOLLOW_LINKS")]
    pub follow_links: bool,

    /// Show what is left out: other programs' folders, copies, twins, hidden files, folders with a .nomedia.
    #[arg(long, hide_short_help = true, env = "MANTEL_SHOW_LEFT_OUT")]
    pub show_left_out: bool,

    /// How long each photo stays: 500ms, 8s, 2m [default: 10s].
    #[arg(long, value_name = "DURATION", env = "MANTEL_INTERVAL", help_heading = PICTURES)]
    pub interval: Option<String>,

    /// How long a pause lasts until it ends by itself, or "never" [default: 1h].
    #[arg(
        long,
        value_name = "DURATION|never",
        env = "MANTEL_RESUME_AFTER",
        help_heading = PICTURES,
        hide_short_help = true
    )]
    pub resume_after: Option<String>,

    /// When the pictures are darkened: 22:30-06:30, or several slots with days and how dark [default: off].
    ///
    /// Slots have commas between: "mon-fri 22:30-06:30 dim 20%, sat+sun sunset+1h-08:00 black". A slot may say dim with
    /// the light that is left (15% otherwise), black, or clock for a dark clock. /control has night and wake by hand.
    #[arg(long, value_name = "PLAN|off", env = "MANTEL_NIGHT", help_heading = PICTURES)]
    pub night: Option<String>,

    /// Where the sun of --night sets: latitude and longitude in degrees.
    #[arg(
        long,
        value_name = "LAT,LON",
        env = "MANTEL_POSITION",
        help_heading = PICTURES,
        hide_short_help = true,
        allow_hyphen_values = true
    )]
    pub position: Option<String>,

    /// Length of the crossfade, or "cut" [default: 1s].
    #[arg(long, value_name = "DURATION|cut", env = "MANTEL_TRANSITION", help_heading = PICTURES)]
    pub transition: Option<String>,

    /// The order of the photos [default: shuffle].
    #[arg(long, env = "MANTEL_ORDER", help_heading = PICTURES)]
    pub order: Option<Order>,

    /// How often favourites come in a shuffle, while others come once [default: 1].
    #[arg(
        long,
        value_name = "1..10",
        env = "MANTEL_FAVOUR",
        help_heading = PICTURES,
        hide_short_help = true,
        allow_negative_numbers = true
    )]
    pub favour: Option<i64>,

    /// The share of a shuffle that photos of this day in earlier years have: 20% [default: 0%].
    #[arg(long, value_name = "SHARE", env = "MANTEL_MEMORIES", help_heading = PICTURES, hide_short_help = true)]
    pub memories: Option<String>,

    /// Photos that came into the library within this time come first in each round of a shuffle: 14d [default: off].
    #[arg(long, value_name = "DAYS", env = "MANTEL_FRESH", help_heading = PICTURES, hide_short_help = true)]
    pub fresh: Option<String>,

    /// How a photo fills the picture: whole (contain), filling (cover), or whole over a blurred
    /// copy of itself (blur) [default: blur].
    #[arg(long, value_name = "contain|cover|blur", env = "MANTEL_FIT", help_heading = PICTURES)]
    pub fit: Option<Fit>,

    /// Show two portraits side by side where two of a day or of an album are at hand [default: on].
    ///
    /// All screens show the same two. With an upright --size these are two landscapes, one above
    /// the other. With own each screen pairs what it has room for, and then shows other photos than
    /// the others.
    #[arg(long, value_name = "on|own|off", env = "MANTEL_PAIR", help_heading = PICTURES)]
    pub pair: Option<String>,

    /// The words to write on the pictures, where known: all, or any of date,place,album,text
    /// [default: off].
    #[arg(long, value_name = "off|all|LIST", env = "MANTEL_CAPTION", help_heading = PICTURES)]
    pub caption: Option<String>,

    /// Size of the pictures for clients that don't ask for one [default: 1920x1080].
    #[arg(
        long,
        value_name = "WxH",
        env = "MANTEL_SIZE",
        help_heading = PICTURES,
        hide_short_help = true
    )]
    pub size: Option<String>,

    /// JPEG quality, 1 to 100 [default: 85].
    #[arg(
        long,
        value_name = "1..100",
        allow_negative_numbers = true,
        env = "MANTEL_QUALITY",
        help_heading = PICTURES,
        hide_short_help = true
    )]
    pub quality: Option<i64>,

    /// Frames per second while something moves, 1 to 60 [default: 20].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        env = "MANTEL_FPS",
        help_heading = PICTURES,
        hide_short_help = true
    )]
    pub fps: Option<i64>,

    /// The number that fixes the shuffle; without it one is drawn and kept in the data directory.
    #[arg(
        long,
        value_name = "N",
        env = "MANTEL_SEED",
        help_heading = PICTURES,
        hide_short_help = true
    )]
    pub seed: Option<u64>,

    /// The port to listen on, on all addresses of this machine [default: 8080].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        env = "MANTEL_PORT",
        help_heading = SERVER
    )]
    pub port: Option<i64>,

    /// An address and port to listen on (`localhost:8080`, `[::]:8080` for IPv6), or `unix:/path`;
    /// port 0 takes a free one; may be given more than once [default: 0.0.0.0:8080].
    #[arg(
        long,
        value_name = "ADDR:PORT",
        value_delimiter = ',',
        env = "MANTEL_LISTEN",
        help_heading = SERVER
    )]
    pub listen: Vec<String>,

    /// A push to a channel that is not configured makes it: at most 16, each gone an hour after its last picture.
    #[arg(long, env = "MANTEL_PUSH_CREATES", help_heading = SERVER, hide_short_help = true)]
    pub push_creates: bool,

    /// A TOML file with any of these options.
    #[arg(long, value_name = "FILE", env = "MANTEL_CONFIG", help_heading = SERVER)]
    pub config: Option<PathBuf>,

    /// The folder for the index and the state [default: the platform's folders for caches and for
    /// state].
    #[arg(long, value_name = "DIR", env = "MANTEL_DATA_DIR", help_heading = SERVER)]
    pub data_dir: Option<PathBuf>,

    /// How the log is written: lines for people, or a JSON object each [default: human].
    #[arg(long, value_name = "human|json", alias = "log-format", env = "MANTEL_LOG_FORMAT", help_heading = SERVER, hide_short_help = true)]
    pub log: Option<LogFormat>,

    /// The options of the house's other machines.
    #[command(flatten)]
    pub house: HouseArgs,

    /// The choice of photos.
    #[command(flatten)]
    pub choice: ChoiceArgs,

    /// The options of more machines than one.
    #[command(flatten)]
    pub bus: BusArgs,

    /// Whether this machine shows the house of another one, as `mantel edge` says.
    #[arg(skip)]
    pub edge: bool,

    /// The options of who may watch.
    #[command(flatten)]
    pub access: AccessArgs,

    /// The limits of what clients may take.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Work on the library that needs no screen.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Prints the photos that a choice gives.
    ///
    /// The index is brought up to date first, unless another mantel is at it.
    List(LibraryArgs),
    /// Brings the index up to date without serving, and says what can't be shown.
    Scan(LibraryArgs),
    /// Makes, lists and revokes tokens: links for screens on which nobody can type.
    ///
    /// Once there is a token, nobody watches without one, or without a password. A server that runs
    /// notices within seconds, and ends the streams of a token that was revoked.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Asks for a password, and prints a line for --password-file.
    ///
    /// Without a terminal the password is the first line of standard input.
    Password(PasswordArgs),
    /// Sends pictures to a live channel of a server: files, a folder, or standard input.
    ///
    /// Of a folder each picture is sent that is written into it. A server that is away or starts anew is tried again.
    Push(PushArgs),
    /// Shows the house of another machine, whose pictures come by NATS (--nats).
    ///
    /// All options of the server can stand behind it: where to listen, who may watch, how pictures are shaped.
    #[command(disable_help_flag = true)]
    Edge {
        /// Options, as without a command.
        #[arg(
            value_name = "OPTION",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        options: Vec<OsString>,
    },
    /// Lists the cameras of this machine, and what to write in the configuration for each.
    Cameras,
    /// Asks a server that runs whether it is well, and fails if it is not: for health checks.
    Health {
        /// The address on which it listens.
        #[arg(value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
        address: String,
    },
}

/// The commands of `mantel token`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Makes a token and prints its link, which is told only this once.
    New {
        /// The screen or the people that it is for: living-room.
        #[arg(value_name = "NAME")]
        name: String,

        /// What it may do: any of watch,control,push, each to one channel alone with @NAME behind it, like
        /// push@plot [default: watch,control].
        #[arg(long, value_name = "LIST")]
        rights: Option<String>,

        /// The time until it ends: 12h, 30d, 2w or 1y [default: never].
        #[arg(long, value_name = "SPAN")]
        expires: Option<String>,

        /// The server's address for the link, if screens reach it by another:
        /// `https://photos.example.org/`.
        #[arg(long, value_name = "URL")]
        url: Option<String>,

        /// The place of the tokens.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Prints all tokens, by name; not their links, which nobody knows.
    List {
        /// Prints JSON.
        #[arg(long)]
        json: bool,

        /// The place of the tokens.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Takes a token away, and ends the streams that are watched with it.
    Revoke {
        /// The token's name.
        #[arg(value_name = "NAME")]
        name: String,

        /// The place of the tokens.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Takes all tokens away: everyone in the house may watch again once the server has been restarted.
    Open {
        /// The place of the tokens.
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// The options that tell where the server keeps its state.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PlaceArgs {
    /// The server's data directory [default: the platform's folder for state].
    #[arg(long, value_name = "DIR", env = "MANTEL_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// The server's configuration file.
    #[arg(long, value_name = "FILE", env = "MANTEL_CONFIG")]
    pub config: Option<PathBuf>,
}

/// The options of `mantel password`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PasswordArgs {
    /// The user's name; without it the line is for the one --user.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// What they may do: any of watch,control,push, each to one channel alone with @NAME behind it, like
    /// watch@main [default: watch,control].
    #[arg(long, value_name = "LIST", requires = "name")]
    pub rights: Option<String>,

    /// Puts the line into this file, in place of the one they have.
    #[arg(long, value_name = "FILE", requires = "name")]
    pub file: Option<PathBuf>,
}

impl Args {
    /// Reads a command line, without the program's name.
    pub fn parse_line(
        line: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, clap::Error> {
        let line =
            std::iter::once(OsString::from("mantel")).chain(line.into_iter().map(Into::into));
        // The help says once, at its end, that each option has a variable.
        let mut command = Self::command().mut_args(|arg| arg.hide_env(true));
        let matches = command.try_get_matches_from_mut(line)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}
