//! The options of the commands that look at the library and serve nothing, as typed.

use std::path::PathBuf;

use super::choice::ChoiceArgs;
use crate::{photo::Order, source::clips::ClipMode};

/// The options of `mantel list` and `mantel scan`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LibraryArgs {
    /// Folders of photos; those of the configuration file when none is given.
    #[arg(value_name = "FOLDER")]
    pub folders: Vec<PathBuf>,

    /// Prints JSON.
    #[arg(long)]
    pub json: bool,

    /// Follow links that lead out of the folders; without this only those that stay inside.
    #[arg(long, env = "MANTEL_FOLLOW_LINKS")]
    pub follow_links: bool,

    /// Show what is left out: other programs' folders, copies, twins, hidden files, folders with a .nomedia.
    #[arg(long, env = "MANTEL_SHOW_LEFT_OUT")]
    pub show_left_out: bool,

    /// How videos in the folders are shown: poster, play or off [default: poster].
    #[arg(long, value_name = "poster|play|off", env = "MANTEL_CLIPS")]
    pub clips: Option<ClipMode>,

    /// The order of the list; shuffle is taken for newest [default: newest].
    #[arg(long)]
    pub order: Option<Order>,

    /// The folder of the index [default: the platform's cache directory].
    #[arg(long, value_name = "DIR", env = "MANTEL_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// A TOML file with any of these options.
    #[arg(long, value_name = "FILE", env = "MANTEL_CONFIG")]
    pub config: Option<PathBuf>,

    /// The choice of photos.
    #[command(flatten)]
    pub choice: ChoiceArgs,
}
