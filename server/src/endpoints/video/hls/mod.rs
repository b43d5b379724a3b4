//! HTTP Live Streaming with low latency: `/hls/NAME/index.m3u8` and what its playlists name. Every answer is the same for
//! all who ask for it, so that a cache in front carries any number of players: no cookie, no redirect, no address of anybody's own.

mod packager;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{StatusCode, header};
use mantel_media::hls::{
    self, Found, MEDIA_TYPE, Name, PLAYLIST_TYPE, Prefix, Served, Turn, Variant, WAIT_TARGETS, Wish,
};
use tokio::time::timeout;
use warp::reply::Response;

use super::{
    super::{Outputs, Request, open, reply, state::viewers::Outlet},
    no_video,
};
use crate::{
    channel::choices::FeedKey,
    locked::locked,
    net::{Hidden, Refusal},
    rendition::{Fps, video},
};
use packager::Packager;

/// The playlist of playlists, which players are given.
const INDEX: &str = "index.m3u8";
/// The playlist of the one variant.
const PLAYLIST: &str = "video.m3u8";

/// Segments are shorter than this where key frames come more often; an encoder takes as long to begin all the same.
const LEAST: Duration = Duration::from_secs(2);
/// How long caches keep that there is no such segment.
const MISSING_SECS: u32 = 2;

/// The packagers at work, by the feed that they are of.
#[derive(Debug, Default)]
pub struct Packagers(Mutex<HashMap<FeedKey, Arc<Packager>>>);

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let mut query = request.query.clone();
    // Players have no cookies: whoever came in by a token in the address goes on by it.
    if let Some(Hidden(token)) = &request.visitor.token {
        query = format!("{query}&token={token}");
    }
    let wish = Wish::parse(&query).map_err(|why| Refusal::bad_request(why.to_string()))?;
    let (packager, key) = packager(outputs, request).await?;
    match name {
        INDEX => index(outputs, &packager, &wish, key.rendition.fps).await,
        PLAYLIST => playlist(outputs, &packager, &wish).await,
        name => match Name::parse(&packager.prefix(), name) {
            Some(name) => media(outputs, &packager, name).await,
            None => Ok(not_found(Served::Media)),
        },
    }
}

/// The packager of what is asked for; begun if there is none.
async fn packager(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<(Arc<Packager>, FeedKey), Refusal> {
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    video::can_be(wishes.rendition.size).map_err(|why| no_video(&why))?;
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    video::can_be(key.rendition.size).map_err(|why| no_video(&why))?;
    let mut all = locked(&outputs.watched.packagers.0);
    all.retain(|_, packager| !packager.is_over());
    if let Some(packager) = all.get(&key)
        && packager.touch()
    {
        return Ok((packager.clone(), key));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|_| Refusal::unavailable("the system has no random numbers"))?;
    let packager = Packager::new(
        Prefix::new(u64::from_ne_bytes(random)),
        key.rendition.gop_ticks(),
    );
    all.insert(key, packager.clone());
    tokio::spawn(packager::run(packager.clone(), key, lease));
    Ok((packager, key))
}

/// The answer of `look`, once it has one; `None` when that takes too long.
async fn once<T>(packager: &Packager, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let mut news = packager.news();
    let seen = async {
        loop {
            news.borrow_and_update();
            if let Some(seen) = look() {
                return Some(seen);
            }
            if packager.is_over() || news.changed().await.is_err() {
                return None;
            }
        }
    };
    timeout(WAIT_TARGETS * packager.target().max(LEAST), seen)
        .await
        .ok()
        .flatten()
}

fn too_long() -> Refusal {
    Refusal::unavailable("what was asked for has not come in time")
}

async fn index(
    outputs: &Outputs,
    packager: &Packager,
    wish: &Wish,
    Fps(fps): Fps,
) -> Result<Response, Refusal> {
    let seen = once(packager, || {
        packager.look(|window, start| {
            let sps = start.sets.head();
            // Before a segment is whole nobody knows: what the encoder keeps to.
            let peak = match window.peak_bits() {
                0 => 8_000_000,
                peak => peak,
            };
            let variant = Variant {
                uri: PLAYLIST,
                codecs: &sps.codec_string(),
                width: sps.width,
                height: sps.height,
                millihertz: 1000 * fps,
                peak_bits: peak,
                average_bits: window.average_bits().max(1),
            };
            let text = hls::multivariant(&[variant], &wish.extra);
            (text, window.target_secs())
        })
    });
    let (text, target) = seen.await.ok_or_else(too_long)?;
    Ok(answered(
        outputs,
        PLAYLIST_TYPE,
        text.into(),
        Served::Multivariant,
        target,
    ))
}

async fn playlist(
    outputs: &Outputs,
    packager: &Packager,
    wish: &Wish,
) -> Result<Response, Refusal> {
    let seen = once(packager, || {
        let judged = packager.look(|window, _| {
            let turn = window.judge(wish)?;
            let text = || window.playlist(wish.may_skip, &wish.extra);
            Ok((turn == Turn::Now).then(|| (text(), window.target_secs())))
        });
        match judged? {
            Ok(None) => None,
            Ok(Some(seen)) => Some(Ok(seen)),
            Err(why) => Some(Err(why)),
        }
    });
    let judged: Result<_, hls::Refusal> = seen.await.ok_or_else(too_long)?;
    let (text, target) = judged.map_err(|why| Refusal::bad_request(why.to_string()))?;
    let served = if wish.is_blocking() {
        Served::BlockingPlaylist
    } else {
        Served::Playlist
    };
    Ok(answered(
        outputs,
        PLAYLIST_TYPE,
        text.into(),
        served,
        target,
    ))
}

async fn media(outputs: &Outputs, packager: &Packager, name: Name) -> Result<Response, Refusal> {
    let seen = once(packager, || {
        packager.look(|window, _| {
            let bytes = match window.find(name) {
                Found::Init(init) => Some(init.clone()),
                Found::Parts([part]) => Some(part.content.clone()),
                Found::Parts(parts) => {
                    let mut all = BytesMut::new();
                    for part in parts {
                        all.extend_from_slice(&part.content);
                    }
                    Some(all.freeze())
                }
                Found::Wait => return None,
                Found::Gone => None,
            };
            Some((bytes, window.target_secs()))
        })?
    });
    let (bytes, target) = seen.await.ok_or_else(too_long)?;
    Ok(match bytes {
        Some(bytes) => answered(outputs, MEDIA_TYPE, bytes, Served::Media, target),
        None => not_found(Served::Media),
    })
}

fn answered(
    outputs: &Outputs,
    content_type: &str,
    bytes: Bytes,
    served: Served,
    target_secs: u32,
) -> Response {
    outputs.watched.viewers.answered(Outlet::Hls, bytes.len());
    let age = hls::max_age(served, true, target_secs);
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, format!("max-age={age}"));
    reply::built(builder, bytes)
}

/// Caches keep it for a moment, so that nobody asks again and again for what is not there.
fn not_found(served: Served) -> Response {
    let age = hls::max_age(served, false, MISSING_SECS);
    let builder = http::Response::builder()
        .status(StatusCode::NOT_FOUND)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, format!("max-age={age}"));
    reply::built(builder, "there is no such segment, or no longer\n")
}
