//! Wishes of other machines as text, by which both ends name the same: channel, choice of photos, rendition.
//!
//! Pure.

use form_urlencoded::Serializer;
use mantel_media::wire::Topic;
use mantel_shared::Transition;

use crate::{
    channel::Afar,
    hex::hex,
    library::{FILTER_KEYS, Filter},
    rendition::{Rendition, WISH_KEYS, Wishes},
    rights::ChannelName,
};

/// Wishes of what to show, longer than this, are none.
const MAX_CHARS: usize = 2000;

/// A channel of the house in one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) afar: Afar,
    pub(super) rendition: Rendition,
}

/// Why a wish is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ungranted {
    /// It can't be read.
    Malformed,
    /// Nobody makes renditions of such a shape.
    OffTheLadder,
}

impl Wish {
    /// The wish as text: the same for the same, on whichever machine.
    pub(super) fn text(&self) -> String {
        let Rendition {
            size,
            fit,
            quality,
            bitrate,
            gop,
            fps,
            transition,
            pair,
            captions,
            note,
        } = self.rendition;
        let off = || "off".to_owned();
        let transition = match transition {
            Transition::Cut => "cut".to_owned(),
            Transition::Crossfade { millis } => format!("{millis}ms"),
        };
        let mut text = Serializer::new(String::new());
        text.append_pair("channel", self.afar.name.as_str())
            .append_pair("size", &size.to_string())
            .append_pair("fit", &fit.to_string())
            .append_pair("quality", &quality.value().to_string())
            .append_pair(
                "bitrate",
                &bitrate.map_or_else(off, |rate| rate.to_string()),
            )
            .append_pair("fps", &fps.0.to_string())
            .append_pair("transition", &transition)
            .append_pair("pair", &pair.to_string())
            .append_pair("caption", &captions.to_string())
            .append_pair("note", if note { "on" } else { "off" });
        if let Some(gop) = gop {
            text.append_pair("gop", &gop.to_string());
        }
        if !self.afar.is_interruptible {
            text.append_pair("interrupts", "off");
        }
        text.extend_pairs(self.afar.filter.wishes());
        text.finish()
    }

    /// Reads a wish. `default` is the rendition of whoever asks for nothing in particular on that channel, by which hardly
    /// different ones are one; slides stay for `interval_millis`.
    ///
    /// # Errors
    /// It is none, or of a rendition that nobody makes.
    pub(super) fn read(
        text: &str,
        default: impl FnOnce(&ChannelName) -> Rendition,
        interval_millis: u64,
    ) -> Result<Self, Ungranted> {
        if text.len() > MAX_CHARS {
            return Err(Ungranted::Malformed);
        }
        let (mut shape, mut filter) = (Wishes::default(), Filter::default());
        let (mut name, mut is_interruptible) = (None, true);
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let key = &*key;
            if WISH_KEYS.contains(&key) {
                shape
                    .set(key, &value, interval_millis)
                    .map_err(|_| Ungranted::Malformed)?;
            } else if FILTER_KEYS.contains(&key) {
                filter.set(key, &value).map_err(|_| Ungranted::Malformed)?;
            } else {
                match key {
                    "channel" => name = Some(value.parse().map_err(|_| Ungranted::Malformed)?),
                    "interrupts" => is_interruptible = value != "off",
                    _ => return Err(Ungranted::Malformed),
                }
            }
        }
        let name = name.ok_or(Ungranted::Malformed)?;
        let default = default(&name);
        let rendition = shape.bounded(&default);
        let exact = shape.over(&default, default.size);
        let exact = Rendition {
            pair: exact.pair.on(exact.size),
            ..exact
        };
        if rendition != exact {
            return Err(Ungranted::OffTheLadder);
        }
        Ok(Self {
            afar: Afar {
                name,
                filter,
                is_interruptible,
            },
            rendition,
        })
    }

    /// The topic under which its pictures are signed.
    pub(super) fn topic(&self) -> Topic {
        Topic::of(&self.text())
    }

    /// The last words of its subjects: the channel, and the rendition by its size and a sum of everything.
    pub(super) fn subject(&self) -> String {
        let sum = hex(&self.topic().0);
        format!("{}.{}-{sum}", self.afar.name, self.rendition.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> Rendition {
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        config.rendition
    }

    fn wish(wishes: &[(&str, &str)], choices: &[(&str, &str)]) -> Wish {
        let (mut shape, mut filter) = (Wishes::default(), Filter::default());
        for (key, value) in wishes {
            shape.set(key, value, 10_000).unwrap();
        }
        for (key, value) in choices {
            filter.set(key, value).unwrap();
        }
        Wish {
            afar: Afar {
                name: ChannelName::main(),
                filter,
                is_interruptible: choices.is_empty(),
            },
            rendition: shape.bounded(&default()),
        }
    }

    #[test]
    fn every_wish_is_read_as_it_was_written() {
        let choices = [
            ("album", "Rome & Süd/2021"),
            ("from", "2021-02"),
            ("to", "2022"),
            ("rating", "4"),
            ("keyword", "sea,sun"),
            ("orientation", "portrait"),
            ("on-this-day", "3"),
            ("newest", "100"),
            ("favourites", "on"),
        ];
        assert_eq!(choices.map(|(key, _)| key), FILTER_KEYS);
        let mut all = vec![wish(&[], &[]), wish(&[], &choices)];
        for (key, value) in [
            ("size", "1080x1920"),
            ("fit", "cover"),
            ("quality", "40"),
            ("bitrate", "2M"),
            ("gop", "4s"),
            ("fps", "5"),
            ("transition", "cut"),
            ("pair", "upright"),
            ("pair", "off"),
            ("caption", "date,text"),
            ("note", "off"),
        ] {
            all.push(wish(&[(key, value)], &[]));
        }
        for choice in choices {
            all.push(wish(&[], &[choice]));
        }
        for wish in &all {
            let read = Wish::read(&wish.text(), |_| default(), 10_000);
            assert_eq!(read.as_ref(), Ok(wish), "{}", wish.text());
            let subject = wish.subject();
            assert!(
                subject
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            );
        }
        let subjects: std::collections::HashSet<_> = all.iter().map(Wish::subject).collect();
        assert_eq!(subjects.len(), all.len());
    }

    #[test]
    fn what_nobody_makes_is_not_granted() {
        let text = wish(&[], &[]).text();
        let read = |text: &str| Wish::read(text, |_| default(), 10_000).unwrap_err();
        let with = |from: &str, to: &str| {
            assert!(text.contains(from));
            text.replace(from, to)
        };
        for off in [
            with("size=1920x1080", "size=1921x1080"),
            with("quality=85", "quality=84"),
            with("fps=20", "fps=21"),
        ] {
            assert_eq!(read(&off), Ungranted::OffTheLadder, "{off}");
        }
        for malformed in [
            String::new(),
            with("channel=main", "channel=Main"),
            with("size=1920x1080", "size=big"),
            with("note=on", "note=on&more=1"),
            format!("{text}&rating=9"),
            format!("{text}&album={}", "x".repeat(MAX_CHARS)),
        ] {
            assert_eq!(read(&malformed), Ungranted::Malformed, "{malformed}");
        }
    }
}
