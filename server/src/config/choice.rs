//! The choice of photos: options that `mantel`, `mantel list` and `mantel scan` share.

use super::{ConfigError, bad};
use crate::library::{FILTER_KEYS, Filter};

/// Wishes about which photos are shown, as typed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which photos")]
pub struct ChoiceArgs {
    /// Take only photos of the folder of this name or path, or below it.
    #[arg(long, value_name = "NAME", env = "MANTEL_ALBUM")]
    album: Option<String>,

    /// Take only photos of this time and later: 2021, 2021-07 or 2021-07-04.
    #[arg(long, value_name = "DATE", env = "MANTEL_FROM")]
    from: Option<String>,

    /// Take only photos up to this year, month or day, itself included.
    #[arg(long, value_name = "DATE", env = "MANTEL_TO")]
    to: Option<String>,

    /// Take only photos with at least so many stars.
    #[arg(long, value_name = "1..5", env = "MANTEL_RATING")]
    rating: Option<String>,

    /// Take only photos with this keyword; with commas, with all of them.
    #[arg(long, value_name = "WORDS", env = "MANTEL_KEYWORD")]
    keyword: Option<String>,

    /// Take only photos of this shape: landscape, portrait or square.
    #[arg(long, value_name = "SHAPE", env = "MANTEL_ORIENTATION")]
    orientation: Option<String>,

    /// Take only photos of this day in earlier years, or in the last so many.
    #[arg(
        long,
        value_name = "YEARS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        env = "MANTEL_ON_THIS_DAY"
    )]
    on_this_day: Option<String>,

    /// Take only the newest so many of them.
    #[arg(long, value_name = "N", env = "MANTEL_NEWEST")]
    newest: Option<String>,

    /// Take only favourites, as /control and the pages mark them.
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        env = "MANTEL_FAVOURITES"
    )]
    favourites: Option<String>,
}

/// Wishes about which photos are shown, as text of the configuration file.
#[derive(Debug, Default)]
pub struct FileChoice(pub(super) Vec<(&'static str, String)>);

impl ChoiceArgs {
    fn typed(self) -> [(&'static str, Option<String>); FILTER_KEYS.len()] {
        let values = [
            self.album,
            self.from,
            self.to,
            self.rating,
            self.keyword,
            self.orientation,
            self.on_this_day,
            self.newest,
            self.favourites,
        ];
        let mut values = values.into_iter();
        FILTER_KEYS.map(|key| (key, values.next().flatten()))
    }

    /// Joins typed wishes with those of the configuration file, which give way key by key.
    pub(super) fn over(self, file: FileChoice) -> Result<Filter, ConfigError> {
        let mut filter = Filter::default();
        for (key, typed) in self.typed() {
            let in_file = file.0.iter().find(|(known, _)| *known == key);
            let value = typed.or_else(|| in_file.map(|(_, value)| value.clone()));
            let Some(value) = value else { continue };
            filter.set(key, &value).map_err(|expected| {
                let reason = format!("it has to be {expected}");
                bad(format!("--{key}"), &value, reason)
            })?;
        }
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        choice: ChoiceArgs,
    }

    #[test]
    fn options_are_the_keys_of_the_filter() {
        let command = <Line as clap::CommandFactory>::command();
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        assert_eq!(options.collect::<Vec<_>>(), FILTER_KEYS);
        for (i, key) in FILTER_KEYS.into_iter().enumerate() {
            let line = <Line as clap::Parser>::parse_from(["mantel", &format!("--{key}=7")]);
            let typed = line.choice.typed();
            assert_eq!(typed[i], (key, Some("7".to_owned())));
        }
    }
}
