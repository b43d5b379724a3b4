//! Words with gaps: what the configuration has written on each picture of a channel, such as `{date} {time} · {caption}`.

use std::fmt::Write as _;

use chrono::format::{DelayedFormat, Item, StrftimeItems};

/// The words that stand on each picture of a channel, and their gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The time at which the picture was taken, in one of strftime's forms.
    Time(String),
    Caption,
    Channel,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace that opens or closes nothing.
    #[error("a single brace; one that is to be seen is written twice: {{{{ or }}}}")]
    Brace,
    /// A gap that nothing fills.
    #[error(
        "nothing fills {{{0}}}; there are {{date}}, {{time}}, {{caption}}, {{channel}}, and times like {{%A %H:%M}}"
    )]
    Gap(String),
}

impl std::str::FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(TemplateError::Brace);
            }
            let (gap, after) = rest.split_once('}').ok_or(TemplateError::Brace)?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece(gap)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }
}

fn piece(gap: &str) -> Result<Piece, TemplateError> {
    Ok(match gap {
        "date" => Piece::Time("%-d %B %Y".into()),
        "time" => Piece::Time("%H:%M".into()),
        "caption" => Piece::Caption,
        "channel" => Piece::Channel,
        form if form.contains('%')
            && StrftimeItems::new(form).all(|item| !matches!(item, Item::Error)) =>
        {
            Piece::Time(form.to_owned())
        }
        _ => return Err(TemplateError::Gap(gap.to_owned())),
    })
}

impl Template {
    /// The words on a picture of `channel` with this caption, of which `taken_at` writes the time at which it was taken, if
    /// that is known. What is empty takes the marks beside it along: ` · ` stands between two things or nowhere.
    pub fn filled(
        &self,
        taken_at: impl for<'a> Fn(&'a str) -> Option<DelayedFormat<StrftimeItems<'a>>>,
        caption: Option<&str>,
        channel: &str,
    ) -> String {
        let (mut words, mut between) = (String::new(), "");
        for piece in &self.0 {
            let filled = match piece {
                Piece::Text(text) if text.chars().all(is_mark) => {
                    // Of several with nothing between them the first that is more than a space.
                    if between.trim().is_empty() {
                        between = text;
                    }
                    continue;
                }
                Piece::Text(text) => text.clone(),
                Piece::Time(form) => {
                    let mut time = String::new();
                    if let Some(taken_at) = taken_at(form) {
                        // The form was checked; only a zone may be unknown, and is left out.
                        let _ = write!(time, "{taken_at}");
                    }
                    time
                }
                Piece::Caption => caption.unwrap_or_default().to_owned(),
                Piece::Channel => channel.to_owned(),
            };
            if !filled.is_empty() {
                if !words.is_empty() {
                    words.push_str(between);
                }
                between = "";
                words.push_str(&filled);
            }
        }
        words.trim_matches(is_mark).to_owned()
    }
}

/// Whether a sign stands between things, and is none itself.
fn is_mark(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '·' | '|' | '–' | '-')
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::*;

    fn filled(text: &str, caption: Option<&str>) -> String {
        let taken = Utc.with_ymd_and_hms(2026, 11, 7, 8, 5, 9).unwrap();
        let template: Template = text.parse().unwrap();
        template.filled(|form| Some(taken.format(form)), caption, "door")
    }

    #[test]
    fn where_no_time_is_known_none_is_written() {
        let filled = |text: &str, caption| {
            let template: Template = text.parse().unwrap();
            template.filled(|_| None, caption, "main")
        };
        assert_eq!(filled("{date} {time} · {caption}", Some("Ada")), "Ada");
        assert_eq!(filled("{date} {time}", None), "");
        let all = "{channel} · {date} {time} | {caption}";
        assert_eq!(filled(all, Some("Ada")), "main · Ada");
        assert_eq!(filled(all, None), "main");
        // A camera's clock is in no zone.
        let taken = Utc
            .with_ymd_and_hms(2026, 11, 7, 8, 5, 9)
            .unwrap()
            .naive_utc();
        let template: Template = "{%Y %Z}".parse().unwrap();
        let words = template.filled(|form| Some(taken.format(form)), None, "main");
        assert!(!words.contains("UTC"), "{words}");
    }

    #[test]
    fn gaps_are_filled() {
        for (text, caption, words) in [
            (
                "{date} {time} · {caption}",
                Some("Ada"),
                "7 November 2026 08:05 · Ada",
            ),
            ("{date} {time} · {caption}", None, "7 November 2026 08:05"),
            ("{caption} · {channel}", None, "door"),
            (
                "{channel} · {caption} – {date}",
                None,
                "door · 7 November 2026",
            ),
            ("at {date}", None, "at 7 November 2026"),
            ("{caption}, at the {channel}", None, ", at the door"),
            ("{%H:%M:%S}", None, "08:05:09"),
            ("{%A, %d. %B}", None, "Saturday, 07. November"),
            ("{{braces}} 前门 🚪", None, "{braces} 前门 🚪"),
            ("plain", Some("unheard"), "plain"),
            ("", None, ""),
        ] {
            assert_eq!(filled(text, caption), words, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (text, error) in [
            ("{", TemplateError::Brace),
            ("a } b", TemplateError::Brace),
            ("{date", TemplateError::Brace),
            ("{weather}", TemplateError::Gap("weather".into())),
            ("{%Q}", TemplateError::Gap("%Q".into())),
            ("{}", TemplateError::Gap(String::new())),
        ] {
            assert_eq!(text.parse::<Template>(), Err(error), "{text}");
        }
    }
}
