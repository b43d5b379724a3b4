//! Which channel a request is about, and taking hold of the feed that shows what is asked for.

use std::sync::Arc;

use http::StatusCode;

use super::{
    Outputs, Request,
    query::{self, Wishes},
};
use crate::{
    channel::{
        Channel,
        choices::{ChannelNo, FeedKey},
        live::LiveChannel,
    },
    clock,
    hub::Lease,
    library::Filter,
    net::{Reason, Refusal},
    render::Fit,
    rendition::{Captions, Fps, Pair, Rendition},
    source::live::{Passage, VIA, Via},
    timeline::Transition,
};

/// The channel that a request is about: a live one, or the one that shows the photos asked for, of which there is at
/// least one.
pub(super) async fn choose(
    outputs: &Arc<Outputs>,
    request: &Request,
    wish: &Filter,
) -> Result<(ChannelNo, Channel), Refusal> {
    let channels = &outputs.house.channels;
    let night = query::night(&request.query, outputs.looks.position)?;
    if night.is_some() && channels.main().afar().is_some() {
        let sentence = "this server shows its house's nights: night= is for the house itself";
        return Err(Refusal::bad_request(sentence));
    }
    if let Some(live) = channels.live().named(&request.channel) {
        // Of live channels nothing is interrupted.
        return channels.live_by_night(&live, night).map_err(full);
    }
    let mut chosen = channels.choose(wish).await.map_err(full)?;
    if !query::interrupts(&request.query)? {
        chosen = channels.undisturbed(chosen);
    }
    if let Some(plan) = night {
        chosen = channels.by_night(plan, chosen).map_err(full)?;
    }
    let (no, channel) = chosen;
    let is_empty = channel.programme().is_some_and(|all| all.is_empty());
    if !wish.is_all() && is_empty {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            format!("there is no photo to show for this choice: {wish}"),
        ));
    }
    Ok((no, channel))
}

/// The refusal where as much as may be is being watched.
fn full(error: impl std::fmt::Display) -> Refusal {
    Refusal::unavailable(error.to_string())
}

/// The wishes of a request, over the defaults of its channel.
pub(super) fn wishes(
    outputs: &Outputs,
    request: &Request,
    default: Rendition,
) -> Result<Wishes, Refusal> {
    let live = outputs.house.channels.live().named(&request.channel);
    let default = live
        .as_ref()
        .map_or(default, |live| live_default(live, default));
    let mut wishes = query::wishes(&request.query, default, outputs.configured())?;
    if live.is_some() {
        // Nothing changes slowly and nothing is written, and whoever asks for it shares what is made.
        wishes.rendition.transition = Transition::Cut;
        wishes.rendition.pair = Pair::Off;
        wishes.rendition.captions = Captions::default();
    }
    Ok(wishes)
}

/// The way of a viewer that came by other servers, known to the source of what it watches for as long as it does.
///
/// # Errors
/// It comes from this server itself.
pub(super) fn passage(outputs: &Outputs, request: &Request) -> Result<Option<Passage>, Refusal> {
    let way = request.headers.get(VIA).and_then(|way| way.to_str().ok());
    let way = way.map(Via::read).unwrap_or_default();
    if way.is_circle(&outputs.run.name) {
        let sentence = "these pictures come from the channel that asks for them, in a circle";
        return Err(Refusal::new(StatusCode::LOOP_DETECTED, sentence));
    }
    let live = outputs.house.channels.live().named(&request.channel);
    let live = live.filter(|_| !way.is_empty());
    Ok(live.map(|live| live.source().reader().enter(way)))
}

/// Live pictures as they come, for whoever asks for nothing in particular: in the channel's own size.
pub(super) fn live_default(live: &LiveChannel, default: Rendition) -> Rendition {
    Rendition {
        size: live.size().unwrap_or(default.size),
        fit: Fit::Contain,
        fps: Fps(60),
        transition: Transition::Cut,
        pair: Pair::Off,
        captions: Captions::default(),
        note: false,
        ..default
    }
}

/// Takes hold of the feed that shows what is wished for.
/// Beyond the limit of renditions that is the nearest one in use.
pub(super) async fn feed(
    outputs: &Arc<Outputs>,
    request: &Request,
    wishes: &Wishes,
) -> Result<(FeedKey, Lease), Refusal> {
    let (channel, held) = choose(outputs, request, &wishes.filter).await?;
    let mut rendition = wishes.rendition;
    // Over photos nothing is explained: whoever asks for it and whoever doesn't share what is made. As long as
    // nothing is on, what comes may be the drawn pictures.
    let programme = held.programme();
    let showing = programme.as_ref().and_then(|all| {
        all.timeline(rendition.size, rendition.pair)
            .at(clock::now())
    });
    rendition.note &=
        showing.is_none_or(|showing| outputs.house.catalogue.is_demo(showing.current.photo));
    let key = FeedKey { channel, rendition };
    let distance = |other: &FeedKey| {
        let same_photos = other.channel == channel;
        same_photos.then(|| rendition.distance(&other.rendition))?
    };
    match outputs.house.feeds.open_nearest(&key, &held, distance) {
        Ok(Some(opened)) => {
            if opened.0 != key {
                outputs.watched.connections.refuse(Reason::Renditions);
            }
            Ok(opened)
        }
        Ok(None) => Err(Refusal::unavailable("the server is stopping")),
        Err(full) => {
            outputs.watched.connections.refuse(Reason::Renditions);
            Err(Refusal::unavailable(full.to_string()))
        }
    }
}
