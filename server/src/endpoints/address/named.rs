//! The channel that a path names.

use super::super::query;

/// The paths of channels begin with this and a name.
pub(super) const CHANNEL_PREFIX: &str = "/c/";

/// A channel's name behind this is where pictures for it are sent to, as clients of such servers expect.
const PUSH_PREFIX: &str = "/push/";

/// A channel's name behind this, and then that of a playlist or what it names, as players expect.
const HLS_PREFIX: &str = "/hls/";

/// A channel's name behind this is where offers of WebRTC are sent to, as players expect.
const WHEP_PREFIX: &str = "/whep/";
const WHIP_PREFIX: &str = "/whip/";

/// Where go2rtc takes offers; the channel is named by [`SRC`].
const GO2RTC: &str = "/api/webrtc";
const SRC: &str = "src";

/// The part of a path that is left without its channel's name.
pub(super) enum Rest<'a> {
    /// The path below the channel's own.
    Below(&'a str),
    /// A name of HLS.
    Hls(&'a str),
    /// Nothing: the final slash of a channel's page is missing.
    NoSlash,
}

/// The channel's name, if one is named, and the path below it. A name in the path counts before one in the query.
pub(super) fn channel_of<'a>(path: &'a str, query: &str) -> (Option<String>, Rest<'a>) {
    if let Some(name) = path.strip_prefix(PUSH_PREFIX) {
        return (Some(name.to_owned()), Rest::Below("push"));
    }
    if let Some(name) = path.strip_prefix(WHEP_PREFIX) {
        return (Some(name.to_owned()), Rest::Below("whep"));
    }
    if let Some(name) = path.strip_prefix(WHIP_PREFIX) {
        return (Some(name.to_owned()), Rest::Below("whip"));
    }
    if path == GO2RTC {
        return (query::value(query, SRC), Rest::Below("whep"));
    }
    if let Some((name, rest)) = path
        .strip_prefix(HLS_PREFIX)
        .and_then(|rest| rest.split_once('/'))
    {
        return (Some(name.to_owned()), Rest::Hls(rest));
    }
    match path.strip_prefix(CHANNEL_PREFIX) {
        Some(rest) => match rest.split_once('/') {
            Some((name, rest)) => (Some(name.to_owned()), Rest::Below(rest)),
            None => (Some(rest.to_owned()), Rest::NoSlash),
        },
        None => (
            query::value(query, query::CHANNEL),
            Rest::Below(path.strip_prefix('/').unwrap_or(path)),
        ),
    }
}
