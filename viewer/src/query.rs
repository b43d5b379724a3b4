//! The page's own query string, and the addresses it leads to.
//!
//! Addresses are relative, so that the page works below a path of a reverse proxy. Never a
//! request, and no second opinion on values: the server judges what it is asked for.

use crate::{fit::Size, wall::Wall};

/// Keys of the page that choose photos, passed on to the stream and to commands.
const WHICH: [&str; 11] = [
    "channel",
    "album",
    "from",
    "to",
    "rating",
    "keyword",
    "orientation",
    "on-this-day",
    "newest",
    "favourites",
    "interrupts",
];
/// Keys that say how pictures look, passed on to the stream. Captions are not among them: the page
/// writes them over the pictures.
const HOW: [&str; 4] = ["fit", "quality", "transition", "pair"];

/// The settings with which the page was opened.
#[derive(Debug, Default, PartialEq)]
pub struct Query {
    passed_on: String,
    /// The size that the stream is asked for in place of the canvas's own: `size=1280x720`.
    size: Option<String>,
    /// Whether pictures move slowly while they stand: `motion=kenburns`.
    pub moves: bool,
    /// The milliseconds by which this screen changes after the others, or before them:
    /// `offset=-200`.
    pub offset_millis: f64,
    /// The part of a wall of screens that this one shows: `wall=2x1:0`.
    pub wall: Wall,
    /// The way of drawing, whatever is measured: `renderer=webgl` or `2d`.
    pub renderer: Option<Renderer>,
}

/// A way of drawing that somebody who looks for a fault can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renderer {
    /// WebGL, even one that is done in software.
    Gl,
    /// The 2D canvas.
    Flat,
}

/// The limit of an offset: no network and no amplifier delays a picture by more.
const LONGEST_OFFSET_MILLIS: f64 = 60_000.0;

impl Query {
    /// Reads `location.search`, with or without its question mark. Keys that mean nothing here
    /// are left out; values stay percent-encoded.
    pub fn parse(search: &str) -> Self {
        let mut query = Self::default();
        for pair in search.trim_start_matches('?').split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let says_something = !value.is_empty() || key == "on-this-day";
            if says_something && (WHICH.contains(&key) || HOW.contains(&key)) {
                query.passed_on.push('&');
                query.passed_on.push_str(pair);
            }
            match key {
                "size" if says_something => query.size = Some(value.to_owned()),
                "motion" => query.moves = value == "kenburns",
                "wall" => query.wall = Wall::parse(value).unwrap_or_default(),
                "offset" => query.offset_millis = offset(value).unwrap_or(0.0),
                "renderer" => {
                    query.renderer = match value {
                        "webgl" => Some(Renderer::Gl),
                        "2d" => Some(Renderer::Flat),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        query
    }

    /// The address of the stream of slides, rendered for a canvas of `size`; of a wall, for all of
    /// it.
    pub fn bytes_url(&self, size: Size) -> String {
        let passed_on = &self.passed_on;
        match &self.size {
            Some(size) => format!("bytes?size={size}{passed_on}"),
            None => format!("bytes?size={}x{}{passed_on}", size.width, size.height),
        }
    }
}

/// Reads whole milliseconds, with or without a sign: parsing fractions would add more to the
/// download than the rest of this file.
fn offset(value: &str) -> Option<f64> {
    let millis: i32 = value.parse().ok()?;
    Some(f64::from(millis).clamp(-LONGEST_OFFSET_MILLIS, LONGEST_OFFSET_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size {
        width: 1920,
        height: 1080,
    };

    #[test]
    fn a_bare_page_asks_for_its_size() {
        let query = Query::parse("");
        assert_eq!(query.bytes_url(HD), "bytes?size=1920x1080");
    }

    #[test]
    fn what_chooses_pictures_is_passed_on() {
        let query = Query::parse("?album=Rome&fit=cover&on-this-day&rating=");
        assert_eq!(
            query.bytes_url(HD),
            "bytes?size=1920x1080&album=Rome&fit=cover&on-this-day"
        );
    }

    #[test]
    fn known_keys_are_passed_on_as_they_stand() {
        let query = Query::parse(
            "?channel=living%20room&x=1&fit=cover&quality=70&viewer=wasm&transition=cut&caption=all",
        );
        assert_eq!(
            query.bytes_url(HD),
            "bytes?size=1920x1080&channel=living%20room&fit=cover&quality=70&transition=cut"
        );
    }

    #[test]
    fn a_size_that_is_asked_for_is_the_streams() {
        let query = Query::parse("?size=1280x720&fit=cover");
        assert_eq!(query.bytes_url(HD), "bytes?size=1280x720&fit=cover");
    }

    #[test]
    fn settings_of_the_screen_are_read() {
        let query = Query::parse("?motion=kenburns&offset=-250&wall=2x1:1&renderer=2d");
        assert!(query.moves);
        assert_eq!(query.offset_millis, -250.0);
        assert_eq!(query.wall, Wall::parse("2x1:1").expect("a wall"));
        assert_eq!(query.renderer, Some(Renderer::Flat));
        let odd = Query::parse("?motion=off&offset=soon&wall=all&renderer=gpu");
        assert_eq!(odd, Query::default());
        assert_eq!(Query::parse("?offset=99999999").offset_millis, 60_000.0);
    }

    #[test]
    fn odd_queries_do_no_harm() {
        for search in ["?", "&&&", "?=", "?channel", "?channel=", "?size=", "?fit"] {
            assert_eq!(
                Query::parse(search).bytes_url(HD),
                "bytes?size=1920x1080",
                "{search}"
            );
        }
    }
}
