//! What a client asks for in the query of a stream or a snapshot.
//!
//! Pure. Keys that nobody knows are ignored, because clients append cache-busters; a bad value of a
//! known key is an error with a sentence.

use super::{pictures::paint::Paint, reply::bad_value};
use crate::{
    config,
    library::{FILTER_KEYS, Filter},
    net::Refusal,
    render::{Fit, Quality, Size},
    rendition::{self, Fps, Pair, Rendition},
    timeline::Settings,
};

/// A client's wishes, checked and bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Which photos, of those that may be shown.
    pub(super) filter: Filter,
    pub(super) rendition: Rendition,
    /// `None`: by the user agent.
    pub(super) paint: Option<Paint>,
}

/// The key that names a channel.
pub(super) const CHANNEL: &str = "channel";
/// The key by which mjpg-streamer's clients ask at `/`.
pub(super) const ACTION: &str = "action";

/// Reads `query` over the server's defaults.
pub(super) fn wishes(
    query: &str,
    default: Rendition,
    settings: Settings,
) -> Result<Wishes, Refusal> {
    let mut wishes = Wishes {
        filter: choice(query)?,
        rendition: default,
        paint: None,
    };
    for (key, value) in pairs(query) {
        let bad = |expected: &str| bad_value(&key, &value, expected);
        let rendition = &mut wishes.rendition;
        match key.as_str() {
            "size" => {
                let size: Size = value.parse().map_err(|_| {
                    bad(&format!(
                        "width x height, like 1280x720, each from {} to {}",
                        Size::MIN_SIDE,
                        Size::MAX_SIDE
                    ))
                })?;
                // The default may be off the ladder: whoever asks for it by name gets the same.
                rendition.size = if size == default.size {
                    size
                } else {
                    rendition::snap(size)
                };
            }
            "fit" => {
                rendition.fit = value
                    .parse::<Fit>()
                    .map_err(|_| bad("contain, cover or blur"))?
            }
            "quality" => {
                let quality = value.parse().ok().and_then(Quality::new);
                rendition.quality = snap_quality(
                    quality.ok_or_else(|| bad("a number from 1 to 100"))?,
                    default.quality,
                );
            }
            "fps" => {
                let fps = value.parse().ok().filter(|fps| (1..=60).contains(fps));
                rendition.fps = snap_fps(
                    fps.ok_or_else(|| bad("a number from 1 to 60"))?,
                    default.fps,
                );
            }
            "transition" => {
                let interval = format!("{} ms", settings.interval_millis);
                rendition.transition =
                    config::transition("transition", &value, settings.interval_millis, &interval)
                        .map_err(|error| Refusal::bad_request(error.to_string()))?;
            }
            "pair" => {
                rendition.pair =
                    Pair::read(&value, default.size).ok_or_else(|| bad(Pair::EXPECTED))?;
            }
            "note" => {
                rendition.note = config::on_or_off(&value).ok_or_else(|| bad("on or off"))?;
            }
            "caption" => rendition.captions = value.parse().map_err(|reason: &str| bad(reason))?,
            "paint" => {
                wishes.paint = match value.as_str() {
                    "auto" => None,
                    other => Some(
                        other
                            .parse()
                            .map_err(|()| bad("advance, repeat, plain or auto"))?,
                    ),
                }
            }
            _ => {}
        }
    }
    let rendition = &mut wishes.rendition;
    // The size may come after it.
    rendition.pair = rendition.pair.on(rendition.size);
    Ok(wishes)
}

/// Reads which photos are asked for.
pub(super) fn choice(query: &str) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    for (key, value) in pairs(query).filter(|(key, _)| FILTER_KEYS.contains(&key.as_str())) {
        filter
            .set(&key, &value)
            .map_err(|expected| bad_value(&key, &value, expected))?;
    }
    Ok(filter)
}

/// What is heard of a query when a page of another site asks: no choice and no shape, since from the
/// answers it could tell which albums there are, and make pictures in any number of sizes.
pub(super) fn for_foreign_pages(query: &str) -> String {
    let heard = |pair: &&str| matches!(pair.split('=').next(), Some("action" | "paint"));
    let pairs: Vec<&str> = query.split('&').filter(heard).collect();
    pairs.join("&")
}

