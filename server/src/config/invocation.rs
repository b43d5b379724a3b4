//! The task that the program was asked to do, checked.

use std::{ffi::OsString, path::PathBuf};

use super::{
    Args, Command, Config, ConfigError, LibraryArgs, PasswordTask, PushTask, TokenTask,
    folders::check_folder, given, read_file,
};
use crate::{
    dirs::Dirs,
    library::{Filter, Reach},
    photo::Order,
};

/// The task that the program was asked to do.
#[derive(Debug)]
pub enum Invocation {
    /// Serve.
    Serve(Box<Config>),
    /// `mantel list`.
    List(LibraryTask),
    /// `mantel scan`.
    Scan(LibraryTask),
    /// `mantel token`.
    Token(TokenTask),
    /// `mantel password`.
    Password(PasswordTask),
    /// `mantel push`.
    Push(PushTask),
    /// `mantel cameras`.
    Cameras,
    /// `mantel health`, of the server at this address.
    Health(String),
}

impl Invocation {
    /// Reads a command line without the program's name, the environment, and the file they name.
    #[expect(
        clippy::disallowed_methods,
        reason = "config names the variable that a value came from"
    )]
    pub fn from_args(
        line: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, ConfigError> {
        let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
        let mut given = given::Given { line, file: None };
        let done = Self::resolve(&mut given);
        done.map_err(|error| given.name(error, |name| std::env::var_os(name).is_some()))
    }

    fn resolve(given: &mut given::Given) -> Result<Self, ConfigError> {
        let mut args = Args::parse_line(&given.line)?;
        given.file = args.config.clone();
        let Some(command) = args.command.take() else {
            return Ok(Self::Serve(Box::new(Config::resolve(args)?)));
        };
        // These two may stand before the command as well.
        let (data_dir, config) = (args.data_dir.clone(), args.config.clone());
        let both = |task: LibraryArgs| LibraryArgs {
            data_dir: task.data_dir.or(data_dir),
            config: task.config.or(config),
            ..task
        };
        if let Command::List(task) | Command::Scan(task) = &command
            && task.config.is_some()
        {
            given.file = task.config.clone();
        }
        Ok(match command {
            Command::List(task) => Self::List(LibraryTask::resolve(both(task))?),
            Command::Scan(task) => Self::Scan(LibraryTask::resolve(both(task))?),
            Command::Token(command) => Self::Token(TokenTask::resolve(command, args)?),
            Command::Password(args) => Self::Password(PasswordTask::resolve(args)?),
            Command::Push(args) => Self::Push(PushTask::resolve(args)?),
            Command::Cameras => Self::Cameras,
            Command::Health { address } => Self::Health(address),
            Command::Edge { options } => return Self::edge(given, options.len()),
        })
    }

    /// Serves as an edge: the options, `n_behind` of which stand behind the word, are those of the server.
    fn edge(given: &mut given::Given, n_behind: usize) -> Result<Self, ConfigError> {
        let word = given.line.len().saturating_sub(n_behind + 1);
        let mut line = given.line.clone();
        line.remove(word);
        let mut args = Args::parse_line(&line)?;
        if args.command.is_some() || !args.folders.is_empty() {
            let sentence = "an edge shows the house of another machine: it has no folders, and does nothing else; give it options alone";
            return Err(ConfigError::Line(sentence.into()));
        }
        args.edge = true;
        given.file = args.config.clone();
        Ok(Self::Serve(Box::new(Config::resolve(args)?)))
    }
}

/// A checked piece of work on the library.
#[derive(Clone, Debug)]
pub struct LibraryTask {
    /// Folders of photos. They existed when this was made.
    pub folders: Vec<PathBuf>,
    /// How far a look through them reaches.
    pub reach: Reach,
    /// The folder of the index; `None` when the platform names no place.
    pub index_dir: Option<PathBuf>,
    /// The choice of photos.
    pub filter: Filter,
    /// The order in which photos are listed.
    pub order: Order,
    /// Whether JSON is printed, for programs.
    pub json: bool,
}

impl LibraryTask {
    /// Checks what was typed; the command line wins over the file.
    pub fn resolve(args: LibraryArgs) -> Result<Self, ConfigError> {
        let mut file = read_file(args.config.as_deref())?;
        let filter = args.choice.over(file.choice())?;
        let folders = if args.folders.is_empty() {
            file.folders.unwrap_or_default()
        } else {
            args.folders
        };
        if folders.is_empty() {
            return Err(ConfigError::NoFolder);
        }
        for folder in &folders {
            check_folder(folder)?;
        }
        let order = match args.order.or(file.order) {
            Some(Order::Shuffle) | None => Order::Newest,
            Some(order) => order,
        };
        Ok(Self {
            folders,
            reach: Reach {
                follow_links: args.follow_links || file.follow_links,
                left_out: args.show_left_out || file.show_left_out,
                clips: args.clips.or(file.clips).unwrap_or_default().clips(),
            },
            index_dir: Dirs::new(args.data_dir.or(file.data_dir)).index,
            filter,
            order,
            json: args.json,
        })
    }
}
