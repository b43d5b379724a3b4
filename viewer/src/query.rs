//! The page's own query string, and the addresses it leads to.
//!
//! Addresses are relative, so that the page works below a path of a reverse proxy. Never a
//! request, and no second opinion on values: the server judges what it is asked for.

use crate::fit::Size;

/// Keys of the page that say which pictures, passed on to the stream and to commands.
const WHICH: [&str; 9] = [
    "channel",
    "album",
    "from",
    "to",
    "rating",
    "keyword",
    "orientation",
    "on-this-day",
    "newest",
];
/// Keys that say how they look, passed on to the stream.
const HOW: [&str; 5] = ["fit", "quality", "transition", "pair", "caption"];

/// What the page was opened with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    passed_on: String,
    which: String,
    /// The statistics panel is open from the start: `stats=1`.
    pub stats: bool,
}

impl Query {
    /// Reads `location.search`, with or without its question mark. Keys that mean nothing here
    /// are left out; values stay percent-encoded.
    pub fn parse(search: &str) -> Self {
        let mut query = Self::default();
        for pair in search.trim_start_matches('?').split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let says_something = !value.is_empty() || key == "on-this-day";
            let is_which = WHICH.contains(&key);
            if says_something && (is_which || HOW.contains(&key)) {
                query.passed_on.push('&');
                query.passed_on.push_str(pair);
            }
            if says_something && is_which {
                query
                    .which
                    .push(if query.which.is_empty() { '?' } else { '&' });
                query.which.push_str(pair);
            }
            if key == "stats" {
                query.stats = !matches!(value, "0" | "false" | "no");
            }
        }
        query
    }

    /// The stream of slides, rendered for a canvas of `size`.
    pub fn bytes_url(&self, size: Size) -> String {
        let Size { width, height } = size;
        format!("bytes?size={width}x{height}{}", self.passed_on)
    }

    /// Where commands go.
    pub fn control_url(&self) -> String {
        format!("control{}", self.which)
    }
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
        assert_eq!(query.control_url(), "control");
        assert!(!query.stats);
    }

    #[test]
    fn what_chooses_pictures_goes_with_commands_too() {
        let query = Query::parse("?album=Rome&fit=cover&on-this-day&rating=");
        assert_eq!(query.control_url(), "control?album=Rome&on-this-day");
        assert_eq!(
            query.bytes_url(HD),
            "bytes?size=1920x1080&album=Rome&fit=cover&on-this-day"
        );
    }

    #[test]
    fn known_keys_are_passed_on_as_they_stand() {
        let query = Query::parse(
            "?channel=living%20room&x=1&fit=cover&quality=70&viewer=wasm&transition=cut",
        );
        assert_eq!(
            query.bytes_url(HD),
            "bytes?size=1920x1080&channel=living%20room&fit=cover&quality=70&transition=cut"
        );
        assert_eq!(query.control_url(), "control?channel=living%20room");
    }

    #[test]
    fn the_panel_can_be_asked_for() {
        for (search, wanted) in [
            ("?stats=1", true),
            ("?stats", true),
            ("?stats=0", false),
            ("?fit=blur&stats=1", true),
        ] {
            assert_eq!(Query::parse(search).stats, wanted, "{search}");
        }
    }

    #[test]
    fn odd_queries_do_no_harm() {
        for search in [
            "?",
            "&&&",
            "?=",
            "?channel",
            "?channel=",
            "?size=9x9",
            "?fit",
        ] {
            assert_eq!(
                Query::parse(search).bytes_url(HD),
                "bytes?size=1920x1080",
                "{search}"
            );
        }
    }
}