/// The first value of a key, if the query has it.
pub(super) fn value(query: &str, key: &str) -> Option<String> {
    pairs(query)
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

/// Steps of five, and the default: a hundred qualities would be a hundred renditions.
fn snap_quality(quality: Quality, default: Quality) -> Quality {
    if quality == default {
        return quality;
    }
    Quality::new((quality.value().saturating_add(2) / 5 * 5).clamp(5, 100)).unwrap_or(default)
}

fn snap_fps(fps: u32, default: Fps) -> Fps {
    const STEPS: [u32; 8] = [1, 5, 10, 15, 20, 25, 30, 60];
    if Fps(fps) == default {
        return default;
    }
    Fps(STEPS.into_iter().find(|step| *step >= fps).unwrap_or(60))
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
}

/// Percent-decoding; `+` is a space. What isn't UTF-8 or half an escape stays readable.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |at: usize| tail.get(at).and_then(|digit| (*digit as char).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
                continue;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, timeline::Transition};

    fn parse(query: &str) -> Result<Wishes, String> {
        let config = Config::from_args([] as [&str; 0]).unwrap();
        wishes(query, config.rendition, config.timeline)
            .map_err(|problem| problem.sentence().to_owned())
    }

    #[test]
    fn wishes_are_read_and_unknown_keys_ignored() {
        let wishes = parse(
            "_=1699&size=1280x720&fit=cover&quality=70&fps=12&transition=500ms&paint=repeat&x",
        )
        .unwrap();
        let rendition = wishes.rendition;
        assert_eq!(
            rendition.size,
            Size {
                width: 1280,
                height: 720
            }
        );
        assert_eq!((rendition.fit, rendition.fps), (Fit::Cover, Fps(15)));
        assert_eq!(rendition.quality, Quality::new(70).unwrap());
        assert_eq!(rendition.transition, Transition::Crossfade { millis: 500 });
        assert_eq!(wishes.paint, Some(Paint::Repeat));
        let pair = |query: &str| parse(query).unwrap().rendition.pair;
        assert_eq!((rendition.pair, pair("pair=off")), (Pair::Wide, Pair::Off));
        // An upright screen shows what all show, unless it asks for its own; the size may come last.
        assert_eq!(pair("size=360x640"), Pair::Wide);
        assert_eq!(pair("pair=on&size=360x640"), Pair::Wide);
        assert_eq!(pair("pair=own&size=360x640"), Pair::Upright);
        assert_eq!(pair("pair=own&size=640x360"), Pair::Wide);
        assert_eq!(pair("pair=upright&size=640x360"), Pair::Upright);
        assert!(rendition.note && !parse("note=off").unwrap().rendition.note);
        assert_eq!(parse("paint=auto&channel=main").unwrap().paint, None);
        assert!(
            parse("caption=date,place")
                .unwrap()
                .rendition
                .captions
                .place
        );
        assert_eq!(parse("size=1280%78720").unwrap().rendition.size.width, 1280);
    }

    #[test]
    fn bad_values_get_a_sentence() {
        for query in [
            "size=0x0",
            "size=100000x100000",
            "size=big",
            "size=",
            "fit=stretch",
            "quality=0",
            "quality=101",
            "fps=0",
            "fps=61",
            "transition=1h",
            "transition=soon",
            "paint=oil",
            "pair=maybe",
            "caption=dates",
            "album=",
            "from=soon",
            "rating=9",
            "on-this-day=-1",
            "newest=0",
        ] {
            let sentence = parse(query).unwrap_err();
            let (key, _) = query.split_once('=').unwrap();
            assert!(
                sentence.contains(key) && !sentence.contains('\n'),
                "{query}: {sentence}"
            );
        }
    }

    #[test]
    fn photos_are_chosen_and_empty_choices_are_everything() {
        assert!(parse("size=640x480").unwrap().filter.is_all());
        let some = parse("album=Rome%20%26%20more&on-this-day&rating=4").unwrap();
        let told = "album Rome & more, at least 4 stars, on this day";
        assert_eq!(some.filter.to_string(), told);
    }

    #[test]
    fn hardly_different_wishes_are_one_rendition() {
        assert_eq!(parse("quality=71").unwrap(), parse("quality=69").unwrap());
        assert_eq!(parse("fps=21").unwrap(), parse("fps=25").unwrap());
        assert_eq!(
            parse("quality=85&fps=20&size=1920x1080").unwrap(),
            parse("").unwrap()
        );
    }

    #[test]
    fn a_page_of_another_site_chooses_nothing() {
        let plain = parse(&for_foreign_pages("_=7")).unwrap();
        for query in [
            "album=Rome",
            "album=",
            "keyword=cats&rating=5",
            "size=64x64",
            "size=nonsense",
            "fps=1&quality=3&caption=all&pair=off&transition=cut",
            "channel=other&%61lbum=Rome",
        ] {
            assert_eq!(parse(&for_foreign_pages(query)).unwrap(), plain, "{query}");
        }
        assert_eq!(
            for_foreign_pages("action=stream&size=1x1&paint=plain"),
            "action=stream&paint=plain"
        );
    }

    #[test]
    fn escapes_are_undone_and_broken_ones_kept() {
        assert_eq!(decoded("a%20b+c%C3%A9"), "a b cé");
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%4"), "%4");
        assert_eq!(decoded("%zz%ff"), "%zz\u{fffd}");
    }
}
