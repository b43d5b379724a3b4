//! The table of addresses: what lies at each, which methods it takes, and the right that this needs.
//!
//! Pure. Everything that asks what a path means asks here: the door for rights, the routes for the
//! endpoint, `OPTIONS` and refusals for what is allowed, the service worker for what it lets past.

mod endpoint;
mod named;
mod names;
mod takes;

use http::{Method, StatusCode};

use super::query;
use crate::{
    channel::roster::Roster,
    net::Refusal,
    rights::{ChannelName, Need, Right},
};
pub(super) use endpoint::{Endpoint, Form};
use named::{CHANNEL_PREFIX, Rest, channel_of};
pub(super) use names::Names;
use takes::Takes;

/// A request's address, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) channel: ChannelName,
    pub(super) endpoint: Endpoint<'a>,
    /// The right that the request takes.
    pub(super) need: Need,
    /// The methods that the address takes, as a header has them.
    pub(super) allow: &'static str,
}

/// A request that no endpoint answers.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// The right that it takes to hear why.
    need: Need,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// There is no channel of this name, but these. Whether it was to be pushed to.
    Channel(String, Names, bool),
    /// The address takes these methods, and not this one.
    Method(&'static str),
}

/// Of which channel a right is needed.
#[derive(Clone, Copy)]
enum Of {
    /// The channel that is named.
    Channel,
    /// The gallery, whichever channel is named: the answer tells of the library or of everyone who watches.
    House,
}

/// One address.
struct Row {
    /// Below the channel's own. A `*` at the end stands for a name, which the endpoint is made of.
    path: &'static str,
    endpoint: for<'a> fn(&'a str) -> Endpoint<'a>,
    takes: Takes,
    of: Of,
}

impl Row {
    const fn new(
        path: &'static str,
        endpoint: for<'a> fn(&'a str) -> Endpoint<'a>,
        takes: Takes,
        of: Of,
    ) -> Self {
        Self {
            path,
            endpoint,
            takes,
            of,
        }
    }

    /// The endpoint that lies at `path`, if that is this row's.
    fn endpoint_at<'a>(&self, path: &'a str) -> Option<Endpoint<'a>> {
        let name = match self.path.strip_suffix('*') {
            Some(start) => path.strip_prefix(start)?,
            None => (path == self.path).then_some("")?,
        };
        Some((self.endpoint)(name))
    }
}

/// The table. Whatever is not in it is a file beside the page.
const TABLE: [Row; 32] = {
    use Takes::{
        Asking, Forgetting, Inspecting, Keeping, Looking, Offering, Pushing, Session, Telling,
    };
    [
        Row::new("", |_| Endpoint::Page, Looking, Of::Channel),
        Row::new("stream", |_| Endpoint::Stream, Looking, Of::Channel),
        Row::new(
            "stream.h264",
            |_| Endpoint::Video(Form::H264),
            Looking,
            Of::Channel,
        ),
        Row::new(
            "stream.ts",
            |_| Endpoint::Video(Form::Ts),
            Looking,
            Of::Channel,
        ),
        Row::new(
            "stream.mp4",
            |_| Endpoint::Video(Form::Mp4),
            Looking,
            Of::Channel,
        ),
        Row::new("hls/*", |name| Endpoint::Hls(name), Looking, Of::Channel),
        Row::new(
            "whep",
            |_| Endpoint::Whep,
            Offering(Right::Watch),
            Of::Channel,
        ),
        Row::new(
            "whep/*",
            |id| Endpoint::RtcSession(id),
            Session,
            Of::Channel,
        ),
        Row::new(
            "whip",
            |_| Endpoint::Whip,
            Offering(Right::Push),
            Of::Channel,
        ),
        Row::new(
            "whip/*",
            |id| Endpoint::RtcSession(id),
            Session,
            Of::Channel,
        ),
        Row::new("bytes", |_| Endpoint::Bytes, Looking, Of::Channel),
        Row::new("snapshot", |_| Endpoint::Snapshot, Looking, Of::Channel),
        Row::new("status", |_| Endpoint::Status, Looking, Of::Channel),
        Row::new(
            "control",
            |_| Endpoint::Control,
            Telling(Right::Control),
            Of::Channel,
        ),
        Row::new("push", |_| Endpoint::Push, Pushing, Of::Channel),
        Row::new("channels", |_| Endpoint::Channels, Looking, Of::House),
        Row::new(
            "report",
            |_| Endpoint::Report,
            Telling(Right::Watch),
            Of::Channel,
        ),
        Row::new("time", |_| Endpoint::Time, Looking, Of::Channel),
        Row::new("healthz", |_| Endpoint::Health, Asking, Of::Channel),
        Row::new("qr", |_| Endpoint::Qr, Looking, Of::Channel),
        Row::new("profiles", |_| Endpoint::Profiles, Keeping, Of::House),
        Row::new(
            "profiles/*",
            |name| Endpoint::Profile(name),
            Forgetting,
            Of::Channel,
        ),
        Row::new("tv/*", |name| Endpoint::Screen(name), Looking, Of::Channel),
        Row::new("metrics", |_| Endpoint::Metrics, Looking, Of::House),
        Row::new("screens", |_| Endpoint::Screens, Looking, Of::House),
        Row::new("library/lists", |_| Endpoint::Lists, Looking, Of::House),
        Row::new("library/photos", |_| Endpoint::Photos, Looking, Of::House),
        Row::new("library/albums", |_| Endpoint::Albums, Looking, Of::House),
        Row::new("library/skipped", |_| Endpoint::Skipped, Looking, Of::House),
        Row::new(
            "library/hidden",
            |_| Endpoint::Hidden,
            Inspecting(Right::Control),
            Of::House,
        ),
        Row::new(
            "library/thumbnail/*",
            |name| Endpoint::Thumbnail(name),
            Looking,
            Of::House,
        ),
        Row::new("history", |_| Endpoint::History, Looking, Of::Channel),
    ]
};

