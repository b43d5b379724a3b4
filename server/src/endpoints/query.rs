//! A query's wishes for a stream or a snapshot.
//!
//! Pure. Keys that nobody knows are ignored, because clients append cache-busters; a bad value of a
//! known key is an error with a sentence.

use std::borrow::Cow;

use super::{pictures::paint::Paint, reply::bad_value};
use crate::{
    library::{FILTER_KEYS, Filter},
    net::Refusal,
    rendition::{self, Rendition, WISH_KEYS},
    timeline::{
        Settings,
        night::{Plan, Position},
    },
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

/// The key that names the way by which the page shows what is on.
pub(super) const VIA: &str = "via";

/// The key that keeps a screen out of interruptions.
const INTERRUPTS: &str = "interrupts";

/// The key that says whether those who read video by blocks are helped to see the last pictures they were sent.
const FILL: &str = "fill";

/// The key of a screen's own nights.
const NIGHT: &str = "night";

/// The key that says how a client is made to paint.
const PAINT: &str = "paint";

/// Reads `query` over the server's defaults.
pub(super) fn wishes(
    query: &str,
    default: Rendition,
    settings: Settings,
) -> Result<Wishes, Refusal> {
    let mut shape = rendition::Wishes::default();
    let mut paint = None;
    for (key, value) in pairs(query) {
        if key == PAINT {
            paint = read_paint(&value).map_err(|reason| bad_value(&key, &value, reason))?;
        } else if WISH_KEYS.contains(&&*key) {
            shape
                .set(&key, &value, settings.interval_millis)
                .map_err(|reason| bad_value(&key, &value, reason))?;
        }
    }
    Ok(Wishes {
        filter: choice(query)?,
        rendition: shape.bounded(&default),
        paint,
    })
}

fn read_paint(text: &str) -> Result<Option<Paint>, &'static str> {
    match text {
        "auto" => Ok(None),
        other => other
            .parse()
            .map(Some)
            .map_err(|()| "it has to be advance, repeat, plain or auto"),
    }
}

/// Reads which photos are asked for.
pub(super) fn choice(query: &str) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    for (key, value) in pairs(query).filter(|(key, _)| FILTER_KEYS.contains(&&**key)) {
        filter
            .set(&key, &value)
            .map_err(|expected| bad_value(&key, &value, format_args!("it has to be {expected}")))?;
    }
    Ok(filter)
}

/// Whether live channels may interrupt the photos that are asked for.
pub(super) fn interrupts(query: &str) -> Result<bool, Refusal> {
    switch(query, INTERRUPTS)
}

/// Whether video without an end is filled up, so that those who read it by blocks see the last pictures.
pub(super) fn fills(query: &str) -> Result<bool, Refusal> {
    switch(query, FILL)
}

/// A switch that is on where nobody says otherwise.
fn switch(query: &str, key: &str) -> Result<bool, Refusal> {
    let Some(text) = value(query, key) else {
        return Ok(true);
    };
    match &*text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(bad_value(key, &text, "it has to be on or off")),
    }
}

/// The nights of a screen's own, where it has some: by a plan, or none at all.
pub(super) fn night(
    query: &str,
    position: Option<Position>,
) -> Result<Option<Option<Plan>>, Refusal> {
    let Some(text) = value(query, NIGHT) else {
        return Ok(None);
    };
    if text == "off" {
        return Ok(Some(None));
    }
    let plan = Plan::read(&text, position).map_err(|reason| bad_value(NIGHT, &text, reason))?;
    Ok(Some(Some(plan)))
}

/// The part of a query that is heard when a page of another site asks: no choice and no shape, since from the
/// answers it could tell which albums there are, and make pictures in any number of sizes.
pub(super) fn for_foreign_pages(query: &str) -> String {
    let heard = |pair: &&str| matches!(pair.split('=').next(), Some(ACTION | PAINT));
    let pairs: Vec<&str> = query.split('&').filter(heard).collect();
    pairs.join("&")
}

/// The first value of a key, if the query has it.
pub(super) fn value(query: &str, key: &str) -> Option<String> {
    pairs(query)
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.into_owned())
}

/// Keys and values, their escapes undone; `+` is a space. What isn't UTF-8 or half an escape stays
/// readable.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Config,
        render::{Fit, Quality, Size},
        rendition::{Fps, Pair},
        timeline::Transition,
    };

    /// The texts in the first list that is called `name` in a source.
    fn list<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
        let (_, rest) = source.split_once(name).unwrap();
        let (_, rest) = rest.split_once("= [").unwrap();
        let (list, _) = rest.split_once(']').unwrap();
        let texts = list
            .split(',')
            .map(|text| text.trim().trim_matches(['\'', '"']));
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// The page passes on what the server knows, and nothing that it doesn't.
    #[test]
    fn pages_pass_on_the_keys_that_there_are() {
        let viewer = include_str!("../../../viewer/src/query.rs");
        let ladder = include_str!("../../../viewer/ladder.js");
        let base = include_str!("../../../viewer/around/base.js");
        let which = [&[CHANNEL], &FILTER_KEYS[..], &[INTERRUPTS]].concat();
        assert_eq!(list(viewer, "const WHICH: [&str; 11] "), which);
        assert_eq!(list(ladder, "var WHICH "), which);
        assert_eq!(list(base, "var WHICH "), which);

        let sorted = |mut keys: Vec<&'static str>| {
            keys.sort_unstable();
            keys
        };
        // A size is what the page measures, and notes it writes itself.
        let own = ["size", "note"];
        let mut how: Vec<&str> = WISH_KEYS
            .into_iter()
            .filter(|key| !own.contains(key))
            .collect();
        how.push(PAINT);
        let how = sorted(how);
        assert_eq!(sorted(list(ladder, "var HOW ")), how);
        let shared = list(base, "var HOW ");
        let drawn = list(base, "var DRAWN ");
        assert_eq!(sorted([&*shared, &*drawn].concat()), how);
        assert_eq!(list(viewer, "const HOW: [&str; 4] "), shared);
    }

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
            "favourites=some",
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
    fn a_screen_may_be_kept_out_of_interruptions() {
        let heard =
            |query: &str| interrupts(query).map_err(|problem| problem.sentence().to_owned());
        assert_eq!(
            (heard("album=Rome"), heard("interrupts=on")),
            (Ok(true), Ok(true))
        );
        assert_eq!(heard("x&interrupts=off"), Ok(false));
        assert!(
            heard("interrupts=maybe")
                .unwrap_err()
                .contains("interrupts")
        );
        assert_eq!(heard(&for_foreign_pages("interrupts=off")), Ok(true));
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
        let decoded = |text: &str| value(&format!("&x=y&key={text}&key=z"), "key").unwrap();
        assert_eq!(decoded("a%20b+c%C3%A9"), "a b cé");
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%4"), "%4");
        assert_eq!(decoded("%zz%ff"), "%zz\u{fffd}");
        assert_eq!(decoded("a=b"), "a=b");
    }
}