/// The address that a request asks for.
///
/// # Errors
/// The channel is none, or the method is none that the address takes.
pub(super) fn find<'a>(
    method: &Method,
    path: &'a str,
    query: &str,
    names: &Names,
) -> Result<Address<'a>, Unanswered> {
    let (named, rest) = channel_of(path, query);
    let (endpoint, takes, of) = match rest {
        Rest::Below(path) => at(path, query),
        Rest::Hls(name) => (Endpoint::Hls(name), Takes::Looking, Of::Channel),
        Rest::NoSlash => (
            Endpoint::ToPage(&path[CHANNEL_PREFIX.len()..]),
            Takes::Looking,
            Of::Channel,
        ),
    };
    if *method == Method::OPTIONS {
        // What may be sent where is nobody's secret, whatever channel is named.
        return Ok(Address {
            channel: ChannelName::main(),
            endpoint,
            need: Need::Nothing,
            allow: takes.allow(),
        });
    }
    let right = takes.right(method);
    let need = |right: Option<Right>, channel: &ChannelName| match (right, of) {
        (None, _) => Need::Nothing,
        (Some(right), Of::Channel) => Need::Of(right, channel.clone()),
        (Some(right), Of::House) => Need::Of(right, ChannelName::main()),
    };
    let known = match &named {
        None => Some(ChannelName::main()),
        Some(name) => name.parse().ok(),
    };
    let channel = match known {
        Some(channel) if names.has(&channel) => channel,
        // What it makes is made when its first picture comes, by who has the right to push to it.
        Some(channel) if names.creates() && makes(endpoint, method) => channel,
        unknown => {
            let channel = unknown.unwrap_or_else(ChannelName::main);
            // Which channels there are is no stranger's business.
            let need = need(Some(right.unwrap_or(Right::Watch)), &channel);
            let is_push = makes(endpoint, method);
            let why = Why::Channel(named.unwrap_or_default(), names.clone(), is_push);
            return Err(Unanswered { need, why });
        }
    };
    let need = need(right, &channel);
    if !takes.takes(method) {
        let why = Why::Method(takes.allow());
        return Err(Unanswered { need, why });
    }
    Ok(Address {
        channel,
        endpoint,
        need,
        allow: takes.allow(),
    })
}

/// Whether a request would make the channel that it names, where that is allowed.
fn makes(endpoint: Endpoint<'_>, method: &Method) -> bool {
    match endpoint {
        Endpoint::Push => matches!(*method, Method::POST | Method::PUT),
        Endpoint::Whip => *method == Method::POST,
        _ => false,
    }
}

/// The right that a request takes. Looking needs less than changing, and whether the server lives is nobody's
/// secret.
pub fn needs(method: &Method, path: &str, query: &str, live: &Roster) -> Need {
    need_of(method, path, query, &Names::of(live))
}

/// The right that a request takes where these channels are known.
pub(super) fn need_of(method: &Method, path: &str, query: &str, names: &Names) -> Need {
    match find(method, path, query, names) {
        Ok(address) => address.need,
        Err(unanswered) => unanswered.need,
    }
}

/// The paths, below a page's own, that no service worker has to do with.
pub(super) fn past_workers() -> impl Iterator<Item = &'static str> {
    let paths = TABLE.iter().map(|row| row.path);
    // The page itself is kept by it, and so is where a screen's name leads.
    paths.filter(|path| !path.is_empty() && !path.ends_with('*'))
}

/// The endpoint at `path`, below the channel's own.
fn at<'a>(path: &'a str, query: &str) -> (Endpoint<'a>, Takes, Of) {
    // As clients of mjpg-streamer ask.
    let path = match query::value(query, query::ACTION).as_deref() {
        Some(action @ ("stream" | "snapshot")) if path.is_empty() => {
            if action == "stream" {
                "stream"
            } else {
                "snapshot"
            }
        }
        _ => path,
    };
    let found = TABLE
        .iter()
        .find_map(|row| Some((row.endpoint_at(path)?, row.takes, row.of)));
    found.unwrap_or_else(|| {
        let takes = if is_program(path) {
            Takes::Asking
        } else {
            Takes::Looking
        };
        (Endpoint::File(path), takes, Of::Channel)
    })
}

/// The program's own files, the same for everyone: engines before Chromium 72, and whatever fetches
/// what installs the page, ask for them without a cookie.
fn is_program(name: &str) -> bool {
    const ENDINGS: [&str; 4] = [".js", ".css", ".wasm", ".webmanifest"];
    let is_named = matches!(name, "icon-192.png" | "icon-512.png" | "push.py");
    is_named || (!name.contains('/') && ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

impl From<Unanswered> for Refusal {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered.why {
            Why::Channel(name, names, is_push) => {
                let valid = name.parse::<ChannelName>();
                let name: String = name.chars().take(40).collect();
                let hint = match valid {
                    Err(reason) if is_push => format!("; {reason}"),
                    Ok(_) if is_push => {
                        "; a server that is started with --push-creates makes it by its first picture".into()
                    }
                    _ => String::new(),
                };
                let sentence =
                    format!("there is no channel {name:?}; those that there are: {names}{hint}");
                Self::new(StatusCode::NOT_FOUND, sentence)
            }
            Why::Method(allow) => {
                let methods = allow.trim_end_matches(", OPTIONS");
                let sentence = format!("this address takes {methods}");
                Self::new(StatusCode::METHOD_NOT_ALLOWED, sentence).allowing(allow)
            }
        }
    }
}

#[cfg(test)]
mod tests;
